"""
The same events in other words: whatever the event-stream format leaves to the server.

Nothing is lost or changed, so whatever then fails was relying on how one vendor
happens to write. How an event is put is in `_events.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .._payload import data_of, events_of, parsed, stream_of
from .._reply import Reply, Request
from ._events import (
    BOM,
    before,
    ended_by,
    event_field,
    in_front,
    is_line,
    large,
    multiline,
    separators,
    with_events,
    without_space,
)
from ._settings import check_choice, check_count

Rewrite = Callable[[bytes], bytes]
EACH: Final[dict[str, Rewrite]] = {
    "comments": before(b": ping"),
    "comment_lines": in_front(b": ping"),
    "empty_events": before(b"event: ping"),
    "ids": in_front(b"id: 7"),
    "retry": in_front(b"retry: 3000"),
    "crlf": ended_by(b"\r\n"),
    "cr": ended_by(b"\r"),
    "lf": ended_by(b"\n"),
    "event_first": event_field(last=False),
    "event_last": event_field(last=True),
    "no_space": without_space,
    "multiline_data": multiline,
    "unicode_separators": separators,
}
HOWS: Final = (*EACH, "bom", "large_event")
OF_LINES: Final = ("crlf", "lf", "unicode_separators", "large_event")  # what lines of JSON can be put in, too


@dataclass(frozen=True, slots=True)
class RewriteEvents:
    """The client reads the same events of a stream, written in another way that the format allows.

    Args:
        how: between the events: `"comments"` (a comment, as servers keep a connection open with),
            `"empty_events"` (a name without data, which is no event), `"bom"` (before the first).
            In each event: `"comment_lines"`, `"ids"`, `"retry"` (fields `id` and `retry`),
            `"event_first"`, `"event_last"` (its name before or behind its data), `"no_space"`
            (none behind the colon), `"multiline_data"` (JSON over two `data` lines). Line ends:
            `"crlf"`, `"cr"`, `"lf"`. In the JSON: `"unicode_separators"` (a member `padding` more,
            with U+2028, U+2029 and U+0085), `"large_event"` (white space in the middle event).
            Lines of JSON have no fields: of these only `"crlf"`, `"lf"` and the last two.
        size_bytes: with `large_event`: how large that event is, 1 or more.

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: WHATWG HTML section 9.2.5 and 9.2.6.
    """

    how: str = "comments"
    size_bytes: int = 1_048_576

    def __post_init__(self) -> None:
        check_choice("rewrite_events", "how", self.how, HOWS)
        check_count("rewrite_events", "size_bytes", self.size_bytes, 1)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The stream in other words; the same reply where it is no stream, or says it so already."""
        said = stream_of(request, reply)
        if said is None:
            return reply
        events = events_of(said.body)
        if self.how not in OF_LINES and any(map(is_line, events)):
            return reply
        rewritten = self._rewritten(events)
        return reply if rewritten == events else with_events(said, rewritten)

    def _rewritten(self, events: list[bytes]) -> list[bytes]:
        if self.how == "large_event":
            json = [n for n, event in enumerate(events) if isinstance(parsed(data_of(event) or b""), dict | list)]
            chosen = json[len(json) // 2] if json else -1
            return [large(event, self.size_bytes) if n == chosen else event for n, event in enumerate(events)]
        mark = BOM if events[0].startswith(BOM) else b""
        bare = [events[0].removeprefix(BOM), *events[1:]]
        if self.how != "bom":
            bare = [EACH[self.how](event) for event in bare]
        elif not mark:
            mark = BOM
        return [mark + bare[0], *bare[1:]]
