"""
The events of a stream and the fields in them, put another way: one function for each way a server may write them.

What each does is harmless by the rules of the event-stream format (WHATWG HTML
9.2.5 and 9.2.6): a reader that keeps them hears the same events. Each gives the
event back unchanged where it has nothing to say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from .._payload import LINE, data_of, line_end_of, parsed, with_data_of, with_pieces
from .._reply import Data, Reply
from ._frames import carries, is_event
from ._json_text import TOKEN

BOM: Final = b"\xef\xbb\xbf"
# Line ends to `str.splitlines`, but not to the format; and JSON holds them without an escape.
SEPARATORS: Final = "\u2028|\u2029|\u0085"
PADDING: Final = "padding"  # a member that no vendor's schema has; readers of JSON ignore what they do not know


def with_events(reply: Reply, events: Sequence[bytes]) -> Reply:
    """The same reply with these events; one `Data` each, where it had more than one."""
    pieces = sum(isinstance(event, Data) for event in reply.events)
    return with_pieces(reply, events if pieces > 1 else [b"".join(events)])


def numbers_of_data(events: Sequence[bytes]) -> list[int]:
    """Which of these events carry data."""
    return [number for number, event in enumerate(events) if carries(event)]


def is_line(event: bytes) -> bool:
    """True for a line of JSON, which has no fields."""
    return event.lstrip()[:1] in (b"{", b"[")


def is_finished(event: bytes) -> bool:
    """True when the event has the blank line, or the line of JSON the line end, that closes it; a message is whole."""
    if is_event(event):
        return True
    return event.endswith(b"\n") if is_line(event) else not lines_of(event)[-1][0]


def lines_of(event: bytes) -> list[tuple[bytes, bytes]]:
    """The lines of an event, each with its line end."""
    return [(found[1], found[2]) for found in LINE.finditer(event) if found[0]]


def in_front(line: bytes) -> Callable[[bytes], bytes]:
    """A field in front of each event's own."""
    return lambda event: line + line_end_of(event) + event


def before(*lines: bytes) -> Callable[[bytes], bytes]:
    """A block of its own before each event: comments, or fields without data, which no reader is told of."""
    return lambda event: b"".join(line + line_end_of(event) for line in (*lines, b"")) + event


def ended_by(end: bytes) -> Callable[[bytes], bytes]:
    """Other line ends."""
    return lambda event: b"".join(text + end if had else text for text, had in lines_of(event))


def event_field(last: bool) -> Callable[[bytes], bytes]:
    """The event's name behind its data, or before it."""

    def moved(event: bytes) -> bytes:
        lines = lines_of(event)
        named = [line for line in lines if line[0].partition(b":")[0] == b"event"]
        others = [line for line in lines if line not in named]
        fields = sum(bool(text) for text, _ in others)
        at = fields if last else 0
        if not lines[-1][1] or not all(text for text, _ in others[:fields]):
            return event  # it never ends, or blank lines are in front of it
        return b"".join(text + end for text, end in (*others[:at], *named, *others[at:]))

    return moved


def without_space(event: bytes) -> bytes:
    """No space behind the colon; one that belongs to the value stays."""
    return b"".join(re.sub(rb"^(data|event|id|retry): (?! )", rb"\1:", text) + end for text, end in lines_of(event))


def multiline(event: bytes) -> bytes:
    """The data over two lines, parted where JSON may have a line end."""
    data = data_of(event) or b""
    text = data.decode("utf-8", "replace")
    place = next((found.end() for found in TOKEN.finditer(text) if found[0] in "{[,"), 0)
    if b"\n" in data or not place or not isinstance(parsed(data), dict | list):
        return event
    place = len(text[:place].encode())
    return with_data_of(event, data[:place] + b"\n" + data[place:])


def separators(event: bytes) -> bytes:
    """A member more in the event's JSON, whose value has characters that Python takes for line ends."""
    data = data_of(event) or b""
    value = parsed(data)
    if not isinstance(value, dict) or PADDING in value:
        return event
    place = data.index(b"{") + 1
    member = f'"{PADDING}":"{SEPARATORS}"{"," if value else ""}'.encode()
    return with_data_of(event, data[:place] + member + data[place:])


def large(event: bytes, size_bytes: int) -> bytes:
    """White space inside the event's JSON, up to this size."""
    data = data_of(event) or b""
    missing = size_bytes - len(event)
    if missing <= 0 or not isinstance(parsed(data), dict | list):
        return event
    made, at = with_data_of(event, data), 0
    for text, end in [] if is_line(event) else lines_of(made):
        if text.startswith(b"data:"):
            break
        at += len(text) + len(end)
    place = made.index(data.lstrip()[:1], at) + 1
    return b"".join((made[:place], b" " * missing, made[place:]))
