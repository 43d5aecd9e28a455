"""
The door `redirect`, by the clients that the door in memory does not reach: who is led, and who is not.

What a client makes of a script is held against real sockets in contract/test_contract_redirect.py.
"""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import Any

import anyio
import httpx
import openai
import pytest
import trio
from _loopback import loopback
from _memory import Leaves, Refuses, Says
from _redirected import CLIENTS, TORNADO, TRIO, UVLOOP, Redirected, redirected
from _server import Vendor

from pytest_agentfault import Data, Head, How, Lost, Reply, Request, Rule, Why
from pytest_agentfault._plan import Hung
from pytest_agentfault.faults import Lose, Status
from pytest_agentfault.testing import Ask, Client

VENDOR = "api.vendor.example"
WELL = Reply.of(200, b'{"ok": true}', {"Content-Type": "application/json"})

every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
both_schemes = pytest.mark.parametrize("scheme", ["http", "https"])


def asked(client: Client, url: str, **how: Any) -> list[int]:
    """The statuses that a client hands up; its bundle of certificates is the system's own."""
    out: list[int | bytes | None] = []
    client.run(Ask(url, **{"seconds": 10.0, **how}), out)
    return [piece for piece in out if isinstance(piece, int)]


def kinds(error: BaseException | None) -> list[type[BaseException]]:
    """The classes of an exception and of all that lies beneath it."""
    found: list[type[BaseException]] = []
    while error is not None:
        found.append(type(error))
        if isinstance(error, BaseExceptionGroup):
            found += [kind for one in error.exceptions for kind in kinds(one)]
        error = error.__cause__ or error.__context__
    return found


def is_serving(opened: Redirected) -> bool:
    """Whether a server has been started."""
    return any(thread.name == "agentfault server" for thread in threading.enumerate())


@both_schemes
@every_client
def test_429_and_then_well(client: Client, scheme: str) -> None:
    """A hard-coded URL of a host that does not exist is struck once, and then answered."""
    with redirected(Rule(f"* {scheme}://{VENDOR}/*", (Status(code=429),), times=1), upstreams=(Vendor(WELL),)) as o:
        assert asked(client, f"{scheme}://{VENDOR}/v1/items?a=b", times=2) == [429, 200]
    first, second = o.plan.log
    assert first.request.url == second.request.url == f"{scheme}://{VENDOR}/v1/items?a=b"
    assert [bool(x.struck) for x in o.plan.log] == [True, False]
    assert not o.plan.problems


@both_schemes
@every_client
def test_a_connection_is_refused(client: Client, scheme: str) -> None:
    """It fails as any does where nobody listens, and the next one does not."""
    with redirected(Rule("* *", (Refuses(Why.REFUSED),), times=1), upstreams=(Vendor(WELL),)) as o:
        with pytest.raises(Exception) as caught:
            asked(client, f"{scheme}://{VENDOR}/x")
        assert ConnectionRefusedError in kinds(caught.value)
        assert asked(client, f"{scheme}://{VENDOR}/x") == [200]
    assert [x.request.method for x in o.plan.log] == ["CONNECT", "GET"]


@both_schemes
@every_client
def test_a_reply_is_reset_before_its_head(client: Client, scheme: str) -> None:
    """The client raises, and a second attempt comes through."""
    with redirected(Rule("* *", (Says(Reply((Lost(How.RESET),))),), times=1), upstreams=(Vendor(WELL),)) as o:
        with pytest.raises(Exception):  # noqa: B017  # which one is the contract's business
            asked(client, f"{scheme}://{VENDOR}/x", method="POST", body=b"{}")  # a GET is sent again by aiohttp itself
        assert asked(client, f"{scheme}://{VENDOR}/x") == [200]
    assert len(o.plan.log) == 2


@both_schemes
@every_client
def test_a_body_is_cut(client: Client, scheme: str) -> None:
    """What was promised does not come whole, and every client says so."""
    head = Head(200, (("Content-Length", "53"),))
    rule = Rule("* *", (Says(Reply((head, Data(b"{" * 20), Lost(How.CUT)))),), times=1)
    with redirected(rule) as o, pytest.raises(Exception):  # noqa: B017
        asked(client, f"{scheme}://{VENDOR}/x")
    assert len(o.plan.log) == 1


@every_client
def test_a_host_that_no_rule_can_match_is_left_alone(client: Client) -> None:
    """It is asked itself; no port, no thread and no certificate comes to be."""
    with loopback() as server, redirected(Rule(f"* https://{VENDOR}/*", (Status(code=429),))) as o:
        assert asked(client, f"{server.url}/x") == [200]
        assert asked(client, f"{server.url.replace('127.0.0.1', 'localhost')}/y") == [200]
        assert not is_serving(o)
    assert [path for _, path, _ in server.asked] == ["/x", "/y"]
    assert not o.plan.log


@every_client
def test_a_local_server_is_struck_and_asked(client: Client) -> None:
    """A server on loopback is named by its address: it is led as well, and its own replies come through."""
    with loopback() as server:
        with redirected(Rule(f"GET {server.url}/*", (Status(code=429),), times=1), live=True) as o:
            assert asked(client, f"{server.url}/x", times=2) == [429, 200]
        assert asked(client, f"{server.url}/z") == [200]
    assert [path for _, path, _ in server.asked] == ["/x", "/z"]
    assert len(o.plan.log) == 2


