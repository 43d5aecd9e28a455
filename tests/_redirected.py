"""
The doors `memory` and `redirect` opened for one block, and the clients that need the latter.

Rule: what a client puts into `out` is what its user would have in hand, as in the contract.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import trio
import uvloop
from _memory import Spy
from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from pytest_agentfault import Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.doors.redirect import RedirectDoor
from pytest_agentfault.testing import Ask, Client
from pytest_agentfault.testing._clients import on_loop, trust, with_aiohttp, with_httpx
from pytest_agentfault.upstreams.live import Live

Out = list[int | bytes | None]


@dataclass
class Redirected:
    """Open doors, and everything they work with."""

    memory: MemoryDoor
    door: RedirectDoor
    plan: Plan
    clock: Clock
    patches: Spy


@contextmanager
def redirected(
    *rules: Rule, upstreams: tuple[Any, ...] = (), timed: bool = False, live: bool = False, **settings: Any
) -> Iterator[Redirected]:
    """Both doors for these rules; `timed`: with the clock over the process's own; `live`: over the real servers."""
    clock, patches = Clock(), Spy()
    plan = Plan(rules, now=clock.now, **settings)
    asked = [*upstreams, *([Live(clock.busy)] if live else [])]
    if timed:
        clock.install(patches)
    memory = MemoryDoor(plan, asked, clock)
    door = RedirectDoor(plan, asked, clock, memory=memory)
    with patches.under(memory), patches.under(door):
        yield Redirected(memory, door, plan, clock, patches)


async def _with_tornado(ask: Ask, out: Out) -> None:
    client = SimpleAsyncHTTPClient(force_instance=True)
    pieces: list[bytes] = []  # it reads on while it is handing up: where one ends depends on the machine's load
    try:
        for again in ask.rounds():
            await asyncio.sleep(0.04 * again)
            request = HTTPRequest(
                ask.url,
                ask.method,
                dict(ask.headers),
                ask.body or None,
                connect_timeout=ask.seconds,
                request_timeout=ask.seconds,
                ssl_options=trust(ask.ca),
                streaming_callback=pieces.append,
                allow_nonstandard_methods=True,
            )
            response = await client.fetch(request, raise_error=False)
            if response.code == 599:
                response.rethrow()
            out.append(response.code)
    finally:
        out.append(b"".join(pieces))
        client.close()


def _on_trio(library: str, ask: Ask, out: Out) -> None:
    trio.run(partial(with_httpx, library, ask, out, sleep=trio.sleep))


class ByHand(http.client.HTTPConnection):
    """Connects a socket of its own making to what a look-up said, as sync code that trusts nobody does."""

    def __init__(self, host: str, port: int, seconds: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=seconds)
        self._tls = tls

    def connect(self) -> None:
        """As `socket.create_connection` would not."""
        family, kind, number, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
        self.sock = socket.socket(family, kind, number)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(address)
            if self._tls is not None:
                self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
        except BaseException:
            self.sock.close()
            raise


def by_hand(ask: Ask, out: Out) -> None:
    """http.client over a socket that was made and connected by hand."""
    parts = urlsplit(ask.url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = ByHand(parts.hostname or "", port, ask.seconds, trust(ask.ca) if secure else None)
    with suppress_nothing(connection):
        for _ in ask.rounds():
            connection.request(
                ask.method, parts._replace(scheme="", netloc="").geturl(), ask.body or None, dict(ask.headers)
            )
            response = connection.getresponse()
            out.append(response.status)
            out.append(response.read())


@contextmanager
def suppress_nothing(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Closes it, whatever happens."""
    try:
        yield
    finally:
        with suppress(OSError):
            connection.close()


TRIO = (
    Client("trio_httpx", "trio", partial(_on_trio, "httpx")),
    Client("trio_httpx2", "trio", partial(_on_trio, "httpx2")),
)
UVLOOP = (
    Client("uvloop_httpx", "uvloop", partial(on_loop, partial(with_httpx, "httpx"), run=uvloop.run)),
    Client("uvloop_aiohttp", "uvloop", partial(on_loop, with_aiohttp, run=uvloop.run)),
)
TORNADO = Client("tornado", "tornado", partial(on_loop, _with_tornado))
BY_HAND = Client("by_hand", "socket", by_hand)
CLIENTS = (*TRIO, *UVLOOP, TORNADO, BY_HAND)
