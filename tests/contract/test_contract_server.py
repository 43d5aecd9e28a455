"""The door `server` held against the raw server: both are real sockets, and a client must not tell them apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from _contract_held import AgainstLoopback
from _wire import authority

from pytest_agentfault import Refused, Script
from pytest_agentfault._plan import Plan
from pytest_agentfault.doors._certificates import Certificates
from pytest_agentfault.doors.server import ServerDoor
from pytest_agentfault.testing import performing


class SharedAuthority(Certificates):
    """Signs by the authority that the raw server's clients trust."""

    authority = property(lambda self: authority())  # type: ignore[assignment]


class TestServerDoor(AgainstLoopback):
    """The door as a real server, over http."""

    name = "server"
    looks = 3

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A port whose every request is struck with exactly this."""
        plan = Plan([performing(script)])
        server = ServerDoor(plan, [], SharedAuthority(Path), time.monotonic)
        with server.opened():
            yield f"{self.scheme}://127.0.0.1:{server.port}"
        assert not plan.problems


class TestServerDoorOverTls(TestServerDoor):
    """The door as a real server, over https."""

    scheme = "https"
