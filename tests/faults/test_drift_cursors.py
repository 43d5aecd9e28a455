"""Cursors that lead to no page, or to the same page again: in a body, in a query, in a head."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from _said import document, refusal, stream, three
from test_drift import drifted

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault.faults.drift import Drift


@pytest.mark.parametrize(
    ("key", "cursor", "shape"),
    [
        ("nextCursor", "dGVhbTpDMDYx", r"[a-z][A-Z][A-Z][a-z][a-z][A-Z][a-z][A-Z][A-Z][A-Z][A-Z][a-z]"),
        ("next_page", 2, r"\d{7,8}"),
        ("next", "https://api.test/v1/things?limit=2&page=2", r"https://api\.test/v1/things\?limit=2&page=\d{7,8}"),
        ("@odata.nextLink", "https://api.test/v1/things?$skiptoken=x9", r"https://\S+things\?%24skiptoken=[a-z][1-9]"),
        (
            "nextRecordsUrl",
            "/services/data/v60.0/query/01g-2000",
            r"/services/data/v60\.0/query/[1-9]{2}[a-z]-[1-9]{4}",
        ),
        ("after", "==", r"==0"),
    ],
)
def test_a_cursor_leads_to_no_page(key: str, cursor: Any, shape: str) -> None:
    """Another of the same shape; of a link the part that says the page."""
    for seed in range(5):
        new = drifted("new_cursor", None, {key: cursor, "n": 1}, seed)[key]
        assert new != cursor
        assert type(new) is type(cursor)
        assert re.fullmatch(shape, str(new)), new


GRAPHQL = json.dumps({"query": "query Q($after: String) { a }", "variables": {"after": "a1", "first": 2}}).encode()


@pytest.mark.parametrize(
    ("url", "body", "page", "looped"),
    [
        ("?cursor=a1", b"", {"next_cursor": "b2"}, {"next_cursor": "a1"}),
        (
            "",
            b'{"start_cursor": "a1"}',
            {"next_cursor": "b2", "has_more": False},
            {"next_cursor": "a1", "has_more": True},
        ),
        ("", GRAPHQL, {"endCursor": "b2", "hasNextPage": False}, {"endCursor": "a1", "hasNextPage": True}),
        ("?page=2", b"", {"nextPage": 3}, {"nextPage": 2}),
        ("", b"", {"nextPage": 2}, {"nextPage": 1}),
        ("?startAt=50", b"", {"next": 100, "isLast": True}, {"next": 50, "isLast": False}),
        ("?page=2", b"", {"next": "https://api.test/v1?page=3"}, {"next": "https://api.test/v1/things?page=2"}),
        ("?page=2", b"", {"nextRecordsUrl": "/v1?page=3"}, {"nextRecordsUrl": "/v1/things?page=2"}),
        ("", b"", {"nextRecordsUrl": "/v1?page=2"}, {"nextRecordsUrl": "/v1/things"}),
    ],
)
def test_a_cursor_leads_to_the_same_page_again(url: str, body: bytes, page: Any, looped: Any) -> None:
    """What the request itself asked for, in a query, a JSON body or GraphQL variables; and the reply promises more."""
    asked = Request("POST" if body else "GET", f"https://api.test/v1/things{url}", (), body)
    assert drifted("loop_cursor", None, {"items": [1], **page}, request=asked) == {"items": [1], **looped}


def links(page: str, rel: str) -> str:
    """A header with three links, the middle one to this page."""
    return (
        f'<https://api.test/x?page=1>; rel="prev", <https://api.test/x?page={page}>; rel={rel}, '
        '<https://api.test/x?page=9>; rel="last"'
    )


@pytest.mark.parametrize("rel", ['"next"', "next", '"next"; title="a"'])
def test_a_cursor_may_be_in_the_head(rel: str) -> None:
    """As GitHub has it: the other links stay, and so does the body; a path means the body alone."""
    request = Request("GET", "https://api.test/x?page=2")
    reply = document([{"id": 1}]).with_header("Link", links("3", rel))
    looped = Drift("loop_cursor").alter(request, reply)
    assert (looped.header("link"), looped.body) == (links("2", rel), reply.body)
    lost = Drift("new_cursor", random=Random(1)).alter(request, reply)
    page = re.findall(r"page=(\d{7,8})>", lost.header("link"))
    assert lost.header("link") == links(*page, rel)
    assert Drift("loop_cursor", "$.next").alter(request, reply) == reply
    assert Drift("null", "$.next").alter(request, reply) == reply


def test_the_first_page_in_the_head_leads_to_itself() -> None:
    """A link is absolute, so its page is always known; without one nothing is struck."""
    request = Request("GET", "https://api.test/x")
    reply = document([1]).with_header("Link", '<https://api.test/x?page=2>; rel="next"')
    struck = Drift("loop_cursor").alter(request, reply)
    assert struck.header("link") == '<https://api.test/x>; rel="next"'
    others = ("prev", "next-archive", "nextpage")
    for other in (
        *(f'<https://api.test/x?page=2>; rel="{rel}"' for rel in others),
        '<https://api.test/x>; rel="next"',
        "",
    ):
        plain = document([1]).with_header("Link", other)
        assert Drift("loop_cursor").alter(request, plain) == plain


NEXT = "https://api.test/x?page=3"
PREVIOUS = '<https://api.test/x?page=1>; rel="prev"'
LAST = '<https://api.test/x?page=9>; rel="last"'


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ([f'{PREVIOUS}, <{NEXT}>; rel="next", {LAST}'], [f"{PREVIOUS}, {LAST}"]),
        ([f'<{NEXT}>; rel="next",{LAST}'], [LAST]),
        ([f'{PREVIOUS}, <{NEXT}>; rel="next"'], [PREVIOUS]),
        ([f"<{NEXT}>; REL=Next"], []),
        ([f'<{NEXT}>; title="a, b; c"; rel="next"; type=x'], []),
        ([f'<{NEXT}>; rel="section next"'], []),
        ([PREVIOUS, f'<{NEXT}>; rel="next"'], [PREVIOUS]),
    ],
    ids=["middle", "first", "last", "case", "parameters", "types", "headers"],
)
def test_the_link_in_the_head_is_one_place_whatever_stands_beside_it(head: list[str], kept: list[str]) -> None:
    """It can be gone or lead elsewhere; the other links stay, in one header (GitHub) or one each (Okta)."""
    request = Request("GET", "https://api.test/x?page=2")
    plain = document([{"id": 1}])
    reply = plain.with_headers((*plain.headers, *(("Link", value) for value in head)))

    def linked(operation: str, seed: int = 1) -> list[str]:
        struck = Drift(operation, "Link rel=next", Random(seed)).alter(request, reply)
        assert struck.body == reply.body
        return [value for name, value in struck.headers if name == "Link"]

    assert linked("remove") == kept
    assert linked("loop_cursor") == [value.replace(NEXT, request.url) for value in head]
    assert [re.sub(r"page=\d{7,8}>", "page=3>", value) for value in linked("new_cursor")] == head
    assert linked("new_cursor") != head


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        (document({"id": 1}), ["remove:$.id", "remove:Link rel=next"]),
        (document([1]), ["remove:Link rel=next"]),
        (Reply.of(200, b"a,b\n1,2\n", {"Content-Type": "text/csv"}), ["remove:Link rel=next"]),
        (stream({"id": 1}), ["remove:$.id", "remove:Link rel=next"]),
    ],
    ids=["object", "list", "csv", "stream"],
)
def test_the_link_is_a_field_of_every_reply(reply: Reply, named: list[str]) -> None:
    """The last of them, under a name of its own; whatever the body is."""
    reply = reply.with_header("Link", f'<{NEXT}>; rel="next"')
    request = Request("GET", "https://api.test/x?page=2")
    found = dict(Drift("remove", "every-field").each(request, reply))
    assert list(found) == named
    one = found["remove:Link rel=next"]
    assert one == Drift("remove", "Link rel=next")
    assert one.alter(request, reply) == reply.with_header("Link", None)
    assert [name for name, _ in Drift("every", "Link rel=next").each(request, reply)] == [
        "remove:Link rel=next",
        "new_cursor:Link rel=next",
        "loop_cursor:Link rel=next",
    ]


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("https://api.test/x?page_info=aB3&limit=50", r"https://api\.test/x\?page_info=[a-z][A-Z][1-9]&limit=50"),
        ("https://api.test/x?id_after=42&per_page=20", r"https://api\.test/x\?id_after=\d{7,8}&per_page=20"),
        ("https://api.test/x?since=135", r"https://api\.test/x\?since=\d{7,8}"),
        ("/x?page=3", r"/x\?page=\d{7,8}"),
    ],
    ids=["Shopify", "GitLab", "GitHub", "relative"],
)
def test_a_link_to_no_page_keeps_its_path(url: str, shape: str) -> None:
    """What says the page is another; where no name of a parameter tells which that is, any is."""
    reply = document([1]).with_header("Link", f'<{url}>; rel="next"')
    said = Drift("new_cursor", random=Random(2)).alter(Request("GET", "https://api.test/x"), reply).header("link")
    assert re.fullmatch(f'<{shape}>; rel="next"', said), said
    looped = Drift("loop_cursor").alter(Request("GET", "https://api.test/x?page=2"), reply).header("link")
    assert looped == f'<{"https://api.test" if "://" in url else ""}/x?page=2>; rel="next"'


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"operation": "wrap", "field": "Link rel=next"},
            three(
                "drift: a link can only be removed or lead elsewhere",
                "operation = 'wrap' with field = 'Link rel=next'",
                "set one of loop_cursor, new_cursor, remove",
            ),
        ),
        (
            {"field": "link rel=next"},
            three(
                "drift: unknown `field`",
                "'link rel=next'",
                "did you mean 'Link rel=next'? known: Link rel=next, every-field; or a path, which begins with $",
            ),
        ),
    ],
)
def test_wrong_words_for_the_link_are_refused(settings: dict[str, Any], text: str) -> None:
    """What is wrong, what is there, what to do."""
    assert refusal(Drift, settings) == text
