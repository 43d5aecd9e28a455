"""
A stream that ends in good order, but before the vendor had said everything.

Nothing on the wire is wrong: only a client that waits for the terminal event can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .._payload import up_to
from .._reply import End, Reply, Request
from ._frames import streamed
from ._places import after_data_events, data_events
from ._settings import check_count


@dataclass(frozen=True, slots=True)
class EndEarly:
    """The client reads a stream that closes cleanly without its last events.

    Args:
        after_events: how many events with data still come, 0 or more; None: all but the last
            quarter, and at least three are missing (the terminal one and what it sums up).

    Raises:
        FaultError: `after_events` is not a whole number.
    """

    damages: ClassVar[str] = "payload"

    after_events: int | None = None

    def __post_init__(self) -> None:
        check_count("end_early", "after_events", self.after_events, 0, optional=True)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The shorter stream; the same reply where it is no stream, or has no more events than that."""
        said = streamed(request, reply)
        if said is None:
            return reply
        total = data_events(said.body)
        kept = max(1, total - max(3, total // 4)) if self.after_events is None else self.after_events
        if kept >= total:
            return reply
        place = after_data_events(said.body, kept)
        assert place is not None  # there are more events than that
        return Reply((*up_to(said, place), End()))
