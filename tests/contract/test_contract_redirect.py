"""
The door `redirect` held against real sockets, by the clients that the door in memory does not reach.

Both sides are real sockets; what is compared is how a client gets to one, and what it meets there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from _contract_held import AgainstLoopback, came_through
from _redirected import CLIENTS, redirected

from pytest_agentfault import Refused, Script
from pytest_agentfault.testing import CASES, performing

# httpx leaves its generators to themselves where a body cannot be decoded, and trio says so.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator .* was garbage collected:ResourceWarning")

RESET_SECONDS = 0.6


class TestRedirectDoor(AgainstLoopback):
    """The door over http."""

    name = "redirect"
    looks = 3
    clients = CLIENTS
    # tornado takes a reset for silence, and waits for as long as it is let.
    cases = [replace(case, seconds=RESET_SECONDS) if case.name.startswith("reset") else case for case in CASES]

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A host that a plan strikes with exactly this."""
        base = f"{self.scheme}://door.example"
        with redirected(performing(script, f"* {base}/*")) as opened, came_through(opened.plan):
            yield base


class TestRedirectDoorOverTls(TestRedirectDoor):
    """The door over https: the client's bundle knows nothing of the door's authority."""

    scheme = "https"
