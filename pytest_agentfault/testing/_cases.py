"""
What a door must be able to say: every script of the contract, as data.

Rule 1: a case is what a server does, never what a client should make of it: that
is read from a real socket in the same run.
Rule 2: a new way to break a conversation is one new line in CASES.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .._reply import Refused, Why
from .._script import Fin, Next, Reset, Script, Send, Stall, Step, Wait


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
    """

    name: str
    script: Script | Refused
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    times: int = 1
    schemes: tuple[str, ...] = ("http", "https")


def _head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "Content-Type: application/json", *lines, "", "")).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _script(*parts: bytes | Step) -> Script:
    """Bytes are segments; in good order the connection is closed behind them."""
    steps = [Send(p) if isinstance(p, bytes) else p for p in parts]
    return Script(tuple(steps if isinstance(steps[-1], Fin | Next | Reset | Stall) else (*steps, Fin())))


BODY: Final = b'{"key": "PROJ-1", "summary": "Login fails on Safari"}'
FIRST, SECOND = BODY[:20], BODY[20:]
EVENT: Final = b'data: {"delta": "Login "}\n\n'
EURO: Final = "data: 5 \u20ac\n\n".encode()
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
    Case("chunk_inside_utf8", _script(CHUNKED, _chunk(EURO[:9]), _chunk(EURO[9:]), LAST, Next())),
    Case("segment_inside_chunk_size", _script(CHUNKED + b"1", b"b\r", b"\n" + EVENT[:5], EVENT[5:] + b"\r\n" + LAST)),
    Case("segment_inside_head", _script(PLAIN[:9], PLAIN[9:40], PLAIN[40:-2], PLAIN[-2:] + BODY, Next())),
    Case("glued_chunks", _script(CHUNKED + _chunk(EVENT) + _chunk(EVENT) + LAST, Next())),
    Case("one_byte_chunks", _script(CHUNKED, *(_chunk(EURO[n : n + 1]) for n in range(5)), LAST, Next())),
    Case("gzip", _script(_head("Content-Encoding: gzip", f"Content-Length: {len(ZIPPED)}") + ZIPPED, Next())),
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

LOST: Final = (
    Case("reset_before_head", _script(Reset())),
    Case("reset_in_head", _script(PLAIN[:30], Reset())),
    Case("reset_after_head", _script(PLAIN, Reset())),
    Case("reset_in_body", _script(PLAIN, FIRST, Reset())),
    Case("reset_in_chunks", _script(CHUNKED, _chunk(EVENT), Reset())),
    Case("cut_before_head", _script(Fin())),
    Case("cut_in_head", _script(PLAIN[:9], PLAIN[9:30])),
    Case("cut_after_head", _script(PLAIN)),
    Case("cut_in_body", _script(PLAIN, FIRST)),
    Case("cut_in_chunk", _script(CHUNKED, _chunk(EVENT), _chunk(EVENT)[:9])),
    Case("missing_last_chunk", _script(CHUNKED, _chunk(EVENT))),
    Case("cut_in_gzip", _script(_head("Content-Encoding: gzip", "Connection: close"), ZIPPED[:30])),
    Case("stall_before_head", _script(Stall())),
    Case("stall_in_body", _script(PLAIN, FIRST, Stall()), schemes=("http",)),
    Case("stall_in_chunks", _script(CHUNKED, _chunk(EVENT), Stall())),
    Case("reset_on_upload", _script(Reset()), method="POST", body=BODY),
)

BROKEN: Final = (
    Case("garbage", _script(b"\x16\x03\x01 not HTTP at all\r\n\r\n")),
    Case("bad_status_line", _script(PLAIN.replace(b"200 OK", b"twohundred") + BODY)),
    Case("header_without_colon", _script(_head("This is no header") + BODY)),
    Case("bad_chunk_size", _script(CHUNKED, _chunk(EVENT), b"zz\r\nno\r\n" + LAST)),
    Case("two_content_lengths", _script(_head("Content-Length: 9", f"Content-Length: {len(BODY)}") + BODY)),
    Case("excess_body", _script(PLAIN + BODY + b"excess")),
    Case("bad_gzip", _script(_head("Content-Encoding: gzip", f"Content-Length: {len(BODY)}") + BODY, Next())),
)

REFUSED: Final = (
    Case("refused", Refused(Why.REFUSED)),
    Case("unresolved", Refused(Why.UNRESOLVED), schemes=("http",)),
    Case("connect_timeout", Refused(Why.TIMEOUT), schemes=("http",)),
    Case("untrusted", Refused(Why.UNTRUSTED), schemes=("https",)),
)

CASES: Final[tuple[Case, ...]] = WELL + LOST + BROKEN + REFUSED
