"""The fault `error_event`: an error inside a stream that began well."""

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

from pytest_agentfault._reply import End, How, Lost, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.error_event import ErrorEvent

EVENTS = stream({"n": 1}, {"n": 2})
ERROR = {"error": {"message": "é"}}
TEXT = '{"error":{"message":"é"}}'


@pytest.mark.parametrize(
    ("settings", "data"),
    [
        ({}, ['{"n": 1}', TEXT]),
        ({"after_events": 0}, [TEXT]),
        ({"after_events": 3}, ['{"n": 1}', '{"n": 2}', "[DONE]", TEXT]),
        ({"ends": False}, ['{"n": 1}', TEXT, '{"n": 2}', "[DONE]"]),
    ],
)
@pytest.mark.parametrize("reply", [EVENTS, EVENTS.with_data([EVENTS.body]), gzipped(EVENTS)])
def test_the_error_comes_after_so_many_events(settings: dict[str, Any], data: list[str], reply: Reply) -> None:
    """The stream is well-formed to its end, which is there, or where it would have been."""
    struck = ErrorEvent(json=ERROR, **settings).alter(GET, reply)
    assert sent_data(struck) == data
    assert arrives(struck) == struck.body
    assert struck.last == End()


def test_the_chunks_before_and_behind_stay() -> None:
    """The error is a chunk of its own."""
    struck = ErrorEvent(json=ERROR, ends=False).alter(GET, EVENTS)
    assert pieces(struck) == [pieces(EVENTS)[0], f"data: {TEXT}\n\n".encode(), *pieces(EVENTS)[1:]]


def test_the_event_has_the_name_and_the_line_ends_of_the_stream() -> None:
    """A JSON text is sent verbatim, each of its lines as a line of data."""
    struck = ErrorEvent(event="error", json='{\n"a": 1}').alter(GET, stream({"n": 1}, end="\r\n"))
    assert pieces(struck)[1] == b'event: error\r\ndata: {\r\ndata: "a": 1}\r\n\r\n'


def test_comments_are_not_counted() -> None:
    """Only events that carry data are."""
    reply = Reply.of(200, b": ping\n\ndata: 1\n\n: ping\n\ndata: 2\n\n", SSE)
    struck = ErrorEvent(json=ERROR).alter(GET, reply)
    assert struck.body == b": ping\n\ndata: 1\n\n" + f"data: {TEXT}\n\n".encode()


def test_a_stream_of_json_lines_gets_a_line() -> None:
    """On one line, whatever the given text looks like."""
    struck = ErrorEvent(json='{\n"a": 1}', ends=False).alter(GET, lines({"n": 1}, {"n": 2}))
    assert struck.body == b'{"n": 1}\n{ "a": 1}\n{"n": 2}\n'


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (GET, document(ERROR)),
        *((GET, reply) for reply in BODYLESS),
        (HEAD, EVENTS),
        (GET, stream({"n": 1}, done=None)),
        (GET, unreadable(SSE)),
    ],
)
def test_what_is_no_stream_or_too_short_is_not_struck(request_: Request, reply: Reply) -> None:
    """The same reply comes back."""
    fault = ErrorEvent(after_events=2, json=ERROR)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


def test_a_lost_stream_that_goes_on_is_lost_where_it_was() -> None:
    """The error comes before the loss."""
    lost = Reply((*EVENTS.events[:-1], Lost(How.CUT)))
    assert ErrorEvent(json=ERROR, ends=False).alter(GET, lost).last == Lost(How.CUT)
    assert ErrorEvent(json=ERROR).alter(GET, lost).last == End()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"json": ERROR, "after_events": -1},
            three("error_event: `after_events` must be a whole number", "-1", "give 0 or more"),
        ),
        ({"json": ERROR, "event": 1}, three("error_event: `event` must be a text", "1", "put it in quotes")),
        (
            {"json": ERROR, "event": "a\nb"},
            three("error_event: `event` cannot hold a line break", r"'a\nb'", "put it on one line"),
        ),
        (
            {"json": ERROR, "ends": "no"},
            three("error_event: `ends` must be true or false", "'no'", "give one of the two, unquoted"),
        ),
        (
            {"json": {1j}},
            three(
                "error_event: `json` cannot be written as JSON",
                "Object of type set is not JSON serializable",
                "use texts, numbers, booleans, lists and tables",
            ),
        ),
        (
            {},
            three("error_event: an error event says something", "no `json`", "give the vendor's error body as `json`"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(ErrorEvent, settings) == text
