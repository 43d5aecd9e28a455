"""
A reply that is late: all of it, or its second half.

The seconds are the shared clock's; a test does not wait for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

from .._errors import FaultError
from .._payload import behind, has_body, is_encoded, is_stream, up_to
from .._reply import Delay, Head, Reply, Request
from ._frames import frames_of, pieces_of
from ._settings import check_choice

WHERES: Final = ("before_head", "in_body")


@dataclass(frozen=True, slots=True)
class Slow:
    """The reply comes whole, but late or with a long pause in its middle.

    Args:
        seconds: how long nothing comes, over 0.
        where: `"before_head"`, or `"in_body"` (half-way; in a stream between two events).

    Raises:
        FaultError: a setting has a wrong type or value.
    """

    seconds: float
    where: str = "before_head"

    def __post_init__(self) -> None:
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not number or not isfinite(self.seconds) or self.seconds <= 0:
            raise FaultError(
                "slow: `seconds` must be a time", repr(self.seconds), "give a number over 0 (fractions are fine)"
            )
        check_choice("slow", "where", self.where, WHERES)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with a silence in it; the same one where it has no such place."""
        if reply.head is None:
            return reply
        if self.where == "before_head":
            head = next(n for n, event in enumerate(reply.events) if isinstance(event, Head))
            return Reply((*reply.events[:head], Delay(self.seconds), *reply.events[head:]))
        if not has_body(request, reply):
            return reply
        place = _middle(reply)
        return Reply((*up_to(reply, place), Delay(self.seconds), *behind(reply, place)))


def _middle(reply: Reply) -> int:
    said = (is_stream(reply) and not is_encoded(reply)) or frames_of(reply.body)
    events = pieces_of(reply.body) if said else []
    return len(b"".join(events[: len(events) // 2])) if len(events) > 1 else len(reply.body) // 2
