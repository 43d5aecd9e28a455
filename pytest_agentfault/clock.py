"""
The clock that faults, doors and the code under test share.

It runs like the real one, but a wait costs nothing: a sleep returns at once and
moves the clock by what was asked. In asyncio the clock jumps only when the loop
has nothing else to do, so that timeouts and concurrent tasks come in their right
order. Two things must never run it away: a thread that polls (only threads that
spoke through a door may move it) and I/O that is truly under way (`busy`).
How threads wait for each other is in `_threads`, when a loop need not listen for
them in `_lull`, what the names of time say in `_moved`, `_dates` and `_calendar`.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from types import FrameType
from typing import Any, Final, Protocol
from weakref import WeakSet

from . import _moved
from ._calendar import Calendar
from ._lull import Lull
from ._moved import REAL_MONOTONIC, REAL_SLEEP, REAL_TIME
from ._seams import Patches
from ._threads import Threads
from ._where import place_of, place_of_next_timer

__all__ = ["REAL_MONOTONIC", "REAL_SLEEP", "Beside", "Clock", "Slept"]

GRACE_SECONDS: Final = 0.001  # what another thread gets to hand its result to an idle loop
GRACE_WITH_SOCKETS_SECONDS: Final = 0.02  # the same, where the loop also listens to real sockets
STUCK_SECONDS: Final = 0.05  # after this, a loop without timers waiting on a silent script is stuck


@dataclass(frozen=True, slots=True)
class Slept:
    """One wait that was asked for.

    Args:
        who: by what: `time.sleep`, `threading`, `loop`, `trio`, `uvloop`, or `wire` for a client on its connection.
        seconds: how long.
        where: the place in the code, as `file:line function`; empty where it is not known (trio, uvloop).
    """

    who: str
    seconds: float
    where: str = field(default="", compare=False)


class Beside(Protocol):
    """What lives on this clock in a thread of its own: a server of the test's."""

    def rest(self) -> float:
        """For how many seconds it will do nothing by itself; 0: it is at work."""
        ...

    def wake(self) -> None:
        """The clock was moved."""
        ...


