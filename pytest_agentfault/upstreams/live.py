"""
The healthy reply from the real server: loopback, or the network.

The last upstream in order: what no cassette and no mock answers goes where the
client meant it to go, past every door. A reply is relayed with its HTTP chunk
boundaries and its ending as they came; only the framing headers are said anew.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from .._errors import UpstreamError
from .._reply import Data, End, Event, Head, How, Lost, Reply, Request
from .._seams import client_tls, passed_by

TIMEOUT_SECONDS: Final = 30.0
READ_BYTES: Final = 65536
HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "expect", "te"})


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
        host, port, tls = _target(request)
        exchange = _Exchange(request)
        with self._busy(), passed_by():
            try:
                with socket.create_connection((host, port), TIMEOUT_SECONDS) as plain:
                    wire = tls.wrap_socket(plain, server_hostname=host) if tls else plain
                    with wire:
                        wire.sendall(exchange.asked())
                        while not exchange.done:
                            exchange.receive(_read(wire))
            except OSError as error:
                raise unreachable(request, error) from error
        return exchange.reply()

    async def asend(self, request: Request) -> Reply:
        """As `send`, so that a server in the same event loop can answer meanwhile."""
        host, port, tls = _target(request)
        exchange = _Exchange(request)
        with self._busy(), passed_by():
            try:
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=tls, server_hostname=host if tls else None
                )
                try:
                    writer.write(exchange.asked())
                    while not exchange.done:
                        try:
                            exchange.receive(await reader.read(READ_BYTES))
                        except ConnectionResetError:
                            exchange.lose()
                finally:
                    # Not close(): over TLS that waits for the server's goodbye, longer than the loop may live.
                    writer.transport.abort()
                    await asyncio.sleep(0)
            except OSError as error:
                raise unreachable(request, error) from error
        return exchange.reply()


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


class _Exchange:
    """One request and its reply on the client's side of h11."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._connection = h11.Connection(h11.CLIENT)
        self._events: list[Event] = []
        self._chunk = b""
        self.done = False

    def asked(self) -> bytes:
        """The request as bytes, its framing said anew."""
        kept = [h for h in self._request.headers if h[0].lower() not in HOP_BY_HOP | {"content-length"}]
        length = [("Content-Length", str(len(self._request.body)))] if self._has_body() else []
        parts = urlsplit(self._request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = h11.Request(
            method=self._request.method, target=target, headers=[*kept, *length, ("Connection", "close")]
        )
        body = [h11.Data(data=self._request.body)] if self._request.body else []
        return b"".join(self._connection.send(e) or b"" for e in (head, *body, h11.EndOfMessage()))

    def _has_body(self) -> bool:
        named = ("content-length", "transfer-encoding")
        return bool(self._request.body) or any(self._request.header(name) for name in named)

    def receive(self, data: bytes | None) -> None:
        """Take in what the server sent; None: it reset the connection."""
        if data is None:
            self.lose()
            return
        try:
            self._connection.receive_data(data)
            for event in self._next():
                self._take(event)
        except h11.RemoteProtocolError:
            self.lose(How.CUT)

    def _next(self) -> Iterator[Any]:
        while not self.done:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                return
            yield event

    def _take(self, event: Any) -> None:
        match event:
            case h11.Response():
                pairs = tuple(
                    (k.decode("latin-1"), v.decode("latin-1"))
                    for k, v in event.headers.raw_items()
                    if k.lower() != b"connection"
                )
                self._events.append(Head(event.status_code, pairs, bytes(event.reason).decode("latin-1")))
            case h11.Data():
                self._chunk += bytes(event.data)
                if event.chunk_end:
                    self._flush()
            case h11.EndOfMessage():
                self._flush()
                self._events.append(End())
                self.done = True
            case h11.ConnectionClosed():
                self.lose(How.CUT)
            case _:
                pass  # 1xx: the client's own 100-continue is answered by the door

    def _flush(self) -> None:
        if self._chunk:
            self._events.append(Data(self._chunk))
            self._chunk = b""

    def lose(self, how: How = How.RESET) -> None:
        """The server ended before its message did."""
        self._flush()
        self._events.append(Lost(how))
        self.done = True

    def reply(self) -> Reply:
        """What the server said."""
        return Reply(tuple(self._events))
