"""
The private ways of other libraries that the door `redirect` leans on: one test each, failing by name when one moves.

Each asserts, without any door, that the seam is there and that the library really goes through it.
"""

from __future__ import annotations

import asyncio
import inspect
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import tornado.simple_httpclient
import trio
import trio._core._run
import trio._threads
import trio.testing
import uvloop
from _redirected import BY_HAND, TORNADO, TRIO, UVLOOP, redirected
from _wire import authority, loopback
from test_seams import SCRIPT, watched

from pytest_agentfault._errors import UnreachableError
from pytest_agentfault._seams import Patches
from pytest_agentfault.testing import Ask, Client, performing


@pytest.fixture(scope="module")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of the authority that signs for the loopback server."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


def calls_of(target: Any, name: str, client: Client, ca: str, scheme: str = "http") -> list[tuple[Any, ...]]:
    """With what a client calls this on its way to a real server, asked by name."""
    with loopback(SCRIPT, scheme) as url, watched(target, name) as calls:
        out: list[int | bytes | None] = []
        client.run(Ask(url if scheme == "https" else url.replace("127.0.0.1", "localhost"), seconds=5, ca=ca), out)
    assert 200 in out
    return calls


@pytest.mark.parametrize("client", [*TRIO, TORNADO, BY_HAND], ids=lambda client: client.name)
def test_seam_socket_connect(client: Client, authority_file: str) -> None:
    """trio, tornado and sync code connect a socket by the method of its class, with the address."""
    calls = calls_of(socket.socket, "connect", client, authority_file)
    assert all(isinstance(sock, socket.socket) and isinstance(address, tuple) for sock, address in calls)
    assert calls


@pytest.mark.parametrize("client", [*TRIO, TORNADO, BY_HAND], ids=lambda client: client.name)
def test_seam_socket_getaddrinfo(client: Client, authority_file: str) -> None:
    """They look names up by the function of the module `socket`, trio in bytes."""
    calls = calls_of(socket, "getaddrinfo", client, authority_file)
    assert any(host in ("localhost", b"localhost") for host, *_ in calls)


def test_seam_trio_first_asks_whether_it_is_an_address(authority_file: str) -> None:
    """trio's first look-up says AI_NUMERICHOST: it must fail for a name, and counts as no attempt."""
    first, *_ = calls_of(socket, "getaddrinfo", TRIO[0], authority_file)
    assert first[5] & socket.AI_NUMERICHOST


@pytest.mark.parametrize("name", ["create_connection", "getaddrinfo"])
def test_seam_uvloop_dials_and_resolves(name: str, authority_file: str) -> None:
    """Clients on uvloop go through methods of its Python class, which can be put there and taken away."""
    before = vars(uvloop.Loop).get(name)
    assert calls_of(uvloop.Loop, name, UVLOOP[0], authority_file)
    assert vars(uvloop.Loop).get(name) is before


def test_seam_uvloop_connects_a_socket_in_python(authority_file: str) -> None:
    """A socket that is handed to uvloop's `sock_connect` (by aiohttp) is connected by the method of its class."""
    assert calls_of(socket.socket, "connect", UVLOOP[1], authority_file)


def test_seam_uvloop_is_no_loop_of_the_standard_library() -> None:
    """By this the door `memory` knows which loop wants a real socket."""
    assert not issubclass(uvloop.Loop, asyncio.BaseEventLoop)


@pytest.mark.parametrize("client", [*TRIO, *UVLOOP], ids=lambda client: client.name)
def test_seam_ssl_wrap_bio(client: Client, authority_file: str) -> None:
    """trio and uvloop begin TLS over memory, by the context's method."""
    assert calls_of(ssl.SSLContext, "wrap_bio", client, authority_file, "https")


@pytest.mark.parametrize("client", [TORNADO, BY_HAND], ids=lambda client: client.name)
def test_seam_ssl_wrap_socket(client: Client, authority_file: str) -> None:
    """tornado and sync code begin TLS over the socket, by the context's method."""
    assert calls_of(ssl.SSLContext, "wrap_socket", client, authority_file, "https")


