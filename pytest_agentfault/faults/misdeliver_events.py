"""
A stream whose events do not all come once and in order, though it ends as it should.

Nothing on the wire is wrong: only a client that numbers, or adds up, what it was sent can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from .._payload import is_event_stream
from .._reply import Reply, Request
from ._events import is_finished, numbers_of_data, with_events
from ._frames import pieces_of, streamed
from ._settings import check_choice, check_count

HOWS: Final = ("drop", "duplicate", "reorder", "unfinished")


@dataclass(frozen=True, slots=True)
class MisdeliverEvents:
    """The client reads a stream in which one event is missing, comes twice, or comes too late.

    Args:
        how: `"drop"`, `"duplicate"`, `"reorder"` (it comes behind the next one that differs) or
            `"unfinished"` (the last event lacks its blank line, and a reader has to discard it).
        after_events: how many events with data come before the one that is meant, 0 or more; None:
            half of them. `"unfinished"` always means the last.

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: WHATWG HTML section 9.2.6.
    """

    damages: ClassVar[str] = "payload"

    how: str = "drop"
    after_events: int | None = None

    def __post_init__(self) -> None:
        check_choice("misdeliver_events", "how", self.how, HOWS)
        check_count("misdeliver_events", "after_events", self.after_events, 0, optional=True)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The stream with one event misdelivered; the same reply where it is no stream, or has no such event."""
        said = streamed(request, reply)
        if said is None:
            return reply
        events = pieces_of(said.body)
        if self.how == "unfinished":
            return self._said(reply, said, events, _unfinished(events) if is_event_stream(said) else events)
        numbers = [number for number in numbers_of_data(events) if is_finished(events[number])]
        chosen = len(numbers) // 2 if self.after_events is None else self.after_events
        if chosen >= len(numbers):
            return reply
        return self._said(reply, said, events, self._moved(events, numbers[chosen:]))

    def _said(self, reply: Reply, said: Reply, events: list[bytes], moved: list[bytes]) -> Reply:
        return reply if b"".join(moved) == b"".join(events) else with_events(said, moved)

    def _moved(self, events: list[bytes], numbers: list[int]) -> list[bytes]:
        number, *following = numbers
        event = events[number]
        if self.how == "drop":
            return [*events[:number], *events[number + 1 :]]
        if self.how == "duplicate":
            return [*events[:number], event, *events[number:]]
        other = next((n for n in following if events[n] != event), number)
        return [*events[:number], *events[number + 1 : other + 1], event, *events[other + 1 :]]


def _unfinished(events: list[bytes]) -> list[bytes]:
    last = max(numbers_of_data(events), default=None)
    return events if last is None else [*events[:last], events[last].rstrip(b"\r\n")]
