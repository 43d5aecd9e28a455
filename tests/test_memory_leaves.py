"""What the memory door leaves behind: nothing, whatever happened while it was open."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from _memory import KEEP, Spy, held, opened, says

from pytest_agentfault._errors import UnreachableError
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches, passed_by, passing
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor

VENDOR = "https://api.vendor.example"
OK = says(200, b"ok", headers=KEEP)


def nothing() -> None:
    """A test that does nothing."""


def call() -> None:
    """A test that calls out."""
    assert httpx.get(f"{VENDOR}/x").text == "ok"


def acall() -> None:
    """A test that calls out from an event loop."""

    async def go() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{VENDOR}/x") as response:
            assert await response.read() == b"ok"
        await asyncio.sleep(30)

    asyncio.run(go())


def raises(error: type[BaseException]) -> Callable[[], None]:
    """A test that ends so."""

    def fail() -> None:
        call()
        raise error

    return fail


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (nothing, None),
        (call, None),
        (acall, None),
        (raises(ZeroDivisionError), ZeroDivisionError),
        (raises(TimeoutError), TimeoutError),
        (raises(KeyboardInterrupt), KeyboardInterrupt),
        (raises(SystemExit), SystemExit),
        (raises(asyncio.CancelledError), asyncio.CancelledError),
    ],
    ids=["nothing", "call", "acall", "error", "timeout", "ctrl-c", "exit", "cancelled"],
)
def test_every_patched_name_is_as_it_was(work: Callable[[], None], error: type[BaseException] | None) -> None:
    """Each name holds the very object that it held before, and finders are as they were."""
    finders = list(sys.meta_path)
    seen: Spy | None = None
    try:
        with opened(OK, timed=True) as o:
            seen = o.patches
            assert seen.left_over() != []
            work()
    except BaseException as caught:
        if error is None or not isinstance(caught, error):
            raise
    assert seen is not None
    names = {f"{getattr(t, '__name__', t)}.{n}" for t, n, _ in seen.seen}
    assert {
        "socket.create_connection",
        "socket.getaddrinfo",
        "socket.connect",
        "SSLContext.wrap_socket",
        "ssl._create_default_https_context",
        "BaseEventLoop.create_connection",
        "BaseEventLoop.getaddrinfo",
        "BaseEventLoop.start_tls",
        "urllib3.util.connection.create_connection",
        "aiohappyeyeballs.start_connection",
        "TCPConnector._resolve_host",
        "TLSStream.wrap",
        "AsyncIOBackend.run_sync_in_worker_thread",
        "BaseEventLoop.time",
        "BaseEventLoop.run_in_executor",
    } <= names
    assert seen.left_over() == []
    assert sys.meta_path == finders


def test_a_seam_that_has_moved_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the library, and what was patched before it is put back."""
    import urllib3.util.connection as seam

    monkeypatch.delattr(seam, "create_connection")
    patches = Spy()
    door = MemoryDoor(Plan([OK]), [], Clock())
    with pytest.raises(UnreachableError) as caught, patches.under(door):
        pass
    assert str(caught.value) == (
        "the way into urllib3 has moved\n"
        "  there is: AttributeError: module 'urllib3.util.connection' has no attribute 'create_connection' "
        "(in urllib3.util.connection)\n"
        "  to do: use a version of urllib3 that this plugin was tested with, and report this one"
    )
    assert patches.left_over() == []


def test_patches_undo_in_reverse_and_once() -> None:
    """A name patched twice ends at what it was first; an inherited one is inherited again; undo may be repeated."""

    class Base:
        word = "base"

    class Heir(Base):
        pass

    patches = Patches()
    assert patches.set(Heir, "word", "one") == "base"
    assert patches.set(Heir, "word", "two") == "one"
    assert Heir.word == "two"
    patches.undo()
    patches.undo()
    assert (Heir.word, "word" in vars(Heir)) == ("base", False)


def test_a_name_that_is_not_there_cannot_be_patched() -> None:
    """A moved seam is an error, never a new name."""
    with pytest.raises(AttributeError):
        Patches().set(socket, "create_conection", None)
    assert held(socket, "create_conection") is None


def test_an_item_put_first_is_taken_out_again() -> None:
    """What others did to the list meanwhile stays; a list from which it has gone already is no error."""
    first, second, patches = [1], [2], Patches()
    patches.put_first(first, "ours")
    patches.put_first(second, "ours")
    assert (first, second) == (["ours", 1], ["ours", 2])
    first.append(3)
    second.clear()
    patches.undo()
    assert (first, second) == ([1, 3], [])


def test_a_finder_that_comes_in_meanwhile_stays() -> None:
    """Importing `six` for the first time puts a finder among the others, which must outlive the test."""

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            return None

    try:
        with opened(OK):
            sys.meta_path.append(Finder)
        assert Finder in sys.meta_path
    finally:
        sys.meta_path.remove(Finder)


def test_passing_ends_with_its_block() -> None:
    """Also when an error leaves it."""
    with pytest.raises(ZeroDivisionError), passed_by():
        assert passing.get()
        raise ZeroDivisionError
    assert not passing.get()


# --- connections that outlive a test


def test_a_sync_pool_over_two_plans_dials_anew() -> None:
    """A module-level client keeps its connection; in the next test it meets that test's plan."""
    with httpx.Client() as client, requests.Session() as session:
        for body in (b"first", b"second"):
            with opened(says(200, body, headers=KEEP)) as o:
                for _ in range(2):
                    assert client.get(f"{VENDOR}/x").content == body
                    assert session.get(f"{VENDOR}/x").content == body
            assert (o.door.made, len(o.plan.log)) == (2, 4)


