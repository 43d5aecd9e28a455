"""The fault `bad_framing`: bytes that are not quite HTTP."""

from __future__ import annotations

import pytest
from _said import EMPTY, GET, GONE, HEAD, NO_CONTENT, document, read, refusal, segments, stream, three

from pytest_agentfault._reply import Delay, How, Lost, Reply
from pytest_agentfault._rule import verbs_of
from pytest_agentfault._script import Fin, Next, Reset, Script, Wait, encode
from pytest_agentfault.faults.bad_framing import BREAKAGES, HEAD_ONLY, TLS_ALERT, BadFraming

THING = document({"name": "Ann"})
EVENTS = stream({"n": 1}, {"n": 2})


@pytest.mark.parametrize("reply", [THING, EVENTS, THING.with_data([b'{"name', b'": "Ann"}'])])
@pytest.mark.parametrize(
    ("how", "arrived", "complaint"),
    [
        ("bad_chunk_size", 0.5, "illegal chunk header"),
        ("two_content_lengths", 0, "conflicting Content-Length headers"),
        ("short_content_length", 0.5, ""),
        ("excess_content_length", 1, "peer closed connection without sending complete message body (received"),
        ("garbage", 0, "illegal request line"),
        ("bad_status_line", 0, "illegal status line"),
        ("header_without_colon", 0, "illegal header line"),
        ("missing_last_chunk", 1, "peer closed connection without sending complete message body (incomplete chunked"),
    ],
)
def test_a_strict_parser_meets_what_was_asked_for(how: str, arrived: float, complaint: str, reply: Reply) -> None:
    """Whatever framing the reply had; as much of the body as can be read arrives first."""
    script = BadFraming(how).garble(encode(reply, GET))
    _, body, said = read(script)
    assert said.startswith(complaint)
    assert bool(said) == bool(complaint)
    assert abs(len(body) - arrived * len(reply.body)) <= 0.5
    assert reply.body.startswith(body)
    assert script.steps[-1] == Fin()


def test_a_short_length_leaves_bytes_behind_the_message() -> None:
    """The next reply on the connection would begin with them."""
    script = BadFraming("short_content_length").garble(encode(THING, GET))
    assert script.sent.endswith(THING.body)
    assert f"Content-Length: {len(THING.body) // 2}\r\n".encode() in script.sent


def test_garbage_is_a_tls_alert() -> None:
    """What a TLS port says to plain HTTP."""
    assert segments(BadFraming("garbage").garble(encode(THING, GET))) == [TLS_ALERT]


@pytest.mark.parametrize("how", BREAKAGES)
def test_headers_that_frame_nothing_stay(how: str) -> None:
    """The vendor's own header section is kept; only its framing is another."""
    reply = THING.with_header("X-Request-Id", "r-1")
    assert (b"X-Request-Id: r-1\r\n" in BadFraming(how).garble(encode(reply, GET)).sent) == (how != "garbage")


@pytest.mark.parametrize("how", BREAKAGES)
def test_a_connection_that_was_to_be_kept_is_closed(how: str) -> None:
    """After broken framing it cannot be used again; a wait before the head stays, a reset stays a reset."""
    kept = Reply((Delay(2), *THING.with_header("Connection", "keep-alive").events))
    whole = encode(kept, GET)
    assert whole.steps[-1] == Next()
    script = BadFraming(how).garble(whole)
    assert (script.steps[0], script.steps[-1]) == (Wait(2), Fin())
    reset = Reply((*THING.events[:-1], Lost(How.RESET)))
    assert BadFraming(how).garble(encode(reset, GET)).steps[-1] == Reset()


@pytest.mark.parametrize("how", BREAKAGES)
@pytest.mark.parametrize(
    "script", [encode(EMPTY, GET), encode(NO_CONTENT, GET), encode(THING, HEAD)], ids=["empty", "204", "HEAD"]
)
def test_a_reply_without_a_body_has_no_length_to_get_wrong(how: str, script: Script) -> None:
    """Only what breaks the head strikes it."""
    assert (BadFraming(how).garble(script) == script) == (how not in HEAD_ONLY)


@pytest.mark.parametrize("how", BREAKAGES)
def test_what_is_not_http_is_left_alone(how: str) -> None:
    """A reply lost before its head, and one that another fault has turned to garbage."""
    fault = BadFraming(how)
    for script in (encode(GONE, GET), BadFraming("garbage").garble(encode(THING, GET))):
        assert fault.garble(script) == script
    assert verbs_of(fault) == ("garble",)


def test_an_unknown_way_is_refused_with_the_nearest() -> None:
    """What, what is there, and what to do."""
    assert refusal(BadFraming, {"how": "bad_chunk"}) == three(
        "bad_framing: unknown `how`",
        "'bad_chunk'",
        "did you mean 'bad_chunk_size'? known: bad_chunk_size, bad_status_line, excess_content_length, garbage, "
        "header_without_colon, missing_last_chunk, short_content_length, two_content_lengths",
    )
