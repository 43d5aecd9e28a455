"""
The callable door opened for one block, on the tools of an agent.

Rule: plan, clock, patches and door are the real ones; only the tools are the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from _memory import Spy

from pytest_agentfault import Call, Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.callable import CallableDoor

HERE = "_tools_of_an_agent"


@dataclass
class Opened:
    """An open door and what it works with."""

    plan: Plan
    clock: Clock


@contextmanager
def opened(name: str, *faults: Any, timed: bool = False, max_calls: int = 100, **settings: Any) -> Iterator[Opened]:
    """The door for one rule on one of the tools."""
    to = name if isinstance(name, Call) else f"CALL {HERE}:{name}"
    clock, patches = Clock(), Spy()
    plan = Plan([Rule(to, faults, **settings)], now=clock.now, max_calls=max_calls)
    if timed:
        clock.install(patches)
    with patches.under(CallableDoor(plan, [], clock)):
        yield Opened(plan, clock)
    assert patches.left_over() == []


def awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Called in a loop of its own."""
    return lambda *args, **kwargs: asyncio.run(function(*args, **kwargs))
