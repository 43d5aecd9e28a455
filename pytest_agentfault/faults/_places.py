"""
Offsets in a body at which stream parsers are known to break, by name.

Random cuts find few of them; each function here aims. A new kind of place is a
new function and one line in PLACES. Offsets are strictly inside the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Final

from .._payload import data_of, events_of

ESCAPE: Final = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
FIELD: Final = re.compile(rb"(?:\A|(?<=[\r\n]))(?:\xef\xbb\xbf)?(data|event|id|retry):")
CHARACTER: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)  # RFC 3629
BLANK: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?=[\r\n])")


def after_data_events(body: bytes, number: int) -> int | None:
    """The offset behind this many events that carry data; None where there are not so many."""
    if number == 0:
        return 0
    at = 0
    for event in events_of(body):
        at += len(event)
        number -= data_of(event) is not None
        if number == 0:
            return at
    return None


def data_events(body: bytes) -> int:
    """How many events carry data."""
    return sum(data_of(event) is not None for event in events_of(body))


def _one_byte(body: bytes) -> Iterable[int]:
    return range(1, len(body))


def _inside_utf8(body: bytes) -> Iterable[int]:
    return (n for found in CHARACTER.finditer(body) for n in range(found.start() + 1, found.end()))


def _between_cr_lf(body: bytes) -> Iterable[int]:
    return (found.start() + 1 for found in re.finditer(rb"\r\n", body))


def _inside_blank_line(body: bytes) -> Iterable[int]:
    return (found.end() for found in BLANK.finditer(body))


def _after_event(body: bytes) -> Iterable[int]:
    return accumulate(len(event) for event in events_of(body))


def _inside_field_name(body: bytes) -> Iterable[int]:
    return (found.start(1) + len(found[1]) // 2 for found in FIELD.finditer(body))


def _inside_json_string_escape(body: bytes) -> Iterator[int]:
    for found in ESCAPE.finditer(body):
        yield found.start() + 1
        if len(found[0]) > 2:
            yield from (found.start() + 3, found.end())  # inside \uXXXX, and between the halves of a pair


PLACES: Final[dict[str, Callable[[bytes], Iterable[int]]]] = {
    "one_byte": _one_byte,
    "inside_utf8": _inside_utf8,
    "between_cr_lf": _between_cr_lf,
    "inside_blank_line": _inside_blank_line,
    "after_event": _after_event,
    "inside_field_name": _inside_field_name,
    "inside_json_string_escape": _inside_json_string_escape,
}
INSIDE: Final = tuple(name for name in PLACES if name != "one_byte")
