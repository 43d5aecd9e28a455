"""The fault `drift` with `field="every-field"`: the single drifts that it names for a reply."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from _said import GET, HEAD, JSON, JSON_VALUES, document, gzipped, lines, stream
from hypothesis import given, settings

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault.faults._shapes import OPERATIONS
from pytest_agentfault.faults.drift import Drift

ISSUES = {"total": 1234, "issues": [{"key": "A-1", "author": None}, {"key": "B-2", "author": {"id": 7}}]}


def ids(fault: Drift, reply: Reply, request: Request = GET) -> list[str]:
    """The ids of the variants."""
    return [name for name, _ in fault.each(request, reply)]


@pytest.mark.parametrize(
    ("fault", "explores"),
    [
        (Drift(), False),
        (Drift("remove", "$.a"), False),
        (Drift(field="every-field"), True),
        (Drift("remove", "every-field"), True),
        (Drift("every", "every-field"), True),
        (Drift("every", "$.a"), True),
    ],
    ids=repr,
)
def test_what_explores_strikes_nothing_itself(fault: Drift, explores: bool) -> None:
    """It names what would strike; and what does not explore names nothing."""
    reply = document({"a": 1})
    assert fault.explores is explores
    assert (fault.alter(GET, reply) == reply) is explores
    assert bool(ids(fault, reply)) is explores


def test_one_operation_on_every_field() -> None:
    """The items of a list are one field; the document itself cannot be removed."""
    assert ids(Drift("remove", "every-field"), document(ISSUES)) == [
        "remove:$.total",
        "remove:$.issues",
        "remove:$.issues[*].key",
        "remove:$.issues[*].author",
        "remove:$.issues[*].author.id",
    ]


def test_every_operation_on_one_field() -> None:
    """Those that fit it, in the order of the operations."""
    assert ids(Drift("every", "$.total"), document(ISSUES)) == [
        f"{operation}:$.total"
        for operation in ("remove", "rename", "null", "retype", "wrap", "nest", "to_list", "localise_number")
    ]


def test_every_operation_on_every_field() -> None:
    """Field by field, and an operation that fits some item of a list only is there, too."""
    named = ids(Drift(field="every-field"), document(ISSUES))
    assert named == ids(Drift("every", "every-field"), document(ISSUES))
    assert named[:5] == ["null:$", "retype:$", "wrap:$", "wrap_in_data:$", "add_field:$"]
    assert {"flatten:$.issues[*].author", "retype:$.issues[*].author", "id_to_string:$.issues[*].author.id"} - set(
        named
    ) == {"id_to_string:$.issues[*].author.id"}  # the same bytes as retyping it
    assert "retype:$.issues[*].author.id" in named
    fields = [name.partition(":")[2] for name in named]
    assert fields == sorted(fields, key=list(dict.fromkeys(fields)).index)


def test_a_variant_has_plain_settings_and_strikes_every_item() -> None:
    """It can be written down: the operation and the path of its id."""
    found = dict(Drift(field="every-field").each(GET, document(ISSUES)))
    one = found["remove:$.issues[*].key"]
    assert (one, one.explores) == (Drift("remove", "$.issues[*].key"), False)
    struck = json.loads(one.alter(GET, document(ISSUES)).body)
    assert struck["issues"] == [{"author": None}, {"author": {"id": 7}}]


@pytest.mark.parametrize(
    "reply",
    [
        stream({"type": "a", "n": 1}, {"delta": {"text": "x"}}),
        lines({"type": "a", "n": 1}, {"delta": {"text": "x"}}),
        stream({"type": "a", "n": 1}, "ping", {"delta": {"text": "x"}, "type": "b"}),
    ],
    ids=["events", "lines", "mixed"],
)
def test_the_fields_of_a_stream_are_those_of_all_its_events(reply: Reply) -> None:
    """Each once, in the order they are met; an event as a whole is no field."""
    assert ids(Drift("remove", "every-field"), reply) == [
        "remove:$.type",
        "remove:$.n",
        "remove:$.delta",
        "remove:$.delta.text",
    ]


def test_names_that_need_quotes_come_back() -> None:
    """The id holds a path that leads to the field."""
    reply = document({"it's": 1, "a b": {"": 2}, "x.y": [{"-": 3}]})
    found = dict(Drift("remove", "every-field").each(GET, reply))
    assert list(found) == [
        "remove:$['it\\'s']",
        "remove:$['a b']",
        "remove:$['x.y']",
        "remove:$['a b']['']",
        "remove:$['x.y'][*]['-']",
    ]
    assert len({one.alter(GET, reply).body for one in found.values()} - {reply.body}) == 5


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (GET, document("text")),
        (GET, Reply.of(200, b"<html>", JSON)),
        (GET, Reply.of(204)),
        (HEAD, document(ISSUES)),
        (GET, stream("ping")),
    ],
    ids=["scalar", "page", "empty", "head", "stream"],
)
def test_a_reply_without_fields_has_no_variants(request_: Request, reply: Reply) -> None:
    """There is nothing to explore."""
    assert ids(Drift(field="every-field"), reply, request_) == []


def test_a_compressed_reply_has_the_variants_of_the_plain_one() -> None:
    """And each of them would change it."""
    plain = document(ISSUES)
    assert ids(Drift(field="every-field"), gzipped(plain)) == ids(Drift(field="every-field"), plain)
    for _, one in Drift(field="every-field").each(GET, gzipped(plain)):
        assert one.alter(GET, gzipped(plain)) != gzipped(plain)


@settings(deadline=None, max_examples=60)
@given(value=JSON_VALUES)
def test_no_two_variants_are_the_same_and_each_changes_the_reply(value: Any) -> None:
    """Whatever is in it, by whichever seed it then runs."""
    reply = document(value)
    found = list(Drift(field="every-field").each(GET, reply))
    assert len({name for name, _ in found}) == len(found)
    made = {Drift(one.operation, one.field, Random(0)).alter(GET, reply).body for _, one in found}
    assert len(made) == len(found)
    for _, one in found:
        assert Drift(one.operation, one.field, Random(3)).alter(GET, reply) != reply
    assert {str(one.operation) for _, one in found} <= set(OPERATIONS)