@pytest.mark.parametrize("ending", [None, RuntimeError, KeyboardInterrupt], ids=["passes", "raises", "interrupted"])
def test_nothing_is_left(ending: type[BaseException] | None) -> None:
    """After the block every name holds what it held, nobody listens, no thread runs, and a kept client dials anew."""
    kept: list[Any] = []

    def block() -> None:
        with redirected(Rule("* *", (Status(code=429),))) as o:
            kept.append(o)
            for client in (*CLIENTS, *CLIENTS):
                assert asked(client, f"https://{VENDOR}/x") == [429]
            assert is_serving(o)
            kept.extend(o.memory.own_ports)
            if ending is not None:
                raise ending

    if ending is None:
        block()
    else:
        with pytest.raises(ending):
            block()
    opened, *ports = kept
    assert not opened.patches.left_over()
    assert not is_serving(opened)
    assert len(ports) >= 2
    for port in ports:
        with closing(socket.socket()) as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("client", [TRIO[0], UVLOOP[0], UVLOOP[1], TORNADO], ids=lambda client: client.name)
def test_a_loop_without_end_is_ended(client: Client) -> None:
    """An agent that dials for ever has spent its budget, and cannot swallow that."""
    with redirected(Rule("* *", (Says(Reply((Lost(How.RESET),))),)), max_calls=5) as o, pytest.raises(Hung):
        while True:
            try:
                asked(client, f"http://{VENDOR}/x")
            except Exception:  # as agents do
                continue
    assert o.plan.hung


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_cannot_be_looked_up_counts_once(scheme: str) -> None:
    """trio asks twice for a name, at first only whether it is an address: that is no attempt."""
    with redirected(Rule("* *", (Refuses(Why.UNRESOLVED),), times=1), upstreams=(Vendor(WELL),)) as o:
        with pytest.raises(httpx.ConnectError) as caught:
            asked(TRIO[0], f"{scheme}://{VENDOR}/x")
        assert socket.gaierror in kinds(caught.value)
        assert asked(TRIO[0], f"{scheme}://{VENDOR}/x") == [200]
    assert len(o.plan.log) == 2


def test_openai_on_trio_retries() -> None:
    """The SDK's own retry loop runs on trio, waits as long as it is told, and costs no time."""
    reply = (
        b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    )
    reply += b'"message":{"role":"assistant","content":"yes"}}]}'
    rule = Rule("POST https://api.openai.com/*", (Status(code=429, headers={"Retry-After": "20"}),), times=2)
    well = Vendor(Reply.of(200, reply, {"Content-Type": "application/json"}))

    async def go() -> str | None:
        async with openai.AsyncOpenAI(api_key="k", base_url="https://api.openai.com/v1") as client:
            said = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])
        return said.choices[0].message.content

    with redirected(rule, upstreams=(well,), timed=True) as o:
        assert anyio.run(go, backend="trio") == "yes"
    assert [x.reply.status for x in o.plan.log] == [429, 429, 200]
    assert o.plan.log[2].began - o.plan.log[0].ended >= 40


def test_the_vendors_own_path_may_begin_with_a_url() -> None:
    """Readers and proxies have such paths; for a client of the server itself it would say where to go."""
    with redirected(Rule("* *", (Status(code=429),))) as o:
        assert asked(TRIO[0], "https://r.vendor.example/https://other.example/a") == [429]
    assert o.plan.log[0].request.url == "https://r.vendor.example/https://other.example/a"


@both_schemes
def test_through_a_proxy(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client wants stands behind the proxy that it dials, named or by address."""
    for proxy in ("http://proxy.corp.example:3128", "http://127.0.0.1:9"):
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)

        async def go() -> int:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{scheme}://{VENDOR}/x")).status_code

        with redirected(Rule(f"* {scheme}://{VENDOR}/*", (Status(code=429),))) as o:
            assert trio.run(go) == 429
        assert [x.request.url for x in o.plan.log] == [f"{scheme}://{VENDOR}/x"]


def test_a_stream_is_lost_half_way_through_what_a_local_server_said() -> None:
    """A fault on the way back strikes what the real server said."""
    rule = Rule("* *", (Lose(how="cut", where="in_body"),))
    with loopback() as server, redirected(rule, live=True) as o, pytest.raises(httpx.RemoteProtocolError):
        asked(TRIO[0], f"{server.url}/x")
    assert o.plan.log[0].baseline is not None


def test_many_at_once() -> None:
    """Two hundred tasks and their connections: every count is exact."""

    async def go() -> list[int]:
        statuses: list[int] = []

        async def one(client: httpx.AsyncClient) -> None:
            statuses.append((await client.get(f"https://{VENDOR}/x")).status_code)

        async with httpx.AsyncClient(timeout=60) as client, trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(one, client)
        return statuses

    rule = Rule("* *", (Status(code=503),), times=50)
    with redirected(rule, upstreams=(Vendor(WELL),), max_calls=1000) as o:
        statuses = trio.run(go)
    assert sorted(statuses) == [200] * 150 + [503] * 50
    assert len(o.plan.log) == 200


def test_leaves_are_not_asked_of_whoever_only_connects() -> None:
    """A connection that says nothing is no request, and strikes nothing."""
    with redirected(Rule("* *", (Leaves(),))) as o, closing(socket.socket()) as sock:
        sock.connect((VENDOR, 443))
        assert sock.getpeername()[0] == "127.0.0.1"
    assert not o.plan.log
    assert isinstance(Request("GET", "http://x/"), Request)
