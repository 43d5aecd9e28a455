"""
The door `transport` opened for one block, and every kind of transport that it is for.

Rule: the clients and their transports are the real ones; only what they would call on the network is the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import httpx2
import pytest
from _memory import CountingDoor, Spy

from pytest_agentfault import Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.transport import TransportDoor
from pytest_agentfault.upstreams.live import Live

URL = "https://api.example.com/v1/items?page=2"
TO = "* https://api.example.com/*"
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@dataclass
class Opened:
    """An open door and what it works with."""

    plan: Plan
    clock: Clock


@contextmanager
def opened(*rules: Rule, memory: bool = False, **settings: Any) -> Iterator[Opened]:
    """The door for these rules; with `memory` the default door as well, over real servers."""
    clock, patches = Clock(), Spy()
    plan = Plan(rules, now=clock.now, **settings)
    with patches.under(TransportDoor(plan, [], clock)):
        if memory:
            with patches.under(CountingDoor(plan, [Live(clock.busy)], clock)):
                yield Opened(plan, clock)
        else:
            yield Opened(plan, clock)
    assert patches.left_over() == []


@contextmanager
def timed(door: Opened) -> Iterator[None]:
    """The clock over the process's own."""
    patches = Spy()
    door.clock.install(patches)
    try:
        yield
    finally:
        patches.undo()


def rule(*faults: Any, **settings: Any) -> Rule:
    """A rule for the host of these tests."""
    return Rule(TO, faults, **settings)


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """Answers what it was asked."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": b"well"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    """Answers what it was asked."""
    start_response("200 OK", [("x-path", environ["PATH_INFO"])])
    return [b"well"]


def well(library: Any, request: Any) -> Any:
    """The healthy response."""
    return library.Response(200, content=b"well", headers={"x-path": request.url.path})


def own_blocking(library: Any) -> Any:
    """A transport that a test suite wrote itself."""

    class Own(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return well(library, request)

    return Own()


def own_async(library: Any) -> Any:
    """The same for async clients."""

    class Own(library.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            return well(library, request)

    return Own()


def retrying(library: Any) -> Any:
    """A transport around another one, which hands requests on."""

    class Around(library.BaseTransport):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            self.choices = [inner]

        def handle_request(self, request: Any) -> Any:
            return self.choices[0].handle_request(request)

    return Around(own_blocking(library))


TRANSPORTS: dict[str, tuple[bool, Callable[[Any], Any]]] = {
    "mock": (False, lambda library: library.MockTransport(partial(well, library))),
    "mock, async": (True, lambda library: library.MockTransport(partial(well, library))),
    "asgi": (True, lambda library: library.ASGITransport(asgi_app)),
    "wsgi": (False, lambda library: library.WSGITransport(wsgi_app)),
    "of the test's own": (False, own_blocking),
    "of the test's own, async": (True, own_async),
    "around another": (False, retrying),
}


def fetch(library: Any, transport: Any, is_async: bool = False, url: str = URL, **how: Any) -> Any:
    """One whole response through a transport."""
    if not is_async:
        with library.Client(transport=transport) as client:
            return client.get(url, **how)

    async def go() -> Any:
        async with library.AsyncClient(transport=transport) as client:
            return await client.get(url, **how)

    return asyncio.run(go())
