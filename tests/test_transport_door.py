"""
The door for transports without sockets: held against real sockets by the contract, and its own ways.

Rule: the clients and their transports are the real ones; only what they would call on the network is the test's.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import httpcore  # noqa: F401  # loaded before any inner run, which would forget it again
import httpcore2  # noqa: F401
import httpx
import httpx2
import pytest
import trio
from _loopback import loopback as local_server
from _memory import CountingDoor, Leaves, Spy
from _wire import authority, loopback

from pytest_agentfault import Refused, Reply, Request, Rule, Script, Why
from pytest_agentfault._errors import FaultError, UnreachableError, WouldBlockForeverError
from pytest_agentfault._plan import Hung, Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.transport import TransportDoor
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.refuse import Refuse
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.split_chunks import SplitChunks
from pytest_agentfault.faults.status import Status
from pytest_agentfault.testing import DoorContract
from pytest_agentfault.testing._cases import CASES
from pytest_agentfault.testing._clients import Ask, Client, Piece, _finish, trust
from pytest_agentfault.upstreams.live import Live

URL = "https://api.example.com/v1/items?page=2"
TO = "* https://api.example.com/*"
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@dataclass(frozen=True, slots=True)
class Exactly:
    """The client meets this script."""

    script: Script

    def answer(self, request: Request) -> Reply:
        """Anything: the script takes its place."""
        return Reply.of(200)

    def garble(self, script: Script) -> Script:
        """The script that was asked for."""
        return self.script


@dataclass(frozen=True, slots=True)
class Never:
    """The client gets no connection."""

    refused: Refused

    def connect(self, request: Request) -> Refused:
        """How it fails."""
        return self.refused


def transport_for(module: Any, url: str) -> Any:
    """A mock where the door is held up; the real thing on loopback."""
    return module.MockTransport(lambda request: module.Response(500)) if "door.example" in url else None


def ask_blocking(module: str, ask: Ask, out: list[Piece]) -> None:
    """A blocking client with a transport of its own."""
    library = import_module(module)
    settings = {"timeout": ask.seconds, "trust_env": False, "verify": trust(ask.ca)}
    with library.Client(transport=transport_for(library, ask.url), **settings) as client:
        for again in ask.rounds():
            time.sleep(0.04 * again)
            with client.stream(ask.method, ask.url, headers=ask.headers, content=ask.body or None) as response:
                out.append(response.status_code)
                out.extend(response.iter_bytes())


def ask_async(module: str, ask: Ask, out: list[Piece]) -> None:
    """An async client with a transport of its own."""
    library = import_module(module)
    settings = {"timeout": ask.seconds, "trust_env": False, "verify": trust(ask.ca)}

    async def go() -> None:
        async with library.AsyncClient(transport=transport_for(library, ask.url), **settings) as client:
            for again in ask.rounds():
                await asyncio.sleep(0.04 * again)
                asked = client.stream(ask.method, ask.url, headers=ask.headers, content=ask.body or None)
                async with asked as response:
                    out.append(response.status_code)
                    async for piece in response.aiter_bytes():
                        out.append(piece)

    _finish(go(), ask)


class TestContract(DoorContract):
    """Every conversation through a mock transport, as on a real socket, over http."""

    clients = tuple(
        Client(f"{module}{kind}", module, partial(run, module))
        for module in ("httpx", "httpx2")
        for kind, run in (("", ask_blocking), ("_async", ask_async))
    )

    def truth(self, script: Script | Refused) -> Any:
        """A real socket."""
        return loopback(script, self.scheme)

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A host whose transport is struck with exactly this."""
        base = f"{self.scheme}://door.example"
        fault = Never(script) if isinstance(script, Refused) else Exactly(script)
        plan, clock, patches = Plan([Rule(f"* {base}/*", (fault,))]), Clock(), Spy()
        clock.install(patches)
        with TransportDoor(plan, [], clock).opened(patches):
            yield base
        assert plan.log, "the client went past the door"
        assert not plan.problems
        assert patches.left_over() == []


