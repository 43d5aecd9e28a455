"""
The memory door opened for one block, and what stands beside it in tests of it.

Rule: nothing here plays the engine's part: plan, clock, patches and door are the real ones, watched from outside.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_agentfault import Refused, Reply, Request, Rule, Why
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors._line import Line
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.upstreams.live import Live

KEEP = (("Connection", "keep-alive"),)


@dataclass(frozen=True, slots=True)
class Says:
    """Answers with this reply."""

    reply: Reply

    def answer(self, request: Request) -> Reply:
        return self.reply


@dataclass(frozen=True, slots=True)
class Refuses:
    """Lets no connection come to be."""

    why: Why

    def connect(self, request: Request) -> Refused:
        return Refused(self.why)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Alters nothing: all it does is to open the door for a host."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        return reply


class Spy(Patches):
    """Remembers every name that was patched, with the very object it held before."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, str, Any]] = []

    def set(self, target: Any, name: str, value: Any) -> Any:
        """As ever, but noted."""
        self.seen.append((target, name, held(target, name)))
        return super().set(target, name, value)

    def left_over(self) -> list[str]:
        """The names that do not hold what they held."""
        first = {(id(target), name): (target, name, was) for target, name, was in reversed(self.seen)}
        return [f"{target}.{name}" for target, name, was in first.values() if held(target, name) is not was]


def held(target: Any, name: str) -> Any:
    """What a class or module itself has under a name; None where a class only inherits it."""
    return vars(target).get(name)


class CountingDoor(MemoryDoor):
    """Counts the connections it makes."""

    made = 0

    def _line(self, host: str, port: int) -> Line:
        self.made += 1
        return super()._line(host, port)


@dataclass
class Opened:
    """An open door, and everything it works with."""

    door: CountingDoor
    plan: Plan
    clock: Clock
    patches: Spy


@contextmanager
def opened(
    *rules: Rule, upstreams: tuple[Any, ...] = (), timed: bool = False, live: bool = False, **settings: Any
) -> Iterator[Opened]:
    """A door for these rules; `timed`: with the clock over the process's own; `live`: over the real servers."""
    clock, patches = Clock(), Spy()
    plan = Plan(rules, now=clock.now, **settings)
    door = CountingDoor(plan, [*upstreams, *([Live(clock.busy)] if live else [])], clock)
    if timed:
        clock.install(patches)
    with patches.under(door):
        yield Opened(door, plan, clock, patches)
    assert patches.left_over() == []


def says(
    status: int, body: bytes = b"", *, to: str = "* *", headers: tuple[tuple[str, str], ...] = (), **how: Any
) -> Rule:
    """A rule that answers so."""
    return Rule(to, (Says(Reply.of(status, body, headers)),), **how)


@contextmanager
def serving(handle: Callable[[Any], None]) -> Iterator[int]:
    """A real server on loopback, a thread per connection, until the block ends; its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away in the middle is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
