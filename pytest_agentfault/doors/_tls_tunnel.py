"""
A connection over TLS to elsewhere that turned out to speak no HTTP: a database, on a host that a rule reaches.

What the client said is known already, so its TLS ends here; onward it is begun
anew, by the client's own context. One thread for both ways, since one TLS object
must not be used by two.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from .._seams import passed_by
from ._tls import Tls
from ._tunnel import CONNECT_SECONDS, READ_BYTES, Tunnel


class TlsTunnel(Tunnel):
    """Two TLS connections that are one to both ends.

    Args:
        client: the socket of the client.
        tls: our end of its TLS.
        onward: the context with which the real server is asked.
        done: told when it is over.
    """

    def __init__(self, client: socket.socket, tls: Tls, onward: ssl.SSLContext, done: Callable[[Tunnel], None]) -> None:
        super().__init__(client, done)
        self._tls, self._onward = tls, onward

    def run(self, host: str, port: int, first: bytes, greeting: bytes = b"", sorry: bytes = b"") -> None:
        """Connect, and pass on what either side says; returns when one of them is done."""
        with suppress(OSError):
            self._client.settimeout(None)
            with passed_by():
                self._there = socket.create_connection((host, port), CONNECT_SECONDS)
                there = self._onward.wrap_socket(self._there, server_hostname=host)
            self._there = there
            self._copy_both_ways(there, first)
        self.close()

    def _copy_both_ways(self, there: ssl.SSLSocket, first: bytes) -> None:
        said: bytes | None = first
        while said is not None:
            there.settimeout(None)
            there.sendall(said)
            said = b""
            ready = [there] if there.pending() else select.select([self._client, there], [], [])[0]
            if there in ready and not self._answer(there):
                return
            if self._client in ready:
                said = self._heard()

    def _heard(self) -> bytes | None:
        """What the client says; None: it is done."""
        data = self._client.recv(READ_BYTES)
        said = self._tls.receive(data) if data else b""
        self._client.sendall(self._tls.pending())
        return None if not data or (self._tls.ended and not said) else said

    def _answer(self, there: ssl.SSLSocket) -> bool:
        """Pass on what the real server says; whether it has more to say."""
        there.settimeout(0)
        try:
            data = there.recv(READ_BYTES)
        except ssl.SSLWantReadError:  # TLS itself had something to say
            return True
        self._client.sendall(self._tls.send(data) if data else self._tls.goodbye())
        return bool(data)
