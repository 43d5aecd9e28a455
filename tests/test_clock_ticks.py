"""Timers that wake nobody: a long wait among them is many jumps of the clock, and the loop listens before the first."""

from __future__ import annotations

import asyncio
import selectors
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from _clocks import clock_for

from pytest_agentfault import _lull
from pytest_agentfault._lull import Lull
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import REAL_MONOTONIC, REAL_SLEEP, Clock

AT_ONCE = 5.0
TICKS = 30
EVERY_SECONDS = 2.0
pytestmark = pytest.mark.skipif(not _lull.CPU_IS_TOLD, reason="the computing of other threads is not told finely here")


@contextmanager
def listening() -> Iterator[tuple[Clock, list[float]]]:
    """A clock that is on, and for how long its loops listened, each time that they did more than look."""
    patches, listened = Patches(), list[float]()
    real = selectors.DefaultSelector.select

    def select(selector: Any, timeout: float | None = None) -> Any:
        if timeout is None or timeout > 0:
            listened.append(-1 if timeout is None else timeout)
        return real(selector, timeout)

    patches.set(selectors.DefaultSelector, "select", select)
    try:
        with clock_for(AT_ONCE) as clock:
            yield clock, listened
    finally:
        patches.undo()


def tick(ticks: int = TICKS, then: Callable[[], object] = lambda: None) -> None:
    """Set timers that wake nobody, each one the next."""
    if ticks:
        then()
        asyncio.get_running_loop().call_later(EVERY_SECONDS, tick, ticks - 1, then)


async def idles(then: Callable[[], object] = lambda: None) -> None:
    """Wait for as long as the timers go on."""
    tick(then=then)
    await asyncio.sleep((TICKS - 1) * EVERY_SECONDS + 1)


def test_a_tick_is_not_listened_before() -> None:
    """A minute of ticks is listened before once, when the wait begins."""
    with listening() as (clock, listened):
        asyncio.run(idles())
    assert len(clock.slept) == TICKS
    assert len(listened) <= TICKS // 3, "once, and whenever a thread of pytest's has woken meanwhile"


def computes(until: threading.Event) -> None:
    """Python that computes, and gives way now and then."""
    while not until.is_set():
        sum(range(2000))


def hears(until: threading.Event) -> None:
    """A wait for a peer, in a call of the system."""
    here, there = socket.socketpair()
    here.settimeout(0.01)
    with here, there:
        while not until.is_set():
            with suppress(TimeoutError):
                here.recv(1)


def polls(until: threading.Event) -> None:
    """Looks for something again and again."""
    while not until.wait(0.005):
        pass


def loops(until: threading.Event) -> None:
    """An event loop of its own."""

    async def go() -> None:
        while not until.is_set():
            await asyncio.sleep(0.005)

    asyncio.run(go())


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Another thread that does this meanwhile."""
    until = threading.Event()
    thread = threading.Thread(target=work, args=(until,))
    thread.start()
    try:
        yield
    finally:
        until.set()
        thread.join()


@pytest.mark.parametrize("work", [computes, hears, polls, loops])
def test_a_thread_that_may_bring_something_is_listened_for(work: Callable[[threading.Event], None]) -> None:
    """As long as it does something, or waits for what may come to it, the loop listens before each tick."""
    with listening() as (clock, listened), beside(work):
        asyncio.run(idles())
    assert len(clock.slept) == TICKS
    assert len([seconds for seconds in listened if seconds == pytest.approx(0.001)]) >= TICKS - 3


@pytest.mark.parametrize("computes", [True, False])
def test_a_thread_that_has_computed_is_listened_for(computes: bool) -> None:
    """Whether it is the test's or not: it may bring something. One that only waited is not."""

    def compute(begin: threading.Event, done: threading.Event) -> None:
        begin.wait(AT_ONCE)
        began = time.thread_time()
        while time.thread_time() - began < 0.002:
            sum(range(1000))
        done.set()

    def lasted() -> bool:
        begin, done = threading.Event(), threading.Event()
        thread = threading.Thread(target=compute, args=(begin, done))
        thread.start()
        REAL_SLEEP(0.005)
        lull = Lull(selector := object())
        if computes:
            begin.set()
            done.wait(AT_ONCE)
        lasts = lull.lasts(selector, lambda: False)
        begin.set()
        thread.join()
        return lasts

    assert any(lasted() for _ in range(20)) is not computes, "others of this process may compute now and then"


