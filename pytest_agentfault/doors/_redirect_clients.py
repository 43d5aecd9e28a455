"""
Where libraries go to a connection, or wait, by a way of their own that no socket shows.

trio keeps its own time, tornado's errors go astray, and uvloop does all in C (in
`_redirect_uvloop.py`). Each of these seams is quarantined in one function;
tests/test_redirect_seams.py fails by name when one moves. A library that is
imported only during the test is followed at that moment.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .._rule import DEFAULT_PORTS
from .._seams import Patches
from ._redirect_news import has_news
from ._redirect_uvloop import connecting_by_uvloop, waiting_by_uvloop

if TYPE_CHECKING:
    from .redirect import RedirectDoor


def _through_uvloop(door: RedirectDoor, patches: Patches) -> None:
    """uvloop connects, and waits, in libuv."""
    connecting_by_uvloop(door, patches)
    waiting_by_uvloop(door, patches)


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
        return TrioClock(door, seam.GLOBAL_RUN_CONTEXT)

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
        door: while it is open; a run that outlives the test waits for real.
        context: where trio keeps the run of this thread.
    """

    def __init__(self, door: RedirectDoor, context: Any) -> None:
        self._door, self._clock, self._context = door, door.clock, context

    def start_clock(self) -> None:
        """The run begins."""

    def current_time(self) -> float:
        """Now, in seconds."""
        return self._clock.now()

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """For how many real seconds the run should wait for sockets."""
        left = deadline - self.current_time()
        runner = self._context.runner
        if left <= 0 or runner.waiting_for_idle or not self._door.is_open:
            return left
        watcher = getattr(runner.io_manager, "_epoll", None) or getattr(runner.io_manager, "_kqueue", None)
        if watcher is None:  # Windows: nothing to ask, so time is real
            return left
        listens = len(getattr(runner.io_manager, "_registered", "??")) > 1  # one is the run's own
        return self._clock.jump(left, "trio", lambda seconds: has_news(watcher.fileno(), seconds), listens=listens)


SEAMS: Final[dict[str, Callable[[Any, Patches], None]]] = {
    "uvloop": _through_uvloop,
    "tornado.simple_httpclient": _through_tornado,
    "trio._core._run": _through_trio_time,
    "trio._threads": _through_trio_threads,
}
