"""respx asked from below: routes, side effects, counts and errors are its own, and its seams are where they were."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import respx
from _loopback import loopback
from _mounted import API, BUSY, Break, mounted, once, told
from respx.mocks import AbstractRequestMocker, HTTPCoreMocker, HTTPXMocker, Mocker
from respx.transports import TryTransport

from pytest_agentfault import Rule
from pytest_agentfault._seams import Patches
from pytest_agentfault.upstreams.respx import Respx

MODES = pytest.mark.parametrize("using", ["httpcore", "httpx"])


def get(path: str = "/x", **options: Any) -> httpx.Response:
    """One request of a client that verifies nothing."""
    return httpx.get(API + path, verify=False, **options)


@MODES
def test_calls_hold_what_was_asked_of_the_routes(using: str) -> None:
    """`calls` of router and route: what a fault answered is not among them, request and response are respx's."""
    with mounted(Respx, once(BUSY)), respx.mock(using=using) as router:
        route = router.post(f"{API}/x", json__n=1).respond(201, json={"made": 1})
        client = httpx.Client(headers={"X-Mine": "1"}, verify=False)
        assert [client.post(f"{API}/x?q=2", json={"n": 1}).status_code for _ in range(2)] == [429, 201]
        assert (router.calls.call_count, route.call_count, route.called) == (1, 1, True)
        asked, said = route.calls.last
        assert (asked.method, str(asked.url), asked.content) == ("POST", f"{API}/x?q=2", b'{"n":1}')
        assert (asked.headers["x-mine"], asked.extensions["timeout"]["read"]) == ("1", 5.0)
        assert said.json() == {"made": 1}


@MODES
def test_a_route_that_was_struck_only_counts_as_not_called(using: str) -> None:
    """`assert_all_called` says so, in respx's own words, unless the test already fails."""
    with (
        mounted(Respx, Rule(f"* {API}/*", (BUSY,))),
        pytest.raises(AssertionError, match="some routes were not called!"),
        respx.mock(using=using) as router,
    ):
        router.get(f"{API}/x").respond(200)
        assert get().status_code == 429


@MODES
@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("down"), httpx.ReadTimeout, ValueError("mine"), httpx.PoolTimeout("full")],
    ids=["connect", "timeout-class", "value", "pool"],
)
def test_an_error_of_a_route_is_raised_as_it_is(using: str, error: Any) -> None:
    """The very class and text, not what a socket would make of it; the run has no problem with it."""
    with mounted(Respx) as plan, respx.mock(using=using) as router:
        route = router.get(f"{API}/x").mock(side_effect=error)
        with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
            get()
        assert str(caught.value) == ("Mock Error" if isinstance(error, type) else str(error))
        assert (plan.problems, route.call_count) == ([], 1)


def test_an_error_of_a_route_is_a_lost_connection_to_a_client_respx_does_not_see() -> None:
    """It has exception classes of its own: a reset, or silence until its timeout."""
    with mounted(Respx), respx.mock() as router:
        router.get(f"{API}/x").mock(side_effect=[httpx.ConnectError("down"), httpx.ReadTimeout("late")])
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"{API}/x", verify=False)
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.get(f"{API}/x", verify=False)


@MODES
def test_side_effects_in_a_row_are_used_up_one_per_call(using: str) -> None:
    """A struck one is used up too; the client that is owed it is given it again, any other meets respx's own end."""
    replies = [httpx.Response(200, text="one"), httpx.Response(200, text="two")]
    with mounted(Respx, Rule(f"* {API}/*", (Break(),), times=1, after=1)) as plan, respx.mock(using=using) as router:
        route = router.get(f"{API}/x").mock(side_effect=replies)
        assert get().text == "one"
        with pytest.raises(httpx.TransportError):
            get()
        assert get().text == "two"
        assert (told(plan), route.call_count) == ([200, None, 200], 2)
        with pytest.raises((StopIteration, RuntimeError)):
            get()
        assert plan.problems == []


