"""
The bound of every wait that the shared clock cannot see: C code, another process, a lock that nobody gives back.

A thread looks on. When for so many real seconds nothing was called and the test's
thread did nothing but wait (or only moved the clock, again and again), it is
interrupted by a signal that nothing else uses, which ends a blocking call of the
system, too.

Rule: the watched thread is never left with our signal: the handler that was there
is put back, and a signal that is not ours is handed on to it. The name `Hung` is
raised, in the kind that gets through: asyncio's tasks keep any error but
KeyboardInterrupt to themselves, and pytest's teardown expects an `Exception`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final
from weakref import WeakSet

from ._errors import AgentFaultError
from ._moved import REAL_MONOTONIC
from ._plan import Hung, Plan
from ._seams import Patches
from ._where import place_of, place_of_task

SIGNAL: Final = getattr(signal, "SIGURG", None)  # ignored unless somebody asks for it, so that a late one harms nobody
LOOK_SECONDS: Final = 0.5  # real ones between two looks, at most
AGAIN_SECONDS: Final = 3.0  # after this the signal comes again, should the first have been swallowed
MANY_WAITS: Final = 1000  # a test that moves the clock so often between two calls polls for ever
BUSY_SHARE: Final = 0.05  # a thread that computes for this share of the time is not waiting, on a busy machine too


class InterruptedHung(Hung, KeyboardInterrupt):
    """`Hung`, where an event loop would keep it from getting out."""


class Watchdog:
    """Looks on while one test runs.

    Args:
        plan: whose log shows that the test goes on.
        waits: how many waits the clock has seen.
        seconds: the budget, in real seconds.
    """

    def __init__(self, plan: Plan, waits: Callable[[], int], seconds: float) -> None:
        self._plan, self._waits, self._seconds = plan, waits, seconds
        self._main = threading.get_ident()
        self._phase = "setup"
        self._signs = (-1, -1)
        self._since = self._cpu_then = 0.0
        self._waits_then = 0
        self._is_due = False
        self._paused = False
        self._before: Any = None
        self._over: Any = None
        self._gone: Any = None
        self.where = ""  # where the test waited, if it hung

    def install(self, patches: Patches) -> None:
        """Look on from now on, until everything is put back."""
        patches.at_last(self._uninstall)
        if SIGNAL is not None and threading.current_thread() is threading.main_thread():
            before = signal.signal(SIGNAL, self._interrupted)
            self._before = signal.SIG_DFL if before is None else before  # None: one of C, which cannot be put back
        _active.add(self)
        self.go_on()

    def enter(self, phase: str) -> None:
        """The test is in its setup, call or teardown from now on; the time counts anew."""
        self._phase = phase
        self._anew()

    def pause(self) -> None:
        """Somebody looks at the test himself, in a debugger."""
        self._paused = True

    def go_on(self) -> None:
        """Begin a thread that looks."""
        self._anew()
        self._over, self._gone = allocate_lock(), allocate_lock()
        self._over.acquire()
        self._gone.acquire()
        start_new_thread(self._watch, (self._over, self._gone))  # not one that the code under test could count

    def stop(self, *, wait: bool = False) -> None:
        """End that thread."""
        over, self._over = self._over, None
        if over is not None:
            over.release()
            if wait:
                self._gone.acquire()

    def _uninstall(self) -> None:
        _active.discard(self)
        self.stop()
        self._is_due = False
        if self._before is not None:
            signal.signal(SIGNAL, self._before)  # type: ignore[arg-type]
            self._before = None

    def _anew(self) -> None:
        self._since, self._cpu_then, self._waits_then = REAL_MONOTONIC(), self._cpu(), self._waits()

    def _watch(self, over: Any, gone: Any) -> None:
        step = min(self._seconds / 4, LOOK_SECONDS)
        try:
            while not over.acquire(True, step):
                if self._is_hung() and self._over is over:
                    self._tell()
                    step = AGAIN_SECONDS
        finally:
            gone.release()

    def _is_hung(self) -> bool:
        calls = len(self._plan.log)
        signs = (calls, id(self._phase))
        if signs != self._signs:
            self._signs = signs
            self._anew()
        elapsed = REAL_MONOTONIC() - self._since
        is_unused = self._phase != "call" and not calls  # a fixture that starts something else may take its time
        if elapsed < self._seconds or self._paused or is_unused or "pydevd" in sys.modules:
            return False
        polls = self._waits() - self._waits_then > MANY_WAITS
        if not polls and self._cpu() - self._cpu_then > BUSY_SHARE * elapsed:
            self._since, self._cpu_then = REAL_MONOTONIC(), self._cpu()  # the waits go on being counted
            return False
        return True

    def _tell(self) -> None:
        frame = sys._current_frames().get(self._main)
        self.where = self.where or place_of(frame)
        self._plan.hung, self._plan.why_hung = True, str(self.error())
        self._is_due = True
        if self._before is not None:
            signal.pthread_kill(self._main, SIGNAL)  # type: ignore[arg-type]
        else:  # no signals here, or not in the main thread: it ends as soon as it runs Python again
            _raise_in(self._main, self._kind(), str(self.error()))

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self._is_due:
            self._is_due = False
            self.where = _places_of_tasks() or self.where
            self._plan.why_hung = str(self.error())
            if self._phase == "teardown" or not _told_trio(frame):
                raise self._kind()(str(self.error()))
        elif callable(self._before):
            self._before(number, frame)

    def _kind(self) -> type[BaseException]:
        if self._phase == "teardown":
            return RuntimeError
        return Hung if asyncio._get_running_loop() is None else InterruptedHung

    def error(self) -> AgentFaultError:
        """What is wrong, with the calls that there were."""
        return AgentFaultError(
            f"the test waited for more than {self._seconds:g} real seconds for what the shared clock cannot move",
            f"a wait at {self.where}; {calls_of(self._plan)}",
            "give that wait a time limit, or raise the ini key `fault_budget_seconds`",
        )

    def _cpu(self) -> float:
        """Seconds that the watched thread has computed; 0 where that is not told."""
        clock_of = getattr(time, "pthread_getcpuclockid", None)
        return time.clock_gettime(clock_of(self._main)) if clock_of else 0.0


def _places_of_tasks() -> str:
    """Where the tasks of an event loop wait that has nothing to do."""
    loop = asyncio._get_running_loop()
    if loop is None or asyncio.current_task(loop) is not None:
        return ""
    places = sorted({place for task in asyncio.all_tasks(loop) if (place := place_of_task(task))})
    return " and ".join(places[:3])


def _told_trio(frame: FrameType | None) -> bool:
    """Let a run of trio end as by Ctrl-C: an error raised in the midst of it would leave it in pieces."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or not str(getattr(handler, "__module__", "")).startswith("trio."):
        return False
    with suppress(KeyboardInterrupt):  # trio raises where that does no harm, and so do we
        handler(signal.SIGINT, frame)
        return True
    return False


