"""
The cuts of one reply, one by one: each in a run of its own, fewer of them, and what they look like.

For finding the cut that breaks a client, and for showing it. Which offsets are cut
is `split_chunks`' own to say; here they are only told apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from .._payload import is_encoded, plain
from .._reply import Data, Reply, Request
from .._script import Script, encode
from ._picture import pictured, pictured_sent
from ._places import INSIDE, PLACES, RAW
from ._wire import Sent, Spoken, borders, framing_offsets, sent_offsets, spoken

if TYPE_CHECKING:
    from .split_chunks import SplitChunks

BOUNDARY: Final = "every-boundary"
BYTE: Final = "every-byte"
EVERY: Final = (BOUNDARY, BYTE)
SENT: Final = "sent"
GLUED: Final = "glued"
PAST_THE_END: Final = 1 << 62  # a cut there is none


class Splits:
    """What a fault cuts of one reply."""

    def __init__(self, fault: SplitChunks, request: Request, reply: Reply) -> None:
        self.fault, self.request, self.reply = fault, request, reply

    def each(self) -> Iterator[tuple[str, SplitChunks]]:
        """A fault for each single cut, by a name that says where it is."""
        if not self.fault.explores or not self.fault.reaches(self.request, self.reply):
            return
        plain_too = self.fault.coding != "kept" and is_encoded(self.reply)
        read = plain(self.reply) if plain_too else None
        if self.fault.at == BYTE:
            body = read.body if read and self.fault.coding == "undone" else self.reply.body
            names = {n: f"byte@{n}" for n in range(1, len(body))}
            yield from self._at(names, self.fault.coding)
        elif read is None:
            yield from self._at(_named(self.reply.body, (*RAW[1:], *INSIDE)), self.fault.coding)
        else:
            yield from self._at(_named(read.body, INSIDE), "undone")
            if self.fault.coding == "fitting":
                yield from self._at(_named(self.reply.body, RAW[1:]), "kept")
        if self.fault.wire != "chunks":
            yield from self._at_sent()

    def _at(self, names: dict[int, str], coding: str) -> Iterator[tuple[str, SplitChunks]]:
        """Cuts of the body; none that is there already, where the body stays as it is."""
        kept = names if coding == "undone" and is_encoded(self.reply) else self._new(names)
        for place in kept:
            yield names[place], replace(self.fault, at=(place,), coding=coding)

    def _at_sent(self) -> Iterator[tuple[str, SplitChunks]]:
        """Cuts of the head and of the framing."""
        if self._said is None:
            return
        every = self.fault.at == BYTE
        size = len(Sent(self._script))
        body = set(sent_offsets(self._said.runs, range(1, len(self._said.body))).values())
        places: Iterable[int] = range(1, size) if every else framing_offsets(self._said, size)
        for place in places:
            if place not in body and place not in self._borders:
                name = f"{SENT}@{place}" if every else f"inside_framing@{place}"
                yield name, replace(self.fault, at=(), at_sent=(place,), coding="kept")

    def parts(self) -> tuple[Hashable, ...]:
        """All single cuts; one part, where they cannot be told apart."""
        fault = self.fault
        if fault.explores or not fault.reaches(self.request, self.reply):
            return ()
        base = fault.readable(self.reply)
        if "glue" in fault.at or (fault.every_events and len(self._chunks) > 1):
            altered = fault.alter(self.request, self.reply)
            script = encode(altered, self.request)
            return (GLUED,) if altered != self.reply or fault.garble(script) != script else ()
        places = fault.places(base.body)
        found: list[Hashable] = [*(places if base != self.reply else self._new(places))]
        if fault.wire != "chunks":
            found += [(SENT, place) for place in self._sent_places()]
        return tuple(found)

    def _sent_places(self) -> list[int]:
        script = encode(self.fault.alter(self.request, self.reply), self.request)
        said = spoken(script)
        framing = framing_offsets(said, len(script.sent)) if said and "inside_framing" in self.fault.at else ()
        inside = {n for n in (*self.fault.at_sent, *framing) if n < len(script.sent)}
        return sorted(inside - borders(script))

    @staticmethod
    def of(fault: SplitChunks, parts: Sequence[Hashable]) -> SplitChunks:
        """The fault that makes only these cuts."""
        if GLUED in parts:
            return fault
        sent: list[Any] = [part for part in parts if isinstance(part, tuple)]
        places: list[Any] = [part for part in parts if not isinstance(part, tuple)]
        return replace(
            fault,
            every_bytes=None,
            random_cuts=None,
            every_events=None,
            at=tuple(places) if parts else (PAST_THE_END,),
            at_sent=tuple(place for _, place in sent),
            coding="undone" if fault.as_text else fault.coding,
        )

    def picture(self) -> str:
        """The cuts as text."""
        parts = self.parts()
        if GLUED in parts:
            return f"{len(self.reply.body)} bytes of the body, joined into fewer pieces"
        places: list[Any] = [part for part in parts if not isinstance(part, tuple)]
        sent: list[Any] = [part[1] for part in parts if isinstance(part, tuple)]
        texts = [pictured(self.fault.readable(self.reply), places)] if places else []
        if sent:
            script = encode(self.fault.alter(self.request, self.reply), self.request)
            texts.append(pictured_sent(script.sent, sent))
        return "\n".join(texts)

    def _new(self, places: Iterable[int]) -> Iterator[int]:
        """Those of these offsets in the body that are not at the end of a piece already."""
        wire = self.fault.wire
        places = list(places)
        where = sent_offsets(self._said.runs, places) if self._said and wire != "chunks" else {}
        for place in places:
            new_chunk = wire != "segments" and place not in self._chunks
            if new_chunk or (place in where and where[place] not in self._borders):
                yield place

    @cached_property
    def _chunks(self) -> set[int]:
        return set(accumulate(len(event.data) for event in self.reply.events if isinstance(event, Data)))

    @cached_property
    def _script(self) -> Script:
        return encode(self.reply, self.request)

    @cached_property
    def _said(self) -> Spoken | None:
        return spoken(self._script)

    @cached_property
    def _borders(self) -> set[int]:
        return borders(self._script)


def _named(body: bytes, names: Iterable[str]) -> dict[int, str]:
    """The offsets that these names stand for, in order, each with the first of its names."""
    found: dict[int, str] = {}
    for name in names:
        for place in PLACES[name](body):
            if 0 < place < len(body):
                found.setdefault(place, f"{name}@{place}")
    return dict(sorted(found.items()))
