"""
Waits of threads for each other: `Event.wait`, `Condition.wait`, and what stands on them (queues, futures).

A thread of the test that waits with a time limit waits really while another
thread may still bring what it waits for. When nobody else is at work, the wait is
a delay: it is over at once and has moved the clock.

Rule: a thread that was there before the test is nobody (it polls, or reports to
somewhere), unless it works off a job of an executor; one that waits in rounds is
waited for three times, and then taken for one that polls.
"""

from __future__ import annotations

import sys
import threading
from _thread import allocate_lock
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final, Protocol
from weakref import WeakSet

from ._moved import REAL_MONOTONIC, WAITS_FOR_PROCESSES
from ._seams import Patches
from ._where import place_of

LOOK_SECONDS: Final = 0.001  # real ones between two looks at what the other threads do
REST_SECONDS: Final = 0.01  # the same, after some looks
QUIET_LOOKS: Final = 3  # looks in a row that found nobody at work
ROUNDS: Final = 3  # after so many waits at one place a thread is taken for one that polls
SOON_SECONDS: Final = 1.0  # a thread that waits for others for longer brings nothing by itself

_RESTING_IN: Final = ("threading", "queue", "selectors", "_weakrefset")
_IDLE: Final = {("concurrent.futures.thread", "_worker"), ("trio._core._thread_cache", "_work")}


class MovedClock(Protocol):
    """What these waits ask of the clock."""

    def now(self) -> float:
        """In seconds."""
        ...

    def rest(self) -> float:
        """For how many seconds nobody beside the threads will do anything by himself."""
        ...

    def moves_here(self) -> bool:
        """Whether waits of this thread are on the clock."""
        ...

    def wait(self, seconds: float, who: str, where: str | None = None) -> None:
        """Move on."""
        ...


class Threads:
    """The threads of one test, and what they wait for."""

    def __init__(self, clock: MovedClock) -> None:
        self._clock = clock
        self._before: WeakSet[threading.Thread] = WeakSet()
        self._resting: dict[int, tuple[float, bool]] = {}
        self._rounds: Counter[tuple[int, Any, int]] = Counter()
        self._at: dict[int, tuple[int, Any, int]] = {}

    def install(self, patches: Patches) -> None:
        """Put the waits on the clock."""
        self._before.update(threading.enumerate())
        real = threading.Condition.wait

        def wait(condition: Any, timeout: float | None = None) -> bool:
            if timeout is None or not timeout > 0 or not condition._is_owned():
                return real(condition, timeout)
            frame = _asking(sys._getframe(1))
            if not self._clock.moves_here():
                return self.rests(timeout, lambda: real(condition, timeout), frame, is_sleep=False)  # type: ignore[no-any-return]
            if _name(frame).startswith(("pytest_agentfault.", *WAITS_FOR_PROCESSES)):
                return real(condition, timeout)
            return self._wait(condition, timeout, frame)

        patches.set(threading.Condition, "wait", wait)

    def rests(self, seconds: float, wait: Callable[[], Any], frame: FrameType | None, *, is_sleep: bool = True) -> Any:
        """Wait really, in a thread that has no part in the test."""
        me = threading.get_ident()
        place = (me, frame and frame.f_code, frame.f_lasti if frame else 0)
        self._resting[me], self._at[me] = (REAL_MONOTONIC() + seconds, is_sleep), place
        try:
            return wait()
        finally:
            self._resting.pop(me, None)
            self._rounds[place] += 1

    def at_work(self) -> bool:
        """Whether another thread may still bring something."""
        me, frames = threading.get_ident(), sys._current_frames()
        return any(
            self._is_at_work(thread, frames[thread.ident])
            for thread in threading.enumerate()
            if thread.ident != me and thread.ident in frames
        )

    def _is_at_work(self, thread: threading.Thread, frame: FrameType) -> bool:
        assert thread.ident is not None
        names = [(_name(frame), frame.f_code.co_name)]
        if names[0] in _IDLE:
            return False
        above = frame.f_back
        while above is not None:
            names.append((_name(above), above.f_code.co_name))
            above = above.f_back
        modules = {name for name, _ in names}
        if "socketserver" in modules or any(name.startswith("pytest_agentfault.doors") for name in modules):
            return False  # it answers; the clock asks the doors' own servers itself
        is_known = thread in self._before and thread is not threading.main_thread()
        if is_known and "concurrent.futures.thread" not in modules:
            return False
        resting = self._resting.get(thread.ident)
        if resting is not None:
            due, is_sleep = resting
            is_near = is_sleep or due - REAL_MONOTONIC() < SOON_SECONDS
            return is_near and self._rounds[self._at[thread.ident]] < ROUNDS
        return names[0][0] not in _RESTING_IN and not _is_in_select(names)

    def _wait(self, condition: Any, timeout: float, frame: FrameType | None) -> bool:
        """As `Condition.wait`, with one waiter for all looks: what is said in between is not missed."""
        waiter, given = allocate_lock(), False
        waiter.acquire()
        condition._waiters.append(waiter)
        saved = condition._release_save()
        try:
            given = self._given(waiter, timeout, frame)
            return given
        finally:
            condition._acquire_restore(saved)
            if not given:
                with suppress(ValueError):
                    condition._waiters.remove(waiter)

    def _given(self, waiter: Any, timeout: float, frame: FrameType | None) -> bool:
        deadline, quiet, looks = self._clock.now() + timeout, 0, 0
        while (left := deadline - self._clock.now()) > 0:
            looks += 1
            if waiter.acquire(True, min(left, LOOK_SECONDS if looks < 50 else REST_SECONDS)):
                return True
            quiet = 0 if self.at_work() else quiet + 1
            rest = self._clock.rest()
            if quiet >= QUIET_LOOKS and rest > LOOK_SECONDS and self._clock.moves_here():
                self._clock.wait(max(min(deadline - self._clock.now(), rest), 0), "threading", place_of(frame))
        return bool(waiter.acquire(False))


def _asking(frame: FrameType | None) -> FrameType | None:
    """Who waits by means of `threading`, `queue` or a future."""
    while frame is not None and _name(frame).startswith(("threading", "queue", "concurrent.futures")):
        frame = frame.f_back
    return frame


def _name(frame: FrameType | None) -> str:
    return str(frame.f_globals.get("__name__")) if frame else ""


def _is_in_select(names: list[tuple[str, str]]) -> bool:
    return names[0][1] == "select"
