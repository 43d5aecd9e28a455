"""
One call of a caller, refused so many times: on the clock as a test has it, and really, through the door `server`.

Rule: both go by the same rule and the same reply; only who makes them wait differs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml
from _caller import Caller
from _cassettes import Plain
from _server import Vendor, served

from pytest_agentfault import _placing
from pytest_agentfault._exchange import Exchange
from pytest_agentfault._reply import Reply
from pytest_agentfault._run import Run
from pytest_agentfault.clock import REAL_MONOTONIC, Slept
from pytest_agentfault.faults.status import Status
from pytest_agentfault.scenario import Library
from pytest_agentfault.upstreams.cassette import Recordings

SEED: Final = 7  # of the jitter: clients draw it from the process's own `random`
FOR_EVER: Final = 50


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a call.

    Args:
        gaps: the seconds between a reply and the next request, as the door saw them.
        slept: the waits that were asked of the clock; none where time is real.
        came: the result, or the error.
        took: the real seconds of the call, with its client already made.
    """

    gaps: tuple[float, ...]
    slept: tuple[Slept, ...]
    came: Any
    took: float


def limit(caller: Caller, seconds: float) -> Status:
    """The refusal."""
    return Status(429, {"Retry-After": f"{seconds:g}"}, dict(caller.refusal))


def record(caller: Caller, path: Path) -> Path:
    """Write the cassette of the good reply."""
    told = {"version": 1, "interactions": [dict(caller.healthy)]}
    path.write_text(yaml.dump(told, Dumper=Plain, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def call(caller: Caller, base: str, *, awaited: bool) -> tuple[Any, float]:
    """Make the call: its result, or the error that came out; and its real seconds."""
    random.seed(SEED)
    if awaited:
        return asyncio.run(_awaited(caller, base))
    with caller.sync(base) as made:
        began = REAL_MONOTONIC()
        try:
            came = made()
        except Exception as error:
            came = error
        return came, REAL_MONOTONIC() - began


async def _awaited(caller: Caller, base: str) -> tuple[Any, float]:
    assert caller.asynchronous
    async with caller.asynchronous(base) as made:
        began = REAL_MONOTONIC()
        try:
            came = await made()
        except Exception as error:
            came = error
        return came, REAL_MONOTONIC() - began


def gaps(log: Sequence[Exchange]) -> tuple[float, ...]:
    """The seconds from each reply to the next request."""
    return tuple(later.began - sooner.ended for sooner, later in pairwise(log))


@contextmanager
def clocked(caller: Caller, seconds: float, times: int) -> Iterator[Run]:
    """A test's run, as the plugin makes it: `times` refusals, then the good reply."""
    with TemporaryDirectory() as folder:
        words = {"to": "* *", "times": times, "cassette": str(record(caller, Path(folder, "healthy.yaml")))}
        library = Library()
        placed = _placing.place((limit(caller, seconds),), words, library, Path(folder))
        run = Run(placed, library, Recordings(), Path(folder), "0", 1000)
        run.start(lambda tool: False)
        try:
            yield run
        finally:
            run.stop()


def on_the_clock(caller: Caller, awaited: bool, seconds: float, times: int) -> Heard:
    """The call, where waits cost nothing."""
    with clocked(caller, seconds, times) as run:
        came, took = call(caller, caller.origin, awaited=awaited)
        return Heard(gaps(run.plan.log), tuple(run.clock.slept), came, took)


def in_real_time(caller: Caller, awaited: bool, seconds: float, times: int) -> Heard:
    """The call, at a server on loopback, with waits that are waited."""
    body = caller.healthy["response"]["body"]["string"]
    well = Reply.of(200, body.encode(), {"Content-Type": "application/json"})
    library = Library()
    (placed,) = _placing.place((limit(caller, seconds),), {"to": "* *", "times": times}, library, Path())
    with served(*placed.rules, upstreams=(Vendor(well),)) as door:
        came, took = call(caller, f"http://127.0.0.1:{door.port}", awaited=awaited)
        return Heard(gaps(door.plan.log), (), came, took)
