"""
Offsets in a body at which stream parsers are known to break, by name.

Random cuts find few of them; each function here aims. A new kind of place is a
new function and one line in PLACES. Offsets are strictly inside the body.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Final

from .._payload import MISSING, parsed
from ._frames import CHECKSUM, PRELUDE, carries, frames_of, pieces_of

ESCAPE: Final = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
# What begins a pattern here is found without trying it at every offset: bodies may be large.
FIELD: Final = re.compile(rb"(data|event|id|retry):")
LATER: Final = re.compile(rb"(?:\r\n|\r|\n)(data|event):")
BOM: Final = b"\xef\xbb\xbf"
CHARACTER: Final = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")  # RFC 3629 section 4
BLANK: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?=[\r\n])")
NUMBER: Final = re.compile(rb"[-\d]\d*(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[],}\s])")  # RFC 8259 section 6
DONE: Final = re.compile(rb"\[(DO)NE\]")
DATA: Final = (b"data: ", b"data:")
GZIP: Final = b"\x1f\x8b"
GZIP_HEAD: Final = 10  # RFC 1952 section 2.3: without the optional fields
GZIP_TAIL: Final = 8  # a checksum and a length, of 4 bytes each


def after_data_events(body: bytes, number: int) -> int | None:
    """The offset behind this many events that carry data; None where there are not so many."""
    if number == 0:
        return 0
    at = 0
    for event in pieces_of(body):
        at += len(event)
        number -= carries(event)
        if number == 0:
            return at
    return None


def data_events(body: bytes) -> int:
    """How many events carry data."""
    return sum(map(carries, pieces_of(body)))


def _one_byte(body: bytes) -> Iterable[int]:
    return range(1, len(body))


def _inside_utf8(body: bytes) -> Iterator[int]:
    for found in CHARACTER.finditer(body):
        first = found[0][0]
        size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        if len(found[0]) >= size:
            yield from range(found.start() + 1, found.start() + size)


def _between_cr_lf(body: bytes) -> Iterable[int]:
    return (found.start() + 1 for found in re.finditer(rb"\r\n", body))


def _inside_blank_line(body: bytes) -> Iterable[int]:
    return (found.end() for found in BLANK.finditer(body))


def _after_event(body: bytes) -> Iterable[int]:
    return accumulate(len(event) for event in pieces_of(body))


def _inside_field_name(body: bytes) -> Iterable[int]:
    return (found.start(1) + len(found[1]) // 2 for found in _fields(body))


def _before_colon(body: bytes) -> Iterable[int]:
    return (found.end(1) for found in _fields(body))


def _between_event_and_data(body: bytes) -> Iterator[int]:
    for found in LATER.finditer(body):
        line = max(body.rfind(b"\n", 0, found.start()), body.rfind(b"\r", 0, found.start())) + 1
        other = b"event:" if found[1] == b"data" else b"data:"
        if body.startswith(other, line) or body.startswith(BOM + other, line):
            yield found.start(1)


def _inside_done(body: bytes) -> Iterator[int]:
    for found in DONE.finditer(body):
        before = next((text for text in DATA if body.endswith(text, 0, found.start())), None)
        if before is not None and _begins_line(body, found.start() - len(before)):
            yield found.end(1)


def _inside_json_string_escape(body: bytes) -> Iterator[int]:
    for found in ESCAPE.finditer(body):
        yield found.start() + 1
        if len(found[0]) > 2:
            yield from (found.start() + 3, found.end())  # inside \uXXXX, and between the halves of a pair


def _inside_number(body: bytes) -> Iterator[int]:
    for found in NUMBER.finditer(body):
        if len(found[0]) > 1 and found.start() and body[found.start() - 1] in b":,[ ":
            yield found.start() + len(found[0]) // 2


def _inside_ndjson_line(body: bytes) -> Iterator[int]:
    lines = body.split(b"\n") if body[:1] == b"{" else []
    if sum(bool(line.strip()) for line in lines) > 1 and parsed(lines[0]) is not MISSING:
        at = 0
        for line in lines:
            if line.strip():
                yield at + len(line) // 2
            at += len(line) + 1


def _inside_frame_prelude(body: bytes) -> Iterator[int]:
    for at, end in _frames(body):
        if end - at > PRELUDE.size:
            yield from (at + 2, at + 4, at + 6)  # inside a length, and between the two


def _inside_frame_crc(body: bytes) -> Iterator[int]:
    for at, end in _frames(body):
        if end - at > PRELUDE.size:
            yield from (
                at + 8,
                at + 10,
                end - CHECKSUM.size,
                end - CHECKSUM.size // 2,
            )  # that of the prelude, and of all


def _inside_gzip(body: bytes) -> Iterator[int]:
    at = 0
    while body[at : at + 2] == GZIP:
        machine = zlib.decompressobj(31)
        try:
            machine.decompress(body[at:])
        except zlib.error:
            return
        end = len(body) - len(machine.unused_data)
        yield from (at + 1, at + GZIP_HEAD, (at + GZIP_HEAD + end) // 2)
        if machine.eof:
            yield from (end - GZIP_TAIL, end - GZIP_TAIL // 2, end)
        at = end


def _fields(body: bytes) -> Iterable[re.Match[bytes]]:
    return (found for found in FIELD.finditer(body) if _begins_line(body, found.start()))


def _begins_line(body: bytes, at: int) -> bool:
    if body.endswith(BOM, 0, at):
        at -= len(BOM)
    return at == 0 or body[at - 1] in b"\r\n"


def _frames(body: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    for frame in frames_of(body):
        yield at, at + len(frame)
        at += len(frame)


PLACES: Final[dict[str, Callable[[bytes], Iterable[int]]]] = {
    "one_byte": _one_byte,
    "inside_gzip": _inside_gzip,
    "inside_utf8": _inside_utf8,
    "between_cr_lf": _between_cr_lf,
    "inside_blank_line": _inside_blank_line,
    "after_event": _after_event,
    "inside_field_name": _inside_field_name,
    "before_colon": _before_colon,
    "between_event_and_data": _between_event_and_data,
    "inside_done": _inside_done,
    "inside_json_string_escape": _inside_json_string_escape,
    "inside_number": _inside_number,
    "inside_ndjson_line": _inside_ndjson_line,
    "inside_frame_prelude": _inside_frame_prelude,
    "inside_frame_crc": _inside_frame_crc,
}
RAW: Final = ("one_byte", "inside_gzip")  # places of a compressed body; it has none of the others
INSIDE: Final = tuple(name for name in PLACES if name not in RAW)
