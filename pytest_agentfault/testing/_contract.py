"""
The contract of every door: through it, a client meets what it would meet on a real socket.

Rule 1: nothing is expected here. The expectation is taken from a real socket, in
the same test, with the same client.
Rule 2: a real socket may answer in more than one way (when segments meet in its
queue); a door must answer in one of the ways that were seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar

import pytest

from .._reply import Refused
from .._script import Script
from ._cases import CASES, Case
from ._clients import CLIENTS, Ask, Client
from ._outcome import Outcome, outcome_of


class DoorContract:
    """Every script through every client, compared with a real socket: subclass it in a test module.

    Give it `door` and `truth`; pytest does the rest. A client that is not
    installed is skipped.

    Attributes:
        scheme: `"http"` or `"https"`: what the base URLs of both sides begin with.
        ca: the file of certificates, in PEM, that clients trust on both sides; None: the system's.
        seconds: every time limit of the clients; a stall costs this much, twice.
        attempts: how many outcomes of the real socket are looked at before a door is called different.
        cases: the conversations.
        clients: the client stacks.
        explained: `(case, client)` to the reason why they may differ; reported as expected failures.
    """

    scheme: ClassVar[str] = "http"
    ca: str | None = None
    seconds: ClassVar[float] = 0.3
    attempts: ClassVar[int] = 5
    cases: ClassVar[Sequence[Case]] = CASES
    clients: ClassVar[Sequence[Client]] = CLIENTS
    explained: ClassVar[Mapping[tuple[str, str], str]] = {}

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
        """What the client hands up, and how it fails, is what it does on a real socket."""
        pytest.importorskip(client.module, reason=f"the client {client.name} is not installed")
        outcome = self._outcome(self.door(case.script), case, client)
        seen: list[Outcome] = []
        for _ in range(self.attempts):
            truth = self._outcome(self.truth(case.script), case, client)
            if not truth.differences(outcome):
                return
            seen.append(truth)
        reason = self.explained.get((case.name, client.name))
        if reason is not None:
            pytest.xfail(reason)
        lines = "\n    ".join(seen[0].differences(outcome))
        raise AssertionError(
            f"through this door {client.name} does not meet {case.name!r} as on a real socket\n"
            f"  there is: {lines}\n"
            f"  to do: make the door perform {case.script} as a socket does, or give the reason in `explained`"
        )

    def _outcome(self, opened: AbstractContextManager[str], case: Case, client: Client) -> Outcome:
        with opened as base:
            ask = Ask(f"{base}/x", case.method, case.headers, case.body, case.times, self.seconds, self.ca)
            return outcome_of(client.run, ask)
