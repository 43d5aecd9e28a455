"""
A connection that the proxy only passes on: to a host that no rule can match, or that does not speak HTTP.

Two threads copy bytes, one each way, until both ends are done.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Final

from .._seams import passed_by

CONNECT_SECONDS: Final = 30.0
READ_BYTES: Final = 65536


class Tunnel:
    """Two sockets that are one connection."""

    def __init__(self, client: socket.socket, done: Callable[[Tunnel], None]) -> None:
        self._client, self._done = client, done
        self._there: socket.socket | None = None
        self._closed = False

    def run(self, host: str, port: int, first: bytes, greeting: bytes, sorry: bytes) -> None:
        """Connect, and pass on what either side says; returns when both are done.

        Args:
            host: where the client wants to.
            port: there.
            first: what the client has said already.
            greeting: what the client is told when the connection stands.
            sorry: what it is told when there is nobody.
        """
        with suppress(OSError):
            self._client.settimeout(None)
            try:
                with passed_by():
                    self._there = socket.create_connection((host, port), CONNECT_SECONDS)
            except OSError:
                self._client.sendall(sorry)
            else:
                self._there.settimeout(None)
                self._client.sendall(greeting)
                self._there.sendall(first)
                back = Thread(target=_copy, args=(self._there, self._client), name="agentfault tunnel", daemon=True)
                back.start()
                _copy(self._client, self._there)
                back.join()
        self.close()

    def close(self) -> None:
        """Hang up on both."""
        for sock in (self._client, self._there):
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()
        if not self._closed:
            self._closed = True
            self._done(self)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(READ_BYTES):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
