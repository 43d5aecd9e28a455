"""How a reply is said in HTTP/1.1: framing, status line, losses and delays, step by step."""

from __future__ import annotations

import pytest

from pytest_agentfault import (
    Data,
    Delay,
    End,
    Fin,
    Head,
    How,
    Lost,
    Next,
    Refused,
    Reply,
    Request,
    Reset,
    Send,
    Stall,
    Wait,
    Why,
)
from pytest_agentfault._errors import FaultError
from pytest_agentfault._reply import Event, Headers
from pytest_agentfault._script import Step, encode

GET = Request("GET", "http://x/")
RESET, CUT, STALLED = Lost(How.RESET), Lost(How.CUT), Lost(How.STALLED)


def head(status: str, *lines: str) -> bytes:
    """The head block as bytes, closed connection last."""
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "Connection: close", "", "")).encode()


def said(*events: Event, headers: Headers = (), status: int = 200, method: str = "GET") -> tuple[Step, ...]:
    """The steps of a reply with this head and these events behind it, on a connection that is not kept."""
    return encode(Reply((Head(status, headers), *events)), Request(method, "http://x/"), keep=False).steps


@pytest.mark.parametrize(
    ("asked", "answered", "line", "end"),
    [
        ((), (), "", Next()),
        ((), (("Connection", "keep-alive"),), "Connection: keep-alive\r\n", Next()),
        ((), (("connection", "Close"),), "Connection: Close\r\n", Fin()),
        ((("Connection", "close"),), (), "Connection: close\r\n", Fin()),
        ((("Connection", "keep-alive"),), (), "", Next()),
    ],
)
def test_a_connection_is_kept_unless_someone_closes_it(asked: Headers, answered: Headers, line: str, end: Step) -> None:
    """As HTTP/1.1 has it: kept, but for a `Connection: close` of either side (RFC 9112 section 9.3)."""
    script = encode(Reply((Head(200, answered), Data(b"a"), End())), Request("GET", "http://x/", asked))
    assert script.steps == (Send(f"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n{line}\r\na".encode()), end)


LENGTH_3 = (("content-length", "3"),)
LENGTH_9 = (("Content-Length", "9"),)
CHUNKED = (("transfer-encoding", "Chunked"),)
CHUNKED_HEAD = head("200 OK", "Transfer-Encoding: chunked")