@pytest.mark.parametrize("name", ["wrap_bio", "wrap_socket"])
def test_seam_ssl_arguments(name: str) -> None:
    """The arguments come in the order that we hand them on in."""
    rest = ["server_side", "do_handshake_on_connect", "suppress_ragged_eofs", "server_hostname", "session"]
    names = {"wrap_bio": ["incoming", "outgoing", rest[0], *rest[3:]], "wrap_socket": ["sock", *rest]}
    assert list(inspect.signature(getattr(ssl.SSLContext, name)).parameters)[1:] == names[name]


def test_seam_ssl_object_takes_another_context() -> None:
    """A TLS object can be given a context to verify by; it keeps the name it expects, and whether it verifies."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(other)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(server_side)
    for name, context, fails in [
        ("127.0.0.1", other, None),
        ("127.0.0.1", None, "unable to get local issuer certificate"),
        ("127.0.0.2", other, "IP address mismatch"),
    ]:
        wires = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2)]
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client = own.wrap_bio(*wires[0], server_hostname=name)
        server = server_side.wrap_bio(*wires[1], server_side=True)
        if context is not None:
            client.context = context
        if fails is None:
            shaken(client, server, wires)
            assert client.version()
        else:
            with pytest.raises(ssl.SSLCertVerificationError, match=fails):
                shaken(client, server, wires)


def shaken(client: ssl.SSLObject, server: ssl.SSLObject, wires: list[tuple[ssl.MemoryBIO, ssl.MemoryBIO]]) -> None:
    """A handshake between two objects in memory."""
    (to_client, from_client), (to_server, from_server) = wires
    for _ in range(3):
        for end in (client, server):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())


def test_seam_trio_makes_its_clock_by_name() -> None:
    """A run without a clock makes one by this name of its module, without arguments."""
    with watched(trio._core._run, "SystemClock") as calls:
        trio.run(trio.sleep, 0)
    assert calls == [()]


def test_seam_trio_asks_its_clock_when_no_task_can_go_on() -> None:
    """The clock is asked for how long to sleep, also without a deadline, and only then."""
    asked: list[tuple[float, bool]] = []

    class Watching:
        def start_clock(self) -> None:
            pass

        current_time = staticmethod(time.perf_counter)

        def deadline_to_sleep_time(self, deadline: float) -> float:
            runner = trio._core._run.GLOBAL_RUN_CONTEXT.runner
            asked.append((deadline, bool(runner.runq) or bool(runner.waiting_for_idle)))
            return deadline - time.perf_counter()

    async def go() -> None:
        await trio.to_thread.run_sync(time.sleep, 0.01)
        await trio.sleep(0.01)

    clock: Any = Watching()
    trio.run(go, clock=clock)
    assert any(deadline == float("inf") for deadline, _ in asked)
    assert any(deadline < float("inf") for deadline, _ in asked)
    assert not any(busy for _, busy in asked)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="the watcher of this system has another name")
def test_seam_trio_watcher_can_be_watched() -> None:
    """What a run waits by is an epoll, readable when one of its sockets is; a thread that is done rings there, too."""

    async def go() -> list[bool]:
        manager: Any = trio._core._run.GLOBAL_RUN_CONTEXT.runner.io_manager
        watcher = select.poll()
        watcher.register(manager._epoll.fileno(), select.POLLIN)
        mine, other = socket.socketpair()
        with mine, other:
            found = [bool(watcher.poll(0))]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.lowlevel.wait_readable, mine)
                await trio.testing.wait_all_tasks_blocked()
                other.send(b"!")
                found.append(bool(watcher.poll(1000)))
        return found

    assert trio.run(go) == [False, True]


def test_seam_trio_threads() -> None:
    """Blocking calls begin by this name of its module: what to call, and whom to tell."""
    with watched(trio._threads, "start_thread_soon") as calls:
        trio.run(partial(trio.to_thread.run_sync, time.sleep, 0))
    assert all(callable(fn) and callable(deliver) for fn, deliver, *_ in calls)
    assert calls


@pytest.mark.parametrize("name", ["call_soon", "call_at", "call_later", "time"])
def test_seam_uvloop_is_asked_by_name(name: str) -> None:
    """asyncio, its tasks in C too, asks a loop of uvloop by methods that its Python class can have of its own."""

    async def go() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0, int)
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
        await loop.create_task(asyncio.sleep(0))

    with watched(uvloop.Loop, name) as calls:
        uvloop.run(go())
    assert calls


def test_seam_uvloop_runs_in_executor() -> None:
    """`asyncio.to_thread` goes through the loop's method, which gives a future."""
    with watched(uvloop.Loop, "run_in_executor") as calls:
        uvloop.run(asyncio.to_thread(time.sleep, 0))
    assert calls


