"""The fault `lose`: the connection breaks or falls silent on the way back."""

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
    SSE,
    document,
    gzipped,
    lines,
    pieces,
    read,
    refusal,
    stream,
    three,
)

from pytest_agentfault._payload import events_of
from pytest_agentfault._reply import Data, Delay, End, How, Lost, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault._script import Fin, Reset, Stall, encode
from pytest_agentfault.faults.lose import Lose

THING = document({"name": "x" * 88})  # 100 bytes
EVENTS = stream({"n": 1}, {"n": 2}, {"n": 3})


@pytest.mark.parametrize(("how", "last"), [("reset", How.RESET), ("cut", How.CUT), ("stall", How.STALLED)])
@pytest.mark.parametrize("reply", [THING, EVENTS, NO_CONTENT, EMPTY])
def test_before_the_head_nothing_arrives(how: str, last: How, reply: Reply) -> None:
    """Every reply can be lost whole, one without a body too."""
    assert Lose(how).alter(GET, reply) == Reply((Lost(last),))


def test_a_wait_before_the_head_is_still_waited_for() -> None:
    """A slow reply is lost when it would have come."""
    slow = Reply((Delay(3), *THING.events))
    assert Lose().alter(GET, slow) == Reply((Delay(3), Lost(How.RESET)))


@pytest.mark.parametrize(
    ("settings", "arrived"),
    [
        ({"where": "after_head"}, 0),
        ({"where": "in_body"}, 50),
        ({"where": "in_body", "after_bytes": 0}, 0),
        ({"where": "in_body", "after_bytes": 99}, 99),
    ],
)
@pytest.mark.parametrize("promise", [None, "100", "7"])
def test_the_promised_length_is_that_of_the_whole(settings: dict[str, Any], arrived: int, promise: str | None) -> None:
    """The head tells the whole length, whatever a recording told, so that a real parser notices what is missing."""
    lost = Lose("cut", **settings).alter(GET, THING.with_header("content-length", promise))
    assert (len(lost.body), lost.header("content-length"), lost.last) == (arrived, "100", Lost(How.CUT))
    kinds, body, complaint = read(encode(lost, GET))
    assert (len(body), kinds[0].__name__) == (arrived, "Response")
    assert complaint == (
        f"peer closed connection without sending complete message body (received {arrived} bytes, expected 100)"
    )


def test_a_chunked_reply_is_promised_no_length() -> None:
    """One chunk or many: what is missing is told by the last chunk, which does not come."""
    chunked = THING.with_header("Transfer-Encoding", "chunked")
    for reply in (chunked, chunked.with_data([THING.body[:40], THING.body[40:]])):
        lost = Lose("cut", "in_body").alter(GET, reply)
        assert (lost.headers, len(lost.body)) == (chunked.headers, 50)
        assert read(encode(lost, GET))[2].endswith("(incomplete chunked read)")


@pytest.mark.parametrize(("how", "step"), [("reset", Reset()), ("cut", Fin()), ("stall", Stall())])
def test_a_stream_breaks_inside_an_event_past_the_first(how: str, step: Any) -> None:
    """The first events are whole, the one in the middle is not, and no length was ever promised."""
    lost = Lose(how, "in_body").alter(GET, EVENTS)
    whole, got = events_of(EVENTS.body), events_of(lost.body)
    assert got[:2] == whole[:2]
    assert len(got) == 3
    assert whole[2].startswith(got[2])
    assert b"\n" not in got[2]
    assert pieces(lost) == got
    assert "content-length" not in dict(lost.headers)
    assert encode(lost, GET).steps[-1] == step
    assert read(encode(lost, GET))[1:] == (
        lost.body,
        "peer closed connection without sending complete message body (incomplete chunked read)",
    )


