"""
An error that comes inside a stream, under a status of 200 that is long gone.

The vendor's event name and body are data, in scenarios; this file only puts them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._errors import FaultError
from .._payload import behind, is_ndjson, line_end_of, up_to
from .._reply import Data, End, Reply, Request
from ._answer import json_text
from ._frames import frame, frames_of, streamed
from ._places import after_data_events
from ._settings import check_count, check_flag, check_json, check_line


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The client reads an error event in the middle of a stream that began well.

    Args:
        after_events: how many events with data come first, 0 or more.
        event: the event's name (its `event:` field); None: no such field. Of AWS's binary events: the
            type of the exception; None: `internalServerException`.
        json: the event's data: a text is sent verbatim, a table is written out. Must be given.
        ends: whether the stream ends in good order behind it.

    Raises:
        FaultError: a setting has a wrong type or value, or there is no `json`.

    Source: WHATWG HTML section 9.2; https://smithy.io/2.0/aws/amazon-eventstream.html.
    """

    damages: ClassVar[str] = "payload"

    after_events: int = 1
    event: str | None = None
    json: Any = None
    ends: bool = True

    def __post_init__(self) -> None:
        check_count("error_event", "after_events", self.after_events, 0)
        check_line("error_event", "event", self.event, optional=True)
        check_flag("error_event", "ends", self.ends)
        check_json("error_event", self.json)
        if self.json is None:
            raise FaultError(
                "error_event: an error event says something", "no `json`", "give the vendor's error body as `json`"
            )

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The stream with the error in it; the same reply where it is no stream, or too short a one."""
        said = streamed(request, reply)
        if said is None:
            return reply
        place = after_data_events(said.body, self.after_events)
        if place is None:
            return reply
        rest = (End(),) if self.ends else behind(said, place)
        return Reply((*up_to(said, place), Data(self._written(said)), *rest))

    def _written(self, reply: Reply) -> bytes:
        if frames_of(reply.body):
            kind = "internalServerException" if self.event is None else self.event
            told = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
            return frame(told, json_text(self.json).encode())
        end = line_end_of(reply.body)
        lines = json_text(self.json).encode().split(b"\n")
        if is_ndjson(reply):
            return b" ".join(lines) + end
        named = [b"event: " + self.event.encode()] if self.event is not None else []
        return end.join([*named, *(b"data: " + line.rstrip(b"\r") for line in lines), b"", b""])
