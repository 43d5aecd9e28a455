"""The fault `lie`: a reply of the right shape whose values are not true."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from _said import BODYLESS, GET, HEAD, JSON, JSON_VALUES, arrives, document, gzipped, lines, refusal, stream, three
from hypothesis import given, settings

from pytest_agentfault._payload import written
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.lie import HOWS, Lie

ORDER = {
    "id": 1007,
    "customer": {"id": "cus_Nf1", "name": "Ann Lee", "email": "ann@example.com"},
    "customer_id": "cus_Nf1",
    "subtotal": 1250,
    "shipping": 490,
    "price": "12.50",
    "placed": "2026-01-08T10:00:00.000+0000",
    "due": "2026-02-01",
    "total": 2,
    "items": [{"sku": "A", "count": 3}, {"sku": "B", "count": 3}],
    "self": "https://api.test/orders/1007?customer=cus_Nf1",
    "note": "Ann Lee (cus_Nf1) called twice",
    "state": "open",
}


def lied(fault: Lie, value: Any = ORDER, seed: int = 1) -> Any:
    """The value as the client gets it."""
    one = Lie(fault.how, fault.field, fault.other, fault.days, Random(seed))
    return json.loads(arrives(one.alter(GET, document(value))))


def shape(value: Any) -> Any:
    """What a schema sees of a value."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        (Lie("stale"), {"placed": "2026-01-01T10:00:00.000+0000", "due": "2026-01-25"}),
        (Lie("stale", days=31), {"placed": "2025-12-08T10:00:00.000+0000", "due": "2026-01-01"}),
        (Lie("stale", "$.due"), {"due": "2026-01-25"}),
        (Lie("swapped", "$.subtotal", "$.shipping"), {"subtotal": 490, "shipping": 1250}),
        (
            Lie("swapped", "$.items[0].sku", "$.items[1].sku"),
            {"items": [{"sku": "B", "count": 3}, {"sku": "A", "count": 3}]},
        ),
        (Lie("emptied"), {"items": [], "total": 0}),
        (Lie("emptied", "$.items"), {"items": [], "total": 0}),
    ],
    ids=repr,
)
def test_only_what_is_lied_about_changes(fault: Lie, changes: dict[str, Any]) -> None:
    """All else stays as it was said."""
    assert lied(fault) == {**ORDER, **changes}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("how", [how for how in HOWS if how not in ("first_page", "emptied")])
def test_no_schema_can_notice(how: str, seed: int) -> None:
    """Same fields, same types; and the same lie by the same seed."""
    new = lied(Lie(how), seed=seed)
    assert new != ORDER
    assert shape(new) == shape(ORDER)
    assert new == lied(Lie(how), seed=seed)


@pytest.mark.parametrize(
    ("key", "value", "new"),
    [
        ("at", "2026-01-08", "2026-01-01"),
        ("at", "2026-01-08 10:00", "2026-01-01 10:00"),
        ("at", "2026-03-01T00:00:00Z", "2026-02-22T00:00:00Z"),
        ("at", "Thu, 08 Jan 2026 10:00:00 GMT", "Thu, 01 Jan 2026 10:00:00 GMT"),
        ("at", "Thu, 08 Jan 2026 10:00:00 +0100", "Thu, 01 Jan 2026 10:00:00 +0100"),
        ("created", 1767866400, 1767261600),
        ("updatedAt", 1767866400123, 1767261600123),
        ("expires_at", 1767866400.5, 1767261600.5),
        ("at", ["2026-01-08", "soon"], ["2026-01-01", "soon"]),
    ],
)
def test_a_date_is_older_and_written_as_before(key: str, value: Any, new: Any) -> None:
    """Seven days, in the vendor's own way of writing."""
    assert lied(Lie("stale"), {key: value, "n": 1767866400}) == {key: new, "n": 1767866400}


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (1250, {2150, 1520, 1205}),
        (-12, {-21}),
        (12.5, {21.5}),
        ("12.50", {"21.50", "12.05"}),
        ("1007", {"1070"}),
    ],
)
def test_two_neighbouring_digits_change_places(value: Any, known: set[Any]) -> None:
    """A slip of the hand: no digit is new, and none leads with 0."""
    seen = {lied(Lie(), {"price": value, "id": 12345}, seed)["price"] for seed in range(30)}
    assert seen == known


def test_digits_inside_a_text_are_transposed_where_a_path_says_so() -> None:
    """By itself only what is a number, and not what tells things apart."""
    assert lied(Lie(field="$.key"), {"key": "PROJ-12"}) == {"key": "PROJ-21"}
    assert lied(Lie(field="$[*].n"), [{"n": 12}, {"n": 77}, {"n": 45}]) == [{"n": 21}, {"n": 77}, {"n": 54}]
    for value in ({"key": "PROJ-12"}, {"id": 12}, {"order_id": 12}, {"created": 1767866400}, {"n": 7}, {"n": 10}):
        assert Lie().alter(GET, document(value)) == document(value)


