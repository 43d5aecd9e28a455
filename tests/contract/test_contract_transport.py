"""The door for transports without sockets held against real sockets: the clients that can have one, every script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from _contract_held import AgainstLoopback, came_through
from _contract_table import UNREACHED
from _memory import Spy
from _wire import loopback

from pytest_agentfault import Refused, Script
from pytest_agentfault._plan import Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.transport import TransportDoor
from pytest_agentfault.testing import CASES, CLIENTS, Ask, Client, performing
from pytest_agentfault.testing._clients import Piece

WELL = next(case.script for case in CASES if case.name == "content_length")


def mock(library: Any, url: str) -> Any:
    """A mock where the door is held up; the usual transport on loopback."""
    return library.MockTransport(lambda request: library.Response(500)) if "door.example" in url else None


class TestTransportDoor(AgainstLoopback):
    """Every conversation through a mock transport, as on a real socket, over http."""

    name = "transport"
    clients = tuple(
        Client(client.name, client.module, partial(client.run, transport=mock))
        for client in CLIENTS
        if client.name not in UNREACHED["transport"]
    )

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A host whose transport is struck with exactly this."""
        base = f"{self.scheme}://door.example"
        plan, clock, patches = Plan([performing(script, f"* {base}/*")]), Clock(), Spy()
        clock.install(patches)
        with came_through(plan), patches.under(TransportDoor(plan, [], clock)):
            yield base
        assert patches.left_over() == []


class TestTransportDoorOverTls(TestTransportDoor):
    """The same over https: the real socket speaks true TLS; there is none beneath a transport without a socket."""

    scheme = "https"


@pytest.mark.parametrize("name", UNREACHED["transport"])
def test_a_client_that_the_door_does_not_reach_goes_past_it(name: str) -> None:
    """Its real answer comes up, and the plan has seen nothing."""
    client = next(client for client in CLIENTS if client.name == name)
    out: list[Piece] = []
    plan, clock, patches = Plan([performing(Refused())]), Clock(), Spy()
    with loopback(WELL) as base, patches.under(TransportDoor(plan, [], clock)):
        client.run(Ask(f"{base}/x"), out)
    assert out[0] == 200
    assert plan.log == []