@pytest.mark.parametrize("how", ["reset", "cut", "stall"])
def test_a_stream_breaks_between_two_events(how: str) -> None:
    """What has come is whole, event by event; lines of JSON break between two lines."""
    for reply in (EVENTS, EVENTS.with_data([EVENTS.body]), lines({"n": 1}, {"n": 2}, {"n": 3})):
        lost = Lose(how, "between_events").alter(GET, reply)
        whole = events_of(reply.body)
        assert events_of(lost.body) == whole[: len(whole) // 2]
        assert encode(lost, GET).steps[-1] == {"reset": Reset(), "cut": Fin(), "stall": Stall()}[how]
        assert Lose(how, "between_events").damages == "payload"


@pytest.mark.parametrize(
    "reply", [THING, gzipped(EVENTS), Reply.of(200, b"data: one event only", SSE), NO_CONTENT, EMPTY, GONE]
)
def test_what_has_no_two_events_is_not_lost_between_them(reply: Reply) -> None:
    """The same reply comes back."""
    assert Lose("stall", "between_events").alter(GET, reply) == reply


def test_a_flattened_stream_breaks_inside_an_event_too() -> None:
    """One piece, as cassettes hold it; it is sent in chunks, for a stream promises no length."""
    flat = EVENTS.with_data([EVENTS.body])
    lost = Lose("cut", "in_body").alter(GET, flat)
    assert lost.body == Lose("cut", "in_body").alter(GET, EVENTS).body
    assert b"Transfer-Encoding: chunked" in encode(lost, GET).sent


@pytest.mark.parametrize("reply", [gzipped(THING), gzipped(EVENTS), Reply.of(200, b"data: one event only", SSE)])
def test_what_has_no_second_event_to_break_breaks_half_way(reply: Reply) -> None:
    """Compressed bytes are cut as they are."""
    lost = Lose("cut", "in_body").alter(GET, reply)
    assert lost.body == reply.body[: len(reply.body) // 2]


def test_a_reply_lost_already_can_be_lost_sooner() -> None:
    """The first promise stands."""
    cut = Lose("cut", "in_body").alter(GET, THING)
    sooner = Lose("reset", "in_body", 10).alter(GET, cut)
    assert (len(sooner.body), sooner.header("content-length"), sooner.last) == (10, "100", Lost(How.RESET))


@pytest.mark.parametrize(
    ("settings", "request_", "reply"),
    [
        ({"where": "in_body", "after_bytes": 100}, GET, THING),
        ({"where": "in_body", "after_bytes": 101}, GET, THING),
        *(({"where": where}, GET, reply) for where in ("after_head", "in_body") for reply in BODYLESS),
        *(({"where": where}, HEAD, THING) for where in ("after_head", "in_body")),
        ({}, GET, GONE),
        *(({"where": w, "only": "stream"}, GET, THING) for w in ("before_head", "after_head", "in_body")),
    ],
)
def test_where_there_is_nothing_to_lose_nothing_is_struck(
    settings: dict[str, Any], request_: Request, reply: Reply
) -> None:
    """Past the end, without a body, and where only streams are meant, the reply is the same."""
    assert Lose(**settings).alter(request_, reply) == reply


def test_only_streams_are_struck_where_that_is_asked_for() -> None:
    """A stream is."""
    assert Lose(only="stream").alter(GET, EVENTS).last == Lost(How.RESET)
    assert verbs_of(Lose()) == ("alter",)
    assert EVENTS.events[-1] == End()
    assert isinstance(EVENTS.events[1], Data)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"how": "rest"}, three("lose: unknown `how`", "'rest'", "did you mean 'reset'? known: cut, reset, stall")),
        (
            {"where": "head"},
            three(
                "lose: unknown `where`",
                "'head'",
                "known: after_head, before_head, between_events, in_body",
            ),
        ),
        (
            {"only": "streams"},
            three("lose: unknown `only`", "'streams'", "did you mean 'stream'? known: any, stream"),
        ),
        *(
            (
                {"where": "in_body", "after_bytes": wrong},
                three("lose: `after_bytes` must be a whole number", repr(wrong), "give 0 or more"),
            )
            for wrong in (-1, 1.5, True, "3")
        ),
        (
            {"after_bytes": 3},
            three(
                "lose: `after_bytes` counts bytes of the body",
                "where = 'before_head'",
                'set where = "in_body", or drop `after_bytes`',
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Lose, settings) == text