def test_swapped_fields_are_of_one_kind() -> None:
    """A number for a number, a date for a date, a short text for one; never an id, a link or a list."""
    value = {
        "id": "a",
        "ref_id": "b",
        "net": 1,
        "gross": 2,
        "from": "2026-01-01",
        "to": "2026-01-02",
        "city": "Oslo",
        "street": "Main 1",
        "url": "https://a.test/",
        "open": True,
        "paid": False,
        "empty": "",
        "list": [1],
    }
    seen = set()
    for seed in range(60):
        new = lied(Lie("swapped"), value, seed)
        changed = tuple(key for key in value if new[key] != value[key])
        assert [new[key] for key in changed] == [value[key] for key in reversed(changed)]
        seen.add(changed)
    assert seen == {("net", "gross"), ("from", "to"), ("city", "street")}


def test_a_field_without_a_partner_finds_one_beside_it() -> None:
    """The other is then the seed's choice."""
    new = lied(Lie("swapped", "$.price.net"), {"price": {"net": 1, "gross": 2}, "other": {"net": 1}})
    assert new == {"price": {"net": 2, "gross": 1}, "other": {"net": 1}}


def test_an_emptied_page_is_the_last_one_and_counts_nothing() -> None:
    """No error, no result, no next page."""
    page = {"results": [1], "count": 1, "totalCount": 9, "pageSize": 50, "next": "b2", "has_more": True, "name": "x"}
    assert lied(Lie("emptied"), page) == {
        "results": [],
        "count": 0,
        "totalCount": 0,
        "pageSize": 50,
        "next": None,
        "has_more": False,
        "name": "x",
    }


def test_another_tenant_is_the_same_one_everywhere() -> None:
    """Each id and name is changed alike in fields, links and prose; what is nobody's stays."""
    new = lied(Lie("other_tenant"))
    customer, order = new["customer"], new["id"]
    assert re.fullmatch(r"cus_[A-Z][a-z][1-9]", customer["id"])
    assert customer["id"] != "cus_Nf1"
    assert "@" in customer["email"]
    assert customer["name"] not in ("Ann Lee", "")
    assert 1000 <= order <= 9999
    assert order != 1007
    assert new == {
        **ORDER,
        "id": order,
        "customer": customer,
        "customer_id": customer["id"],
        "self": f"https://api.test/orders/{order}?customer={customer['id']}",
        "note": f"{customer['name']} ({customer['id']}) called twice",
    }


def test_another_tenant_may_be_in_one_field_only() -> None:
    """At the path as it would be everywhere; elsewhere the old one stands."""
    whole, part = lied(Lie("other_tenant")), lied(Lie("other_tenant", "$.customer"))
    assert part == {**ORDER, "customer": whole["customer"]}


def test_different_records_stay_different() -> None:
    """As many ids as before, however few of that shape there are; a count is no id."""
    value = [{"id": n, "count": n, "name": f"status {n}"} for n in range(1, 10)]
    new = lied(Lie("other_tenant"), value)
    ids = [item["id"] for item in new]
    assert len(set(ids)) == 9
    assert all(a != b for a, b in zip(ids, range(1, 10), strict=True))
    assert [(item["count"], item["name"]) for item in new] == [(item["count"], item["name"]) for item in value]


@pytest.mark.parametrize(
    ("key", "old", "kind"),
    [
        ("firstName", "Ann", str.istitle),
        ("login", "annlee", str.isascii),
        ("displayName", "Ann Lee", lambda text: " " in text),
        ("company", "Example Ltd", str.isprintable),
    ],
)
def test_names_are_told_by_their_fields(key: str, old: str, kind: Any) -> None:
    """And the new one is of the same kind."""
    new = lied(Lie("other_tenant"), {key: old})[key]
    assert new != old
    assert kind(new)


def test_a_name_is_somebodys_where_its_object_is() -> None:
    """The name of a state is nobody's."""
    value = {"state": {"name": "Open"}, "assignee": {"name": "Ann"}, "teams": [{"name": "Blue"}]}
    new = lied(Lie("other_tenant"), value)
    assert new["state"] == {"name": "Open"}
    assert new["assignee"]["name"] != "Ann"
    assert new["teams"][0]["name"] != "Blue"