def test_who_waits_for_the_interpreter_is_seen() -> None:
    """Something has come for another thread, which cannot run before the loop listens."""
    here, there = socket.socketpair()
    with here, there:
        thread = threading.Thread(target=here.recv, args=(1,))
        thread.start()
        REAL_SLEEP(0.01)
        lull, began = Lull(selector := object()), REAL_MONOTONIC()
        there.send(b"x")
        while lull.lasts(selector, lambda: False):
            assert REAL_MONOTONIC() - began < AT_ONCE
            lull._ticks = 0
        thread.join()


@pytest.mark.parametrize("at_work", [True, False])
def test_a_lull_is_one_loops_and_ends_with_work(at_work: bool) -> None:
    """Another loop listens for itself; a thread at work ends it for its own."""
    selector = object()
    assert not Lull(selector).lasts(object(), lambda: False)
    assert any(Lull(selector).lasts(selector, lambda: at_work) for _ in range(20)) is not at_work


def test_what_a_thread_brings_between_two_ticks_comes_first() -> None:
    """A result that takes as long as some ticks is not overtaken by the wait for it."""

    async def go() -> bool:
        loop, brought = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def bring() -> None:
            REAL_SLEEP(0.01)
            loop.call_soon_threadsafe(brought.set_result, True)

        threading.Thread(target=bring).start()
        tick(300)
        return await asyncio.wait_for(brought, 300 * EVERY_SECONDS)  # type: ignore[no-any-return]

    with listening():
        assert asyncio.run(go())


async def _sleeps() -> None:
    for _ in range(TICKS):
        await asyncio.sleep(EVERY_SECONDS)


async def _calls_soon() -> None:
    await idles(lambda: asyncio.get_running_loop().call_soon(lambda: None))


@pytest.mark.parametrize("work", [_sleeps, _calls_soon])
def test_a_timer_that_wakes_somebody_is_listened_before(work: Callable[[], Awaitable[None]]) -> None:
    """What a task began when it was woken may bring something, whoever does it."""
    with listening() as (clock, listened):
        asyncio.run(work())  # type: ignore[arg-type]
    assert len(clock.slept) == TICKS
    assert len(listened) == TICKS


def test_a_real_socket_is_listened_to_before_each_tick() -> None:
    """As long as the loop has one, bytes may come at any time."""

    async def go() -> None:
        here, there = socket.socketpair()
        with here, there:
            asyncio.get_running_loop().add_reader(here, lambda: None)
            await idles()
            asyncio.get_running_loop().remove_reader(here)

    with listening() as (_, listened):
        asyncio.run(go())
    assert [seconds for seconds in listened if seconds >= 0.02] == [0.02] * TICKS


def test_work_in_an_executor_holds_ticks_too() -> None:
    """It takes its real time, and no tick passes meanwhile."""
    ticked: list[int] = []

    async def go() -> None:
        tick(then=lambda: ticked.append(1))
        await asyncio.sleep(5)
        before = len(ticked)
        await asyncio.to_thread(REAL_SLEEP, 0.05)
        assert len(ticked) == before

    with listening():
        began = REAL_MONOTONIC()
        asyncio.run(go())
        assert REAL_MONOTONIC() - began >= 0.05


def test_ticks_without_an_end_do_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    """After many the loop listens before each of them again."""
    monkeypatch.setattr(_lull, "MANY_TICKS", TICKS // 3)
    with listening() as (_, listened):
        asyncio.run(idles())
    assert len(listened) >= TICKS - TICKS // 3


def test_two_loops_are_quiet_each_for_itself() -> None:
    """What one loop has found is nothing to the next one."""
    with listening() as (_, listened):
        for _ in range(3):
            asyncio.run(idles())
    assert len(listened) >= 3


def test_seam_a_timer_is_called_without_another_look() -> None:
    """Its callback runs in the turn that found it due: the selector is asked once for each, with a time to wait."""
    asked: list[float | None] = []
    real, patches = selectors.DefaultSelector.select, Patches()

    def select(selector: Any, timeout: float | None = None) -> Any:
        asked.append(timeout)
        return real(selector, timeout)

    async def go() -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_later(0.01, lambda: loop.call_later(0.01, lambda: loop.call_later(0.01, done.set_result, None)))
        await done

    patches.set(selectors.DefaultSelector, "select", select)
    try:
        asyncio.run(go())
    finally:
        patches.undo()
    first = next(place for place, seconds in enumerate(asked) if seconds)
    assert all((seconds or 0) > 0 for seconds in asked[first : first + 3])
