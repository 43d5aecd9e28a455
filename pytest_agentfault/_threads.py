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

import select
import sys
import threading
from _thread import allocate_lock
from collections import Counter
from collections.abc import Callable, Iterator
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

_WAITING_IN: Final = ("threading", "queue", __name__)
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

    def takes_part(self, thread: int) -> bool:
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

    def at_work(self, *, patient: bool = False) -> bool:
        """Whether another thread may still bring something.

        Args:
            patient: it is known that somebody is to bring it: one that waits in rounds is waited for, too.
        """
        me, frames = threading.get_ident(), sys._current_frames()
        return any(
            self._is_at_work(thread, frames[thread.ident], patient) if thread.ident in frames else _is_starting(thread)
            for thread in threading.enumerate()
            if thread.ident != me
        )

    def _is_at_work(self, thread: threading.Thread, frame: FrameType, patient: bool) -> bool:
        assert thread.ident is not None
        chain = list(_chain(frame))
        modules = {name for name, _, _ in chain}
        if chain[0][:2] in _IDLE:
            return bool((jobs := frame.f_locals.get("work_queue")) is not None and jobs.qsize())
        begun_by = next((name for name, _, _ in reversed(chain) if name != "threading"), "")
        if "socketserver" in modules or begun_by.startswith("pytest_agentfault."):
            return False  # it answers; the clock asks the doors' own servers itself
        takes_part = self._clock.takes_part(thread.ident)
        if thread in self._before and not takes_part and "concurrent.futures.thread" not in modules:
            return False
        waiter = frame.f_locals.get("waiter") if chain[0][0] in _WAITING_IN else None
        if waiter is not None and not waiter.locked():
            return True  # it was told, and only has to wake
        if chain[0][0] == "selectors" and _has_news(frame.f_locals.get("self")):
            return True
        if takes_part and any(
            name == "pytest_agentfault.clock" and word == "select" and above.f_locals.get("timeout") is not None
            for name, word, above in chain[:4]
        ):
            return True  # a loop that is about to move the clock itself
        if (resting := self._resting.get(thread.ident)) is not None:
            due, is_sleep = resting
            is_near = is_sleep or due - REAL_MONOTONIC() < SOON_SECONDS
            return patient or (is_near and self._rounds[self._at[thread.ident]] < ROUNDS)
        if chain[0][0] == "selectors":
            return patient and len(frame.f_locals["self"].get_map() or ()) > 1  # one is a loop's own
        return chain[0][0] not in _WAITING_IN and chain[0][1] != "select"

    def _wait(self, condition: Any, timeout: float, frame: FrameType | None) -> bool:
        """As `Condition.wait`, with one waiter for all looks: what is said in between is not missed."""
        waiter, given, patient = allocate_lock(), False, _is_for_a_future(sys._getframe(2))
        waiter.acquire()
        condition._waiters.append(waiter)
        saved = condition._release_save()
        try:
            given = self._given(waiter, timeout, frame, patient)
            return given
        finally:
            condition._acquire_restore(saved)
            if not given:
                with suppress(ValueError):
                    condition._waiters.remove(waiter)

    def _given(self, waiter: Any, timeout: float, frame: FrameType | None, patient: bool) -> bool:
        deadline, quiet, looks = self._clock.now() + timeout, 0, 0
        while (left := deadline - self._clock.now()) > 0:
            looks += 1
            if waiter.acquire(True, min(left, LOOK_SECONDS if looks < 50 else REST_SECONDS)):
                return True
            quiet = 0 if self.at_work(patient=patient) else quiet + 1
            rest = self._clock.rest()
            if quiet >= QUIET_LOOKS and rest > LOOK_SECONDS and self._clock.moves_here():
                self._clock.wait(max(min(deadline - self._clock.now(), rest), 0), "threading", place_of(frame))
        return bool(waiter.acquire(False))


def _asking(frame: FrameType | None) -> FrameType | None:
    """Who waits by means of `threading`, `queue` or a future."""
    while frame is not None and _name(frame).startswith(("threading", "queue", "concurrent.futures")):
        frame = frame.f_back
    return frame


def _has_news(selector: Any) -> bool:
    """Whether an event loop that waits is about to wake: what it waits by can be waited for itself (epoll, kqueue)."""
    if not hasattr(selector, "fileno") or not hasattr(select, "poll"):
        return False
    looks = select.poll()
    try:
        looks.register(selector.fileno(), select.POLLIN)
        return bool(looks.poll(0))
    except (OSError, ValueError):  # it is being closed
        return False


def _is_starting(thread: threading.Thread) -> bool:
    """One that runs no Python yet; a thread that `threading` did not start may just have gone unseen."""
    return thread.ident is None or (thread.is_alive() and not isinstance(thread, threading._DummyThread))


def _is_for_a_future(frame: FrameType | None) -> bool:
    while frame is not None and _name(frame).startswith("threading"):
        frame = frame.f_back
    return _name(frame).startswith("concurrent.futures")


def _name(frame: FrameType | None) -> str:
    return str(frame.f_globals.get("__name__")) if frame else ""


def _chain(frame: FrameType | None) -> Iterator[tuple[str, str, FrameType]]:
    """The frames of a thread, innermost first, each with its module and function."""
    while frame is not None:
        yield _name(frame), frame.f_code.co_name, frame
        frame = frame.f_back
