"""The door in memory held against real sockets: every client, every script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from _contract_held import AgainstLoopback, came_through

from pytest_agentfault import Refused, Script
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.testing import performing


class TestMemoryDoor(AgainstLoopback):
    """Over http, in real time."""

    name = "memory"
    virtual_time = False

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A host that a plan strikes with exactly this."""
        base = f"{self.scheme}://door.example"
        plan, clock, patches = Plan([performing(script, f"* {base}/*")]), Clock(), Patches()
        if self.virtual_time:
            clock.install(patches)
        with came_through(plan), patches.under(MemoryDoor(plan, [], clock)):
            yield base


class TestMemoryDoorOverTls(TestMemoryDoor):
    """Over https and with the clock: the real socket speaks true TLS, the door none."""

    scheme = "https"
    virtual_time = True
