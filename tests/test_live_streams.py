"""A real server's reply that no rule touches: it reaches the client as it comes, byte for byte."""

from __future__ import annotations

import asyncio
import socket
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests
from _memory import opened, serving
from _streams import (
    END,
    FIRST,
    HEAD,
    PATIENCE_SECONDS,
    RAW,
    SECOND,
    TOUCHED,
    UNTOUCHED,
    by_aiohttp,
    by_http_client,
    by_httpx,
    by_httpx2,
    by_httpx_async,
    by_raw_socket,
    by_requests,
    hesitant,
    resets,
    sends,
)

from pytest_agentfault import Data, How, Lost

CLIENTS = [by_httpx, by_httpx2, by_requests, by_http_client, by_httpx_async, by_aiohttp]
every_client = pytest.mark.parametrize("client", CLIENTS)


@every_client
def test_what_has_come_is_not_held_back(client: Callable[..., list[bytes]]) -> None:
    """The client has the first event while the server has not said the second."""
    with hesitant(HEAD, FIRST, then=(SECOND, END)) as (url, seen, waited), opened(UNTOUCHED, live=True) as o:
        assert client(url, seen.set) == [b"data: 1\n\n", b"data: 2\n\n"]
    assert waited == [True]
    assert [(x.reply.status, x.reply.body, x.struck) for x in o.plan.log] == [(200, b"data: 1\n\ndata: 2\n\n", ())]
    assert [e for e in o.plan.log[0].reply.events if isinstance(e, Data)] == [
        Data(b"data: 1\n\n"),
        Data(b"data: 2\n\n"),
    ]


@every_client
def test_what_a_rule_may_touch_is_read_first(client: Callable[..., list[bytes]]) -> None:
    """A rule that is due needs the whole reply, so the client hears of it when it is over."""
    server = hesitant(HEAD, FIRST, then=(SECOND, END), seconds=0.1)
    with server as (url, seen, waited), opened(TOUCHED, live=True) as o:
        assert b"".join(client(url, seen.set)) == b"data: 1\n\ndata: 2\n\n"
    assert waited == [False]
    assert len(o.plan.log) == 1


@pytest.mark.parametrize("said", RAW)
def test_bytes_are_passed_on_as_they_are(said: str) -> None:
    """Framing, spelling and mistakes are the server's own."""
    with serving(sends(RAW[said])) as port, opened(UNTOUCHED, live=True):
        assert by_raw_socket(f"http://127.0.0.1:{port}/") == RAW[said]


ENDS = {
    by_httpx: httpx.ReadError,
    by_httpx2: httpx2.ReadError,
    by_requests: requests.exceptions.ChunkedEncodingError,
    by_http_client: ConnectionResetError,
    by_httpx_async: httpx.ReadError,
    by_aiohttp: aiohttp.ClientPayloadError,
}


@every_client
def test_a_reset_comes_when_it_comes(client: Callable[..., list[bytes]]) -> None:
    """The client has what was said before the reset, then its own error for one; the log says the same."""
    door, error = opened(UNTOUCHED, live=True), pytest.raises(ENDS[client])
    with hesitant(HEAD, FIRST, ends=resets) as (url, seen, _), door as o, error:
        client(url, seen.set)
    assert seen.is_set()
    assert [(x.reply.body, x.reply.whole) for x in o.plan.log] == [(b"data: 1\n\n", False)]


class EnoughError(Exception):
    """The client has seen all it wants."""


@every_client
def test_a_client_that_goes_away_ends_it(client: Callable[..., list[bytes]]) -> None:
    """Who reads no further is in the log with what it got, and the server finds the connection closed."""
    gone = threading.Event()

    def heard(sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_SECONDS)
        try:
            if not sock.recv(1):
                gone.set()
        except OSError:
            gone.set()

    def enough() -> None:
        raise EnoughError

    with hesitant(HEAD, FIRST, ends=heard) as (url, seen, _):
        with opened(UNTOUCHED, live=True) as o, pytest.raises(EnoughError):
            seen.set()
            client(url, enough)
        assert gone.wait(PATIENCE_SECONDS)
    assert [x.reply.body for x in o.plan.log] == [b"data: 1\n\n"]


@pytest.mark.parametrize("client", [by_httpx, by_requests, by_httpx_async, by_aiohttp])
def test_a_huge_body_is_never_held(client: Callable[..., list[bytes]]) -> None:
    """Of 64 MiB no more is in memory at a time than a few pieces; the log keeps the first MiB."""
    piece, times = b"x" * 65536, 1024

    def handle(sock: socket.socket) -> None:
        sock.recv(100_000)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * times))
        for _ in range(times):
            sock.sendall(piece)

    with serving(handle) as port, opened(UNTOUCHED, live=True) as o:
        tracemalloc.start()
        try:
            size = counted(client, f"http://127.0.0.1:{port}/")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == len(piece) * times
    assert peak < 8 * 1024 * 1024
    assert 0 < len(o.plan.log[0].reply.body) <= 1024 * 1024


def counted(client: Callable[..., list[bytes]], url: str) -> int:
    """How many bytes a client got, none of them kept."""

    async def aread(pieces: Any) -> int:
        return sum([len(piece) async for piece in pieces])

    async def go() -> int:
        if client is by_aiohttp:
            async with aiohttp.ClientSession() as session, session.get(url) as reply:
                return await aread(reply.content.iter_any())
        async with httpx.AsyncClient(trust_env=False) as asking, asking.stream("GET", url) as reply:
            return await aread(reply.aiter_raw())

    if client in (by_httpx_async, by_aiohttp):
        return asyncio.run(go())
    if client is by_httpx:
        with httpx.stream("GET", url, trust_env=False) as reply:
            return sum(map(len, reply.iter_raw()))
    with requests.get(url, stream=True, timeout=PATIENCE_SECONDS) as answer:
        return sum(map(len, answer.iter_content(65536)))


KEPT = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1),
    "said": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 3),
    "no_length": (b"HTTP/1.1 200 OK\r\n\r\nok", 3),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 3),
}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("said", KEPT)
def test_a_connection_is_kept_as_the_reply_says(said: str, is_async: bool) -> None:
    """The server is asked for a close each time; its client asks again on its connection wherever it may."""
    reply, connections = KEPT[said]

    async def go(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert [(await client.get(url)).content for _ in range(3)] == [b"ok"] * 3

    with serving(sends(reply)) as port, opened(UNTOUCHED, live=True) as o:
        url = f"http://127.0.0.1:{port}/"
        if is_async:
            asyncio.run(go(url))
        else:
            with httpx.Client(trust_env=False) as client:
                assert [client.get(url).content for _ in range(3)] == [b"ok"] * 3
    assert (o.door.made, len(o.plan.log)) == (connections, 3)


def test_a_reply_that_nobody_reads_is_in_the_log() -> None:
    """A client that asks and goes away before the first byte leaves a request whose reply was cut."""
    with hesitant(seconds=0.2) as (url, _, _), opened(UNTOUCHED, live=True) as o:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 80), PATIENCE_SECONDS) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [(x.request.method, x.reply.events) for x in o.plan.log] == [("GET", (Lost(How.CUT),))]