class TestContractOverTls(TestContract):
    """The same over https: the real socket speaks true TLS, the door none."""

    scheme = "https"
    cases = tuple(
        case for case in CASES if case.name.startswith(("reset", "cut", "stall_before", "chunked", "untrust"))
    )

    @pytest.fixture(autouse=True)
    def _trust(self, tmp_path: Path) -> None:
        self.ca = str(tmp_path / "ca.pem")
        authority().cert_pem.write_to_path(self.ca)


@dataclass
class Opened:
    """An open door and what it works with."""

    plan: Plan
    clock: Clock


@contextmanager
def opened(*rules: Rule, memory: bool = False, **settings: Any) -> Iterator[Opened]:
    """The door for these rules; with `memory` the default door as well, over real servers."""
    clock, patches = Clock(), Spy()
    plan = Plan(rules, now=clock.now, **settings)
    with TransportDoor(plan, [], clock).opened(patches):
        if memory:
            with CountingDoor(plan, [Live(clock.busy)], clock).opened(patches):
                yield Opened(plan, clock)
        else:
            yield Opened(plan, clock)
    assert patches.left_over() == []


def rule(*faults: Any, **settings: Any) -> Rule:
    """A rule for the host of these tests."""
    return Rule(TO, faults, **settings)


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """Answers what it was asked."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": b"well"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    """Answers what it was asked."""
    start_response("200 OK", [("x-path", environ["PATH_INFO"])])
    return [b"well"]


def well(library: Any, request: Any) -> Any:
    """The healthy response."""
    return library.Response(200, content=b"well", headers={"x-path": request.url.path})


def own_blocking(library: Any) -> Any:
    """A transport that a test suite wrote itself."""

    class Own(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return well(library, request)

    return Own()


def own_async(library: Any) -> Any:
    """The same for async clients."""

    class Own(library.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            return well(library, request)

    return Own()


def retrying(library: Any) -> Any:
    """A transport around another one, which hands requests on."""

    class Around(library.BaseTransport):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            self.choices = [inner]

        def handle_request(self, request: Any) -> Any:
            return self.choices[0].handle_request(request)

    return Around(own_blocking(library))


TRANSPORTS: dict[str, tuple[bool, Callable[[Any], Any]]] = {
    "mock": (False, lambda library: library.MockTransport(partial(well, library))),
    "mock, async": (True, lambda library: library.MockTransport(partial(well, library))),
    "asgi": (True, lambda library: library.ASGITransport(asgi_app)),
    "wsgi": (False, lambda library: library.WSGITransport(wsgi_app)),
    "of the test's own": (False, own_blocking),
    "of the test's own, async": (True, own_async),
    "around another": (False, retrying),
}


def fetch(library: Any, transport: Any, is_async: bool = False, url: str = URL, **how: Any) -> Any:
    """One whole response through a transport."""
    if not is_async:
        with library.Client(transport=transport) as client:
            return client.get(url, **how)

    async def go() -> Any:
        async with library.AsyncClient(transport=transport) as client:
            return await client.get(url, **how)

    return asyncio.run(go())


@LIBRARIES
@pytest.mark.parametrize("kind", TRANSPORTS)
def test_a_transport_without_sockets_is_struck_once_and_is_well_again(library: ModuleType, kind: str) -> None:
    """Each kind: the first request meets the fault in the vendor's place, the second its own healthy answer."""
    is_async, make = TRANSPORTS[kind]
    transport = make(library)
    with opened(rule(Status(code=429, headers={"retry-after": "7"}), times=1)) as door:
        struck = fetch(library, transport, is_async)
        again = fetch(library, transport, is_async)
    assert (struck.status_code, struck.headers["retry-after"], struck.headers["x-agentfault"]) == (429, "7", "Status")
    assert (again.status_code, again.text, again.headers["x-path"]) == (200, "well", "/v1/items")
    assert [(x.request.url, x.reply.status, len(x.struck)) for x in door.plan.log] == [(URL, 429, 1), (URL, 200, 0)]
    assert (struck.request.url, str(again.request.url)) == (URL, URL)


