"""
A stream at the speed of a model: so many events a second, one by one or in bursts.

The seconds are the shared clock's; a test does not wait for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import isfinite

from .._errors import FaultError
from .._payload import cut_at
from .._reply import Data, Delay, Event, Reply, Request
from ._events import numbers_of_data
from ._frames import pieces_of, streamed
from ._settings import check_count


@dataclass(frozen=True, slots=True)
class Pace:
    """The events of a stream come at a steady pace, each in a chunk of its own (of an LLM an event is about a token).

    Args:
        events_per_second: how many events with data come in a second on the clock, over 0.
        burst: how many of them come at once, in one chunk, 1 or more; the pace stays the same.

    Raises:
        FaultError: a setting has a wrong type or value.
    """

    events_per_second: float = 20.0
    burst: int = 1

    def __post_init__(self) -> None:
        given = self.events_per_second
        number = isinstance(given, int | float) and not isinstance(given, bool)
        if not number or not isfinite(given) or given <= 0:
            raise FaultError(
                "pace: `events_per_second` must be a rate", repr(given), "give a number over 0 (fractions are fine)"
            )
        check_count("pace", "burst", self.burst, 1)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The stream with a pause before each event but the first; the same reply where it is no stream of several."""
        said = streamed(request, reply)
        if said is None:
            return reply
        events = pieces_of(said.body)
        ends = list(accumulate(map(len, events)))
        numbers = numbers_of_data(events)
        places = {ends[n] for n in numbers[self.burst - 1 :: self.burst] if n < numbers[-1]}
        return _paused(said, places, self.burst / self.events_per_second) if places else reply


def _paused(reply: Reply, places: set[int], seconds: float) -> Reply:
    """The body in the pieces between these offsets, with a pause behind each but the last."""
    made: list[Event] = []
    at = 0
    for event in cut_at(reply.with_data([reply.body]), places).with_header("content-length", None).events:
        made.append(event)
        at += len(event.data) if isinstance(event, Data) else 0
        if isinstance(event, Data) and at in places:
            made.append(Delay(seconds))
    return Reply(tuple(made))
