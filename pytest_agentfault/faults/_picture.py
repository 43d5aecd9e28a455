"""
Cuts in bytes as text: only the events that are cut, with `|` and a caret at each cut.

Bytes are shown as Python writes them, so that what is no character, or no longer
one, can be told from what is; kept short, because it stands in a failure report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final
from unicodedata import east_asian_width

from .._payload import is_frames, is_ndjson, is_stream
from .._reply import Reply
from ._frames import frames_of, pieces_of
from ._places import INSIDE, PLACES

EVENTS: Final = 4  # how many events are shown,
CUTS: Final = 4  # how many cuts of each,
AROUND: Final = 28  # and how many bytes on both sides of a cut
MARKS: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def pictured(reply: Reply, places: Sequence[int]) -> str:
    """A body that is cut at these offsets."""
    body = reply.body
    names = {place: name for name in reversed(("inside_gzip", *INSIDE)) for place in PLACES[name](body)}
    return _drawn(body, places, names, *_pieces(reply))


def pictured_sent(sent: bytes, places: Sequence[int]) -> str:
    """What is sent, head and framing included, cut at these offsets."""
    return _drawn(sent, places, {}, "all that is sent", [sent])


def _pieces(reply: Reply) -> tuple[str, list[bytes]]:
    """What the body is made of, and what that is called."""
    if is_stream(reply) or is_frames(reply) or frames_of(reply.body):
        kind = "message" if frames_of(reply.body) else "line" if is_ndjson(reply) else "event"
        return kind, pieces_of(reply.body)
    return "the body", [reply.body]


def _drawn(body: bytes, places: Sequence[int], names: dict[int, str], kind: str, pieces: list[bytes]) -> str:
    ends = list(accumulate(map(len, pieces)))
    cut: dict[int, list[int]] = {}
    number = 0
    for place in sorted(places):
        while ends[number] < place:
            number += 1
        cut.setdefault(number, []).append(place)
    lines = []
    for number, inside in list(cut.items())[:EVENTS]:
        where = f"{kind} {number + 1} of {len(pieces)}" if len(pieces) > 1 else kind
        told = ", ".join(f"{p} ({names[p]})" if p in names else str(p) for p in inside[:CUTS])
        more = f" and {len(inside) - CUTS} more" if len(inside) > CUTS else ""
        lines.append(f"{where}, cut behind byte {told}{more} of {len(body)}:")
        # A cut at the very end of an event is shown with the beginning of the next.
        high = ends[number] if inside[-1] < ends[number] else min(len(body), ends[number] + AROUND)
        lines += _line(body, ends[number] - len(pieces[number]), high, inside[:CUTS])
    if len(cut) > EVENTS:
        rest = list(cut.values())[EVENTS:]
        lines.append(f"and {sum(map(len, rest))} more cuts in {len(rest)} more of them")
    return "\n".join(lines)


def _line(body: bytes, low: int, high: int, places: Iterable[int]) -> tuple[str, str]:
    """The bytes around these offsets, and the carets below."""
    text, carets, at = "", "", low
    for place in places:
        start = max(at, _character(body, place - AROUND))
        text += ("..." if start > at else "") + shown(body[start:place])
        carets = carets.ljust(len(text)) + "^"
        text += "|"
        at = place
    end = min(high, _character(body, at + AROUND))
    return f"  {text}{shown(body[at:end])}{'...' if end < high else ''}", f"  {carets}"


def _character(body: bytes, place: int) -> int:
    """The beginning of the character that this offset is in."""
    while 0 < place < len(body) and body[place] & 0xC0 == 0x80:
        place -= 1
    return max(place, 0)


def shown(data: bytes) -> str:
    """Bytes as text of which every character has one column."""
    return "".join(_escaped(letter) for letter in data.decode("utf-8", "surrogateescape"))


def _escaped(letter: str) -> str:
    if letter in MARKS:
        return MARKS[letter]
    if "\udc80" <= letter <= "\udcff":  # a byte that is part of no character
        return f"\\x{ord(letter) - 0xDC00:02x}"
    narrow = letter.isprintable() and east_asian_width(letter) not in "WF"
    return letter if narrow else letter.encode("unicode_escape").decode()
