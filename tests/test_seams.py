"""
The private ways of other libraries that the doors lean on: one test each, which fails by name when one moves.

Each asserts, without any door, that the seam is there and that the library really goes through it.
"""

from __future__ import annotations

import asyncio
import http.client
import inspect
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import aiohappyeyeballs
import aiohttp
import aiohttp.abc
import aiohttp.resolver
import anyio
import anyio.streams.tls
import anyio.to_thread
import httpx
import httpx2
import pytest
import urllib3
import urllib3.connection
import urllib3.util.connection
from _wire import authority, loopback

from pytest_agentfault import Fin, Reply, Request
from pytest_agentfault._script import encode
from pytest_agentfault._seams import Patches
from pytest_agentfault.doors._authorities import ASKED

SCRIPT = encode(Reply.of(200, b"ok", {"Connection": "close"}), Request("GET", "http://x/"))
LOOP = asyncio.base_events.BaseEventLoop
assert SCRIPT.steps[-1] == Fin()


@contextmanager
def watched(target: Any, name: str) -> Iterator[list[tuple[Any, ...]]]:
    """Which arguments a function is called with meanwhile; it does what it does."""
    calls: list[tuple[Any, ...]] = []
    before = inspect.getattr_static(target, name)
    real = before.__func__ if isinstance(before, classmethod) else getattr(target, name)

    def watch(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return real(*args, **kwargs)

    patches = Patches()
    patches.set(target, name, classmethod(watch) if isinstance(before, classmethod) else watch)
    try:
        yield calls
    finally:
        patches.undo()


@pytest.fixture(scope="module")
def trusting() -> ssl.SSLContext:
    """A client's context that trusts the loopback server."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def with_http_client(url: str, tls: ssl.SSLContext) -> None:
    """http.client, which urllib.request stands on."""
    parts = urlsplit(url)
    kind = partial(http.client.HTTPSConnection, context=tls) if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=5)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"ok"
    connection.close()


def with_httpx(url: str, tls: ssl.SSLContext, module: Any = httpx) -> None:
    """httpx, over httpcore."""
    assert module.get(url, verify=tls, trust_env=False).content == b"ok"


def with_httpx_async(url: str, tls: ssl.SSLContext, module: Any = httpx) -> None:
    """httpx on asyncio, over httpcore and anyio."""

    async def go() -> None:
        async with module.AsyncClient(verify=tls, trust_env=False) as client:
            assert (await client.get(url)).content == b"ok"

    asyncio.run(go())


def with_urllib3(url: str, tls: ssl.SSLContext) -> None:
    """urllib3, which requests and botocore stand on."""
    with urllib3.PoolManager(retries=False, ssl_context=tls) as pool:
        assert pool.request("GET", url).data == b"ok"


def with_aiohttp(url: str, tls: ssl.SSLContext, resolver: Callable[[], Any] | None = None) -> None:
    """aiohttp."""

    async def go() -> None:
        connector = aiohttp.TCPConnector(ssl=tls, resolver=resolver and resolver())
        async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as response:
            assert await response.read() == b"ok"

    asyncio.run(go())


def with_streams(url: str, tls: ssl.SSLContext) -> None:
    """asyncio's own streams, TLS begun later."""

    async def go() -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        await writer.start_tls(tls, server_hostname=parts.hostname)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.read()).endswith(b"ok")
        writer.transport.abort()
        await asyncio.sleep(0)

    asyncio.run(go())


def goes_through(target: Any, name: str, client: Callable[..., None], scheme: str, tls: ssl.SSLContext) -> None:
    """Assert that a client calls this on its way to a real server."""
    with loopback(SCRIPT, scheme) as url, watched(target, name) as calls:
        client(url, tls)
    assert calls, f"{client} does not go through {name} any more"


