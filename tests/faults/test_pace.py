"""The fault `pace`: a stream at the speed of a model."""

from __future__ import annotations

import math
from typing import Any

import pytest
from _said import (
    BODYLESS,
    GET,
    HEAD,
    SSE,
    arrives,
    document,
    gzipped,
    lines,
    pieces,
    refusal,
    stream,
    three,
    unreadable,
)

from pytest_agentfault._reply import Delay, How, Lost, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault._script import Send, Wait, encode
from pytest_agentfault.faults.pace import Pace

FIVE = stream(1, 2, 3, 4)  # and [DONE]


def delays(reply: Reply) -> list[float]:
    """The pauses of a reply."""
    return [e.seconds for e in reply.events if isinstance(e, Delay)]


@pytest.mark.parametrize(
    "reply", [FIVE, gzipped(FIVE), FIVE.with_data([FIVE.body]), FIVE.with_data([FIVE.body[:3], FIVE.body[3:]])]
)
@pytest.mark.parametrize(
    ("rate", "burst", "counts", "pauses"),
    [
        (20, 1, [1, 1, 1, 1, 1], [0.05] * 4),
        (0.5, 2, [2, 2, 1], [4, 4]),
        (10, 4, [4, 1], [0.4]),
    ],
)
def test_events_come_at_a_pace(reply: Reply, rate: float, burst: int, counts: list[int], pauses: list[float]) -> None:
    """A chunk a burst, whatever the pieces were, with a pause before each but the first; not a byte changes."""
    paced = Pace(rate, burst).alter(GET, reply)
    assert [piece.count(b"data:") for piece in pieces(paced)] == counts
    assert delays(paced) == pauses
    assert paced.body == FIVE.body == arrives(paced)
    kinds = [type(step) for step in encode(paced, GET).steps]
    assert kinds.count(Wait) == len(pauses)
    assert kinds.index(Send) < kinds.index(Wait)


def test_comments_come_with_the_event_behind_them() -> None:
    """Only what carries data is counted; the last pause is before the last event."""
    reply = Reply.of(200, b": a\n\ndata: 1\n\n: b\n\ndata: 2\n\n: c\n\n", SSE)
    paced = Pace().alter(GET, reply)
    assert pieces(paced) == [b": a\n\ndata: 1\n\n", b": b\n\ndata: 2\n\n: c\n\n"]
    assert len(delays(paced)) == 1


def test_lines_of_json_come_at_a_pace_too() -> None:
    """A line is an event."""
    assert len(pieces(Pace().alter(GET, lines({}, {}, {})))) == 3


def test_what_is_lost_is_lost_where_it_was() -> None:
    """The pace ends with the connection."""
    lost = Reply((*FIVE.events[:3], Lost(How.CUT)))
    paced = Pace().alter(GET, lost)
    assert (paced.body, paced.last, len(delays(paced))) == (lost.body, Lost(How.CUT), 1)


@pytest.mark.parametrize(
    ("burst", "request_", "reply"),
    [
        (5, GET, FIVE),
        (1, GET, stream(1, done=None)),
        (1, HEAD, FIVE),
        (1, GET, document([1, 2, 3])),
        *((1, GET, reply) for reply in BODYLESS),
        (1, GET, unreadable(SSE)),
    ],
)
def test_what_is_no_stream_of_several_events_is_not_struck(burst: int, request_: Request, reply: Reply) -> None:
    """The same reply comes back."""
    fault = Pace(burst=burst)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


@pytest.mark.parametrize("rate", [0, -1.5, "20", True, math.inf, math.nan])
def test_a_wrong_rate_is_refused(rate: Any) -> None:
    """What, what is there, and what to do."""
    assert refusal(Pace, {"events_per_second": rate}) == three(
        "pace: `events_per_second` must be a rate", repr(rate), "give a number over 0 (fractions are fine)"
    )


def test_a_wrong_burst_is_refused() -> None:
    """What, what is there, and what to do."""
    assert refusal(Pace, {"burst": 0}) == three("pace: `burst` must be a whole number", "0", "give 1 or more")