FRAMINGS: dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]] = {
    "one piece: a content-length, in the head's own segment": (
        said(Data(b"abc"), End()),
        (Send(head("200 OK", "Content-Length: 3") + b"abc"), Fin()),
    ),
    "no body: a content-length of nothing": (said(End()), (Send(head("200 OK", "Content-Length: 0")), Fin())),
    "a true content-length is kept": (
        said(Data(b"abc"), End(), headers=LENGTH_3),
        (Send(head("200 OK", "Content-Length: 3") + b"abc"), Fin()),
    ),
    "a false content-length of a whole reply is recomputed": (
        said(Data(b"abc"), End(), headers=LENGTH_9),
        (Send(head("200 OK", "Content-Length: 3") + b"abc"), Fin()),
    ),
    "a content-length over a body that is empty is recomputed": (
        said(End(), headers=LENGTH_9),
        (Send(head("200 OK", "Content-Length: 0")), Fin()),
    ),
    "two content-lengths become one": (
        said(Data(b"abc"), End(), headers=LENGTH_9 + LENGTH_3),
        (Send(head("200 OK", "Content-Length: 3") + b"abc"), Fin()),
    ),
    "several pieces under a content-length stay segments": (
        said(Data(b"ab"), Data(b"c"), End(), headers=LENGTH_3),
        (Send(head("200 OK", "Content-Length: 3") + b"ab"), Send(b"c"), Fin()),
    ),
    "several pieces: chunked, the head alone, the last chunk with the end": (
        said(Data(b"ab"), Data(b"c"), End()),
        (Send(CHUNKED_HEAD), Send(b"2\r\nab\r\n"), Send(b"1\r\nc\r\n0\r\n\r\n"), Fin()),
    ),
    "chunked as the header says": (
        said(Data(b"x" * 26), End(), headers=CHUNKED),
        (Send(CHUNKED_HEAD), Send(b"1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n"), Fin()),
    ),
    "chunked wins over a content-length (RFC 9112 section 6.3)": (
        said(Data(b"abc"), End(), headers=LENGTH_9 + CHUNKED),
        (Send(CHUNKED_HEAD), Send(b"3\r\nabc\r\n0\r\n\r\n"), Fin()),
    ),
    "chunked without a body": (said(End(), headers=CHUNKED), (Send(CHUNKED_HEAD + b"0\r\n\r\n"), Fin())),
    "an empty piece is not the last chunk": (
        said(Data(b""), Data(b"abc"), Data(b""), End(), headers=CHUNKED),
        (Send(CHUNKED_HEAD), Send(b"3\r\nabc\r\n0\r\n\r\n"), Fin()),
    ),
    "keep-alive": (
        said(Data(b"a"), End(), headers=(("connection", "Keep-Alive"),)),
        (Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\na"), Next()),
    ),
    "other headers in their order and spelling": (
        said(Data(b"a"), End(), headers=(("Set-Cookie", "a=1"), *LENGTH_9, ("set-cookie", "b=2"), ("x-é", "ü"))),
        (
            Send(
                "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nx-é: ü\r\n".encode("latin-1")
                + b"Content-Length: 1\r\nConnection: close\r\n\r\na"
            ),
            Fin(),
        ),
    ),
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_framing(name: str) -> None:
    """Every framing, step by step."""
    steps, expected = FRAMINGS[name]
    assert steps == expected


@pytest.mark.parametrize(
    ("method", "status", "headers", "framing"),
    [
        ("HEAD", 200, (), "Content-Length: 3"),
        ("HEAD", 200, LENGTH_9, "Content-Length: 3"),  # the body that a GET would have had is here: it is the truth
        ("HEAD", 200, CHUNKED, "Transfer-Encoding: chunked"),
        ("GET", 304, (), "Content-Length: 3"),
        ("GET", 204, (), None),
        ("GET", 204, LENGTH_3, None),
        ("GET", 204, CHUNKED, None),  # RFC 9112 section 6.1: never in a 204
    ],
)
def test_a_bodyless_reply_sends_its_head_only(method: str, status: int, headers: Headers, framing: str | None) -> None:
    """HEAD, 204 and 304 end with their head, whatever the reply holds (RFC 9112 section 6.3)."""
    reason = {200: "200 OK", 204: "204 No Content", 304: "304 Not Modified"}[status]
    expected = head(reason, *([framing] if framing else []))
    assert said(Data(b"abc"), End(), status=status, method=method, headers=headers) == (Send(expected), Fin())


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
def test_a_bodyless_reply_keeps_the_length_it_promises(method: str, status: int) -> None:
    """The length in a recorded HEAD or 304 is that of the body it speaks of, which is not here."""
    (sent, _) = said(End(), status=status, method=method, headers=LENGTH_9)
    assert isinstance(sent, Send)
    assert b"Content-Length: 9\r\n" in sent.data


PROMISED = head("200 OK", "Content-Length: 9")

LOSSES: dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]] = {
    "after the head": (said(RESET, headers=LENGTH_9), (Send(PROMISED), Reset())),
    "in the body, behind the promised length": (
        said(Data(b"abc"), CUT, headers=LENGTH_9),
        (Send(PROMISED + b"abc"), Fin()),
    ),
    "in the body, chunked": (
        said(Data(b"abc"), STALLED, headers=CHUNKED),
        (Send(CHUNKED_HEAD), Send(b"3\r\nabc\r\n"), Stall()),
    ),
    "without any framing header it is chunked, so that the loss can be seen": (
        said(Data(b"abc"), CUT),
        (Send(CHUNKED_HEAD), Send(b"3\r\nabc\r\n"), Fin()),
    ),
    "after the head, without any framing header": (said(CUT), (Send(CHUNKED_HEAD), Fin())),
    "a lost connection is not kept": (
        said(Data(b"a"), CUT, headers=(*LENGTH_9, ("Connection", "keep-alive"))),
        (Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: keep-alive\r\n\r\na"), Fin()),
    ),
    "before the head, reset": (encode(Reply((RESET,)), GET).steps, (Reset(),)),
    "before the head, cut": (encode(Reply((CUT,)), GET).steps, (Fin(),)),
    "before the head, stalled, late": (encode(Reply((Delay(2), STALLED)), GET).steps, (Wait(2), Stall())),
    "refused": (encode(Reply((Delay(1), Refused(Why.TIMEOUT))), GET).steps, (Wait(1), Fin())),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    """A connection lost at each place, with the length that was promised."""
    steps, expected = LOSSES[name]
    assert steps == expected


DELAYS: dict[str, tuple[Reply, tuple[Step, ...]]] = {
    "before the head": (
        Reply((Delay(1), Head(200), Data(b"a"), End())),
        (Wait(1), Send(head("200 OK", "Content-Length: 1") + b"a"), Fin()),
    ),
    "behind the head": (
        Reply((Head(200), Delay(2), Data(b"a"), End())),
        (Send(head("200 OK", "Content-Length: 1")), Wait(2), Send(b"a"), Fin()),
    ),
    "between chunks and before the last": (
        Reply((Head(200), Data(b"a"), Delay(3), Data(b"b"), Delay(4), End())),
        (
            Send(CHUNKED_HEAD),
            Send(b"1\r\na\r\n"),
            Wait(3),
            Send(b"1\r\nb\r\n"),
            Wait(4),
            Send(b"0\r\n\r\n"),
            Fin(),
        ),
    ),
    "before the end of a body of known length": (
        Reply((Head(200), Data(b"a"), Delay(5), End())),
        (Send(head("200 OK", "Content-Length: 1") + b"a"), Wait(5), Fin()),
    ),
}


@pytest.mark.parametrize("name", DELAYS)
def test_delays(name: str) -> None:
    """Silence stands where the reply has it, and never inside a segment."""
    reply, expected = DELAYS[name]
    assert encode(reply, GET, keep=False).steps == expected


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (429, "", b"HTTP/1.1 429 Too Many Requests\r\n"),
        (529, "", b"HTTP/1.1 529 \r\n"),
        (200, "Fine", b"HTTP/1.1 200 Fine\r\n"),
        (200, "☃", b"HTTP/1.1 200 ?\r\n"),
    ],
)
def test_status_line(status: int, reason: str, line: bytes) -> None:
    """The given phrase, else the standard one, else none; what latin-1 cannot say becomes a question mark."""
    assert encode(Reply((Head(status, (), reason), End())), GET).sent.startswith(line)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (Head(200, (("A", "1\r\nX: 2"),)), "'A: 1\\r\\nX: 2'"),
        (Head(200, (("A\n", "1"),)), "'A\\n: 1'"),
        (Head(200, (), "O\rK"), "'HTTP/1.1 200 O\\rK'"),
        (Head(200, (("Connection", "close\n"),)), "'Connection: close\\n'"),
    ],
)
def test_a_line_break_in_the_head_is_refused(event: Head, shown: str) -> None:
    """A reply cannot smuggle a header: that would be a script."""
    with pytest.raises(FaultError) as caught:
        encode(Reply((event, End())), GET)
    assert str(caught.value) == (
        "illegal reply: a line break inside its head\n"
        f"  there is: {shown}\n"
        "  to do: take it out; to send a broken head use the fault `bad_framing`"
    )