def test_seam_uvloop_watcher_can_be_watched() -> None:
    """What a loop waits by has a descriptor, readable when one of its sockets is."""

    async def go() -> list[bool]:
        loop: Any = asyncio.get_running_loop()
        watcher = select.poll()
        mine, other = socket.socketpair()
        with mine, other:
            loop.add_reader(mine, int)
            await asyncio.sleep(0.001)
            watcher.register(loop._get_backend_id(), select.POLLIN)
            found = [bool(watcher.poll(0))]
            other.send(b"!")
            found.append(bool(watcher.poll(1000)))
            loop.remove_reader(mine)
        return found

    assert uvloop.run(go()) == [False, True]


def test_seam_timer_handles_are_run_and_cancelled() -> None:
    """asyncio's handles run what they hold, in its context, and only `TimerHandle` wants an ear of its loop."""
    told: list[str] = []
    loop = uvloop.new_event_loop()
    run, cancelled = (asyncio.TimerHandle(1.0, told.append, (word,), loop) for word in ("ran", "never"))
    asyncio.Handle.cancel(cancelled)
    run._run()
    loop.close()
    assert cancelled.cancelled()
    assert (run.when(), told) == (1.0, ["ran"])


def test_seam_tornado_begins_a_fetch_at_once(authority_file: str) -> None:
    """`fetch` calls this method itself, with a request that has its URL, so that what it raises is raised there."""
    (call,) = calls_of(tornado.simple_httpclient.SimpleAsyncHTTPClient, "fetch_impl", TORNADO, authority_file)
    assert call[1].url.startswith("http://localhost:")

    def raises(*_: Any) -> None:
        raise KeyError("at once")

    patches = Patches()
    patches.set(tornado.simple_httpclient.SimpleAsyncHTTPClient, "fetch_impl", raises)
    try:
        with pytest.raises(KeyError):
            TORNADO.run(Ask("http://localhost:9/"), [])
    finally:
        patches.undo()


def test_a_seam_that_has_moved_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the library and what is missing, and nothing stays patched."""
    monkeypatch.delattr(trio._core._run, "SystemClock")
    before = socket.socket.connect, ssl.SSLContext.wrap_bio
    with pytest.raises(UnreachableError) as caught, redirected(performing(SCRIPT)):
        pass
    assert str(caught.value) == (
        "the way into trio has moved\n"
        "  there is: AttributeError: module 'trio._core._run' has no attribute 'SystemClock' (in trio._core._run)\n"
        "  to do: use a version of trio that this plugin was tested with, and report this one"
    )
    assert (socket.socket.connect, ssl.SSLContext.wrap_bio) == before


@pytest.mark.parametrize("name", ["uvloop", "tornado.simple_httpclient", "trio._core._run", "trio._threads"])
def test_seam_modules_are_followed_by_name(name: str) -> None:
    """The modules that are followed when they are imported late are the ones that the seams are in."""
    from pytest_agentfault.doors._redirect_clients import SEAMS

    seam: Callable[..., None] | None = SEAMS.get(name)
    assert seam is not None
