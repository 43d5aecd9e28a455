"""
The healthy reply from the real server: loopback, or the network.

The last upstream in order: what no cassette and no mock answers goes where the
client meant it to go, past every door. A reply that a rule may touch is read to
its end; any other is relayed while it comes.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from .._baseline import KEPT_BYTES
from .._errors import UpstreamError
from .._reply import Reply, Request
from .._seams import client_tls, passed_by
from ._relay import READ_BYTES, AsyncRelay, BlockingRelay
from ._spoken import Spoken

TIMEOUT_SECONDS: Final = 30.0


class Live:
    """Relays to the server that the URL names.

    Args:
        clock_busy: a context manager; while it is open the shared clock does not jump.
    """

    def __init__(self, clock_busy: Callable[[], Any]) -> None:
        self._busy = clock_busy

    def serves(self, request: Request) -> bool:
        """It is the last one asked, and takes every request."""
        return True

    def send(self, request: Request) -> Reply:
        """The server's reply, read to its end.

        Raises:
            UpstreamError: the server cannot be reached or does not answer.
        """
        spoken = Spoken(request)
        with self._reaching(request), _connect(request) as wire:
            wire.sendall(spoken.asked())
            while not spoken.done:
                spoken.receive(_read(wire))
        return spoken.reply()

    async def asend(self, request: Request) -> Reply:
        """As `send`, so that a server in the same event loop can answer meanwhile."""
        spoken = Spoken(request)
        with self._reaching(request):
            relay = await _dialled(request, spoken)
            try:
                while not spoken.done:
                    await relay.read()
            finally:
                await relay.close()
        return spoken.reply()

    def relay(self, request: Request) -> BlockingRelay:
        """The server's reply, to be passed on as it comes.

        Raises:
            UpstreamError: the server cannot be reached.
        """
        spoken = Spoken(request, KEPT_BYTES)
        with self._reaching(request):
            wire = _connect(request)
            try:
                wire.sendall(spoken.asked())
            except BaseException:
                wire.close()
                raise
        return BlockingRelay(spoken, wire, self._busy)

    async def arelay(self, request: Request) -> AsyncRelay:
        """As `relay`, in an event loop."""
        with self._reaching(request):
            return await _dialled(request, Spoken(request, KEPT_BYTES))

    @contextmanager
    def _reaching(self, request: Request) -> Iterator[None]:
        """Past every door, in real time; what fails on the way there is no reply."""
        with self._busy(), passed_by():
            try:
                yield
            except OSError as error:
                raise unreachable(request, error) from error


def _connect(request: Request) -> socket.socket:
    host, port, tls = _target(request)
    plain = socket.create_connection((host, port), TIMEOUT_SECONDS)
    try:
        return tls.wrap_socket(plain, server_hostname=host) if tls else plain
    except BaseException:
        plain.close()
        raise


async def _dialled(request: Request, spoken: Spoken) -> AsyncRelay:
    host, port, tls = _target(request)
    reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host if tls else None)
    writer.write(spoken.asked())
    return AsyncRelay(spoken, reader, writer)


def _read(wire: socket.socket) -> bytes | None:
    try:
        return wire.recv(READ_BYTES)
    except ConnectionResetError:
        return None


def _target(request: Request) -> tuple[str, int, ssl.SSLContext | None]:
    parts = urlsplit(request.url)
    secure = parts.scheme == "https"
    # The client's own context: it trusts what the client trusts, and nothing else.
    tls = (client_tls.get() or ssl.create_default_context()) if secure else None
    return parts.hostname or "", parts.port or (443 if secure else 80), tls


def unreachable(request: Request, error: OSError) -> UpstreamError:
    """The error for a server that did not answer."""
    return UpstreamError(
        f"no healthy reply for {request.method} {request.url}",
        f"{type(error).__name__}: {error}, from the real server; no cassette and no mock of this test answers it",
        'name a recording (@pytest.mark.fault(..., cassette="path.yaml")), or start the server before the test',
    )
