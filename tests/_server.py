"""
The door `server` opened for one block, and a client that sees every segment.

Rule: the client is a bare socket, so that what a test reads is what was written.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault.doors._certificates import Certificates
from pytest_agentfault.doors.server import ServerDoor

LIMIT = 5.0
WELL = Reply.of(200, b'{"ok": true}', {"Content-Type": "application/json"})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ASKED = b"GET /x HTTP/1.1\r\nHost: vendor.example\r\n\r\n"


@dataclass
class Vendor:
    """An upstream that says the same to everybody, and remembers what it was asked."""

    reply: Reply

    def __post_init__(self) -> None:
        self.asked: list[Request] = []

    def serves(self, request: Request) -> bool:
        """Everybody."""
        return True

    def send(self, request: Request) -> Reply:
        """The same."""
        self.asked.append(request)
        return self.reply


@cache
def certificates() -> Certificates:
    """One authority for all tests of a process, as a session has it."""
    return Certificates(lambda: Path(mkdtemp(prefix="agentfault-test-")))


@contextmanager
def served(*rules: Rule, upstreams: tuple[Any, ...] = (), max_calls: int = 1000, **how: Any) -> Iterator[ServerDoor]:
    """A running server under these rules."""
    door = ServerDoor(Plan(rules, max_calls=max_calls), list(upstreams), certificates(), time.monotonic, **how)
    with door.opened():
        yield door


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A bare client."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as sock:
        yield sock


def told(sock: socket.socket) -> list[bytes | str]:
    """Every segment until the end, which is `end` or `reset`."""
    got: list[bytes | str] = []
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return [*got, "reset"]
        if not piece:
            return [*got, "end"]
        got.append(piece)


def until(sock: socket.socket, last: bytes) -> bytes:
    """What comes, up to and with this."""
    got = b""
    while not got.endswith(last):
        piece = sock.recv(65536)
        assert piece, f"closed after {got!r}"
        got += piece
    return got


def trusting() -> ssl.SSLContext:
    """A client that trusts the server's authority, and nobody else."""
    return ssl.create_default_context(cafile=str(certificates().authority_file))


def eventually(what: Callable[[], object]) -> None:
    """Wait until this is so."""
    ends = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < ends, "it never came to be"
        time.sleep(0.002)
