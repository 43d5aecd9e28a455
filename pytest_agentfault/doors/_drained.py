"""
Whether the other end of a loopback connection has read all that was sent to it.

TCP keeps no segments apart: what is sent before the client has read meets in its
queue. A pause only makes that unlikely; on Linux the kernel can be asked how much
is in that queue (sock_diag(7), a socket of the same machine), so that the next
segment is sent as soon as, and not before, the last one was read.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

NETLINK_SOCK_DIAG: Final = 4  # linux/netlink.h
SOCK_DIAG_BY_FAMILY: Final = 20  # linux/sock_diag.h; an answer has the same type
NLM_F_REQUEST: Final = 1
HEADER: Final = struct.Struct("=IHHII")  # struct nlmsghdr
ASKED: Final = struct.Struct("=BBBBI")  # struct inet_diag_req_v2, before its socket
TOLD_BEFORE_QUEUE: Final = HEADER.size + 4 + 48 + 4  # state, socket and timer of struct inet_diag_msg
ANY_STATE: Final = 0xFFFFFFFF
LOOPBACK: Final = socket.inet_aton("127.0.0.1") + bytes(12)
LIMIT_SECONDS: Final = 0.1


class Queues:
    """Asks the kernel for the receive queues of loopback sockets; knows nothing where it cannot be asked."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        try:
            family = socket.AF_NETLINK
            self._socket = socket.socket(family, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)
            self._socket.settimeout(LIMIT_SECONDS)
        except (AttributeError, OSError):
            self.close()

    def unread(self, client_port: int, server_port: int) -> int | None:
        """The bytes that a client on 127.0.0.1 has not read yet; None: nobody knows."""
        if self._socket is None:
            return None
        connection = struct.pack("!HH", client_port, server_port) + LOOPBACK + LOOPBACK + bytes(4) + b"\xff" * 8
        body = ASKED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ANY_STATE) + connection
        try:
            self._socket.send(HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0) + body)
            told = self._socket.recv(4096)
        except OSError:
            self.close()
            return None
        if HEADER.unpack_from(told)[1] != SOCK_DIAG_BY_FAMILY:
            return 0  # no such socket any more: nothing is left to be read
        queued: int = struct.unpack_from("=I", told, TOLD_BEFORE_QUEUE)[0]
        return queued

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