@MODES
def test_side_effects_that_await_are_awaited(using: str) -> None:
    """On the test's clock; what such a one raises reaches the client as it is."""

    async def slowly(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        return httpx.Response(200, json={"path": request.url.path})

    async def badly(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise httpx.ReadError("mine")

    async def ask() -> None:
        router.get(f"{API}/x").mock(side_effect=slowly)
        router.get(f"{API}/bad").mock(side_effect=badly)
        async with httpx.AsyncClient(verify=False, timeout=60) as client:
            assert (await client.get(f"{API}/x")).status_code == 429
            assert (await client.get(f"{API}/x")).json() == {"path": "/x"}
            with pytest.raises(httpx.ReadError, match=r"^mine$"):
                await client.get(f"{API}/bad")
        async with httpx2.AsyncClient(verify=False, timeout=60) as other:
            assert (await other.get(f"{API}/x")).json() == {"path": "/x"}

    with mounted(Respx, once(BUSY)) as plan, respx.mock(using=using) as router:
        asyncio.run(ask())
        assert plan.problems == []


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
@MODES
def test_a_route_that_passes_through_leads_to_the_server(using: str, is_async: bool) -> None:
    """And is counted, as without a fault; the fault strikes its reply too."""

    async def ask(url: str) -> int:
        async with httpx.AsyncClient(verify=False) as client:
            return (await client.get(url)).status_code

    with loopback() as server, mounted(Respx, once(BUSY, to="* http://127.0.0.1:*")), respx.mock(using=using) as router:
        route = router.route(host="127.0.0.1").pass_through()
        for expected in (429, 200):
            url = f"{server.url}/y"
            assert (asyncio.run(ask(url)) if is_async else httpx.get(url).status_code) == expected
        assert (route.call_count, route.calls.last.has_response, len(server.asked)) == (1, False, 1)


@MODES
def test_streams_go_over_the_wire_piece_by_piece(using: str) -> None:
    """Each piece is a chunk; where the stream fails, the connection is cut."""

    class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __init__(self, fails: bool) -> None:
            self.fails = fails

        def __iter__(self) -> Iterator[bytes]:
            yield from (b"one", b"", b"two")
            if self.fails:
                raise httpx.ReadError("cut")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in self:
                yield piece

    async def ask() -> list[bytes]:
        async with httpx.AsyncClient(verify=False) as client, client.stream("GET", f"{API}/x") as reply:
            return [piece async for piece in reply.aiter_raw()]

    with mounted(Respx), respx.mock(using=using) as router:
        router.get(f"{API}/x").respond(stream=Pieces(fails=False))
        router.get(f"{API}/cut").respond(stream=Pieces(fails=True))
        with httpx.Client(verify=False) as client, client.stream("GET", f"{API}/x") as reply:
            assert list(reply.iter_raw()) == [b"one", b"two"]
        assert asyncio.run(ask()) == [b"one", b"two"]
        with pytest.raises(httpx.RemoteProtocolError):
            get("/cut")


@pytest.mark.parametrize("form", ["decorator", "decorator-async", "global", "fixture-like"])
def test_every_way_to_start_a_router_is_taken_over(form: str) -> None:
    """Decorators, the global router and the context manager with settings."""
    with mounted(Respx, once(BUSY)) as plan:
        if form == "decorator":

            @respx.mock(base_url=API)
            def body(respx_mock: respx.MockRouter) -> list[int]:
                respx_mock.get("/x")
                return [get().status_code for _ in range(2)]

            assert body() == [429, 200]
        elif form == "decorator-async":

            @respx.mock
            async def abody() -> list[int]:
                respx.get(f"{API}/x")
                async with httpx.AsyncClient(verify=False) as client:
                    return [(await client.get(f"{API}/x")).status_code for _ in range(2)]

            assert asyncio.run(abody()) == [429, 200]
        elif form == "global":
            with respx.mock:
                respx.get(f"{API}/x") % 204
                assert [get().status_code for _ in range(2)] == [429, 204]
        else:
            with respx.mock(assert_all_mocked=False) as router:
                assert [get().status_code for _ in range(2)] == [429, 200]
                assert router.calls.call_count == 1
        assert plan.problems == []


def test_over_a_transport_without_a_socket_httpx_mode_stays_above_and_is_named() -> None:
    """respx answers there by itself, and the never-struck text can say so."""

    patches, mount = Patches(), Respx()
    mount.install(patches)
    try:
        with respx.mock(using="httpx") as router:
            router.get(f"{API}/x").respond(204)
            transport = httpx.MockTransport(lambda request: httpx.Response(500))
            assert httpx.Client(transport=transport).get(f"{API}/x").status_code == 204
        assert mount.active_above() == "respx (over MockTransport, which has no socket)"
    finally:
        patches.undo()


@MODES
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_what_no_rule_can_match_is_answered_where_respx_is(using: str, is_async: bool) -> None:
    """Another host's request does not go down to the door; respx answers and counts it as without us."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(verify=False) as client:
            return await client.post(f"{API}/x", json={"n": 1})

    mount = Respx()
    mount.wants = lambda host, port: host == "other.example"
    patches = Patches()
    try:
        mount.install(patches)
        with respx.mock(using=using) as router:
            route = router.post(f"{API}/x", json__n=1).respond(201, json={"made": 1})
            said = asyncio.run(ask()) if is_async else httpx.post(f"{API}/x", json={"n": 1}, verify=False)
            assert (said.status_code, said.json(), route.call_count) == (201, {"made": 1}, 1)
            assert route.calls.last.request.content == b'{"n":1}'
        assert mount.active_above() is None
    finally:
        patches.undo()


def test_a_side_effects_own_calls_are_calls_of_their_own() -> None:
    """A route that asks another client in turn."""

    def relay(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="via " + httpx.get(f"{API}/inner", verify=False).text)

    with mounted(Respx) as plan, respx.mock() as router:
        router.get(f"{API}/x").mock(side_effect=relay)
        router.get(f"{API}/inner").respond(text="inner")
        assert get().text == "via inner"
        assert [x.request.url for x in plan.log] == [f"{API}/inner", f"{API}/x"]


SEAMS = {
    "AbstractRequestMocker._send_sync_request": (
        AbstractRequestMocker._send_sync_request,
        ["httpx_request", "target_spec", "instance", "kwargs"],
    ),
    "AbstractRequestMocker._send_async_request": (
        AbstractRequestMocker._send_async_request,
        ["httpx_request", "target_spec", "instance", "kwargs"],
    ),
    "HTTPCoreMocker.to_httpx_request": (HTTPCoreMocker.to_httpx_request, ["kwargs"]),
    "HTTPCoreMocker.prepare_sync_request": (HTTPCoreMocker.prepare_sync_request, ["httpx_request", "kwargs"]),
    "HTTPCoreMocker.prepare_async_request": (HTTPCoreMocker.prepare_async_request, ["httpx_request", "kwargs"]),
    "TryTransport.handle_request": (TryTransport.handle_request, ["self", "request"]),
    "TryTransport.handle_async_request": (TryTransport.handle_async_request, ["self", "request"]),
    "Mocker.handler": (Mocker.handler, ["httpx_request"]),
    "Mocker.async_handler": (Mocker.async_handler, ["httpx_request"]),
}


@pytest.mark.parametrize("seam", SEAMS)
def test_seam(seam: str) -> None:
    """The private names of respx that the mount leans on have the arguments they had."""
    function, arguments = SEAMS[seam]
    assert list(inspect.signature(function).parameters) == arguments


def test_seam_of_the_registry() -> None:
    """`Mocker.registry` holds both modes, each with its routers; TryTransport keeps the real transport last."""
    assert dict(Mocker.registry) | {"httpcore": HTTPCoreMocker, "httpx": HTTPXMocker} == dict(Mocker.registry)
    with respx.mock(using="httpx") as router:
        assert HTTPXMocker.routers == [router]
        transport = httpx.Client(verify=False)._transport_for_url(httpx.URL(API))
        assert isinstance(transport, TryTransport)
        assert type(transport.transports[-1]) is httpx.HTTPTransport
        router.get(f"{API}/x").pass_through()
        route = router.routes[0]
        assert (bool(route.pattern.match(httpx.Request("GET", f"{API}/x"))), route.is_pass_through) == (True, True)
        router.routes.clear()