@pytest.mark.parametrize(
    "client", [with_http_client, with_httpx, partial(with_httpx, module=httpx2)], ids=["http_client", "httpx", "httpx2"]
)
def test_seam_socket_create_connection(client: Callable[..., None], trusting: ssl.SSLContext) -> None:
    """http.client and httpcore dial by the standard library's function, looked up on its module."""
    goes_through(socket, "create_connection", client, "http", trusting)


def test_seam_socket_global_default_timeout() -> None:
    """The mark that says "no time limit was given": http.client hands it on."""
    default = vars(socket)["_GLOBAL_DEFAULT_TIMEOUT"]
    assert http.client.HTTPConnection("x").timeout is default
    assert inspect.signature(socket.create_connection).parameters["timeout"].default is default


def test_seam_socket_getaddrinfo() -> None:
    """create_connection looks names up by the function of its module."""
    with socket.create_server(("127.0.0.1", 0)) as server, watched(socket, "getaddrinfo") as calls:
        socket.create_connection(server.getsockname(), 5).close()
    assert calls


def test_seam_socket_connect() -> None:
    """A socket is connected by a method that can be put over its class, own or inherited."""
    with socket.create_server(("127.0.0.1", 0)) as server, watched(socket.socket, "connect") as calls:
        socket.create_connection(server.getsockname(), 5).close()
    assert calls


def test_seam_socket_makefile_asks_little() -> None:
    """`makefile` works over any object with recv_into, send and a count of files."""

    class Near:
        _io_refs = 0
        timeout = None

        def recv_into(self, buffer: memoryview, *_: int) -> int:
            buffer[:3] = b"ok\n"
            return 3

        def _decref_socketios(self) -> None:
            self._io_refs -= 1

    near: Any = Near()
    make: Any = socket.socket.makefile
    with make(near, "rb") as file:
        assert near._io_refs == 1
        assert file.readline() == b"ok\n"
    assert near._io_refs == 0


@pytest.mark.parametrize(
    "client", [with_http_client, with_httpx, with_urllib3], ids=["http_client", "httpx", "urllib3"]
)
def test_seam_ssl_wrap_socket(client: Callable[..., None], trusting: ssl.SSLContext) -> None:
    """Sync clients begin TLS by the context's method."""
    goes_through(ssl.SSLContext, "wrap_socket", client, "https", trusting)


def test_seam_urllib3_create_connection(trusting: ssl.SSLContext) -> None:
    """urllib3 dials by a copy of its own, looked up on its module."""
    goes_through(urllib3.util.connection, "create_connection", with_urllib3, "http", trusting)


def test_seam_urllib3_wraps_and_matches(trusting: ssl.SSLContext) -> None:
    """urllib3 makes a connection's TLS in one function of keywords, which reads the certificates."""
    goes_through(urllib3.connection, "_ssl_wrap_socket_and_match_hostname", with_urllib3, "https", trusting)
    asked = inspect.signature(urllib3.connection._ssl_wrap_socket_and_match_hostname).parameters
    assert set(asked) >= {"sock", "server_hostname", "ssl_context", *ASKED}


def test_seam_aiohttp_start_connection(trusting: ssl.SSLContext) -> None:
    """aiohttp connects through aiohappyeyeballs, looked up on its module, with addresses first."""
    with loopback(SCRIPT) as url, watched(aiohappyeyeballs, "start_connection") as calls:
        with_aiohttp(url, trusting)
    assert len(calls) == 1


def test_seam_aiohttp_resolve_host(trusting: ssl.SSLContext) -> None:
    """aiohttp's connector looks a host up by a method of its own, with host and port, before it dials."""
    with loopback(SCRIPT) as url, watched(aiohttp.TCPConnector, "_resolve_host") as calls:
        with_aiohttp(url.replace("127.0.0.1", "localhost"), trusting)
    assert [args[1:3] for args in calls] == [("localhost", urlsplit(url).port)]


