"""
The same bytes in other pieces: HTTP chunks and TCP segments, cut where parsers break.

Not a byte of the body changes, so whatever then fails was relying on where the
pieces ended. The places are in `_places.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .._errors import FaultError, nearest
from .._payload import cut_at, has_body, is_stream, plain
from .._reply import Data, Reply, Request
from .._script import Script
from ._places import INSIDE, PLACES
from ._settings import check_choice, check_count
from ._wire import cut_segments, glued_segments, spoken

WIRES: Final = ("chunks", "segments", "both")
ONLY: Final = ("any", "stream")
GLUE: Final = "glue"


@dataclass(frozen=True, slots=True)
class SplitChunks:
    """The client reads the same bytes, cut in the middle of characters, lines and events.

    Args:
        every_bytes: a cut after every so many bytes of the body, 1 or more.
        at: offsets in the body, and names of places: `"one_byte"`, `"inside_utf8"`,
            `"between_cr_lf"`, `"inside_blank_line"`, `"after_event"`, `"inside_field_name"`,
            `"inside_json_string_escape"`, or `"glue"` alone (everything in one piece). Empty, and
            no `every_bytes`: all named places but `"one_byte"`, the middle where there is none.
        wire: what is cut: `"chunks"` (HTTP), `"segments"` (TCP) or `"both"`.
        only: `"stream"`: only replies that are event streams; `"any"`: every reply.

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: RFC 9112 section 7.1; WHATWG HTML section 9.2.5.
    """

    every_bytes: int | None = None
    at: Sequence[str | int] = ()
    wire: str = "chunks"
    only: str = "any"

    def __post_init__(self) -> None:
        check_count("split_chunks", "every_bytes", self.every_bytes, 1, optional=True)
        check_choice("split_chunks", "wire", self.wire, WIRES)
        check_choice("split_chunks", "only", self.only, ONLY)
        if isinstance(self.at, str) or not isinstance(self.at, Sequence):
            raise FaultError("split_chunks: `at` must be a list", repr(self.at), 'write it like ["inside_utf8", 100]')
        for place in self.at:
            if isinstance(place, str):
                if place not in PLACES and place != GLUE:
                    raise FaultError(
                        "split_chunks: unknown place in `at`", repr(place), nearest(place, (*PLACES, GLUE))
                    )
            else:
                check_count("split_chunks", "at", place, 1)
        if GLUE in self.at and (len(self.at) > 1 or self.every_bytes is not None):
            raise FaultError(
                "split_chunks: `glue` leaves nothing cut",
                "other cuts beside it",
                'keep at = ["glue"] alone, or drop it',
            )

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply in other HTTP chunks; the same one where there is nothing to cut."""
        if not has_body(request, reply) or (self.only == "stream" and not is_stream(reply)):
            return reply
        if GLUE in self.at:
            return self._glued(reply) if self.wire != "segments" else reply
        readable = (plain(reply) if self._aims else None) or reply  # a compressed body has no such places
        places = self._places(readable.body)
        if not places:
            return reply
        if self.wire == "segments":
            return readable
        cut = cut_at(readable, places)
        return reply if cut == reply else cut.with_header("content-length", None)

    def garble(self, script: Script) -> Script:
        """The script in other TCP segments; the same one where there is nothing to cut."""
        said = spoken(script) if self.wire != "chunks" else None
        if said is None or not said.body or (self.only == "stream" and not is_stream(said.reply)):
            return script
        if GLUE in self.at:
            return glued_segments(script)
        return cut_segments(script, said.runs, self._places(said.body))

    @property
    def _aims(self) -> bool:
        return self.every_bytes is None and any(p in INSIDE for p in self.at or INSIDE)

    def _places(self, body: bytes) -> list[int]:
        found: set[int] = set()
        if self.every_bytes is not None:
            found.update(range(self.every_bytes, len(body), self.every_bytes))
        for place in self.at or (INSIDE if self.every_bytes is None else ()):
            found.update(PLACES[place](body) if isinstance(place, str) else (place,))
        inside = sorted(n for n in found if 0 < n < len(body))
        if not inside and not self.at and self.every_bytes is None and len(body) > 1:
            return [len(body) // 2]  # plain ASCII has no weak place, and is still never promised in one piece
        return inside

    def _glued(self, reply: Reply) -> Reply:
        pieces = sum(isinstance(e, Data) for e in reply.events)
        return reply.with_data([reply.body]) if pieces > 1 else reply
