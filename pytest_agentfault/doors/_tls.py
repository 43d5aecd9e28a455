"""
TLS without a socket, so that its owner decides what leaves as one segment.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

RECORD_BYTES: Final = 65536
HANDSHAKE: Final = 0x16  # the first byte of a client that speaks TLS (RFC 8446 section 5.1)
NOT_ACCEPTED: Final = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED")


class Tls:
    """The server's end of one TLS connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_shaken = False
        self.ended = False

    def receive(self, data: bytes) -> bytes:
        """Take in what the client sent; the plain text in it.

        Raises:
            ssl.SSLError: the client does not like what it sees, or does not speak TLS.
        """
        self._incoming.write(data)
        plain = b""
        with suppress(ssl.SSLWantReadError):
            if not self._is_shaken:
                self._object.do_handshake()
                self._is_shaken = True
            try:
                while piece := self._object.read(RECORD_BYTES):
                    plain += piece
                self.ended = True
            except ssl.SSLZeroReturnError:  # close_notify
                self.ended = True
        return plain

    def send(self, data: bytes) -> bytes:
        """The bytes that say this."""
        self._object.write(data)
        return self.pending()

    def goodbye(self) -> bytes:
        """The bytes that announce the end (close_notify)."""
        with suppress(ssl.SSLError):
            self._object.unwrap()
        return self.pending()

    def pending(self) -> bytes:
        """What TLS itself has to say: handshake, tickets, alerts."""
        return self._outgoing.read()


def is_not_accepted(error: ssl.SSLError) -> bool:
    """Whether the client ended a handshake because of our certificate (RFC 8446 section 6.2)."""
    return any(reason in (error.reason or "") for reason in NOT_ACCEPTED)