def test_seam_anyio_tls_wrap(trusting: ssl.SSLContext) -> None:
    """anyio's TLS is a class method over a stream, which httpcore calls; the stream shows asyncio's transport."""
    with loopback(SCRIPT, "https") as url, watched(anyio.streams.tls.TLSStream, "wrap") as calls:
        with_httpx_async(url, trusting)
        with_httpx_async(url, trusting, httpx2)
    assert len(calls) == 2
    assert all(isinstance(stream._transport, asyncio.Transport) for _, stream in calls)


def test_seam_anyio_tls_wrap_names_its_context() -> None:
    """The context arrives by name."""
    assert "ssl_context" in inspect.signature(anyio.streams.tls.TLSStream.wrap).parameters


@pytest.mark.parametrize("name", ["create_connection", "getaddrinfo"])
def test_seam_loop_dials_and_resolves(name: str, trusting: ssl.SSLContext) -> None:
    """anyio goes to a connection by the loop's own methods."""
    with loopback(SCRIPT) as url, watched(LOOP, name) as calls:
        with_httpx_async(url.replace("127.0.0.1", "localhost"), trusting)
    assert calls


def test_seam_loop_create_connection_with_a_socket(trusting: ssl.SSLContext) -> None:
    """aiohttp hands the connected socket to the loop's create_connection."""
    goes_through(LOOP, "create_connection", with_aiohttp, "http", trusting)


def test_seam_loop_start_tls(trusting: ssl.SSLContext) -> None:
    """Streams begin TLS by the loop's own method: transport, protocol, context."""
    with loopback(SCRIPT, "https") as url, watched(LOOP, "start_tls") as calls:
        with_streams(url, trusting)
    (call,) = calls
    assert isinstance(call[1], asyncio.Transport)
    assert call[3] is trusting


def test_seam_transport_extra() -> None:
    """A transport's extra information is a table that can be added to."""
    transport: Any = asyncio.Transport({"a": 1})
    transport._extra.update(b=2)
    assert transport.get_extra_info("b") == 2


def test_seam_selector_of_the_loop() -> None:
    """An idle loop asks its selector with the time until its next timer, and reads its clock by its own method."""
    with watched(selectors.DefaultSelector, "select") as calls, watched(LOOP, "time") as readings:
        asyncio.run(asyncio.sleep(0.05))
    assert any(0 < (args[1] or 0) <= 0.06 for args in calls)
    assert readings


def test_seam_self_pipe_is_all_an_idle_loop_listens_to() -> None:
    """One descriptor in the selector means: no real socket is listened to."""

    async def count() -> int:
        loop: Any = asyncio.get_running_loop()
        return len(loop._selector.get_map())

    assert asyncio.run(count()) == 1


def test_seam_loop_run_in_executor() -> None:
    """`asyncio.to_thread` goes through the loop's method, which gives a future."""

    async def go() -> Any:
        return await asyncio.to_thread(time.sleep, 0)

    with watched(LOOP, "run_in_executor") as calls:
        asyncio.run(go())
    assert calls


def test_seam_anyio_worker_threads() -> None:
    """anyio's threads are asked for by one class method of its asyncio backend."""
    from anyio._backends._asyncio import AsyncIOBackend

    async def go() -> None:
        await anyio.to_thread.run_sync(time.sleep, 0)

    with watched(AsyncIOBackend, "run_sync_in_worker_thread") as calls:
        asyncio.run(go())
    assert calls


@pytest.mark.parametrize(
    "name",
    [
        "urllib3.util.connection",
        "urllib3.connection",
        "aiohttp.resolver",
        "anyio.streams.tls",
        "anyio._backends._asyncio",
    ],
)
def test_seam_modules_are_imported_by_a_spec(name: str) -> None:
    """The modules that are followed when they are imported late are found by their name and executed by a loader."""
    spec = find_spec(name)
    assert spec is not None
    assert hasattr(spec.loader, "exec_module")
    assert hasattr(spec.loader, "create_module")
