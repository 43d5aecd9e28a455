"""
The door `server` held against the raw server: both are real sockets, and a client must not tell them apart.

What a listening server cannot do is named below with its reason, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from _wire import authority
from test_contract import AgainstLoopback, Exactly, Never

from pytest_agentfault import Refused, Rule, Script
from pytest_agentfault._plan import Plan
from pytest_agentfault.doors._certificates import Certificates
from pytest_agentfault.doors.server import ServerDoor
from pytest_agentfault.testing._clients import CLIENTS

ACCEPTED = "who listens has accepted the connection already: it is reset at once, or stays silent"
NOT_REFUSED = {
    (case, client.name): ACCEPTED for case in ("refused", "unresolved", "connect_timeout") for client in CLIENTS
}


class SharedAuthority(Certificates):
    """Signs by the authority that the raw server's clients trust."""

    authority = property(lambda self: authority())  # type: ignore[assignment]


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of the authority that signs for both sides."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


class TestServerDoor(AgainstLoopback):
    """The door as a real server, over http."""

    explained = NOT_REFUSED

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A port whose every request is struck with exactly this."""
        fault = Never(script) if isinstance(script, Refused) else Exactly(script)
        plan = Plan([Rule("* *", (fault,))])
        server = ServerDoor(plan, [], SharedAuthority(Path), time.monotonic)
        with server.opened():
            yield f"{self.scheme}://127.0.0.1:{server.port}"
        assert plan.log, "the client went past the door"
        assert not plan.problems


class TestServerDoorOverTls(TestServerDoor):
    """The door as a real server, over https."""

    scheme = "https"

    @pytest.fixture(autouse=True)
    def _trust(self, authority_file: str) -> None:
        self.ca = authority_file