@pytest.mark.parametrize(
    ("asked", "body", "url", "sent"),
    [
        ("?limit=2&page=2", b"", "?limit=2", b""),
        ("?cursor=b2", b"", "", b""),
        ("?startAt=50&maxResults=50&jql=a%3Db", b"", "?maxResults=50&jql=a%3Db", b""),
        ("?starting_after=cus_1", b"", "", b""),
        ("", b'{"page_size":2,"start_cursor":"b2"}', "", b'{"page_size":2}'),
        ("", b'{"page_size": 2, "start_cursor": "b2"}', "", b'{"page_size": 2}'),
        ("", b'{"q":"\\u00e9","offset":9}', "", b'{"q":"\\u00e9"}'),
        ("", b'{"query":"q","variables":{"after":"b2"}}', "", b'{"query":"q","variables":{"after":null}}'),
    ],
)
def test_the_first_page_is_asked_for_in_place_of_another(asked: str, body: bytes, url: str, sent: bytes) -> None:
    """The vendor seems not to know what says the page; the rest of the request is as the client wrote it."""
    headers = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    request = Request("POST" if body else "GET", f"https://api.test/v1/things{asked}", headers, body)
    made = Lie("first_page").mutate(request)
    length = ("Content-Length", str(len(sent)))
    assert made == Request(request.method, f"https://api.test/v1/things{url}", (headers[0], length), sent)
    assert Lie("first_page").mutate(made) == made
    assert Lie("first_page").alter(made, document(ORDER)) == document(ORDER)
    assert Lie("stale").mutate(request) == request


@pytest.mark.parametrize(
    ("fault", "request_", "reply"),
    [
        (Lie("stale"), GET, document({"at": "soon", "n": 1767866400, "created": 7, "day": "2026-99-99"})),
        (Lie("stale"), GET, document({"at": "0001-01-03"})),
        (Lie("stale", "$.nonesuch"), GET, document(ORDER)),
        (Lie("swapped"), GET, document({"a": 1, "b": "x", "c": 1})),
        (Lie("swapped", "$.id"), GET, document(ORDER)),
        (Lie("swapped", "$.total", "$.nonesuch"), GET, document(ORDER)),
        (Lie("emptied"), GET, document({"items": [], "n": 1})),
        (Lie("emptied", "$.id"), GET, document(ORDER)),
        (Lie("other_tenant"), GET, document({"n": 1, "state": {"name": "Open"}})),
        (Lie("stale"), GET, stream({"created": 1767866400})),
        (Lie("stale"), GET, lines({"created": 1767866400}, {"created": 1767866400})),
        (Lie("stale"), HEAD, document(ORDER)),
        (Lie("stale"), GET, document("2026-01-08")),
        (Lie("stale"), GET, Reply.of(200, b"<html>", JSON)),
        *((Lie("stale"), GET, reply) for reply in BODYLESS),
    ],
)
def test_where_there_is_nothing_to_lie_about_nothing_is_struck(fault: Lie, request_: Request, reply: Reply) -> None:
    """The same reply comes back."""
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("mutate", "alter")


def test_a_compressed_reply_comes_plain_and_with_a_true_length() -> None:
    """As every reply with another body."""
    reply = gzipped(document(ORDER)).with_header("Content-Length", "7")
    struck = Lie("emptied").alter(GET, reply)
    assert json.loads(arrives(struck))["items"] == []
    assert (struck.header("content-length"), struck.header("content-encoding")) == (str(len(struck.body)), "")


@pytest.mark.parametrize("how", [how for how in HOWS if how != "first_page"])
@settings(deadline=None, max_examples=60)
@given(value=JSON_VALUES)
def test_every_value_is_lied_about_or_stays(how: str, value: Any) -> None:
    """Without a path and with the widest one: valid JSON, changed, or the very same reply."""
    reply = document(value)
    for field in (None, "$..*"):
        struck = Lie(how, field, random=Random(3)).alter(GET, reply)
        assert struck == reply or written(json.loads(struck.body)) != written(value)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"how": "stole"},
            three(
                "lie: unknown `how`",
                "'stole'",
                "did you mean 'stale'? known: emptied, first_page, other_tenant, stale, swapped, transposed",
            ),
        ),
        ({"days": 0}, three("lie: `days` must be a whole number", "0", "give 1 or more")),
        (
            {"field": "a b"},
            three(
                "lie: `field` must be a JSONPath",
                "'a b' (Parse error at 1:2 near token b (ID))",
                'write it like "$.choices[*].message.content"',
            ),
        ),
        (
            {"how": "first_page", "field": "$.a"},
            three("lie: `field` means nothing to a first page", "'$.a'", "drop it, or choose another `how`"),
        ),
        (
            {"how": "stale", "field": "$.a", "other": "$.b"},
            three(
                "lie: `other` is what `field` is swapped with",
                "how = 'stale', field = '$.a'",
                'give how = "swapped" and a `field`, or drop `other`',
            ),
        ),
        (
            {"how": "swapped", "other": "$.b"},
            three(
                "lie: `other` is what `field` is swapped with",
                "how = 'swapped', field = None",
                'give how = "swapped" and a `field`, or drop `other`',
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Lie, chosen) == text
