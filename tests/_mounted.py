"""A mount with the memory door over it, as they are for the length of one test under a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_agentfault import Lost, Reply, Request, Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault._reply import Data, How
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.faults.status import Status
from pytest_agentfault.upstreams.live import Live

API = "https://api.test"
BUSY = Status(code=429, json={"error": "busy"})


@dataclass(frozen=True, slots=True)
class Break:
    """Loses the connection before the head."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back: the vendor has acted."""
        return Reply((Lost(How.RESET),))


@dataclass(frozen=True, slots=True)
class Byte:
    """Cuts the body into chunks of one byte."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        pieces = [e.data for e in reply.events if isinstance(e, Data)]
        cut = [bytes([b]) for b in b"".join(pieces)]
        return reply.with_header("content-length", None).with_data(cut)


def once(fault: Any, to: str = "* https://api.test/*") -> Rule:
    """A rule that strikes the first request there."""
    return Rule(to, (fault,), times=1)


@contextmanager
def mounted(kind: Callable[[], Any], *rules: Rule) -> Iterator[Plan]:
    """The tool asked from below, and the door over it, until the block ends."""
    patches, clock, mount = Patches(), Clock(), kind()
    plan = Plan(rules, now=clock.now)
    door = MemoryDoor(plan, [mount, Live(clock.busy)], clock, everyone=lambda: mount.active)
    clock.install(patches)
    mount.install(patches)
    try:
        with patches.under(door):
            yield plan
    finally:
        patches.undo()
        mount.release()
    assert mount.active_above() is None


def told(plan: Plan) -> list[int | None]:
    """The statuses that clients were sent; None: the connection was lost."""
    return [exchange.reply.status for exchange in plan.log]


def run(work: Any) -> Any:
    """Run a coroutine to its end."""
    return asyncio.run(work)
