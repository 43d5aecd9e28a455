"""
The contract of every door: through it, a client meets what it would meet on a real socket.

Rule 1: nothing is expected here. The expectation is taken from a real socket, in
the same run, with the same client.
Rule 2: a real socket may answer in more than one way (when segments meet in its
queue); a door must answer in one of the ways that were seen. A door that is a
real socket itself may be looked at more than once, and says so.
Rule 3: a difference with a reason must be a difference: one that is gone fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import ClassVar, Final, Protocol, TypeAlias

import pytest

from .._reply import How, Lost, Refused, Reply, Request
from .._rule import Rule
from .._script import Script
from ._cases import CASES, Case
from ._clients import CLIENTS, Ask, Client
from ._outcome import Outcome, outcome_of

Cell: TypeAlias = tuple[str, str, str]
PATIENCE: Final = 5  # how many times a case's own time limit, where the door is looked at again


class Truths(Protocol):
    """What a real socket came to, for contracts to share; a dict is one."""

    def get(self, cell: Cell, /) -> tuple[Outcome, ...] | None:
        """The outcomes seen for scheme, case and client; None: nobody has asked."""
        ...

    def __setitem__(self, cell: Cell, outcomes: tuple[Outcome, ...], /) -> None: ...


class DoorContract:
    """Every script through every client, compared with a real socket: subclass it in a test module.

    Give it `door` and `truth`; pytest does the rest. A client that is not
    installed is skipped.

    Attributes:
        scheme: `"http"` or `"https"`: what the base URLs of both sides begin with.
        ca: the file of certificates, in PEM, that clients trust on both sides; None: the system's.
        seconds: every time limit of the clients, where a case has none of its own.
        attempts: how many outcomes of the real socket are looked at before a door is called different.
        looks: how many outcomes of the door are looked at: 1, unless it has a kernel's queue of its own, where
            segments may meet.
        cases: the conversations.
        clients: the client stacks.
        explained: `(case, client)` to the reason why they differ; both may hold `*`. That they do is asserted.
        truths: what the real socket came to, by scheme, case and client; contracts with the same truth may
            share it, and ask the real socket once. None: it is asked anew for each test.
    """

    scheme: ClassVar[str] = "http"
    ca: str | None = None
    seconds: ClassVar[float] = 2.0
    attempts: ClassVar[int] = 5
    looks: ClassVar[int] = 1
    cases: ClassVar[Sequence[Case]] = CASES
    clients: ClassVar[Sequence[Client]] = CLIENTS
    explained: ClassVar[Mapping[tuple[str, str], str]] = {}
    truths: Truths | None = None

    def door(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A base URL behind which the door under test performs this for each request.

        Args:
            script: the steps; or `Refused(why)`, when the connection never comes to be.
        """
        raise NotImplementedError("give your door: a context manager that yields a base URL")

    def truth(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A base URL behind which a real socket does this for each request.

        Args:
            script: the steps; or `Refused(why)`, when the connection never comes to be.
        """
        raise NotImplementedError("give a real socket: a context manager that yields a base URL")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Every case by every client."""
        if {"case", "client"} <= set(metafunc.fixturenames):
            cases = [c for c in self.cases if self.scheme in c.schemes]
            metafunc.parametrize("case", cases, ids=[c.name for c in cases])
            metafunc.parametrize("client", self.clients, ids=[c.name for c in self.clients])

    def test_like_a_real_socket(self, case: Case, client: Client) -> None:
        """What the client hands up, and how it fails, is what it does on a real socket, or differs as explained."""
        pytest.importorskip(client.module, reason=f"the client {client.name} is not installed")
        reason = reason_for(self.explained, case.name, client.name)
        lines = self._unlike(case, client, 1 if reason is not None else None)
        for _ in range(self.looks - 1 if reason is None else 0):
            lines = lines and self._unlike(case, client)
        if lines and reason is None and case.seconds is not None:
            # A short limit may be reached before what comes in time, on a busy machine.
            lines = self._unlike(replace(case, seconds=PATIENCE * case.seconds), client)
        if lines and reason is None:
            told = "\n    ".join(lines)
            raise AssertionError(
                f"through this door {client.name} does not meet {case.name!r} as on a real socket\n"
                f"  there is: {told}\n"
                f"  to do: make the door perform {case.script} as a socket does, or give the reason in `explained`"
            )
        if reason is not None and not lines:
            raise AssertionError(
                f"through this door {client.name} meets {case.name!r} as on a real socket\n"
                f"  there is: a reason in `explained` why it should not: {reason}\n"
                "  to do: take it out"
            )

    def _unlike(self, case: Case, client: Client, attempts: int | None = None) -> list[str]:
        """How the door differs from the first of the real socket's outcomes; empty: it is like one of them."""
        outcome = self._outcome(self.door(case.script), case, client)
        first: list[str] = []
        for truth in islice(self._truths(case, client), attempts):
            lines = truth.differences(outcome)
            if not lines:
                return []
            first = first or lines
        return first

    def _truths(self, case: Case, client: Client) -> Iterator[Outcome]:
        """What a real socket comes to: as it was seen before, then anew."""
        kept: Truths = {} if self.truths is None else self.truths
        cell = (self.scheme, case.name, client.name)
        yield from (seen := kept.get(cell) or ())
        for _ in range(self.attempts):
            found = self._outcome(self.truth(case.script), case, client)
            if found not in seen:
                kept[cell] = seen = (*seen, found)
            yield found

    def _outcome(self, opened: AbstractContextManager[str], case: Case, client: Client) -> Outcome:
        seconds = self.seconds if case.seconds is None else case.seconds
        with opened as base:
            ask = Ask(f"{base}/x", case.method, case.headers, case.body, case.times, seconds, self.ca)
            return outcome_of(client.run, ask)


def reason_for(explained: Mapping[tuple[str, str], str], case: str, client: str) -> str | None:
    """Why this client may meet this case otherwise than on a real socket."""
    for (of_case, of_client), reason in explained.items():
        if fnmatchcase(case, of_case) and fnmatchcase(client, of_client):
            return reason
    return None


def performing(script: Script | Refused, to: str = "* *") -> Rule:
    """A rule under which each request meets exactly this.

    Args:
        script: the steps; or `Refused(why)`, when the connection never comes to be.
        to: which requests, as a rule has it.
    """
    return Rule(to, (_Never(script) if isinstance(script, Refused) else _Exactly(script),))


@dataclass(frozen=True, slots=True)
class _Exactly:
    """The client meets this script."""

    script: Script

    def answer(self, request: Request) -> Reply:
        """Nothing with a head, in which it would be confessed: the script takes its place."""
        return Reply((Lost(How.RESET),))

    def garble(self, script: Script) -> Script:
        """The script that was asked for."""
        return self.script


@dataclass(frozen=True, slots=True)
class _Never:
    """The client gets no connection."""

    refused: Refused

    def connect(self, request: Request) -> Refused:
        """How it fails."""
        return self.refused
