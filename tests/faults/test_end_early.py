"""The fault `end_early`: a stream that closes cleanly without its last events."""

from __future__ import annotations

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
    sent_data,
    stream,
    three,
    unreadable,
)

from pytest_agentfault._payload import plain
from pytest_agentfault._reply import End, How, Lost, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.end_early import EndEarly

LONG = stream(*({"n": n} for n in range(19)))  # 20 events with [DONE]


@pytest.mark.parametrize(
    ("reply", "after_events", "kept"),
    [
        (LONG, None, 15),
        (gzipped(LONG), None, 15),
        (LONG.with_data([LONG.body]), None, 15),
        (stream(1, 2, 3, 4), None, 2),
        (stream(1, 2, 3), None, 1),
        (stream(1, 2), None, 1),
        (stream(1), None, 1),
        (LONG, 3, 3),
        (LONG, 19, 19),
        (LONG, 0, 0),
    ],
)
def test_the_last_events_are_missing(reply: Reply, after_events: int | None, kept: int) -> None:
    """The rest is byte for byte what it was, and the message is well-formed to its end."""
    early = EndEarly(after_events).alter(GET, reply)
    text = plain(reply)
    assert text is not None
    assert sent_data(early) == sent_data(text)[:kept]
    assert arrives(early) == early.body
    assert early.last == End()


def test_the_chunks_that_stay_are_the_same() -> None:
    """One event, one chunk."""
    assert pieces(EndEarly().alter(GET, LONG)) == pieces(LONG)[:15]


def test_a_stream_of_json_lines_ends_early_too() -> None:
    """Whole lines only."""
    assert EndEarly(2).alter(GET, lines(1, {"n": 2}, {"n": 3})) == lines(1, {"n": 2}, {"n": 3})  # not of objects
    assert EndEarly(2).alter(GET, lines({}, {"n": 2}, {"n": 3})).body == b'{}\n{"n": 2}\n'


def test_comments_are_not_counted() -> None:
    """Only events that carry data are."""
    reply = Reply.of(200, b": ping\n\ndata: 1\n\n: ping\n\ndata: 2\n\n", SSE)
    assert EndEarly(1).alter(GET, reply).body == b": ping\n\ndata: 1\n\n"


def test_a_lost_stream_ends_in_good_order_instead() -> None:
    """The loss was behind the new end."""
    lost = Reply((*LONG.events[:-1], Lost(How.CUT)))
    assert EndEarly().alter(GET, lost) == EndEarly().alter(GET, LONG)


@pytest.mark.parametrize(
    ("after_events", "request_", "reply"),
    [
        (20, GET, LONG),
        (None, GET, stream(1, done=None)),
        (None, HEAD, LONG),
        (None, GET, document([1, 2, 3])),
        *((None, GET, reply) for reply in BODYLESS),
        (None, GET, unreadable(SSE)),
    ],
)
def test_what_is_no_stream_or_has_no_more_events_is_not_struck(
    after_events: int | None, request_: Request, reply: Reply
) -> None:
    """The same reply comes back."""
    fault = EndEarly(after_events)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


@pytest.mark.parametrize("wrong", [-1, 2.0, "3", False])
def test_a_wrong_setting_is_refused(wrong: Any) -> None:
    """What, what is there, and what to do."""
    assert refusal(EndEarly, {"after_events": wrong}) == three(
        "end_early: `after_events` must be a whole number", repr(wrong), "give 0 or more"
    )
