"""
The same bytes in other pieces: HTTP chunks and TCP segments, cut where parsers break.

Not a byte of the body changes, so whatever then fails was relying on where the
pieces ended. The places are in `_places.py`, one run per place in `_splits.py`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import ClassVar, Final

from .._errors import FaultError, nearest
from .._payload import cut_at, has_body, is_frames, is_stream, plain
from .._reply import Data, Reply, Request
from .._script import Script
from ._frames import pieces_of
from ._places import INSIDE, PLACES
from ._settings import check_choice, check_count
from ._splits import EVERY, Splits
from ._wire import Sent, cut_sent, framing_offsets, glued_segments, sent_offsets, spoken

WIRES: Final = ("chunks", "segments", "both")
ONLY: Final = ("any", "stream")
CODINGS: Final = ("fitting", "kept", "undone")
GLUE: Final = "glue"
FRAMING: Final = "inside_framing"
NAMES: Final = (*PLACES, GLUE, FRAMING)


@dataclass(frozen=True, slots=True)
class SplitChunks:
    """The client reads the same bytes, cut in the middle of characters, lines and events.

    Args:
        every_bytes: a cut after every so many bytes of the body, 1 or more.
        at: offsets in the body, and names of places. In any body: `"one_byte"` (every offset),
            `"inside_utf8"`, `"between_cr_lf"`, `"inside_blank_line"`, `"inside_json_string_escape"`,
            `"inside_number"`. In streams: `"after_event"`, `"inside_field_name"`, `"before_colon"`,
            `"between_event_and_data"`, `"inside_done"` (`[DONE]`), `"inside_ndjson_line"`,
            `"inside_frame_prelude"`, `"inside_frame_crc"` (AWS event streams). In compressed bytes:
            `"inside_gzip"`. In segments: `"inside_framing"` (the head's end, chunk sizes and ends).
            Alone: `"glue"` (everything in one piece). Empty, and no other cuts: all of them but
            `"one_byte"`, `"inside_gzip"`, `"inside_framing"` and `"glue"`; the middle where there is
            none. Or one run per cut: `"every-boundary"` (each named place) or `"every-byte"`.
        wire: what is cut: `"chunks"` (HTTP), `"segments"` (TCP) or `"both"`.
        only: `"stream"`: only replies that are event streams; `"any"`: every reply.
        random_cuts: how many cuts at offsets of the body that chance chooses, 1 or more.
        every_events: the events of a stream come so many to a piece, whatever pieces they came in,
            1 or more.
        at_sent: with segments: offsets in all bytes that are sent, head and chunk sizes included.
        coding: of a compressed body: `"kept"` (its compressed bytes are cut), `"undone"` (it is sent
            plain) or `"fitting"` (plain where `at` names a place that only text has).

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: RFC 9112 section 7.1; WHATWG HTML section 9.2.5.
    """

    explored_by: ClassVar[str] = "at"

    every_bytes: int | None = None
    at: str | Sequence[str | int] = ()
    wire: str = "chunks"
    only: str = "any"
    random_cuts: int | None = None
    every_events: int | None = None
    at_sent: Sequence[int] = ()
    coding: str = "fitting"
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("every_bytes", "random_cuts", "every_events"):
            check_count("split_chunks", name, getattr(self, name), 1, optional=True)
        check_choice("split_chunks", "wire", self.wire, WIRES)
        check_choice("split_chunks", "only", self.only, ONLY)
        check_choice("split_chunks", "coding", self.coding, CODINGS)
        self._check_at()
        object.__setattr__(self, "random", _same(self.random))

    def _check_at(self) -> None:
        others = [n for n in ("every_bytes", "random_cuts", "every_events", "at_sent") if getattr(self, n)]
        if isinstance(self.at, str) and self.at not in EVERY and self.at not in NAMES:
            raise FaultError("split_chunks: unknown `at`", repr(self.at), nearest(self.at, EVERY))
        if (isinstance(self.at, str) and self.at not in EVERY) or not isinstance(self.at, Sequence):
            raise FaultError("split_chunks: `at` must be a list", repr(self.at), 'write it like ["inside_utf8", 100]')
        if isinstance(self.at, str) and others:
            raise FaultError(
                f"split_chunks: `{self.at}` is one run per cut",
                f"`{others[0]}` beside it",
                f'keep at = "{self.at}" alone, or drop it',
            )
        for place in () if isinstance(self.at, str) else self.at:
            if place in EVERY:
                raise FaultError(
                    f"split_chunks: `{place}` is one run per cut", "it is in a list", f'write at = "{place}"'
                )
            if isinstance(place, str) and place not in NAMES:
                raise FaultError("split_chunks: unknown place in `at`", repr(place), nearest(place, NAMES))
            if not isinstance(place, str):
                check_count("split_chunks", "at", place, 1)
        if GLUE in self.at and (len(self.at) > 1 or others):
            raise FaultError(
                "split_chunks: `glue` leaves nothing cut",
                "other cuts beside it",
                'keep at = ["glue"] alone, or drop it',
            )
        sent: object = self.at_sent
        if isinstance(sent, str) or not isinstance(sent, Sequence):
            raise FaultError("split_chunks: `at_sent` must be a list", repr(self.at_sent), "write it like [17, 100]")
        for place in self.at_sent:
            check_count("split_chunks", "at_sent", place, 1)
        if self.wire == "chunks" and (self.at_sent or FRAMING in self.at):
            raise FaultError(
                f"split_chunks: {'`at_sent`' if self.at_sent else '`inside_framing`'} is cut in segments",
                "wire = 'chunks'",
                'set wire = "segments" or "both"',
            )

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply in other HTTP chunks; the same one where there is nothing to cut."""
        if self.explores or not self.reaches(request, reply):
            return reply
        readable = self.readable(reply)
        joins = (GLUE in self.at or self.every_events is not None) and self.wire != "segments"
        joins = joins and sum(isinstance(event, Data) for event in readable.events) > 1
        places = self.places(readable.body)
        if not places and not joins:
            return reply
        if self.wire == "segments":
            return readable
        cut = cut_at(readable.with_data([readable.body]) if joins else readable, places)
        if cut == reply:
            return reply
        return cut.with_header("content-length", None) if places and cut.header("content-length") else cut

    def garble(self, script: Script) -> Script:
        """The script in other TCP segments; the same one where there is nothing to cut."""
        said = spoken(script) if self.wire != "chunks" and not self.explores else None
        if said is None or not said.body or (self._of_streams and not _is_stream(said.reply)):
            return script
        glued = glued_segments(script) if GLUE in self.at or self.every_events else script
        # What `alter` has left compressed, though it is cut as text, has no such place.
        whole = [] if self.as_text and plain(said.reply) not in (None, said.reply) else self.places(said.body)
        places = {*sent_offsets(said.runs, whole).values(), *self.at_sent}
        if FRAMING in self.at:
            places.update(framing_offsets(said, len(Sent(script))))
        cut = cut_sent(glued, places)
        return script if cut == script else cut

    @property
    def explores(self) -> bool:
        """Whether it asks for one run per cut; it then cuts nothing itself."""
        return self.at in EVERY

    def each(self, request: Request, reply: Reply) -> Iterator[tuple[str, SplitChunks]]:
        """One fault for each cut that `at` asks for of this reply, with a name that says where it is."""
        return Splits(self, request, reply).each()

    def parts(self, request: Request, reply: Reply) -> tuple[Hashable, ...]:
        """The cuts it makes of this reply: offsets in the body, and (`"sent"`, offset) in the framing."""
        return Splits(self, request, reply).parts()

    def of(self, parts: Sequence[Hashable]) -> SplitChunks:
        """The same fault with only these of its cuts."""
        return Splits.of(self, parts)

    def picture(self, request: Request, reply: Reply) -> str:
        """The bytes around its cuts of this reply, as text with `|` at each."""
        return Splits(self, request, reply).picture()

    def reaches(self, request: Request, reply: Reply) -> bool:
        """True when this reply is of the kind that it cuts."""
        return has_body(request, reply) and (not self._of_streams or _is_stream(reply))

    def readable(self, reply: Reply) -> Reply:
        """The reply as its bytes are cut: plain, where they are cut as text."""
        return (plain(reply) if self.as_text else None) or reply

    @property
    def as_text(self) -> bool:
        """Whether a compressed body is sent plain, to be cut where only text can be."""
        if self.coding != "fitting":
            return self.coding == "undone"
        named = [place for place in self.at if isinstance(place, str)]
        if self.every_events or self.explores or "inside_gzip" in named:
            return bool(self.every_events)
        return any(p in INSIDE for p in named) or self._aims_anywhere

    @property
    def _of_streams(self) -> bool:
        return self.only == "stream" or self.every_events is not None

    @property
    def _aims_anywhere(self) -> bool:
        return not (self.at or self.every_bytes or self.random_cuts or self.every_events or self.at_sent)

    def places(self, body: bytes) -> list[int]:
        """The offsets at which this body is cut."""
        found: set[int] = set()
        if self.every_bytes is not None:
            found.update(range(self.every_bytes, len(body), self.every_bytes))
        if self.random_cuts is not None and len(body) > 1:
            # Its chance is never used up: the same body is cut at the same places, however often it is asked for.
            found.update(_same(self.random).sample(range(1, len(body)), min(self.random_cuts, len(body) - 1)))
        if self.every_events is not None:
            found.update(list(accumulate(map(len, pieces_of(body))))[self.every_events - 1 :: self.every_events])
        for place in INSIDE if self._aims_anywhere else self.at:
            if place not in (GLUE, FRAMING):
                found.update(PLACES[place](body) if isinstance(place, str) else (place,))
        inside = sorted(n for n in found if 0 < n < len(body))
        if not inside and self._aims_anywhere and len(body) > 1:
            return [len(body) // 2]  # plain ASCII has no weak place, and is still never promised in one piece
        return inside


def _same(random: Random) -> Random:
    """Another that will choose the same, and leaves this one as it is."""
    other = Random()
    other.setstate(random.getstate())
    return other


def _is_stream(reply: Reply) -> bool:
    return is_stream(reply) or is_frames(reply)