class Clock:
    """Time in seconds, moved by waits instead of by waiting."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.slept: list[Slept] = []
        self._busy = 0
        self._lock = threading.Lock()
        self._movers: set[int] = {threading.get_ident()}
        self._stuck: list[Callable[[], None]] = []
        self._beside: tuple[Beside, ...] = ()
        self._is_on = False
        self._loops: WeakSet[Any] = WeakSet()  # of other threads, which wait really
        self._lull: Lull | None = None
        self.threads = Threads(self)
        self._is_one_at_work = partial(self.threads.at_work, patient=True)
        self.calendar = Calendar()

    def now(self) -> float:
        """The monotonic clock as the code under test reads it, in seconds."""
        return REAL_MONOTONIC() + self.offset

    def wall(self) -> float:
        """The time of day as the code under test reads it, in seconds since 1970."""
        return time.time() if self._is_on else REAL_TIME() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock on by `seconds`."""
        self.calendar.want_dates()
        with self._lock:
            self.offset += seconds
        for other in self._beside:
            other.wake()
        for loop in list(self._loops):
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda: None)

    def accompany(self, other: Beside) -> None:
        """From now on the clock jumps no further than to what this does next, and not while it is at work."""
        self._beside = (*self._beside, other)

    def leave(self, other: Beside) -> None:
        """No more."""
        self._beside = tuple(each for each in self._beside if each is not other)

    def jump(self, seconds: float, who: str, news: Callable[[float], bool], *, listens: bool = True) -> float:
        """Move on to what comes first, for a loop that has nothing to do before `seconds`.

        Args:
            seconds: until the loop's next timer; inf: it has none.
            who: the loop, as the waits are logged.
            news: whether something has come in for the loop, asked with how many real seconds that may take.
            listens: whether the loop listens to real sockets, and not only for what its own threads bring.

        Returns:
            For how many real seconds the loop should now listen.
        """
        if not self._is_on or threading.get_ident() not in self._movers or seconds <= 0:
            return seconds
        if news(GRACE_WITH_SOCKETS_SECONDS if listens else GRACE_SECONDS):
            return seconds
        rest = 0.0 if self._busy else self.rest()
        if rest <= GRACE_WITH_SOCKETS_SECONDS or news(0):  # or it was said while we asked
            return min(seconds, GRACE_WITH_SOCKETS_SECONDS)
        if seconds == rest == inf:
            waking, self._stuck = self._stuck, []
            for wake in waking:
                wake()
            return min(seconds, GRACE_WITH_SOCKETS_SECONDS) if waking else seconds
        self.wait(min(seconds, rest), who)
        return 0.0

    def rest(self) -> float:
        """For how many seconds nobody beside the loops will do anything by himself; 0: somebody is at work."""
        return min((other.rest() for other in self._beside), default=inf)

    def wait(self, seconds: float, who: str = "wire", where: str | None = None) -> None:
        """Wait `seconds` without waiting; `where`: who asked for it, if that is not whoever called."""
        self.slept.append(Slept(who, seconds, place_of(sys._getframe(1)) if where is None else where))
        self.advance(seconds)

    def sleeps(self, seconds: float, frame: FrameType) -> bool:
        """Whether this sleep of the current thread was on the clock; False: it must be slept."""
        if not seconds > 0 or not self.moves_here():
            return False
        self.wait(seconds, "time.sleep", place_of(frame))
        return True

    def rests(self, seconds: float, wait: Callable[[], Any], frame: FrameType | None) -> Any:
        """Wait really, in a thread that has no part in the test."""
        return self.threads.rests(seconds, wait, frame) if seconds > 0 else wait()

    def moves_here(self) -> bool:
        """Whether waits of the current thread are on the clock."""
        return self._is_on and threading.get_ident() in self._movers

    def takes_part(self, thread: int) -> bool:
        """Whether waits of this thread are on the clock."""
        return thread in self._movers

    def may_move_here(self) -> None:
        """Let sleeps of the current thread move the clock: it takes part in the test."""
        self._movers.add(threading.get_ident())

    def when_stuck(self, wake: Callable[[], None]) -> None:
        """Call `wake` if the event loop would otherwise wait for ever on a silent script."""
        self._stuck.append(wake)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Real I/O is under way: the clock does not jump meanwhile."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def install(self, patches: Patches) -> None:
        """Put this clock over the process's sleeps and clocks, for asyncio's selector loops too."""
        self._is_on = True
        _moved.clocks.append(self)
        patches.at_last(self._uninstall)
        self.calendar.install(patches)
        self.threads.install(patches)
        for kind in _loops_with_a_time():
            patches.set(kind, "time", _loop_time)
        real_run = asyncio.base_events.BaseEventLoop.run_in_executor
        patches.set(asyncio.base_events.BaseEventLoop, "run_in_executor", self._counted(real_run))
        real_shutdown = asyncio.base_events.BaseEventLoop.shutdown_default_executor
        patches.set(asyncio.base_events.BaseEventLoop, "shutdown_default_executor", self._held(real_shutdown))
        for kind in {selectors.DefaultSelector, selectors.SelectSelector}:
            patches.set(kind, "select", self._jumping(kind.select))

    def _uninstall(self) -> None:
        self._is_on = False
        _moved.clocks.remove(self)

    def _counted(self, real: Any) -> Any:
        def run_in_executor(loop: Any, executor: Any, func: Any, *args: Any) -> Any:
            future = real(loop, executor, func, *args)
            with self._lock:
                self._busy += 1
            future.add_done_callback(lambda _: self._less_busy())
            return future

        return run_in_executor

    def _held(self, real: Any) -> Any:
        """A loop that closes waits for its threads under a time limit of its own (CPython 3.12: 300 s)."""

        async def shutdown_default_executor(loop: Any, *args: Any, **kwargs: Any) -> None:
            with self.busy():
                await real(loop, *args, **kwargs)

        return shutdown_default_executor

    def _less_busy(self) -> None:
        with self._lock:
            self._busy -= 1

    def _jumping(self, real: Any) -> Any:
        def select(selector: Any, timeout: float | None = None) -> Any:
            lull, self._lull = self._lull, None
            if timeout is not None and timeout <= 0:
                return real(selector, timeout)
            if not self.moves_here():
                return self._aside(real, selector, timeout)
            if self._beside:
                seconds = self.jump(inf if timeout is None else timeout, "loop", lambda s: bool(real(selector, s)))
                return real(selector, None if seconds == inf else seconds)
            if timeout is None:
                return self._forever(real, selector)
            listens = len(selector.get_map()) > 1  # one is the loop's own self-pipe
            if listens or lull is None or not lull.lasts(selector, self._is_one_at_work):
                lull = Lull(selector, lull)
                grace = GRACE_WITH_SOCKETS_SECONDS if listens else GRACE_SECONDS
                ready = real(selector, 0) or real(selector, grace)
            else:
                ready = real(selector, 0)
            if ready:
                return ready
            if self._busy:
                return real(selector, min(timeout, GRACE_WITH_SOCKETS_SECONDS))
            self._lull = lull
            self.wait(timeout, "loop", place_of_next_timer(asyncio._get_running_loop()))
            return ready

        return select

    def _aside(self, real: Any, selector: Any, timeout: float | None) -> Any:
        """A loop of a thread that has no part in the test waits really, and hears when the clock is moved by others."""
        loop = asyncio._get_running_loop()
        if loop is None or timeout is None:
            return real(selector, timeout)
        self._loops.add(loop)
        try:
            return self.rests(timeout, lambda: real(selector, timeout), None)
        finally:
            self._loops.discard(loop)

    def _forever(self, real: Any, selector: Any) -> Any:
        if not self._stuck or self._busy:
            return real(selector, None)
        ready = real(selector, STUCK_SECONDS)
        if not ready and not self._busy:
            waking, self._stuck = self._stuck, []
            for wake in waking:
                wake()
        return ready


def _loop_time(loop: Any) -> float:
    """`loop.time`: one function for the whole process, as the names of time are."""
    return REAL_MONOTONIC() + _moved.offset()


def _loops_with_a_time() -> Iterator[Any]:
    """asyncio's loops that tell the time by a method of their own: freezegun gives one to a kind it has met."""
    kinds: list[Any] = [asyncio.base_events.BaseEventLoop]
    for kind in kinds:
        if "time" in vars(kind):
            yield kind
        kinds += kind.__subclasses__()
