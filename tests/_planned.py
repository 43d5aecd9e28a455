"""Small faults with one verb each, and a plan asked by hand: what tests of the plan are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pytest_agentfault import Refused, Reply, Request, Rule, Script, Wait, Why
from pytest_agentfault._exchange import Exchange
from pytest_agentfault._plan import Plan, drive

GET = Request("GET", "https://x/a")
POST = Request("POST", "https://x/a", body=b"{}")
WELL = Reply.of(200, b"well", {"Content-Type": "text/plain"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Answers with a status; None for requests of another method."""

    code: int = 503
    only: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, request: Request) -> Reply | None:
        """In the vendor's place."""
        return Reply.of(self.code, b"struck", self.headers) if request.method == self.only else None


@dataclass(frozen=True, slots=True)
class Append:
    """Appends to the body; to a body that ends so already it does nothing."""

    tail: bytes = b"!"

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        return reply if reply.body.endswith(self.tail) else reply.with_data([reply.body + self.tail])


@dataclass(frozen=True, slots=True)
class Late:
    """Waits before everything; a script that begins with a wait it leaves alone."""

    seconds: float = 1.0

    def garble(self, script: Script) -> Script:
        """On the wire."""
        return script if isinstance(script.steps[0], Wait) else Script((Wait(self.seconds), *script.steps))


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks for another URL."""

    url: str = "https://x/b"

    def mutate(self, request: Request) -> Request:
        """On the way out."""
        return Request(request.method, self.url, request.headers, request.body)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuses the connection."""

    why: Why = Why.REFUSED

    def connect(self, request: Request) -> Refused:
        """Before there is a request."""
        assert request.method == "CONNECT"
        return Refused(self.why)


@dataclass(frozen=True, slots=True)
class Raises:
    """Goes wrong in the verb of this name."""

    error: BaseException = field(default_factory=lambda: ZeroDivisionError("inside the fault"))

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        raise self.error


@dataclass(frozen=True, slots=True)
class Roll:
    """Answers with a status that it rolls."""

    random: Random = field(default_factory=Random, repr=False, compare=False)

    def answer(self, request: Request) -> Reply:
        """In the vendor's place."""
        return Reply.of(self.random.randint(400, 599))


def rule(*faults: Any, to: str = "* *", **settings: Any) -> Rule:
    """A rule for every request."""
    return Rule(to, faults, **settings)


def ask(plan: Plan, request: Request = GET, send: Callable[[Request], Reply] = lambda r: WELL) -> Exchange:
    """One exchange over a healthy baseline."""
    return drive(plan.exchange(request), send)


def row(plan: Plan, requests: list[Request]) -> str:
    """Which of these were struck, as a row of letters."""
    return "".join("X" if ask(plan, r).struck else "." for r in requests)


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.seconds
