"""The fault `drift`: the same reply in another shape."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from _said import (
    BODYLESS,
    GET,
    HEAD,
    JSON,
    JSON_VALUES,
    arrives,
    document,
    gzipped,
    lines,
    pieces,
    refusal,
    sent_data,
    stream,
    three,
    unreadable,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault._payload import written
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults._shapes import OPERATIONS
from pytest_agentfault.faults.drift import Drift

ISSUE = {
    "id": 7,
    "issueKey": "PROJ-1",
    "due_date": None,
    "open": True,
    "rate": 1.5,
    "status": "in-progress",
    "state": "OPEN",
    "kind": "Bug",
    "labels": ["a", "b"],
    "none": [],
    "author": {"name": "Ann", "id": 3},
    "nested": [{"key": 1}, {"key": 2}],
    "created": "2026-01-02T03:04:05.000+0000",
    "nextCursor": "b2",
    "hasMore": False,
}
PAGE = Request("GET", "https://api.test/v1/things?limit=2&cursor=a1")  # the request that ISSUE answers


def drifted(operation: str, field: str | None, value: Any, seed: int = 1, request: Request = PAGE) -> Any:
    """The value as the client gets it."""
    reply = Drift(operation, field, Random(seed)).alter(request, document(value))
    return json.loads(arrives(reply))


@pytest.mark.parametrize(
    ("operation", "field", "change"),
    [
        ("remove", "$.id", {"id": ...}),
        ("remove", "$.labels[0]", {"labels": ["b"]}),
        ("remove", "$.labels[*]", {"labels": []}),
        ("remove", "$.nested[*].key", {"nested": [{}, {}]}),
        ("remove", "$.none", {"none": ...}),
        ("null", "$.author", {"author": None}),
        ("null", "$.nested[1].key", {"nested": [{"key": 1}, {"key": None}]}),
        ("retype", "$.id", {"id": "7"}),
        ("retype", "$.rate", {"rate": "1.5"}),
        ("retype", "$.open", {"open": "true"}),
        ("retype", "$.labels", {"labels": "a"}),
        ("retype", "$.none", {"none": {}}),
        ("retype", "$.author", {"author": "Ann"}),
        ("wrap", "$.id", {"id": {"value": 7}}),
        ("wrap", "$.author", {"author": [{"name": "Ann", "id": 3}]}),
        ("wrap", "$.due_date", {"due_date": {"value": None}}),
        ("empty_list", "$.labels", {"labels": []}),
        ("wrap_in_data", "$.author", {"author": {"data": {"name": "Ann", "id": 3}}}),
        ("to_list", "$.id", {"id": [7]}),
        ("to_list", "$.labels[*]", {"labels": [["a"], ["b"]]}),
        ("to_object", "$.labels", {"labels": {"0": "a", "1": "b"}}),
        ("id_to_string", "$.id", {"id": "7"}),
        ("id_to_string", "$..id", {"id": "7", "author": {"name": "Ann", "id": "3"}}),
        ("loop_cursor", None, {"nextCursor": "a1", "hasMore": True}),
        ("loop_cursor", "$.nextCursor", {"nextCursor": "a1", "hasMore": True}),
    ],
)
def test_a_field_changes_and_all_others_stay(operation: str, field: str | None, change: dict[str, Any]) -> None:
    """Only what the path names is different (`...`: it is gone)."""
    expected = {key: change.get(key, value) for key, value in ISSUE.items() if change.get(key) is not ...}
    assert drifted(operation, field, ISSUE) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("issueKey", "issue_key"),
        ("due_date", "dueDate"),
        ("id", "id_v2"),
        ("_id", "_id_v2"),
        ("__a_b", "__aB"),
        ("HTTP", "HTTP_v2"),
    ],
)
def test_a_renamed_field_has_its_other_usual_spelling_and_its_old_place(old: str, new: str) -> None:
    """Snake case for camel case and back; never a name that is already taken."""
    value = {"first": 0, old: 1, "last": 2}
    assert list(drifted("rename", f"$.'{old}'", value).items()) == [("first", 0), (new, 1), ("last", 2)]
    assert drifted("rename", f"$.'{old}'", {old: 1, new: 2}) == {f"{new}_v2": 1, new: 2}


@pytest.mark.parametrize(("field", "kind"), [("$.issueKey", int), ("$.due_date", str), ("$.author", str)])
def test_a_retyped_value_is_plausible(field: str, kind: type) -> None:
    """A text becomes a number, null and an object become a text."""
    value = drifted("retype", field, {**ISSUE, "author": {}})[field[2:]]
    assert type(value) is kind
    assert value


@pytest.mark.parametrize(("field", "shape"), [("status", str.islower), ("state", str.isupper), ("kind", str.istitle)])
def test_a_new_enum_value_is_spelt_like_the_old_one(field: str, shape: Any) -> None:
    """Its case and its hyphen or underscore; another word."""
    new = drifted("new_enum_value", f"$.{field}", ISSUE)[field]
    assert shape(new)
    assert new != ISSUE[field]
    assert ("-" if field == "status" else "_") in new


def test_a_word_of_forty_letters_may_still_be_an_enum_value() -> None:
    """A longer one is prose, or a token."""
    assert drifted("new_enum_value", "$.kind", {"kind": "x" * 40})["kind"] != "x" * 40


def test_a_field_is_added_to_an_object() -> None:
    """All others stay."""
    new = drifted("add_field", "$.author", ISSUE)["author"]
    (added,) = new.keys() - {"name", "id"}
    assert isinstance(new[added], str)
    assert new == {"name": "Ann", "id": 3, added: new[added]}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_seed_chooses_the_field_and_the_value(operation: str) -> None:
    """The same seed gives the same reply, other seeds give others; every choice changes something."""
    seen = {written(drifted(operation, None, ISSUE, seed)) for seed in range(12)}
    assert seen == {written(drifted(operation, None, ISSUE, seed)) for seed in range(12)}
    assert written(ISSUE) not in seen
    alone = ("empty_list", "flatten", "loop_cursor")  # there is one list that is not empty, one object, one cursor
    assert len(seen) > 1 or operation in alone


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(deadline=None, max_examples=30)
@given(value=JSON_VALUES, seed=st.integers(0, 9))
def test_every_value_drifts_or_stays(operation: str, value: Any, seed: int) -> None:
    """Without a path and with the widest one: valid JSON, changed, or the very same reply."""
    reply = document(value)
    for field in (None, "$..*"):
        struck = Drift(operation, field, Random(seed)).alter(GET, reply)
        assert struck == reply or written(json.loads(struck.body)) != written(value)


def test_a_drifted_reply_is_well_formed() -> None:
    """A compressed one is sent plain, with a true length."""
    reply = gzipped(document(ISSUE)).with_header("content-length", "99999")
    struck = Drift("remove", "$.id").alter(GET, reply)
    assert json.loads(arrives(struck)) == {k: v for k, v in ISSUE.items() if k != "id"}
    assert (struck.header("content-length"), struck.header("content-encoding")) == (str(len(struck.body)), "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a_b": 0, "author": {"name": "Ann", "id": 3}}, {"a_b": 0, "author_name": "Ann", "author_id": 3}),
        ({"isOpen": 0, "author": {"name": "Ann", "id": 3}}, {"isOpen": 0, "authorName": "Ann", "authorId": 3}),
        ({"author": {"id": 3}, "author_id": 1}, {"author_id_v2": 3, "author_id": 1}),
    ],
)
def test_an_object_is_flattened_in_the_spelling_of_its_neighbours(old: Any, new: Any) -> None:
    """Its fields take its place, under names that nobody has."""
    assert list(drifted("flatten", "$.author", old).items()) == list(new.items())


def test_a_field_moves_one_level_deeper() -> None:
    """Into a new object beside its neighbours, in its old place."""
    new = drifted("nest", "$.issueKey", ISSUE)
    (holder,) = new.keys() - ISSUE.keys()
    assert new[holder] == {"issueKey": "PROJ-1"}
    assert list(new) == [holder if key == "issueKey" else key for key in ISSUE]


def test_the_whole_document_can_be_wrapped() -> None:
    """`$` is the document."""
    assert drifted("wrap_in_data", "$", ISSUE) == {"data": ISSUE}
    assert drifted("wrap_in_data", "$", [1]) == {"data": [1]}
    assert drifted("wrap", "$", ISSUE) == [ISSUE]


@pytest.mark.parametrize(
    ("key", "value", "known"),
    [
        ("created", "2026-01-02T03:04:05.000+0000", {1767323045, 1767323045000, "2026-01-02T03:04:05Z", "02/01/2026"}),
        ("due", "2026-01-02", {"02/01/2026", "Jan 02, 2026", "Fri, 02 Jan 2026 00:00:00 GMT", 1767312000}),
        ("created_at", 1767323045, {"2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", 1767323045000}),
        ("updatedAt", 1767323045000, {"2026-01-02T03:04:05Z", "02/01/2026", 1767323045}),
        ("date", "Fri, 02 Jan 2026 03:04:05 GMT", {"2026-01-02T03:04:05Z", 1767323045, "Jan 02, 2026"}),
        ("at", "2026-01-02T99:04:05", {"2026-01-02T00:00:00Z", 1767312000}),
    ],
)
def test_a_date_is_written_in_another_usual_way(key: str, value: Any, known: set[Any]) -> None:
    """The same day; by other seeds in other ways."""
    seen = {drifted("new_date_format", None, {key: value, "n": 1}, seed)[key] for seed in range(40)}
    assert known <= seen
    assert value not in {said for said in seen if type(said) is type(value)}


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (1234, {"1.234,00", "1\u202f234,00", "1'234,00"}),
        (-1234567.5, {"-1.234.567,5", "-1 234 567,5"}),
        (7, {"7,00"}),
        ("12.50", {"12,50"}),
        (1e30, {"1.000.000.000.000.000.019.884.624.838.656,00"}),
    ],
)
def test_a_number_is_written_for_people_elsewhere(value: Any, known: set[str]) -> None:
    """A text, with a decimal comma and the thousands apart."""
    seen = {drifted("localise_number", "$.price", {"price": value}, seed)["price"] for seed in range(40)}
    assert known <= seen


def test_a_stream_drifts_in_every_event_in_one_way() -> None:
    """Events that have the field change alike; comments, names and the rest stay byte for byte."""
    reply = stream({"type": "delta", "n": 1}, {"other": 2}, {"type": "delta", "n": 3})
    struck = Drift("new_enum_value", "$.type", Random(5)).alter(GET, reply)
    first, other, third, done = sent_data(struck)
    assert (other, done) == ('{"other": 2}', "[DONE]")
    assert json.loads(first)["type"] == json.loads(third)["type"] != "delta"
    assert arrives(struck) == struck.body
    commented = reply.with_data([b": ping\n\nevent: start\n\n", *pieces(reply)])
    struck = Drift("null", "$.other", Random(5)).alter(GET, commented)
    assert struck.body == commented.body.replace(b'{"other": 2}', b'{"other":null}')


def test_a_stream_without_a_path_loses_the_same_field_in_every_event() -> None:
    """The seed chooses in the first event that is an object, and the items of a list are one field."""
    chunks = [{"choices": [{"delta": {"content": text}}, {"delta": {"content": "x"}}]} for text in ("a", "b")]
    reply = stream("ping", *chunks)
    seen = set()
    for seed in range(20):
        struck = Drift(random=Random(seed)).alter(GET, reply)
        ping, *two, done = sent_data(struck)
        assert (ping, done) == ("ping", "[DONE]")
        first, second = map(json.loads, two)
        assert written(second).replace('"b"', '"a"') == written(first) != written(chunks[0])
        assert struck == Drift(random=Random(seed)).alter(GET, reply)
        assert len(pieces(struck)) == len(pieces(reply))
        seen.add(written(first))
    assert seen == {
        "{}",
        '{"choices":[{},{}]}',
        '{"choices":[{"delta":{}},{"delta":{}}]}',
    }


def test_an_operation_is_given_the_first_event_it_fits() -> None:
    """An event without such a field stays as it is."""
    struck = Drift("empty_list", random=Random(1)).alter(GET, stream({"n": 1}, {"items": [1]}, {"items": [2, 3]}))
    assert sent_data(struck) == ['{"n": 1}', '{"items":[]}', '{"items":[]}', "[DONE]"]


def test_a_stream_of_json_lines_drifts_too() -> None:
    """Line by line."""
    struck = Drift("rename", "$.doneAt").alter(GET, lines({"doneAt": 1}, {"n": 2}))
    assert struck.body == b'{"done_at":1}\n{"n": 2}\n'


@pytest.mark.parametrize(
    ("operation", "field", "request_", "reply"),
    [
        ("remove", "$.nonesuch", GET, document(ISSUE)),
        ("remove", "$", GET, document(ISSUE)),
        ("remove", None, GET, document([1, 2])),
        ("null", "$.labels.`len`", GET, document(ISSUE)),
        ("rename", "$.labels[0]", GET, document(ISSUE)),
        ("null", "$.due_date", GET, document(ISSUE)),
        ("empty_list", "$.none", GET, document(ISSUE)),
        ("empty_list", "$.id", GET, document(ISSUE)),
        ("new_enum_value", "$.issueKey", GET, document(ISSUE)),
        ("new_enum_value", "$.kind", GET, document({"kind": "x" * 41})),
        ("add_field", "$.labels", GET, document(ISSUE)),
        ("remove", None, GET, stream("text", done=None)),
        ("empty_list", None, GET, stream({"n": 1})),
        ("wrap_in_data", None, GET, stream({"n": 1})),
        ("flatten", "$.none", GET, document({"none": {}})),
        ("flatten", "$", GET, document(ISSUE)),
        ("nest", "$.labels[0]", GET, document(ISSUE)),
        ("to_list", "$.author", GET, document(ISSUE)),
        ("to_object", "$.none", GET, document(ISSUE)),
        ("new_date_format", None, GET, document({"created": "2026-13-40", "total": 1767225600, "at": 5})),
        ("id_to_string", None, GET, document({"id": "7", "ID": True, "grid": 1, "ids": [1]})),
        ("localise_number", None, GET, document({"id": 7, "userId": 7, "version": "1.2.3", "open": True})),
        ("new_cursor", None, GET, document({"next": None, "cursor": "", "after": {}, "nextPage": False})),
        ("loop_cursor", None, GET, document({"next": "b2"})),  # the request says no cursor: the same page has none
        ("loop_cursor", None, PAGE, document({"next": "a1"})),
        ("remove", "$.m", GET, stream({"n": 1})),
        ("remove", None, GET, document("text")),
        ("remove", None, GET, Reply.of(200, b"<html>", {"Content-Type": "text/html"})),
        ("remove", None, GET, Reply.of(200, b"{broken", JSON)),
        ("remove", None, GET, unreadable(JSON)),
        *(("remove", None, GET, reply) for reply in BODYLESS),
        ("remove", None, HEAD, document(ISSUE)),
        ("remove", "$.nonesuch", GET, gzipped(document(ISSUE))),
    ],
)
def test_a_field_that_is_not_there_is_not_struck(
    operation: str, field: str | None, request_: Request, reply: Reply
) -> None:
    """The same reply comes back, coding and all."""
    fault = Drift(operation, field)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"operation": "delete"},
            three(
                "drift: unknown `operation`",
                "'delete'",
                "known: add_field, empty_list, every, flatten, id_to_string, localise_number, loop_cursor, nest, "
                "new_cursor, new_date_format, new_enum_value, null, remove, rename, retype, to_list, to_object, wrap, "
                "wrap_in_data",
            ),
        ),
        (
            {"operation": "every"},
            three(
                'drift: `operation` = "every" needs to know of which field',
                "no `field`",
                'give field = "every-field", or the JSONPath of one',
            ),
        ),
        (
            {"field": 7},
            three(
                "drift: `field` must be a JSONPath",
                "7 (not a text)",
                'write it like "$.choices[*].message.content"',
            ),
        ),
        (
            {"field": "a b"},
            three(
                "drift: `field` must be a JSONPath",
                "'a b' (Parse error at 1:2 near token b (ID))",
                'write it like "$.choices[*].message.content"',
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Drift, chosen) == text
