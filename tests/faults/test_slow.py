"""The fault `slow`: the reply comes whole, and late."""

from __future__ import annotations

from typing import Any

import pytest
from _said import (
    BODYLESS,
    EMPTY,
    GET,
    GONE,
    HEAD,
    NO_CONTENT,
    arrives,
    document,
    gzipped,
    refusal,
    stream,
    three,
    without,
)

from pytest_agentfault._payload import events_of
from pytest_agentfault._reply import Data, Delay, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.slow import Slow

THING = document({"name": "x"})
EVENTS = stream({"n": 1}, {"n": 2}, {"n": 3})


@pytest.mark.parametrize("reply", [THING, EVENTS, NO_CONTENT, EMPTY])
def test_the_head_is_late(reply: Reply) -> None:
    """Silence first, then the same reply."""
    assert Slow(2.5).alter(GET, reply) == Reply((Delay(2.5), *reply.events))
    assert verbs_of(Slow(1)) == ("alter",)


@pytest.mark.parametrize("reply", [THING, EVENTS, EVENTS.with_data([EVENTS.body]), gzipped(EVENTS)])
def test_the_second_half_is_late(reply: Reply) -> None:
    """One pause inside the body, not a byte changed."""
    slow = Slow(9, "in_body").alter(GET, reply)
    assert [e for e in slow.events if isinstance(e, Delay)] == [Delay(9)]
    assert slow.body == reply.body == arrives(slow)
    place = slow.events.index(Delay(9))
    before = b"".join(e.data for e in slow.events[:place] if isinstance(e, Data))
    assert 0 < len(before) < len(reply.body)


def test_a_stream_pauses_between_two_events() -> None:
    """Whole events before, whole events behind; the chunks stay as they were."""
    slow = Slow(9, "in_body").alter(GET, EVENTS)
    place = slow.events.index(Delay(9))
    before = b"".join(e.data for e in slow.events[:place] if isinstance(e, Data))
    assert events_of(before) == events_of(EVENTS.body)[:2]
    assert without(slow.events, Delay) == EVENTS.events


@pytest.mark.parametrize(
    ("where", "request_", "reply"),
    [
        ("before_head", GET, GONE),
        *(("in_body", GET, reply) for reply in BODYLESS),
        ("in_body", HEAD, THING),
    ],
)
def test_where_nothing_comes_nothing_is_late(where: str, request_: Request, reply: Reply) -> None:
    """A lost reply, and the body of one that has none, are the same."""
    assert Slow(1, where).alter(request_, reply) == reply


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        *(
            (
                {"seconds": wrong},
                three("slow: `seconds` must be a time", repr(wrong), "give a number over 0 (fractions are fine)"),
            )
            for wrong in (0, -1, True, "20", None, float("nan"), float("inf"))
        ),
        (
            {"seconds": 1, "where": "inbody"},
            three("slow: unknown `where`", "'inbody'", "did you mean 'in_body'? known: before_head, in_body"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Slow, settings) == text
