"""
What is kept of one request and what came of it: the records of a plan.

Rule: they are values; who makes and changes them is the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._reply import Reply, Request
from ._rule import Rule, Tally
from ._script import Script


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault that changed something in an exchange."""

    rule: Rule
    fault: Any

    @property
    def name(self) -> str:
        """What reports call it: the scenario, or the fault's own class."""
        return self.rule.name or type(self.fault).__name__


@dataclass(frozen=True, slots=True)
class Claim:
    """One request, and the rules that are due for it: they have counted it, so it must have its exchange.

    Args:
        number: its place among the test's requests; 0: it stands in no log, since a door above has asked about it.
        request: as the client sent it.
        due: the rules that will try to strike.
        began: when, on the clock.
    """

    number: int
    request: Request
    due: tuple[tuple[Rule, Tally], ...]
    began: float


@dataclass(frozen=True, slots=True)
class Scouted:
    """A reply that a fault which explores was shown, and left as it was: each of its places gets a run of its own."""

    rule: Rule
    fault: Any
    request: Request
    reply: Reply


@dataclass(frozen=True, slots=True)
class Dialling:
    """Which call a connection was for, as the client that dialled holds it, and who made it: a thread, or a task."""

    request: Request
    caller: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, what the baseline said, what the client was given, and what struck in between.

    Of a reply that was passed on as it came, the script holds nothing (`PASSED_ON`), and the body no more than
    its first MiB. `epoch` is `ended` as the code under test reads the time: in seconds since 1970.
    """

    number: int
    request: Request
    baseline: Reply | None
    reply: Reply
    script: Script
    struck: tuple[Strike, ...]
    began: float
    ended: float
    asked: Request | None = None  # what the baseline was asked instead, where a fault had changed the request
    epoch: float = float("nan")
    dialling: Dialling | None = None  # of a connection that failed: what it was for, where a door can say