@LIBRARIES
@pytest.mark.parametrize("fault", [Status(code=503), Lose(how="cut", where="in_body")], ids=["answer", "alter"])
def test_an_answer_never_asks_the_transport_and_an_alteration_asks_it_once(library: ModuleType, fault: Any) -> None:
    """The vendor has not acted under the one, and has acted exactly once under the other."""
    asked: list[str] = []

    def handler(request: Any) -> Any:
        asked.append(request.method)
        return well(library, request)

    with opened(rule(fault)):
        if isinstance(fault, Status):
            assert fetch(library, library.MockTransport(handler)).status_code == 503
        else:
            with pytest.raises(library.RemoteProtocolError, match="received 2 bytes, expected 4"):
                fetch(library, library.MockTransport(handler))
    assert len(asked) == (0 if isinstance(fault, Status) else 1)


@LIBRARIES
def test_untouched_is_the_very_response_of_the_transport(library: ModuleType) -> None:
    """Where nothing strikes, the object that the handler made comes up; other hosts are not even looked at."""
    made: list[Any] = []

    def handler(request: Any) -> Any:
        made.append(library.Response(200, json={"n": len(made)}))
        return made[-1]

    with opened(rule(Status(code=500), after=1, times=1)) as door:
        mine = fetch(library, library.MockTransport(handler))
        elsewhere = fetch(library, library.MockTransport(handler), url="https://other.example.com/")
    assert mine is made[0]
    assert elsewhere is made[1]
    assert "x-agentfault" not in mine.headers
    assert [x.request.url for x in door.plan.log] == [URL]
    assert door.plan.passed == {"other.example.com:443"}


@LIBRARIES
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_pieces_of_a_streamed_body_are_its_chunks(library: ModuleType, is_async: bool) -> None:
    """The boundaries of the transport's stream come up again, struck elsewhere or not at all."""
    pieces = [b"data: 1\n\n", b"data: 2\n\n"]

    async def flow() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    def handler(request: Any) -> Any:
        return library.Response(200, content=flow() if is_async else iter(pieces))

    async def read(client: Any) -> list[bytes]:
        async with client, client.stream("GET", URL) as response:
            return [piece async for piece in response.aiter_raw()]

    for fault, expected in ((Leaves(), pieces), (SplitChunks(every_bytes=4), None)):
        with opened(rule(fault)) as door:
            if is_async:
                got = asyncio.run(read(library.AsyncClient(transport=library.MockTransport(handler))))
            else:
                client = library.Client(transport=library.MockTransport(handler))
                with client, client.stream("GET", URL) as response:
                    got = list(response.iter_raw())
        assert b"".join(got) == b"".join(pieces)
        assert got == expected if expected else max(map(len, got)) == 4
        baseline = door.plan.log[0].baseline
        assert baseline is not None
        assert [e.data for e in baseline.events[1:-1]] == pieces  # type: ignore[union-attr]


@LIBRARIES
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_errors_of_the_transport_are_healthy_answers(library: ModuleType, is_async: bool) -> None:
    """A handler that raises raises as without the door, before its response and in the body; nothing is a problem."""

    def refusing(request: Any) -> Any:
        raise library.ConnectError("no", request=request)

    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise library.ReadError("gone")

    async def breaking_async() -> AsyncIterator[bytes]:
        for piece in breaking():
            yield piece

    def half(request: Any) -> Any:
        return library.Response(200, content=breaking_async() if is_async else breaking())

    with opened(rule(Leaves())) as door:
        with pytest.raises(library.ConnectError, match="no"):
            fetch(library, library.MockTransport(refusing), is_async)
        with pytest.raises(library.ReadError, match="gone"):
            fetch(library, library.MockTransport(half), is_async)
    assert door.plan.problems == []
    assert [x.reply.body for x in door.plan.log] == [b"half"]
    assert not door.plan.log[0].reply.whole


