"""Cursors that lead to no page, or to the same page again: in a body, in a query, in a head."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from _said import (
    document,
)
from test_drift import drifted

from pytest_agentfault._reply import Request
from pytest_agentfault.faults.drift import Drift


@pytest.mark.parametrize(
    ("key", "cursor", "shape"),
    [
        ("nextCursor", "dGVhbTpDMDYx", r"[a-z][A-Z][A-Z][a-z][a-z][A-Z][a-z][A-Z][A-Z][A-Z][A-Z][a-z]"),
        ("next_page", 2, r"\d{7,8}"),
        ("next", "https://api.test/v1/things?limit=2&page=2", r"https://api\.test/v1/things\?limit=2&page=[1-9]"),
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
    assert lost.header("link") in {links(str(page), rel) for page in (1, 2, 4, 5, 6, 7, 8, 9)}
    assert Drift("loop_cursor", "$.next").alter(request, reply) == reply
    assert Drift("null", "$.next").alter(request, reply) == reply


def test_the_first_page_in_the_head_leads_to_itself() -> None:
    """A link is absolute, so its page is always known; without one nothing is struck."""
    request = Request("GET", "https://api.test/x")
    reply = document([1]).with_header("Link", '<https://api.test/x?page=2>; rel="next"')
    struck = Drift("loop_cursor").alter(request, reply)
    assert struck.header("link") == '<https://api.test/x>; rel="next"'
    for other in ('<https://api.test/x?page=2>; rel="prev"', '<https://api.test/x>; rel="next"', ""):
        plain = document([1]).with_header("Link", other)
        assert Drift("loop_cursor").alter(request, plain) == plain
