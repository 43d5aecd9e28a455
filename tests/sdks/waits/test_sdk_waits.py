"""A client that is refused with `Retry-After: 60` waits on the clock, and as long as it would wait in real time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _caller import Caller
from _callers import CALLERS
from _runs import FOR_EVER, call, gaps, in_real_time, limit, on_the_clock, record
from _table import called

from _cells import EVERY, all_are_wanted  # isort: skip  # found once `_callers` is imported

from pytest_agentfault._run import Faults

NEAR_SECONDS = 0.4  # what two busy cores may add to a gap
MORE_SECONDS = 1.2  # the same, where a client was imported or reads its authorities meanwhile


def ways() -> list[Any]:
    """Each client, and its asynchronous side."""
    return [
        pytest.param(
            caller,
            awaited,
            id=name.replace(", ", "-").replace(" ", "-"),
            marks=[
                *(pytest.mark.filterwarnings(line) for line in caller.warns),
                *([] if caller.is_here or all_are_wanted() else [pytest.mark.skip(absent(caller))]),
            ],
        )
        for caller in CALLERS
        for awaited, name in zip((False, True), caller.ways, strict=False)
    ]


def absent(caller: Caller) -> str:
    """Why it is skipped."""
    return f"the package `{caller.module}` is not installed; `make sdks` has it"


def held(caller: Caller, found: Sequence[float], slept: Sequence[Any]) -> None:
    """The gaps are those that the table says, and were asked of the clock."""
    assert len(found) == len(caller.waits), found
    for seconds, (least, most) in zip(found, caller.waits, strict=True):
        assert least - 0.2 <= seconds <= most + MORE_SECONDS, found  # a loop wakes a little early
    asked = sum(one.seconds for one in slept)
    assert asked == pytest.approx(sum(found), abs=MORE_SECONDS), "what was not asked of the clock was really waited"
    assert asked >= sum(least for least, _ in caller.waits) - 0.2
    assert asked > 0


@pytest.mark.parametrize(("caller", "awaited"), ways())
def test_it_waits_on_the_clock(caller: Caller, awaited: bool, faults: Faults, tmp_path: Path) -> None:
    """Refused three times, it waits as the table says, on the clock alone, and then has its result."""
    faults.add(limit(caller, 60), to="* *", times=3, cassette=record(caller, tmp_path / "healthy.yaml"))
    came, _ = call(caller, caller.origin, awaited=awaited)
    assert came == caller.result
    assert [x.reply.status for x in faults.log] == [429, 429, 429, 200]
    held(caller, gaps(faults.log), faults.clock.slept)


@pytest.mark.parametrize(("caller", "awaited"), ways())
def test_it_gives_up_in_the_end(caller: Caller, awaited: bool, faults: Faults, tmp_path: Path) -> None:
    """Refused for ever, it waits the same, and its own error comes out."""
    faults.add(limit(caller, 60), to="* *", times=FOR_EVER, cassette=record(caller, tmp_path / "healthy.yaml"))
    came, _ = call(caller, caller.origin, awaited=awaited)
    assert called(type(came)) == caller.raises
    assert [x.reply.status for x in faults.log] == [429] * 4
    held(caller, gaps(faults.log), faults.clock.slept)


@pytest.mark.skipif(not all_are_wanted(), reason=f"waits really; `make sdks` does ({EVERY}=all)")
@pytest.mark.parametrize(("caller", "awaited"), ways())
def test_it_waits_as_it_does_in_real_time(caller: Caller, awaited: bool) -> None:
    """Refused with `Retry-After: 1`, it comes back to a server on loopback after the gaps that the clock shows."""
    clocked, real = (where(caller, awaited, 1, 3) for where in (on_the_clock, in_real_time))
    assert clocked.came == real.came == caller.result
    assert len(clocked.gaps) == 3
    assert clocked.gaps == pytest.approx(real.gaps, abs=NEAR_SECONDS)
    assert sum(real.gaps) > 1, "none of them was told not to wait at all"
    assert real.took >= sum(real.gaps)


@pytest.mark.parametrize(
    ("found", "slept", "wrong"),
    [
        ((60.0, 60.0), (60.0, 60.0), "assert 2 == 3"),
        ((60.0, 60.0, 5.0), (60.0, 60.0, 5.0), "assert "),
        ((60.0, 60.0, 60.0), (60.0, 60.0), "really waited"),
    ],
    ids=["a call less", "too soon", "one that was slept"],
)
def test_the_table_is_held(found: Any, slept: Any, wrong: str) -> None:
    """A gap that lacks, that is too short, or that the clock was not asked for is a failure."""
    minute = replace(CALLERS[0], waits=((60, 60),) * 3)
    with pytest.raises(AssertionError, match=wrong):
        held(minute, found, [type("Slept", (), {"seconds": seconds}) for seconds in slept])


def test_an_absent_client_is_told_of() -> None:
    """What is not installed is skipped by name; the gate has at least those that its tests use anyway."""
    none = replace(CALLERS[0], module="not_here_at_all")
    assert not none.is_here
    assert absent(none) == "the package `not_here_at_all` is not installed; `make sdks` has it"
    here = {caller.name for caller in CALLERS if caller.is_here}
    assert here >= {"openai", "anthropic", "jira", "PyGithub", "slack_sdk", "urllib3", "requests", "tenacity"}


def test_every_client_is_once_in_the_table() -> None:
    """No id stands twice."""
    names = [name for caller in CALLERS for name in caller.ways]
    assert len(set(names)) == len(names)