@LIBRARIES
def test_a_response_that_was_read_already_can_be_struck(library: ModuleType) -> None:
    """A handler may pass on a response of another client, or give the same one again."""
    kept = fetch(library, library.MockTransport(partial(well, library)))
    with opened(rule(SplitChunks(every_bytes=2))) as door:
        assert fetch(library, library.MockTransport(lambda request: kept)).text == "well"
    assert len(door.plan.log[0].struck) == 1


@dataclass(frozen=True, slots=True)
class Rewrites:
    """Asks something else."""

    def mutate(self, request: Request) -> Request:
        """On the way out."""
        return replace(request, body=b'{"query": "broken {"}')


@LIBRARIES
def test_a_request_changed_on_its_way_out_is_what_the_transport_sees(library: ModuleType) -> None:
    """Body and length are the changed ones; everything else is the client's."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return well(library, request)

    with opened(rule(Rewrites())), library.Client(transport=library.MockTransport(handler)) as client:
        assert client.post(URL, json={"query": "{ok}"}, headers={"x-key": "k"}).text == "well"
    (asked,) = seen
    assert (asked.method, str(asked.url), asked.headers["x-key"]) == ("POST", URL, "k")
    assert (asked.read(), asked.headers["content-length"]) == (b'{"query": "broken {"}', "21")


@LIBRARIES
@pytest.mark.parametrize("early", [True, False], ids=["before the door", "after it"])
def test_what_others_patch_stays_beneath(library: ModuleType, early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that replaces `handle_request`, before us or after, is asked for the healthy reply only."""

    def replaced(transport: Any, request: Any) -> Any:
        return library.Response(200, text="theirs")

    if early:
        monkeypatch.setattr(library.MockTransport, "handle_request", replaced)
    with opened(rule(Status(code=429), times=1)) as door:
        if not early:
            monkeypatch.setattr(library.MockTransport, "handle_request", replaced)
        found = [fetch(library, library.MockTransport(partial(well, library))).text for _ in range(2)]
    assert (found[0] != "theirs", found[1]) == (True, "theirs")
    assert [len(x.struck) for x in door.plan.log] == [1, 0]


