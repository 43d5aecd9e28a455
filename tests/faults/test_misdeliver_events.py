"""The fault `misdeliver_events`: a stream in which one event is missing, comes twice, or too late."""

from __future__ import annotations

from typing import Any

import pytest
from _heard import READERS
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

from pytest_agentfault._reply import End, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.misdeliver_events import HOWS, MisdeliverEvents

FIVE = stream(1, 2, 3, 4)  # and [DONE]


@pytest.mark.parametrize(
    ("how", "after_events", "heard"),
    [
        ("drop", None, "1 2 4 [DONE]"),
        ("drop", 0, "2 3 4 [DONE]"),
        ("drop", 4, "1 2 3 4"),
        ("duplicate", None, "1 2 3 3 4 [DONE]"),
        ("duplicate", 4, "1 2 3 4 [DONE] [DONE]"),
        ("reorder", None, "1 2 4 3 [DONE]"),
        ("reorder", 0, "2 1 3 4 [DONE]"),
        ("reorder", 3, "1 2 3 [DONE] 4"),
        ("unfinished", None, "1 2 3 4"),
    ],
)
@pytest.mark.parametrize("reader", READERS)
def test_one_event_is_misdelivered(how: str, after_events: int | None, heard: str, reader: str) -> None:
    """The others come once, in order, and byte for byte; the message is well-formed to its end."""
    for reply in (FIVE, gzipped(FIVE), FIVE.with_data([FIVE.body])):
        said = MisdeliverEvents(how, after_events).alter(GET, reply)
        assert [data for _, data in READERS[reader](said.body)] == heard.split()
        assert arrives(said) == said.body
        assert said.last == End()


def test_the_chunks_stay_one_an_event() -> None:
    """As they were."""
    assert pieces(MisdeliverEvents("drop").alter(GET, FIVE)) == [p for p in pieces(FIVE) if b"3" not in p]


def test_an_event_is_swapped_with_the_next_that_differs() -> None:
    """Two equal ones in another order would be no change."""
    assert sent_data(MisdeliverEvents("reorder", 0).alter(GET, stream(1, 1, 2, 3))) == ["1", "2", "1", "3", "[DONE]"]


def test_lines_of_json_are_misdelivered_too() -> None:
    """Whole lines only."""
    reply = lines({"n": 1}, {"n": 2}, {"n": 3})
    assert MisdeliverEvents("drop").alter(GET, reply).body == b'{"n": 1}\n{"n": 3}\n'
    assert MisdeliverEvents("duplicate", 0).alter(GET, reply).body == b'{"n": 1}\n{"n": 1}\n{"n": 2}\n{"n": 3}\n'
    assert MisdeliverEvents("reorder").alter(GET, reply).body == b'{"n": 1}\n{"n": 3}\n{"n": 2}\n'


def test_what_never_ended_is_not_moved() -> None:
    """The event behind it would be taken for more of it."""
    body = b"data: 1\n\ndata: 2\n\ndata: 3\n"
    for how, said in {
        "duplicate": b"data: 1\n\ndata: 2\n\ndata: 2\n\ndata: 3\n",
        "reorder": body,
        "unfinished": b"data: 1\n\ndata: 2\n\ndata: 3",
    }.items():
        assert MisdeliverEvents(how, None).alter(GET, Reply.of(200, body, SSE)).body == said


def test_comments_are_not_counted() -> None:
    """Only events with data are; what comes behind an unfinished one would finish it, and goes."""
    reply = Reply.of(200, b": ping\n\ndata: 1\n\n: ping\n\ndata: 2\n\n: bye\n\n", SSE)
    assert MisdeliverEvents("drop", 0).alter(GET, reply).body == b": ping\n\n: ping\n\ndata: 2\n\n: bye\n\n"
    assert MisdeliverEvents("unfinished").alter(GET, reply).body == b": ping\n\ndata: 1\n\n: ping\n\ndata: 2"


@pytest.mark.parametrize(
    ("how", "after_events", "request_", "reply"),
    [
        *((how, 5, GET, FIVE) for how in HOWS if how != "unfinished"),
        *((how, None, HEAD, FIVE) for how in HOWS),
        *((how, None, GET, document([1, 2, 3])) for how in HOWS),
        *(("drop", None, GET, reply) for reply in BODYLESS),
        ("drop", None, GET, unreadable(SSE)),
        ("drop", None, GET, Reply.of(200, b": ping\n\n: ping\n\n", SSE)),
        ("unfinished", None, GET, Reply.of(200, b": ping\n\n: ping\n\n", SSE)),
        ("unfinished", None, GET, Reply.of(200, b"data: 1\n\ndata: 2", SSE)),
        ("unfinished", None, GET, lines({}, {})),
        ("reorder", None, GET, stream(1, 1, 1, done=None)),
        ("reorder", 4, GET, FIVE),
    ],
)
def test_what_is_no_stream_or_has_no_such_event_is_not_struck(
    how: str, after_events: int | None, request_: Request, reply: Reply
) -> None:
    """The same reply comes back."""
    fault = MisdeliverEvents(how, after_events)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"how": "dropped"},
            three(
                "misdeliver_events: unknown `how`",
                "'dropped'",
                "did you mean 'drop'? known: drop, duplicate, reorder, unfinished",
            ),
        ),
        (
            {"after_events": -1},
            three("misdeliver_events: `after_events` must be a whole number", "-1", "give 0 or more"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(MisdeliverEvents, chosen) == text
