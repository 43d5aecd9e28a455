"""
A server whose streams can be taken up again: each event has a number, and who says the last one gets what follows it.

By itself nothing is wrong with it. Together with a fault that cuts the stream it tells a
client that reconnects as the format has it from one that begins anew, or hands up events twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._payload import events_of, is_event_stream, stream_of
from .._reply import Reply, Request
from ._events import BOM, in_front, is_finished, lines_of, numbers_of_data, with_events
from ._settings import check_count


@dataclass(frozen=True, slots=True)
class ResumeEvents:
    """The events of a stream have ids; a request with `Last-Event-ID` gets those behind that one, 204 where none is.

    An id that is not in the stream, and a request without one, get all of it.

    Args:
        retry_ms: how long the client is told to wait before it connects again, in milliseconds (the field
            `retry` of the first event), 0 or more; None: it is not told.

    Raises:
        FaultError: `retry_ms` is not a whole number.

    Source: WHATWG HTML section 9.2.3 (`Last-Event-ID`, and 204 to stop), 9.2.6 (`id`, `retry`).
    """

    retry_ms: int | None = None

    def __post_init__(self) -> None:
        check_count("resume_events", "retry_ms", self.retry_ms, 0, optional=True)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The stream with ids, or what is left of it; the same reply where it is no stream of server-sent events."""
        said = stream_of(request, reply)
        if said is None or not is_event_stream(said):
            return reply
        events = _numbered(events_of(said.body))
        seen = request.header("last-event-id")
        known = [number for number, event in enumerate(events) if seen and _id_of(event) == seen]
        left = events[known[-1] + 1 :] if known else events
        if known and not numbers_of_data(left):
            return Reply.of(204)
        if self.retry_ms is not None:
            mark = BOM if left[0].startswith(BOM) else b""
            left = [mark + in_front(b"retry: %d" % self.retry_ms)(left[0].removeprefix(BOM)), *left[1:]]
        return reply if left == events_of(said.body) else with_events(said, left)


def _numbered(events: list[bytes]) -> list[bytes]:
    """The events, those with data and without an id of their own numbered from 1."""
    made = list(events)
    for place, number in enumerate(numbers_of_data(events), 1):
        event = events[number]
        if is_finished(event) and _id_of(event) is None:
            mark = BOM if event.startswith(BOM) else b""
            made[number] = mark + in_front(b"id: %d" % place)(event.removeprefix(BOM))
    return made


def _id_of(event: bytes) -> str | None:
    """The id of an event; None: it has none."""
    found = None
    for line, _ in lines_of(event.removeprefix(BOM)):
        name, _, value = line.partition(b":")
        if name == b"id":
            found = value.removeprefix(b" ").decode("utf-8", "replace")
    return found
