"""
Where libraries go to a connection, or wait, by a way of their own that no socket shows.

uvloop connects in C; trio keeps its own time. Each of these seams is quarantined
in one function here; tests/test_redirect_seams.py fails by name when one moves. A
library that is imported only during the test is followed at that moment.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .._rule import DEFAULT_PORTS
from .._seams import Patches

if TYPE_CHECKING:
    from .redirect import RedirectDoor, SharedClock

HERE: Final = "127.0.0.1"


def _through_uvloop(door: RedirectDoor, patches: Patches) -> None:
    """uvloop looks names up and connects in libuv; its loop is a Python class over a C one, and can be patched."""
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
        return found if found is not None else await real_resolve(loop, host, port, **kwargs)

    patches.set(Loop, "create_connection", create_connection)
    patches.set(Loop, "getaddrinfo", getaddrinfo)


def _through_tornado(door: RedirectDoor, patches: Patches) -> None:
    """tornado tells nobody but its log what is raised on the way to a connection, unless it is an `Exception`.

    So that the spent budget of a test ends it, that is asked before.
    """
    from tornado.simple_httpclient import SimpleAsyncHTTPClient

    real = SimpleAsyncHTTPClient.fetch_impl

    def fetch_impl(client: Any, request: Any, callback: Any) -> None:
        parts = urlsplit(request.url)
        if door.place_of(parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 0)) is not None:
            door.plan.check_budget()
        real(client, request, callback)

    patches.set(SimpleAsyncHTTPClient, "fetch_impl", fetch_impl)


def _through_trio_time(door: RedirectDoor, patches: Patches) -> None:
    """A run of trio makes its clock by this name, unless it is given one."""
    import trio._core._run as seam

    def make_clock() -> TrioClock:
        return TrioClock(door.clock, seam.GLOBAL_RUN_CONTEXT)

    patches.set(seam, "SystemClock", make_clock)


def _through_trio_threads(door: RedirectDoor, patches: Patches) -> None:
    """trio runs blocking calls in threads of its own: while one is at work, the clock does not jump."""
    seam: Any = import_module("trio._threads")  # the name is not exported

    real = seam.start_thread_soon

    def start_thread_soon(fn: Callable[[], Any], deliver: Callable[[Any], object], *args: Any, **kwargs: Any) -> None:
        working = door.clock.busy()
        working.__enter__()

        def delivered(result: Any) -> None:
            try:
                deliver(result)
            finally:
                working.__exit__(None, None, None)

        real(fn, delivered, *args, **kwargs)

    patches.set(seam, "start_thread_soon", start_thread_soon)


class TrioClock:
    """The shared clock as a run of trio asks for it.

    A run asks how long to sleep only when no task can go on; then the clock moves
    to the next deadline, unless something is under way.

    Args:
        clock: the shared one.
        context: where trio keeps the run of this thread.
    """

    def __init__(self, clock: SharedClock, context: Any) -> None:
        self._clock, self._context = clock, context

    def start_clock(self) -> None:
        """The run begins."""

    def current_time(self) -> float:
        """Now, in seconds."""
        return self._clock.now()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """For how many real seconds the run should wait for sockets."""
        left = deadline - self.current_time()
        runner = self._context.runner
        if left <= 0 or runner.waiting_for_idle:
            return left
        return self._clock.jump(left, "trio", lambda seconds: _has_news(runner.io_manager, seconds))


def _has_news(io_manager: Any, seconds: float) -> bool:
    """Whether a socket of the run is ready; asked of the run's own watcher, which is itself a file one can watch."""
    watcher = getattr(io_manager, "_epoll", None) or getattr(io_manager, "_kqueue", None)
    if watcher is None:  # Windows: nothing to ask, so there is always news, and time is real
        return True
    if hasattr(select, "poll"):
        asked = select.poll()
        asked.register(watcher.fileno(), select.POLLIN)
        return bool(asked.poll(seconds * 1000))
    return bool(select.select([watcher.fileno()], [], [], min(seconds, inf))[0])


SEAMS: Final[dict[str, Callable[[Any, Patches], None]]] = {
    "uvloop": _through_uvloop,
    "tornado.simple_httpclient": _through_tornado,
    "trio._core._run": _through_trio_time,
    "trio._threads": _through_trio_threads,
}