def over_sockets(library: Any) -> dict[str, Any]:
    """Transports that reach a socket, each in its own way."""

    class Around(library.BaseTransport):  # type: ignore[misc]
        def __init__(self) -> None:
            self.inner = library.HTTPTransport()

        def handle_request(self, request: Any) -> Any:
            return self.inner.handle_request(request)

    class Late(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            with library.Client() as client:  # nothing shows beforehand that it will
                found = client.request(request.method, request.url)
                return library.Response(found.status_code, content=found.content)

    return {"real": library.HTTPTransport(), "around a real one": Around(), "late": Late()}


@LIBRARIES
@pytest.mark.parametrize("kind", ["real", "around a real one", "late"])
def test_a_request_is_never_struck_twice(library: ModuleType, kind: str) -> None:
    """With the door `memory` open as well, what reaches a socket is counted and struck once."""
    with local_server() as server:
        aimed = Rule(f"* {server.url}/*", (SplitChunks(every_bytes=3), Leaves()))
        with opened(aimed, memory=True) as door:
            found = fetch(library, over_sockets(library)[kind], url=f"{server.url}/items")
    assert found.status_code == 200
    assert [len(x.struck) for x in door.plan.log] == [1]
    assert door.plan.tallies[0].seen == 1


@LIBRARIES
@pytest.mark.parametrize("runner", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("why", [*Why], ids=lambda why: why.value)
def test_a_refused_connection_is_a_connect_error(library: ModuleType, runner: str, why: Why) -> None:
    """Whatever the reason, and on every event loop; the transport is not asked."""

    async def go() -> None:
        async with library.AsyncClient(transport=library.MockTransport(lambda r: pytest.fail("asked"))) as client:
            await client.get(URL)

    kind = library.ConnectTimeout if why is Why.TIMEOUT else library.ConnectError
    with opened(rule(Refuse(why=why.value))) as door, timed(door), pytest.raises(kind):
        if runner == "blocking":
            fetch(library, library.MockTransport(lambda r: pytest.fail("asked")))
        else:
            anyio.run(go, backend=runner)
    assert [x.request.method for x in door.plan.log] == ["CONNECT"]


ON_TRIO: dict[str, tuple[Any, str, type[BaseException] | None]] = {
    "reset": (Lose(how="reset", where="in_body", after_bytes=2), "ReadError", ConnectionResetError),
    "cut": (Lose(how="cut", where="in_body", after_bytes=2), "RemoteProtocolError", None),
    "stall": (Lose(how="stall", where="in_body", after_bytes=2), "ReadTimeout", trio.TooSlowError),
    "slow": (Slow(seconds=20), "ReadTimeout", trio.TooSlowError),
}


@LIBRARIES
@pytest.mark.parametrize("case", ON_TRIO)
def test_trio_meets_losses_in_its_own_errors(library: ModuleType, case: str) -> None:
    """The exception is the client's, and trio's own is beneath it; no time passes."""
    fault, name, beneath = ON_TRIO[case]

    async def go() -> Any:
        async with library.AsyncClient(transport=library.MockTransport(partial(well, library))) as client:
            return await client.get(URL)

    began = time.monotonic()
    with opened(rule(fault)) as door, pytest.raises(getattr(library, name)) as caught:
        trio.run(go)
    assert time.monotonic() - began < 3
    chain: list[BaseException] = [caught.value]
    while (following := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(following)
    assert beneath is None or any(isinstance(error, beneath) for error in chain)
    assert (door.clock.offset > 4.9) == (name == "ReadTimeout")


def test_trio_waits_that_are_short_enough_are_waited() -> None:
    """A delay inside the limit costs nothing but time on the clock."""

    async def go() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(partial(well, httpx))) as client:
            return await client.get(URL)

    with opened(rule(Slow(seconds=3))) as door:
        assert trio.run(go).text == "well"
    assert door.clock.offset == 3


@LIBRARIES
@pytest.mark.parametrize("runner", ["blocking", "asyncio", "trio"])
def test_a_client_without_a_limit_is_told_that_it_would_wait_for_ever(library: ModuleType, runner: str) -> None:
    """A stall that nothing ends is an error of ours, which names what struck."""
    transport = library.MockTransport(partial(well, library))

    async def go() -> None:
        async with library.AsyncClient(transport=transport, timeout=None) as client:
            await client.get(URL)

    stalled = rule(Lose(how="stall", where="before_head"))
    with opened(stalled) as door, timed(door), pytest.raises(WouldBlockForeverError) as caught:
        if runner == "blocking":
            fetch(library, transport, timeout=None)
        else:
            anyio.run(go, backend=runner)
    assert caught.value.there == (
        "the script is silent from here on (Lose struck it), and the client has set no time limit for reading"
    )
    assert len(door.plan.problems) == 1


@contextmanager
def timed(door: Opened) -> Iterator[None]:
    """The clock over the process's own."""
    patches = Spy()
    door.clock.install(patches)
    try:
        yield
    finally:
        patches.undo()


def test_a_wait_of_an_async_client_is_a_timer_of_its_loop() -> None:
    """Twenty seconds pass on the clock under a limit of thirty, and nothing of them is waited."""

    async def go() -> str:
        transport = httpx.MockTransport(partial(well, httpx))
        async with httpx.AsyncClient(transport=transport, timeout=30) as client:
            return (await client.get(URL)).text

    began = time.monotonic()
    with opened(rule(Slow(seconds=20))) as door, timed(door):
        assert asyncio.run(go()) == "well"
    assert time.monotonic() - began < 5
    assert door.clock.offset >= 19


@LIBRARIES
def test_the_budget_of_calls_ends_a_loop(library: ModuleType) -> None:
    """A client that asks for ever is stopped by an error that no retry loop swallows."""
    with opened(rule(Status(code=503)), max_calls=3) as door, pytest.raises(Hung):
        while True:
            fetch(library, library.MockTransport(partial(well, library)))
    assert len(door.plan.log) == 3


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault with a mistake in it."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        raise FaultError("wrong", "this", "that")


@LIBRARIES
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_a_mistake_in_a_fault_is_kept_for_the_end_of_the_test(library: ModuleType, is_async: bool) -> None:
    """Even where the client swallows it."""
    with opened(rule(Wrong())) as door, pytest.raises(FaultError):
        fetch(library, library.MockTransport(partial(well, library)), is_async)
    assert [str(p).splitlines()[0] for p in door.plan.problems] == ["wrong"]


SEAMS = {
    "the classes that transports stand on": ("_transports.base", "BaseTransport AsyncBaseTransport"),
    "the way back to the client's own errors": (
        "_transports.default",
        "map_httpcore_exceptions ResponseStream AsyncResponseStream HTTPTransport AsyncHTTPTransport",
    ),
}
SEAMS_OF_THE_CORE = {
    "blocking streams over a socket": ("_backends.sync", "SyncStream"),
    "async streams over anyio": ("_backends.anyio", "AnyIOStream"),
    "async streams over trio": ("_backends.trio", "TrioStream"),
    "errors of a connection that never comes to be": ("_exceptions", "map_exceptions"),
}


@pytest.mark.parametrize("seam", [*SEAMS, *SEAMS_OF_THE_CORE])
@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_private_names_are_where_they_were(library: str, seam: str) -> None:
    """One that has moved is named here."""
    module, names = {**SEAMS, **SEAMS_OF_THE_CORE}[seam]
    owner = library if seam in SEAMS else library.replace("httpx", "httpcore")
    found = import_module(f"{owner}.{module}")
    assert [name for name in names.split() if not hasattr(found, name)] == []


@LIBRARIES
def test_a_transport_is_asked_by_these_two_names(library: ModuleType) -> None:
    """A client asks its transport through an ordinary look-up of `handle_request` or `handle_async_request`."""
    for client, name in (("Client", "handle_request"), ("AsyncClient", "handle_async_request")):
        assert f"transport.{name}(request)" in inspect.getsource(getattr(library, client)._send_single_request)


def test_a_seam_that_has_moved_is_an_error_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is named, and what to do."""
    monkeypatch.delattr("httpx._transports.base.AsyncBaseTransport")
    with pytest.raises(UnreachableError) as caught, opened(rule(Leaves())):
        pass
    assert str(caught.value).splitlines() == [
        "the way into httpx has moved",
        "  there is: AttributeError: module 'httpx._transports.base' has no attribute 'AsyncBaseTransport' "
        "(in httpx._transports.base)",
        "  to do: use a version of httpx that this plugin was tested with, and report this one",
    ]


def test_a_marker_strikes_a_mock_transport(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word more than over the network, also where httpx2 is first imported by the test."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import time

        import httpx
        import pytest

        def fetch(library):
            transport = library.MockTransport(lambda request: library.Response(200, json=[1, 2, 3]))
            with library.Client(transport=transport) as client:
                while True:
                    reply = client.get("https://api.example.com/items")
                    if reply.status_code != 429:
                        return reply.raise_for_status().json()
                    time.sleep(float(reply.headers["retry-after"]))

        @pytest.mark.fault("any/rate-limit")
        def test_it():
            assert fetch(httpx) == [1, 2, 3]

        @pytest.mark.fault("any/rate-limit")
        def test_late():
            import httpx2
            assert fetch(httpx2) == [1, 2, 3]

        def test_after():
            assert type(httpx.BaseTransport()).__getattribute__ is object.__getattribute__
        """
    )
    result = pytester.runpytest_subprocess("-p", "pytest_agentfault.plugin", "-v", "-W", "error")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["recovered *::test_it  any/rate-limit (2 of 3 calls)", "recovered *::test_late  any/rate-limit (2 of 3 calls)"]
    )
