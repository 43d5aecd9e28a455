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
}


def drifted(operation: str, field: str | None, value: Any, seed: int = 1) -> Any:
    """The value as the client gets it."""
    reply = Drift(operation, field, Random(seed)).alter(GET, document(value))
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
    ],
)
def test_a_field_changes_and_all_others_stay(operation: str, field: str, change: dict[str, Any]) -> None:
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
    assert len(seen) > 1 or operation == "empty_list"  # there is one list that is not empty


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
        ("remove", None, GET, stream({"n": 1})),
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
                "known: add_field, empty_list, new_enum_value, null, remove, rename, retype, wrap",
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
