"""
A connection lost on the way back: the vendor has acted, the client does not hear all of it.

The length promised in the head stays that of the whole, so that a real parser notices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .._errors import FaultError
from .._payload import has_body, is_encoded, is_event_stream, is_frames, is_stream, up_to
from .._reply import Data, Delay, How, Lost, Reply, Request
from ._frames import frames_of, pieces_of
from ._settings import check_choice, check_count

HOWS: Final = {"reset": How.RESET, "cut": How.CUT, "stall": How.STALLED}
WHERES: Final = ("before_head", "after_head", "in_body", "between_events")
ONLY: Final = ("any", "stream")


@dataclass(frozen=True, slots=True)
class Lose:
    """The connection breaks or falls silent before, or in the middle of, the reply.

    Args:
        how: `"reset"` (RST), `"cut"` (closed in good order, the message incomplete) or `"stall"`
            (open, and silent for ever).
        where: `"before_head"`, `"after_head"`, `"in_body"`, or `"between_events"` (of a stream, half-way;
            other replies stay whole).
        after_bytes: with `in_body`: how many bytes of the body arrive first, 0 or more; None: half
            of it, in an event stream the middle of an event past the first one.
        only: `"stream"`: only replies that are event streams; `"any"`: every reply.

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: RFC 9112 section 8 (handling incomplete messages).
    """

    how: str = "reset"
    where: str = "before_head"
    after_bytes: int | None = None
    only: str = "any"

    def __post_init__(self) -> None:
        check_choice("lose", "how", self.how, tuple(HOWS))
        check_choice("lose", "where", self.where, WHERES)
        check_choice("lose", "only", self.only, ONLY)
        check_count("lose", "after_bytes", self.after_bytes, 0, optional=True)
        if self.after_bytes is not None and self.where != "in_body":
            raise FaultError(
                "lose: `after_bytes` counts bytes of the body",
                f"where = {self.where!r}",
                'set where = "in_body", or drop `after_bytes`',
            )

    @property
    def damages(self) -> str:
        """In its body a reply may be taken for a whole one; before that nobody can miss the loss."""
        return "payload" if self.where in ("in_body", "between_events") else "nothing"

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply, lost on the way; the same one where it has no such place."""
        if reply.head is None or (self.only == "stream" and not (is_stream(reply) or is_frames(reply))):
            return reply
        if self.where == "before_head":
            waits = [e for e in up_to(reply, 0) if isinstance(e, Delay)]
            return Reply((*waits, Lost(HOWS[self.how])))
        if not has_body(request, reply):
            return reply
        place = 0 if self.where == "after_head" else self._place(reply)
        if place >= len(reply.body):
            return reply
        return Reply((*up_to(_promising(reply), place), Lost(HOWS[self.how])))

    def _place(self, reply: Reply) -> int:
        if self.after_bytes is not None:
            return self.after_bytes
        if self.where == "between_events":
            borders = self._events(reply, is_stream)
            return len(b"".join(borders[: len(borders) // 2])) or len(reply.body)
        events = self._events(reply, is_event_stream)
        if len(events) < 2:
            return len(reply.body) // 2
        middle = len(events) // 2
        return len(b"".join(events[:middle])) + max(1, len(events[middle].rstrip()) // 2)

    def _events(self, reply: Reply, is_one: Callable[[Reply], bool]) -> list[bytes]:
        known = (is_one(reply) and not is_encoded(reply)) or frames_of(reply.body)
        return pieces_of(reply.body) if known else []


def _promising(reply: Reply) -> Reply:
    """The reply with the length of the whole in its head, where a length frames it."""
    pieces = sum(isinstance(e, Data) and bool(e.data) for e in reply.events)
    length = reply.header("content-length")
    chunked = "chunked" in reply.header("transfer-encoding").lower()
    if chunked or (not length and (pieces > 1 or is_stream(reply) or is_frames(reply))) or (length and not reply.whole):
        return reply
    return reply.with_header("Content-Length", str(len(reply.body)))
