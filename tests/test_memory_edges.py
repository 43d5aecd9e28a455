"""The memory door at its edges: what is not HTTP, what never ends, what is imported late, and what is left behind."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
from _memory import KEEP, Leaves, Says, opened, says, serving
from _wire import authority, server_context

from pytest_agentfault import Data, Head, How, Lost, Reply, Rule
from pytest_agentfault._errors import UnreachableError, WouldBlockForeverError
from pytest_agentfault._plan import Hung

VENDOR = "https://api.vendor.example"
URL = f"{VENDOR}/v1/items"
EVERYTHING = Rule("* *", (Leaves(),))

# --- what is not HTTP at all


def echo(sock: socket.socket) -> None:
    """Says back what it hears."""
    while data := sock.recv(1000):
        sock.sendall(b"echo " + data)


def greet(sock: socket.socket) -> None:
    """Speaks first, as SMTP and MySQL do."""
    sock.sendall(b"220 hello\r\n")
    echo(sock)


def upgrade(sock: socket.socket) -> None:
    """Takes TLS when asked for it in the clear, as Postgres does."""
    if sock.recv(1000) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f":
        sock.sendall(b"S")
        with server_context().wrap_socket(sock, server_side=True) as tls:
            echo(tls)


def trusting() -> ssl.SSLContext:
    """A client's context that trusts the loopback server."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_database_that_hears_first_is_reached_for_real(host: str) -> None:
    """Bytes that are no request make the connection a real one."""
    with serving(echo) as port, opened(EVERYTHING) as o, socket.create_connection((host, port), 5) as sock:
        for said in (b"*1\r\n$4\r\nPING\r\n", b"\x00\x01"):
            sock.sendall(said)
            assert sock.recv(100) == b"echo " + said
        assert sock.fileno() > 0
    assert (o.plan.log, o.plan.problems) == ([], [])


def test_a_database_that_speaks_first_is_reached_for_real() -> None:
    """A client that reads before it has written waits for a greeting that only the real server gives."""
    with serving(greet) as port, opened(EVERYTHING), socket.create_connection(("localhost", port), 5) as sock:
        assert sock.makefile("rb").readline() == b"220 hello\r\n"
        sock.sendall(b"EHLO me\r\n")
        assert sock.recv(100) == b"echo EHLO me\r\n"


