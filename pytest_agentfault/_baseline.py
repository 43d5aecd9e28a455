"""
What doors ask for a healthy reply.

Protocols alone: an upstream is any object that has these methods. What is said
whole is a `Reply`; what no rule touches may come as a `Relay`, whose bytes go
to the client as they came from the server.
"""

from __future__ import annotations

from typing import Final, Protocol

from ._reply import Reply, Request
from ._script import Step
from ._seams import Patches

KEPT_BYTES: Final = 1024 * 1024  # of a body that is passed on, in the log


class Upstream(Protocol):
    """Where the healthy reply comes from.

    It may also have `async asend(request) -> Reply`; and `relay(request) -> Relay` with `async arelay(request) ->
    AsyncRelay`, which are asked for a reply that no rule touches.
    """

    def serves(self, request: Request) -> bool:
        """Whether this upstream is the one to ask."""
        ...

    def send(self, request: Request) -> Reply:
        """The healthy reply; may block."""
        ...


class Coming(Protocol):
    """A reply that is still coming."""

    @property
    def so_far(self) -> Reply | None:
        """What has come of it; None: not even its head."""
        ...


class Relay(Coming, Protocol):
    """Its bytes, to be passed on as they come."""

    @property
    def over(self) -> Step | None:
        """How it ends, where its last byte has come; None: more can come."""
        ...

    def read(self, seconds: float | None) -> Step:
        """The next bytes, as they are on the wire, or how it broke off; may block for `seconds`."""
        ...

    def fileno(self) -> int:
        """A descriptor that is readable when more has come."""
        ...

    def close(self) -> None:
        """No more of it is wanted."""
        ...


class AsyncRelay(Coming, Protocol):
    """The same in an event loop."""

    @property
    def over(self) -> Step | None:
        """How it ends, where its last byte has come; None: more can come."""
        ...

    async def read(self) -> Step:
        """The next bytes, as they are on the wire, or how it broke off."""
        ...

    async def close(self) -> None:
        """No more of it is wanted."""
        ...


class Mount(Upstream, Protocol):
    """An upstream that a test brings with it: a tool that patches clients, asked from below instead.

    It is made with the session's recordings, once per test. One that can answer where it is has `wants(host, port)`
    besides: it is told there what rules can match, and leaves every other request above the doors.
    """

    tool: str
    """The name of the mark or fixture by which a test is known to use it."""

    @property
    def active(self) -> bool:
        """Whether it answers now; all hosts then come through the door."""
        ...

    def install(self, patches: Patches, wanted: bool) -> None:
        """Take the tool's own patches out of the way; with `wanted` False only if it is loaded already."""
        ...

    def release(self) -> None:
        """Give back to the tool what outlives the test; the patches are undone."""
        ...

    def active_above(self) -> str | None:
        """What of the tool answers above the doors, where it could not be mounted; None: nothing."""
        ...
