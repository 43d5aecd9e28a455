"""
What a door must be able to say: every script of the contract, as data.

Rule 1: a case is what a server does, never what a client should make of it: that
is read from a real socket in the same run.
Rule 2: a new way to break a conversation is one new line in a table here; losses,
cuts and broken framings are multiplied out of the tables of the engine itself, so
that a new word there is held to the contract on the day it is written.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .._reply import Data, Event, Head, Headers, How, Lost, Refused, Reply, Request, Why
from .._script import Fin, Next, Reset, Script, Send, Stall, Step, Wait, encode
from ..faults._places import PLACES
from ..faults.bad_framing import BREAKAGES, BadFraming
from ..faults.split_chunks import GLUE, WIRES, SplitChunks

STALL_SECONDS: Final = 0.1  # what a client bears where it is made to wait for nothing


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation: what the client asks, and what is done to it.

    Args:
        name: its id in the test run.
        script: the steps that follow each request; or how the connection never comes to be.
        method: what is asked.
        headers: what the client sends besides its own.
        body: what the client uploads.
        times: how often the client asks, one after another, by the same session.
        schemes: over what it makes sense.
        seconds: every time limit of the client; None: the contract's, which nothing here reaches.
    """

    name: str
    script: Script | Refused
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    times: int = 1
    schemes: tuple[str, ...] = ("http", "https")
    seconds: float | None = None


def _head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "Content-Type: application/json", *lines, "", "")).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _script(*parts: bytes | Step) -> Script:
    """Bytes are segments; in good order the connection is closed behind them."""
    steps = [Send(p) if isinstance(p, bytes) else p for p in parts]
    return Script(tuple(steps if isinstance(steps[-1], Fin | Next | Reset | Stall) else (*steps, Fin())))


def _distinct(cases: Iterable[Case]) -> Iterator[Case]:
    """The first of those that come to the same bytes."""
    found: dict[Script | Refused, Case] = {}
    for case in cases:
        found.setdefault(case.script, case)
    return iter(found.values())


ASKED: Final = Request("GET", "http://door.example/x")
BODY: Final = b'{"key": "PROJ-1", "summary": "Login fails on Safari"}'
FIRST, SECOND = BODY[:20], BODY[20:]
EVENT: Final = b'data: {"delta": "Login "}\n\n'
EURO: Final = "data: 5 \u20ac\n\n".encode()
WEAK: Final = 'data: "\u20ac\\n"\r\n\r\ndata: 1\n\n'.encode()  # most places at which stream parsers break
ZIPPED: Final = gzip.compress(BODY, mtime=0)
LAST: Final = b"0\r\n\r\n"
PLAIN: Final = _head(f"Content-Length: {len(BODY)}")
CHUNKED: Final = _head("Transfer-Encoding: chunked")
CLOSING: Final = _head("Transfer-Encoding: chunked", "Connection: close")
CONTINUE: Final = {"Expect": "100-continue"}
UPLOAD: Final = bytes(2_000_000)

