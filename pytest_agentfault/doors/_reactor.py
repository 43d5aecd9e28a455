"""
One thread that watches sockets and timers: what the door `server` runs on.

Rule 1: it is in real time whatever the shared clock does, since the clients it
serves live in other processes: it binds no function that the clock replaces.
Rule 2: a callback that fails is told of and ends nothing but itself.
"""

from __future__ import annotations

import heapq
import select
import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from math import inf
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeAlias

# Not the default selector, which the shared clock patches; on Windows there is no other.
Selector: Final[Any] = getattr(selectors, "PollSelector", selectors.SelectSelector)
READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
FINE_SECONDS: Final = 0.001  # poll counts in milliseconds
STOP_SECONDS: Final = 5.0


Asked: TypeAlias = "tuple[SimpleQueue[float], Callable[[], bool]]"


class Reactor:
    """Calls back when a socket is ready, a time has come, or another thread asks for it.

    Args:
        name: of its thread.
        now: the real monotonic clock, in seconds.
        failed: told of what a callback raised.
    """

    def __init__(self, name: str, now: Callable[[], float], failed: Callable[[BaseException], None]) -> None:
        self.now, self._failed = now, failed
        self._selector = Selector()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._calls: deque[Callable[[], None]] = deque()
        self._asking: deque[Asked] = deque()  # who wants to know that nothing is ready any more
        self._hearing: list[Asked] = []  # the same, as of the look at the sockets that comes next
        self._stopping = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._selector.register(self._woken, READ, self._drain)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._stopping = True
        self.ring()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def soon(self, call: Callable[[], None]) -> None:
        """Call this in the reactor's thread; may be asked from any thread."""
        self._calls.append(call)
        self.ring()

    def settled(self, is_at_work: Callable[[], bool]) -> SimpleQueue[float]:
        """Where it will say, once nothing is ready, for how many seconds nothing will be; from any thread.

        Args:
            is_at_work: asked in the reactor's thread whether somebody else will soon have a call for it.
        """
        answer: SimpleQueue[float] = SimpleQueue()
        self._asking.append((answer, is_at_work))
        self.ring()
        return answer

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call this after `seconds`; only from the reactor's thread."""
        heapq.heappush(self._timers, (self.now() + seconds, next(self._numbers), call))

    def watch(self, sock: socket.socket, events: int, call: Callable[[int], None]) -> None:
        """Call this whenever the socket is ready for one of the events."""
        try:
            self._selector.modify(sock, events, call)
        except KeyError:
            self._selector.register(sock, events, call)

    def unwatch(self, sock: socket.socket) -> None:
        """No more."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def ring(self) -> None:
        """Let it look at its timers anew; from any thread."""
        with suppress(OSError):
            self._wake.send(b"!")

    def _drain(self, _: int) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)

    def _run(self) -> None:
        while not self._stopping:
            while self._asking:
                self._hearing.append(self._asking.popleft())
            ready = self._selector.select(0.0 if self._hearing else self._patience())
            is_quiet = not self._calls and all(key.fileobj is self._woken for key, _ in ready)
            for key, mask in ready:
                if key.fileobj.fileno() >= 0:  # not closed by an earlier callback of this round
                    self._call(key.data, mask)
            while self._calls:
                self._call(self._calls.popleft())
            while self._timers and self._timers[0][0] <= self.now():
                self._call(heapq.heappop(self._timers)[2])
            if self._hearing and is_quiet:
                self._answer()

    def _answer(self) -> None:
        left = self._timers[0][0] - self.now() if self._timers else inf
        for answer, is_at_work in self._hearing:
            answer.put(0.0 if is_at_work() else max(left, 0.0))
        self._hearing.clear()

    def _patience(self) -> float | None:
        """How long to wait for sockets, in seconds; the last part of a millisecond is slept here."""
        if self._calls:
            return 0.0
        if not self._timers:
            return None
        left = self._timers[0][0] - self.now()
        if 0 < left < FINE_SECONDS:
            select.select([self._woken], [], [], left)
            return 0.0
        return max(left, 0.0)

    def _call(self, call: Callable[..., Any], *args: Any) -> None:
        try:
            call(*args)
        except BaseException as error:  # nothing may end the thread that others wait for
            self._failed(error)