def test_a_database_that_is_dialled_by_hand_is_reached_for_real() -> None:
    """redis-py and pymongo look a name up themselves and connect a socket of their own to what they find."""
    with serving(echo) as port, opened(EVERYTHING):
        family, kind, proto, _, address = socket.getaddrinfo("localhost", port, 0, socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as sock:
            sock.settimeout(5)
            sock.connect(address)
            sock.sendall(b"\x00ping")
            assert sock.recv(100) == b"echo \x00ping"
        with socket.socket(family, kind, proto) as sock:
            assert sock.connect_ex(address) == 0


def test_a_database_that_asks_for_tls_in_the_clear() -> None:
    """A connection that has turned real takes a real TLS handshake."""
    with serving(upgrade) as port, opened(EVERYTHING):
        sock = socket.create_connection(("127.0.0.1", port), 5)
        sock.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        assert sock.recv(1) == b"S"
        with trusting().wrap_socket(sock, server_hostname="127.0.0.1") as tls:
            tls.sendall(b"secret")
            assert tls.recv(100) == b"echo secret"


def test_a_database_over_tls_from_the_start() -> None:
    """The client's own context makes the handshake once the connection turns real."""

    def tls_echo(sock: socket.socket) -> None:
        with server_context().wrap_socket(sock, server_side=True) as tls:
            echo(tls)

    with serving(tls_echo) as port, opened(EVERYTHING):
        plain = socket.create_connection(("127.0.0.1", port), 5)
        with trusting().wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            tls.sendall(b"\x00secret")
            assert tls.recv(100) == b"echo \x00secret"


def test_a_database_of_asyncio_is_reached_for_real() -> None:
    """The same for streams of the event loop, in several writes before anything comes back."""

    async def go(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"\x00one ")
        writer.write(b"two")
        got = b""
        while len(got) < 12:
            got += await asyncio.wait_for(reader.read(100), 5)
        writer.close()
        await writer.wait_closed()
        return got

    with serving(echo) as port, opened(EVERYTHING) as o:
        assert asyncio.run(go(port)).replace(b"echo ", b"") == b"\x00one two"
    assert (o.plan.log, o.plan.problems) == ([], [])


def test_a_database_of_asyncio_that_asks_for_tls_in_the_clear() -> None:
    """asyncpg starts TLS on a transport that has turned real."""

    async def go(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        assert await asyncio.wait_for(reader.read(1), 5) == b"S"
        await asyncio.wait_for(writer.start_tls(trusting(), server_hostname="127.0.0.1"), 5)
        writer.write(b"secret")
        got = await asyncio.wait_for(reader.read(100), 5)
        writer.close()
        await writer.wait_closed()
        return got

    with serving(upgrade) as port, opened(EVERYTHING):
        assert asyncio.run(go(port)) == b"echo secret"


@pytest.mark.parametrize("ends", ["client", "server"])
def test_a_database_connection_of_asyncio_is_lost_once(ends: str) -> None:
    """Whoever closes it, and whatever protocol the client has put there meanwhile."""
    told: list[Any] = []

    class Protocol(asyncio.BufferedProtocol):
        def get_buffer(self, sizehint: int) -> bytearray:
            self.buffer = bytearray(3)
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            told.append(bytes(self.buffer[:nbytes]))

        def connection_lost(self, exc: Exception | None) -> None:
            told.append(exc)

    def say(sock: socket.socket) -> None:
        sock.recv(100)
        sock.sendall(b"hello")
        if ends == "client":
            sock.recv(100)

    async def go(port: int) -> None:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
        transport.set_protocol(Protocol())
        transport.write(b"\x00")
        while len(told) < (2 if ends == "client" else 3):
            await asyncio.sleep(0.001)
        transport.close()
        transport.close()
        for _ in range(5):
            await asyncio.sleep(0.001)
        assert transport.is_closing()

    with serving(say) as port, opened(EVERYTHING):
        asyncio.run(asyncio.wait_for(go(port), 5))
    assert told == [b"hel", b"lo", None]


def test_a_database_pool_of_asyncio_outlives_the_test() -> None:
    """A real connection that was made under one fault is still good afterwards."""

    async def go(port: int) -> bytes:
        with opened(EVERYTHING):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x00")
            assert await asyncio.wait_for(reader.read(100), 5) == b"echo \x00"
        writer.write(b"again")
        got = await asyncio.wait_for(reader.read(100), 5)
        writer.close()
        await writer.wait_closed()
        return got

    with serving(echo) as port:
        assert asyncio.run(go(port)) == b"echo again"


def test_a_database_that_is_down_refuses_for_real() -> None:
    """The error is the system's own."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with opened(EVERYTHING):
        sock = socket.create_connection(("127.0.0.1", port), 5)
        with pytest.raises(ConnectionRefusedError):
            sock.sendall(b"\x00")


def test_an_asyncio_server_still_listens() -> None:
    """Servers are nobody's clients: one in the same loop accepts while the door is open."""

    async def go() -> bytes:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"echo " + await reader.read(100))
            writer.close()

        async with await asyncio.start_server(handle, "localhost", 0, family=socket.AF_INET) as server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("localhost", port)
            writer.write(b"\x00")
            got = await reader.read(100)
            writer.close()
            await writer.wait_closed()
            return got

    with opened(EVERYTHING):
        assert asyncio.run(go()) == b"echo \x00"


def handshake(host: str = "api.vendor.example") -> None:
    """A websocket client's first bytes."""
    with socket.create_connection((host, 80)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")


def preface(host: str = "api.vendor.example") -> None:
    """An HTTP/2 client's first bytes."""
    with socket.create_connection((host, 80)) as sock:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


@pytest.mark.parametrize(("speak", "text"), [(handshake, "for an upgrade"), (preface, "speaks HTTP/2")])
def test_what_no_door_can_follow_fails_the_test(speak: Callable[[], None], text: str) -> None:
    """The client meets the error at once, and it is kept in case the client swallows it."""
    with opened(EVERYTHING) as o, pytest.raises(UnreachableError, match=text) as caught:
        speak()
    assert o.plan.problems == [caught.value]


# --- what never ends

STALLS = Rule("* *", (Says(Reply((Head(200), Data(b"half"), Lost(How.STALLED)))),), name="any/stall")
FOR_EVER = (
    f"a client waits for ever on {VENDOR}\n"
    "  there is: the script is silent from here on (any/stall struck it), and the client has set no time limit for "
    "reading\n"
    "  to do: give the client a read timeout, as it needs one in production too"
)


def test_a_sync_read_without_a_time_limit_fails_at_once() -> None:
    """A test that would hang says so instead, and why."""
    with opened(STALLS) as o, pytest.raises(WouldBlockForeverError) as caught:
        httpx.get(URL, timeout=None)
    assert str(caught.value) == FOR_EVER
    assert o.plan.problems == [caught.value]


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_an_asyncio_read_without_a_time_limit_fails(module: Any) -> None:
    """The loop has nothing else to do and no timer: the connection is ended, and the problem is kept."""

    async def go() -> None:
        async with module.AsyncClient(timeout=None) as client:
            await client.get(URL)

    with opened(STALLS, timed=True) as o, pytest.raises(Exception):  # noqa: B017  # which one is the client's business
        asyncio.run(go())
    assert [str(p) for p in o.plan.problems] == [FOR_EVER]


def test_a_read_with_a_time_limit_times_out_on_the_clock() -> None:
    """60 seconds pass in no time, for the client's own exception."""
    with opened(STALLS, timed=True) as o:
        began = o.clock.now()
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(URL, timeout=60)
        assert 60 <= o.clock.now() - began < 65
    assert o.plan.problems == []


KEPT_BUSY = Rule("* *", (Says(Reply.of(503, b"", KEEP)),))


def _for_ever(client: Any) -> None:
    while client.get(URL).status_code == 503:
        pass


async def _afor_ever(client: Any) -> None:
    while (await client.get(URL)).status_code == 503:
        pass


async def _aiohttp_for_ever() -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(URL) as response:
                assert response.status == 503


def _in(make: Callable[[], Any], ask: Callable[[Any], None]) -> None:
    with make() as client:
        ask(client)


async def _ain(make: Callable[[], Any]) -> None:
    async with make() as client:
        await _afor_ever(client)


LOOPS: dict[str, Callable[[], None]] = {
    "httpx": lambda: _in(httpx.Client, _for_ever),
    "httpx_async": lambda: asyncio.run(_ain(httpx.AsyncClient)),
    "httpx2_async": lambda: asyncio.run(_ain(httpx2.AsyncClient)),
    "requests": lambda: _in(requests.Session, _for_ever),
    "aiohttp": lambda: asyncio.run(asyncio.wait_for(_aiohttp_for_ever(), 10)),
}


@pytest.mark.parametrize("rule", [KEPT_BUSY, says(503)], ids=["kept", "closed"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_retry_loop_without_an_end_is_stopped(name: str, rule: Rule) -> None:
    """The budget of calls ends it, over one kept connection as over many."""
    with opened(rule, max_calls=7) as o, pytest.raises(Hung, match="more than 7 calls"):
        LOOPS[name]()
    assert len(o.plan.log) == 7