WELL: Final = (
    Case("content_length", _script(_head(f"Content-Length: {len(BODY)}", "Connection: close") + BODY)),
    Case("body_behind_head", _script(PLAIN, FIRST, SECOND, Next())),
    Case("no_body", _script(_head("Content-Length: 0"), Next())),
    Case("error_status", _script(_head(f"Content-Length: {len(BODY)}", status="429 Too Many Requests") + BODY)),
    Case("until_close", _script(_head("Connection: close"), FIRST, SECOND)),
    Case("chunked", _script(CLOSING, _chunk(EVENT), _chunk(EVENT), _chunk(EVENT), LAST)),
    Case("glued_chunks", _script(CHUNKED + _chunk(EVENT) + _chunk(EVENT) + LAST, Next())),
    Case("one_byte_chunks", _script(CHUNKED, *(_chunk(EURO[n : n + 1]) for n in range(5)), LAST, Next())),
    Case("gzip", _script(_head("Content-Encoding: gzip", f"Content-Length: {len(ZIPPED)}") + ZIPPED, Next())),
    Case(
        "gzip_in_chunks",
        _script(
            _head("Content-Encoding: gzip", "Transfer-Encoding: chunked"),
            *(_chunk(ZIPPED[n : n + 25]) for n in range(0, len(ZIPPED), 25)),
            LAST,
            Next(),
        ),
    ),
    Case("slow_body", _script(CHUNKED, _chunk(EVENT), Wait(0.05), _chunk(EVENT), LAST, Next())),
    Case("slow_head", _script(Wait(0.05), PLAIN + BODY, Next())),
    Case("no_content", _script(_head(status="204 No Content"), Next())),
    Case("not_modified", _script(_head(f"Content-Length: {len(BODY)}", status="304 Not Modified"), Next())),
    Case("head_request", _script(PLAIN, Next()), method="HEAD"),
    Case("early_hints", _script(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", PLAIN + BODY, Next())),
    Case("kept_alive", _script(PLAIN + BODY, Next()), times=2),
    Case("closed_while_idle", _script(PLAIN + BODY), times=2),
    Case("closing_announced", _script(CLOSING, _chunk(EVENT) + LAST), times=2),
    Case("big_upload", _script(PLAIN + BODY, Next()), method="POST", body=UPLOAD),
    Case("expect_continue", _script(PLAIN + BODY, Next()), method="PUT", body=BODY, headers=CONTINUE),
)


# What a cut does to a door does not hang on what is cut: one body will do, and the places that it has.
WEAK_PLACES: Final = tuple(name for name, places in PLACES.items() if set(places(WEAK)) - {0, len(WEAK)})


def _cut(place: str, wire: str) -> Script:
    """A stream of events, cut at a place by HTTP chunks, by TCP segments, or by both."""
    fault = SplitChunks(at=(place,), wire=wire)
    pieces = (WEAK[:20], WEAK[20:]) if place == GLUE else (EURO if place == "one_byte" else WEAK,)
    whole = Reply.of(200, b"").with_data(pieces).with_header("Content-Type", "text/event-stream")
    return fault.garble(encode(fault.alter(ASKED, whole), ASKED))


CUTS: Final = (
    Case("segment_inside_chunk_size", _script(CHUNKED + b"1", b"b\r", b"\n" + EVENT[:5], EVENT[5:] + b"\r\n" + LAST)),
    Case("segment_inside_head", _script(PLAIN[:9], PLAIN[9:40], PLAIN[40:-2], PLAIN[-2:] + BODY, Next())),
    *_distinct(Case(f"{wire}_cut_{place}", _cut(place, wire)) for place in (*WEAK_PLACES, GLUE) for wire in WIRES),
)

KINDS: Final[dict[str, tuple[bytes, Headers]]] = {
    "plain": (BODY, (("Content-Length", str(len(BODY))),)),
    "chunked": (BODY, (("Transfer-Encoding", "chunked"),)),
    "gzip": (ZIPPED, (("Content-Encoding", "gzip"), ("Content-Length", str(len(ZIPPED))))),
    "gzip_in_chunks": (ZIPPED, (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))),
}
WORDS: Final = {How.RESET: "reset", How.CUT: "cut", How.STALLED: "stall"}


def _losses() -> Iterator[Case]:
    """Each way to lose a connection, before the head, and after it and in the body of each kind of body."""
    for how, word in WORDS.items():
        seconds = STALL_SECONDS if how is How.STALLED else None
        yield Case(f"{word}_before_head", encode(Reply((Lost(how),)), ASKED), seconds=seconds)
        for kind, (body, framing) in KINDS.items():
            head = Head(200, (("Content-Type", "application/json"), *framing))
            places: dict[str, tuple[Event, ...]] = {"after_head": (head,), "in_body": (head, Data(body[:30]))}
            for place, events in places.items():
                name = f"{word}_{place}" if kind == "plain" else f"{word}_{place}_{kind}"
                yield Case(name, encode(Reply((*events, Lost(how))), ASKED), seconds=seconds)


LOST: Final = (
    *_losses(),
    Case("reset_in_head", _script(PLAIN[:30], Reset())),
    Case("reset_behind_segments", _script(PLAIN, FIRST, Reset())),
    Case("cut_in_head", _script(PLAIN[:9], PLAIN[9:30])),
    Case("cut_behind_segments", _script(PLAIN, FIRST)),
    Case("cut_in_chunk", _script(CHUNKED, _chunk(EVENT), _chunk(EVENT)[:9])),
    Case("cut_in_gzip_until_close", _script(_head("Content-Encoding: gzip", "Connection: close"), ZIPPED[:30])),
    Case("reset_until_close", _script(_head("Connection: close"), FIRST, Reset())),
    Case("reset_on_upload", _script(Reset()), method="POST", body=BODY),
)


def _broken(how: str, kind: str) -> Script:
    body, framing = KINDS[kind]
    return BadFraming(how).garble(encode(Reply.of(200, body, framing), ASKED))


HANGS: Final = "bad_chunk_size"  # aiohttp waits for ever on what it cannot parse

BROKEN: Final = (
    *_distinct(
        Case(f"{how}_{kind}", _broken(how, kind), seconds=STALL_SECONDS if how == HANGS else None)
        for how in BREAKAGES
        for kind in ("plain", "gzip")
    ),
    Case("no_http", _script(b"\x16\x03\x01 not HTTP at all\r\n\r\n")),
    Case("status_in_words", _script(PLAIN.replace(b"200 OK", b"twohundred") + BODY)),
    Case("bad_gzip", _script(_head("Content-Encoding: gzip", f"Content-Length: {len(BODY)}") + BODY, Next())),
)

REFUSED: Final = (
    Case("refused", Refused(Why.REFUSED)),
    Case("unresolved", Refused(Why.UNRESOLVED)),
    Case("connect_timeout", Refused(Why.TIMEOUT), seconds=STALL_SECONDS),
    Case("untrusted", Refused(Why.UNTRUSTED), schemes=("https",)),
)

GROUPS: Final = {
    "whole replies": WELL,
    "cut in pieces": CUTS,
    "lost on the way": LOST,
    "not quite HTTP": BROKEN,
    "no connection": REFUSED,
}
CASES: Final[tuple[Case, ...]] = tuple(case for group in GROUPS.values() for case in group)
