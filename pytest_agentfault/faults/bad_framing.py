"""
Bytes that are not quite HTTP: wrong lengths, broken chunks, garbage.

A change of script, because no legal reply says such a thing. What comes behind
is closed: after broken framing no connection can be used again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .._script import FRAMING, Fin, Next, Script, Send
from ._settings import check_choice
from ._wire import Spoken, spoken

TLS_ALERT: Final = b"\x15\x03\x03\x00\x02\x02\x46"  # RFC 8446 section 6: fatal protocol_version, in the clear


@dataclass(frozen=True, slots=True)
class BadFraming:
    """The client reads a reply that breaks the rules of HTTP itself.

    Args:
        how: `"bad_chunk_size"`, `"two_content_lengths"`, `"short_content_length"`,
            `"excess_content_length"`, `"garbage"`, `"bad_status_line"`, `"header_without_colon"` or
            `"missing_last_chunk"`. A reply without a body has no length to get wrong and stays whole.

    Raises:
        FaultError: `how` is none of these.

    Source: RFC 9112 sections 4, 5, 6.3, 7.1 and 8.
    """

    how: str = "bad_chunk_size"

    def __post_init__(self) -> None:
        check_choice("bad_framing", "how", self.how, tuple(BREAKAGES))

    def garble(self, script: Script) -> Script:
        """The script, broken; the same one where it is not HTTP, or has no body to frame."""
        said = spoken(script)
        if said is None or (not said.body and self.how not in HEAD_ONLY):
            return script
        sent = BREAKAGES[self.how](said)
        end = Fin() if isinstance(said.end, Next) else said.end
        return Script((*said.waits, *(Send(piece) for piece in sent if piece), end))


def _head(said: Spoken, *framing: str) -> bytes:
    """The head with this framing in place of its own."""
    lines = [
        line for line in said.head.split(b"\r\n") if line.partition(b":")[0].decode("latin-1").lower() not in FRAMING
    ]
    return b"\r\n".join([*lines, *(line.encode() for line in framing), b"Connection: close", b"", b""])


def _lengths(*lengths: Callable[[int], int]) -> Callable[[Spoken], list[bytes]]:
    """A body framed by these content-lengths, each reckoned from the true one."""

    def framed(said: Spoken) -> list[bytes]:
        return [_head(said, *(f"Content-Length: {length(len(said.body))}" for length in lengths)) + said.body]

    return framed


def _chunked(said: Spoken) -> tuple[bytes, bytes, int]:
    half = (len(said.body) + 1) // 2
    head = _head(said, "Transfer-Encoding: chunked")
    return head, b"%x\r\n%b\r\n" % (half, said.body[:half]), half


def _bad_chunk_size(said: Spoken) -> list[bytes]:
    head, first, half = _chunked(said)
    return [head, first, b"zz\r\n" + said.body[half:] + b"\r\n0\r\n\r\n"]


def _missing_last_chunk(said: Spoken) -> list[bytes]:
    head, first, half = _chunked(said)
    rest = said.body[half:]
    return [head, first, b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b""]


def _garbage(said: Spoken) -> list[bytes]:
    return [TLS_ALERT]


def _bad_status_line(said: Spoken) -> list[bytes]:
    rest = _head(said, f"Content-Length: {len(said.body)}").partition(b"\r\n")[2]
    return [b"HTTP/1.1 %dx\r\n" % said.status + rest + said.body]


def _header_without_colon(said: Spoken) -> list[bytes]:
    return [_head(said, "X-Broken a header without its colon", f"Content-Length: {len(said.body)}") + said.body]


BREAKAGES: Final[dict[str, Callable[[Spoken], list[bytes]]]] = {
    "bad_chunk_size": _bad_chunk_size,
    "two_content_lengths": _lengths(lambda true: true, lambda true: true + 1),
    "short_content_length": _lengths(lambda true: true // 2),
    "excess_content_length": _lengths(lambda true: true + 100),
    "garbage": _garbage,
    "bad_status_line": _bad_status_line,
    "header_without_colon": _header_without_colon,
    "missing_last_chunk": _missing_last_chunk,
}
HEAD_ONLY: Final = ("garbage", "bad_status_line", "header_without_colon")
