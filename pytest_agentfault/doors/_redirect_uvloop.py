"""
uvloop: how it connects, and how it waits.

Its loop is a class of Python over one of C, so that what clients and asyncio call
by name can be put over it; libuv itself sees nothing of the clock. Timers are kept
here and started by one real timer, which looks again and again whether anything is
still going on. Nothing is when, through several looks, the loop was asked to call
nothing soon, and nothing has come in.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from .._seams import Patches
from ._redirect_news import has_news

if TYPE_CHECKING:
    from .redirect import RedirectDoor

HERE: Final = "127.0.0.1"
LOOK_SECONDS: Final = 0.001  # real ones between two looks while something may be going on
REST_SECONDS: Final = 0.02  # the same, when it must be waited for
QUIET_LOOKS: Final = 3  # a transport that closes is busy in C for a turn or two, where nobody is asked anything


def connecting_by_uvloop(door: RedirectDoor, patches: Patches) -> None:
    """uvloop looks names up and connects in libuv."""
    from uvloop import Loop

    real_dial, real_resolve = Loop.create_connection, Loop.getaddrinfo

    async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **kwargs: Any) -> Any:
        name = door.memory.host_behind(host) if isinstance(host, str) else host
        place = door.place_of(name, int(port)) if kwargs.get("sock") is None and port is not None else None
        if place is None or not door.memory.wants(name, place.port):
            return await real_dial(loop, factory, host, port, **kwargs)
        if kwargs.get("ssl") and kwargs.get("server_hostname") is None:
            kwargs["server_hostname"] = name
        kwargs["family"] = socket.AF_INET
        return await real_dial(loop, factory, HERE, door.port_for(place), **kwargs)

    async def getaddrinfo(loop: Any, host: Any, port: Any, **kwargs: Any) -> Any:
        found = door.memory.looked_up(host, port, **kwargs)
        if found is not None:
            return found
        with door.clock.busy():
            return await real_resolve(loop, host, port, **kwargs)

    patches.set(Loop, "create_connection", create_connection)
    patches.set(Loop, "getaddrinfo", getaddrinfo)


def waiting_by_uvloop(door: RedirectDoor, patches: Patches) -> None:
    """uvloop's timers are libuv's; asyncio and its clients ask for them by these methods, and C asks for calls so."""
    from uvloop import Loop

    real_soon, real_later = Loop.call_soon, Loop.call_later
    real_run: Any = Loop.run_in_executor
    known: WeakKeyDictionary[Any, Timers] = WeakKeyDictionary()

    def timers(loop: Any) -> Timers:
        if loop not in known:
            known[loop] = Timers(door, loop._get_backend_id, lambda s, call: real_later(loop, s, call))
        return known[loop]

    def call_soon(loop: Any, callback: Any, *args: Any, context: Any = None) -> Any:
        timers(loop).asked += 1
        return real_soon(loop, callback, *args, context=context)

    def call_at(loop: Any, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return timers(loop).start(Timer(when, callback, args, loop, context))

    def call_later(loop: Any, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return call_at(loop, door.clock.now() + max(delay, 0), callback, *args, context=context)

    def run_in_executor(loop: Any, executor: Any, function: Any, *args: Any) -> Any:
        working = door.clock.busy()
        future = real_run(loop, executor, function, *args)
        working.__enter__()
        future.add_done_callback(lambda _: working.__exit__(None, None, None))
        return future

    patches.set(Loop, "time", lambda loop: door.clock.now())
    patches.set(Loop, "call_soon", call_soon)
    patches.set(Loop, "call_at", call_at)
    patches.set(Loop, "call_later", call_later)
    patches.set(Loop, "run_in_executor", run_in_executor)


class Timer(asyncio.TimerHandle):
    """What `call_later` gives; asyncio's own wants to tell its loop that it was cancelled, and uvloop's has no ear."""

    def cancel(self) -> None:
        """It is not to be called any more."""
        asyncio.Handle.cancel(self)


class Timers:
    """The timers of one loop, on the shared clock.

    Args:
        door: while it is open; a loop that outlives the test waits for real.
        watcher: gives the descriptor of what the loop waits by.
        later: libuv's own timer: in how many real seconds, and what to call.
    """

    def __init__(
        self, door: RedirectDoor, watcher: Callable[[], int], later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._door, self._clock, self._watcher, self._later = door, door.clock, watcher, later
        self._waiting: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._is_looking = False
        self._asked_before = -1
        self._quiet = 0  # looks in a row that found nothing new
        self.asked = 0  # how many calls the loop was asked to make soon

    def start(self, timer: Timer) -> Timer:
        """Call it when its time has come."""
        heapq.heappush(self._waiting, (timer.when(), next(self._numbers), timer))
        if not self._is_looking:
            self._look_again(LOOK_SECONDS)
        return timer

    def _look_again(self, seconds: float) -> None:
        self._is_looking = True
        self._later(min(seconds, REST_SECONDS), self._look)

    def _look(self) -> None:
        self._is_looking = False
        self._call_what_is_due()
        if not self._waiting:
            return
        seconds = LOOK_SECONDS
        self._quiet = self._quiet + 1 if self.asked == self._asked_before else 0
        if self._quiet >= QUIET_LOOKS and self._door.is_open:
            left = self._waiting[0][0] - self._clock.now()
            seconds = self._clock.jump(left, "uvloop", lambda s: has_news(self._watcher(), s))
            self._call_what_is_due()
        self._asked_before = self.asked
        if self._waiting and not self._is_looking:
            self._look_again(max(seconds, LOOK_SECONDS))

    def _call_what_is_due(self) -> None:
        while self._waiting and (self._waiting[0][2].cancelled() or self._waiting[0][0] <= self._clock.now()):
            timer = heapq.heappop(self._waiting)[2]
            if not timer.cancelled():
                self.asked += 1
                timer._run()