@pytest.mark.parametrize("headers", [KEEP, (("Connection", "close"),)], ids=["kept", "closed"])
def test_an_asyncio_pool_over_two_plans_in_one_loop(headers: tuple[tuple[str, str], ...]) -> None:
    """A session-scoped loop and client: the second plan gets connections of its own."""

    async def go() -> None:
        async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session:
            for body in (b"first", b"second"):
                with opened(says(200, body, headers=headers)) as o:
                    for _ in range(2):
                        assert (await client.get(f"{VENDOR}/x")).content == body
                        async with session.get(f"{VENDOR}/x") as response:
                            assert await response.read() == body
                    await asyncio.sleep(0)
                assert (o.door.made, len(o.plan.log)) == (2 if headers is KEEP else 4, 4)

    asyncio.run(go())


def test_an_asyncio_client_over_two_loops() -> None:
    """SDKs cache their client over many event loops: a closed connection is no hindrance."""
    client = httpx.AsyncClient()

    async def go() -> bytes:
        return (await client.get(f"{VENDOR}/x")).content

    for body in (b"first", b"second"):
        with opened(says(200, body)):
            assert asyncio.run(go()) == body
            assert asyncio.run(go()) == body
    asyncio.run(client.aclose())


def test_an_asyncio_connection_of_a_dead_loop_is_hung_up_quietly() -> None:
    """Its loop is closed before the door is: there is nobody left to be told."""

    async def go() -> Any:
        client = httpx.AsyncClient()
        await client.get(f"{VENDOR}/x")
        return client  # never closed

    with opened(OK):
        client = asyncio.run(go())
    assert not client.is_closed


# --- libraries that come during the test


class SharedLoader:
    """One loader for many modules, as pytest's is for all that it rewrites."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Two modules, and no others."""
        return ModuleSpec(name, self) if name in ("agentfault_late", "agentfault_later") else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """As ever."""

    def exec_module(self, module: Any) -> None:
        """Noted, and nothing is run."""
        self.loaded.append(module.__name__)


def test_a_loader_is_never_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is followed keeps its own loader, and the seam is patched once, however many share the loader."""
    from pytest_agentfault.doors import _clients

    patched: list[str] = []
    loader = SharedLoader()
    monkeypatch.setitem(_clients.SEAMS, "agentfault_late", lambda door, patches: patched.append("late"))
    monkeypatch.setattr(sys, "meta_path", [loader, *sys.meta_path])
    try:
        with opened(OK):
            late = import_module("agentfault_late")
            import_module("agentfault_later")
    finally:
        sys.modules.pop("agentfault_late", None)
        sys.modules.pop("agentfault_later", None)
    assert patched == ["late"]
    assert loader.loaded == ["agentfault_late", "agentfault_later"]
    assert late.__loader__ is late.__spec__.loader is loader
    assert "exec_module" not in vars(loader)


LATE = """
    import sys

    from pytest_agentfault import Reply, Rule
    from pytest_agentfault._plan import Plan
    from pytest_agentfault._seams import Patches
    from pytest_agentfault.clock import Clock
    from pytest_agentfault.doors.memory import MemoryDoor

    class Well:
        def answer(self, request):
            return Reply.of(200, b"ok")

    for name in ("urllib3", "aiohttp", "anyio", "httpx", "httpx2", "requests", "botocore"):
        assert not [m for m in sys.modules if m.partition(".")[0] == name], name

    plan, finders, patches = Plan([Rule("* *", (Well(),))]), list(sys.meta_path), Patches()
    with patches.under(MemoryDoor(plan, [], Clock())):
        from pytest_agentfault.testing._clients import CLIENTS, Ask

        for client in CLIENTS:
            out = []
            client.run(Ask("https://api.vendor.example/x", seconds=20), out)  # it imports a library in that time
            assert out == [200, b"ok"], (client.name, out)
        assert len(plan.log) == len(CLIENTS)
    assert all(finder in sys.meta_path for finder in finders)
    assert not [f for f in sys.meta_path if type(f).__module__.startswith("pytest_agentfault")]

    import aiohappyeyeballs, anyio._backends._asyncio, anyio.streams.tls, aiohttp.connector, urllib3.util.connection
    for thing in (
        aiohappyeyeballs.start_connection,
        aiohttp.connector.TCPConnector._resolve_host,
        anyio.streams.tls.TLSStream.wrap.__func__,
        anyio._backends._asyncio.AsyncIOBackend.run_sync_in_worker_thread.__func__,
        urllib3.util.connection.create_connection,
    ):
        assert thing.__module__.partition(".")[0] != "pytest_agentfault", thing
    print("well")
"""


def test_libraries_imported_during_the_test_are_followed() -> None:
    """Every client works although not one was loaded when the door opened, and is itself again afterwards."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(LATE)], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("well\n", "")


def test_an_aiohttp_session_of_two_tests_looks_up_anew() -> None:
    """aiohttp keeps addresses for a while; one that was given out by another door leads nowhere any more."""

    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            for body in (b"first", b"second"):
                with opened(says(200, body, headers=(("Connection", "close"),))):
                    for _ in range(2):
                        async with session.get(f"{VENDOR}/x") as response:
                            assert await response.read() == body

    asyncio.run(go())
