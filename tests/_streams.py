"""
Real servers whose replies come in pieces, and clients that say what they have got of them.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx2
import requests
from _memory import Leaves, serving

from pytest_agentfault import Rule

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
FIRST, SECOND, END = b"9\r\ndata: 1\n\n\r\n", b"9\r\ndata: 2\n\n\r\n", b"0\r\n\r\n"
UNTOUCHED = Rule("* *", (Leaves(),), after=1000)
TOUCHED = Rule("* *", (Leaves(),))
PATIENCE_SECONDS = 5.0
RST = struct.pack("ii", 1, 0)
Seen = Callable[[], None]


def by_httpx(url: str, seen: Seen, library: Any = httpx) -> list[bytes]:
    """A blocking client; says so when the first piece is there."""
    got = []
    with library.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client, client.stream("GET", url) as reply:
        for piece in reply.iter_raw():
            got.append(piece)
            seen()
    return got


def by_httpx2(url: str, seen: Seen) -> list[bytes]:
    """The same, its successor."""
    return by_httpx(url, seen, httpx2)


def by_requests(url: str, seen: Seen) -> list[bytes]:
    """urllib3 under requests."""
    got = []
    with requests.get(url, stream=True, timeout=PATIENCE_SECONDS) as reply:
        for piece in reply.iter_content(chunk_size=None):
            got.append(piece)
            seen()
    return got


def by_http_client(url: str, seen: Seen) -> list[bytes]:
    """The standard library."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    got = []
    with closing(connection):
        connection.request("GET", parts.path or "/")
        with connection.getresponse() as reply:
            while piece := reply.read1(100):
                got.append(piece)
                seen()
    return got


def by_httpx_async(url: str, seen: Seen, library: Any = httpx) -> list[bytes]:
    """An async client, over anyio."""

    async def go() -> list[bytes]:
        got = []
        client = library.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False)
        async with client, client.stream("GET", url) as reply:
            async for piece in reply.aiter_raw():
                got.append(piece)
                seen()
        return got

    return asyncio.run(go())


def by_aiohttp(url: str, seen: Seen) -> list[bytes]:
    """An async client with transports of its own."""

    async def go() -> list[bytes]:
        got = []
        timeout = aiohttp.ClientTimeout(sock_read=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as reply:
            async for piece in reply.content.iter_any():
                got.append(piece)
                seen()
        return got

    return asyncio.run(go())


@contextmanager
def hesitant(
    *first: bytes,
    then: tuple[bytes, ...] = (),
    ends: Callable[[Any], None] | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> Iterator[Any]:
    """A server that says the rest once the client has the first part, or after `seconds`; where, and how to tell it."""
    seen = threading.Event()
    waited: list[bool] = []

    def handle(sock: socket.socket) -> None:
        sock.recv(100_000)
        sock.sendall(b"".join(first))
        waited.append(seen.wait(seconds))
        for piece in then:
            sock.sendall(piece)
        if ends is not None:
            ends(sock)

    with serving(handle) as port:
        yield f"http://127.0.0.1:{port}/", seen, waited


def sends(data: bytes) -> Callable[[socket.socket], None]:
    """A server that says this and closes."""

    def handle(sock: socket.socket) -> None:
        sock.recv(100_000)
        sock.sendall(data)

    return handle


def resets(sock: socket.socket) -> None:
    """The server's end breaks down."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    sock.close()


def by_raw_socket(url: str) -> bytes:
    """All bytes of a reply, as they are."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), PATIENCE_SECONDS) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = sock.recv(100_000)
        sock.settimeout(0.2)
        with suppress(TimeoutError):  # the connection is kept
            while piece := sock.recv(100_000):
                got += piece
    return got


RAW = {
    "chunk_extension": HEAD + b"9;a=b\r\ndata: 1\n\n\r\n0\r\nX-Trailer: 1\r\n\r\n",
    "no_length": b"HTTP/1.1 200 OK\r\n\r\nall that comes",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "own_reason": b"HTTP/1.1 299 Quite so\r\nContent-length:  2\r\n\r\nok",
    "bad_chunk_size": HEAD + b"zz\r\nwhat\r\n",
    "cut": HEAD + FIRST,
    "no_http": b"\x00\x01\x02 hello\r\n",
}
