"""
What comes first: the order of replies, time limits and sleeps on asyncio and on trio, again and again.

`AGENTFAULT_ORDER_RUNS=1000` runs each case that often; a few by default.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable

import anyio
import httpx
import pytest
from _memory import Says
from _redirected import redirected

from pytest_agentfault import Data, Delay, End, Head, Lost, Reply, Rule
from pytest_agentfault._reply import How
from pytest_agentfault.clock import REAL_MONOTONIC

RUNS = int(os.environ.get("AGENTFAULT_ORDER_RUNS", "10"))
URL = "http://api.vendor.example/x"
STALL = Reply((Lost(How.STALLED),))
SLACK = 0.9  # real seconds that a run may need, by which the clock is ahead of the sum of its waits

Say = Callable[[str], None]
Task = Callable[[Say], Awaitable[None]]


def after(seconds: float) -> Reply:
    """A reply that is well, and late."""
    return Reply((Delay(seconds), Head(200), Data(b"answer"), End()))


def asks(limit: float | None, tries: int = 1) -> Task:
    """A client with a time limit for reading, which tries again."""

    async def ask(say: Say) -> None:
        async with httpx.AsyncClient(timeout=httpx.Timeout(limit, pool=None)) as client:
            for _ in range(tries):
                try:
                    say((await client.get(URL)).text)
                    break
                except httpx.ReadTimeout:
                    say("timeout")

    return ask


def within(limit: float, ask: Task) -> Task:
    """The same under a limit of the caller's."""

    async def guarded(say: Say) -> None:
        try:
            with anyio.fail_after(limit):
                await ask(say)
        except TimeoutError:
            say("gave up")

    return guarded


def sleeps(seconds: float, what: str = "slept") -> Task:
    """A task that sleeps."""

    async def sleep(say: Say) -> None:
        await anyio.sleep(seconds)
        say(what)

    return sleep


def waits(limit: float) -> Task:
    """A task that waits for something that never comes."""

    async def forever(say: Say) -> None:
        await anyio.Event().wait()

    return within(limit, forever)


def many() -> tuple[list[Task], list[tuple[str, int]]]:
    """200 tasks, each with a sleep of its own."""
    times = random.Random(11).sample(range(1, 100_000), 200)
    return [sleeps(t, str(t)) for t in times], [(str(t), t) for t in sorted(times)]


OTHERS = [waits(30), sleeps(60)]
TABLE: dict[str, tuple[tuple[Reply, ...], list[Task], list[tuple[str, int]]]] = {
    "20 s under a limit of 30": ((after(20),), [asks(30)], [("answer", 20)]),
    "40 s under a limit of 30": ((after(40),), [asks(30)], [("timeout", 30)]),
    "20 s under a caller's 30": ((after(20),), [within(30, asks(None))], [("answer", 20)]),
    "40 s under a caller's 30": ((after(40),), [within(30, asks(None))], [("gave up", 30)]),
    "a limit of 30 beside it": ((after(40),), [asks(50), *OTHERS], [("gave up", 30), ("answer", 40), ("slept", 60)]),
    "a sleep does not kill it": ((after(61),), [asks(90), *OTHERS], [("gave up", 30), ("slept", 60), ("answer", 61)]),
    "600 s of silence, then a retry": ((STALL, after(1)), [asks(600, 2)], [("timeout", 600), ("answer", 601)]),
    "200 tasks": ((after(1),), *many()),
}


def once(backend: str, replies: tuple[Reply, ...], tasks: list[Task]) -> list[tuple[str, float]]:
    """What was said, and at what second."""
    said: list[tuple[str, float]] = []

    async def main() -> None:
        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            for task in tasks:
                group.start_soon(task, lambda what: said.append((what, anyio.current_time() - began)))

    rules = [Rule("* *", (Says(reply),), after=n, times=1) for n, reply in enumerate(replies)]
    with redirected(*rules, timed=True):
        anyio.run(main, backend=backend)
    return said


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("case", TABLE)
def test_everything_comes_in_its_order(case: str, backend: str) -> None:
    """At its second, run after run."""
    replies, tasks, expected = TABLE[case]
    slack = SLACK * (3 if len(tasks) > 10 else 1)
    for run in range(RUNS if len(tasks) < 10 or RUNS > 100 else 2):
        began = REAL_MONOTONIC()
        said = once(backend, replies, tasks)
        real = REAL_MONOTONIC() - began
        assert [what for what, _ in said] == [what for what, _ in expected], f"run {run}: {said}"
        late = max(at - due for (_, at), (_, due) in zip(said, expected, strict=True))
        assert late <= max(slack, real), f"run {run}, {real:.3f} real seconds: {said}"
        assert all(at >= due - 0.001 for (_, at), (_, due) in zip(said, expected, strict=True)), f"run {run}: {said}"
