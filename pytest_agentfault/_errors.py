"""
Every error a user can meet, in the same three parts: what, what is there, what to do.

One shape for all of them, so that a message is never only an accusation: the
last line always says the way out, and an unknown name brings its nearest
neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AgentFaultError(Exception):
    """Something about a fault, a scenario, a cassette or a client is not as it must be.

    Args:
        what: what is wrong, one sentence.
        there: what was found instead.
        do: the way out.
    """

    def __init__(self, what: str, there: str, do: str) -> None:
        super().__init__(what, there, do)
        self.what, self.there, self.do = what, there, do

    def __str__(self) -> str:
        return f"{self.what}\n  there is: {self.there}\n  to do: {self.do}"


class FaultError(AgentFaultError):
    """A fault or one of its settings cannot be used as it was written."""


class RuleError(AgentFaultError):
    """A rule (`to`, `times`, `after` ...) cannot be used as it was written."""


class ScenarioError(AgentFaultError):
    """A scenario file or name cannot be used as it was written."""


class CassetteError(AgentFaultError):
    """A cassette cannot be played: missing, empty, unsafe, broken or without a match."""


class PlayedError(CassetteError):
    """Every recording that matches a request was played already."""


class UpstreamError(AgentFaultError):
    """The healthy reply could not be had from where it should come."""


class UnreachableError(AgentFaultError):
    """A client speaks in a way no door can follow (HTTP/2, websocket, a lost patch)."""


class WouldBlockForeverError(AgentFaultError):
    """A read without a time limit waits for bytes that the script never sends."""


class UnreachableWarning(UserWarning):
    """A library is loaded whose requests no door of this process can strike."""


class ClockWarning(UserWarning):
    """Something else tells the time in a test that is on the shared clock."""


class ToolError(Exception):
    """A call named by `to="CALL ..."` was answered with an error status: what a fault raises in the tool's place.

    Args:
        status: the status code, 400 or more.
        body: what the fault answered.
    """

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(status, body)
        self.status, self.body = status, body

    def __str__(self) -> str:
        said = self.body.decode(errors="replace")
        return f"the tool answered with status {self.status}" + (f": {said}" if said else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name is closest, and list them all: for the `do` part of an error."""
    names = sorted(known)
    close = get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(names) or 'none'}"