def calls_of(plan: Plan, shown: int = 20) -> str:
    """The calls of a test, the last ones of many."""
    log = list(plan.log)
    lines = [
        f"{x.number}. {x.request.method} {x.request.url.partition('?')[0]} -> {x.reply.status or 'no reply'}"
        + (f" ({', '.join(dict.fromkeys(s.name for s in x.struck))})" if x.struck else "")
        for x in log[-shown:]
    ]
    left_out = f"the last {shown}: " if len(log) > shown else ""
    return f"calls in all: {len(log)}" + (f" ({left_out}{', '.join(lines)})" if lines else "")


def _raise_in(thread: int, kind: type[BaseException], text: str) -> None:
    import ctypes

    def __init__(self: BaseException) -> None:  # noqa: N807
        kind.__init__(self, text)

    told = type(kind.__name__, (kind,), {"__init__": __init__})
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(told))


_active: Final[WeakSet[Watchdog]] = WeakSet()


def _stop_all() -> None:
    for watchdog in list(_active):
        watchdog.stop(wait=True)


def _go_on_all() -> None:
    for watchdog in list(_active):
        watchdog.go_on()


if hasattr(os, "register_at_fork"):  # a process that forks must have no thread of ours (CPython 3.12 warns of it)
    os.register_at_fork(before=_stop_all, after_in_parent=_go_on_all)
