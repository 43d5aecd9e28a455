"""The memory door, client by client: what comes in, what goes out, and over how many connections."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from _loopback import Loopback, loopback
from _memory import KEEP, Leaves, opened, says

from pytest_agentfault import Data, End, Head, Reply, Request, Rule
from pytest_agentfault.testing._clients import CLIENTS, Ask, Client, Piece

VENDOR = "https://api.vendor.example"
URL = f"{VENDOR}/v1/items"

every_client = pytest.mark.parametrize("client", CLIENTS, ids=[c.name for c in CLIENTS])


def asked(client: Client, url: str = URL, **how: Any) -> list[Piece]:
    """What a client hands up, in order: statuses and pieces of body."""
    out: list[Piece] = []
    client.run(Ask(url, **{"seconds": 5.0, **how}), out)  # patience for a busy machine
    return [piece for piece in out if piece is not None]  # only aiohttp tells of chunks


@every_client
def test_a_hard_coded_url_and_its_chunks(client: Client) -> None:
    """A host that does not exist answers over https, and every chunk is handed up alone."""
    pieces = [b"one", b"two", b"three", b"x" * 70_000]
    streamed = Reply((Head(200), *(Data(p) for p in pieces), End()))

    class Streams:
        def answer(self, request: Request) -> Reply:
            return streamed

    with opened(Rule(f"GET {VENDOR}/*", (Streams(),))) as o:
        got = asked(client)
    assert got[:4] == [200, b"one", b"two", b"three"]
    assert b"".join(p for p in got[4:] if isinstance(p, bytes)) == pieces[3]
    assert [(x.request.method, x.request.url, bool(x.struck)) for x in o.plan.log] == [("GET", URL, True)]


@every_client
def test_another_port_and_plain_http(client: Client) -> None:
    """The URL in the log is the one that the client was given."""
    with opened(says(200, b"ok", to="GET http://api.vendor.example:8080/*")) as o:
        assert asked(client, "http://api.vendor.example:8080/a?b=c") == [200, b"ok"]
    assert o.plan.log[0].request.url == "http://api.vendor.example:8080/a?b=c"


@every_client
def test_a_kept_connection_is_used_again(client: Client) -> None:
    """A reply that keeps the connection is followed by the next request on it; urllib.request always asks anew."""
    with opened(says(200, b"ok", headers=KEEP)) as o:
        assert asked(client, times=3) == [200, b"ok"] * 3
    assert o.door.made == (3 if client.name == "urllib_request" else 1)


@every_client
def test_without_keep_alive_each_request_has_a_connection_of_its_own(client: Client) -> None:
    """A reply closes the connection, and every client dials again."""
    with opened(says(200, b"ok", headers=(("Connection", "close"),))) as o:
        assert asked(client, times=3) == [200, b"ok"] * 3
    assert o.door.made == 3


BODYLESS = [(c, *m) for c in CLIENTS for m in (("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 204))]


@pytest.mark.parametrize(
    ("client", "method", "status"),
    # urllib.request raises for a 304, and has no connection to keep
    [
        pytest.param(*b, id=f"{b[0].name}-{b[1]}-{b[2]}")
        for b in BODYLESS
        if (b[0].name, b[2]) != ("urllib_request", 304)
    ],
)
def test_bodyless_replies_leave_the_connection_usable(client: Client, method: str, status: int) -> None:
    """HEAD, 204 and 304 end with their head: the next request on the connection meets its own reply."""
    with opened(says(status, b"not sent", headers=KEEP)) as o:
        assert asked(client, method=method, times=2) == [status, status]
    assert o.door.made == (2 if client.name == "urllib_request" else 1)


@every_client
def test_a_big_upload(client: Client) -> None:
    """8 MB arrive whole and once."""
    body = bytes(range(256)) * 32768
    with opened(says(201, b"ok")) as o:
        assert asked(client, method="POST", body=body) == [201, b"ok"]
    assert [x.request.body == body for x in o.plan.log] == [True]


PIECES = [b"first,", b"second,", b"x" * 100_000]


def generated() -> Iterator[bytes]:
    """A body whose length nobody knows."""
    yield from PIECES


async def agenerated() -> AsyncIterator[bytes]:
    """The same, for clients of asyncio."""
    for piece in PIECES:
        await asyncio.sleep(0)
        yield piece


def _urllib_request() -> int:
    from urllib.request import Request as Asked
    from urllib.request import urlopen

    with urlopen(Asked(URL, generated(), method="PUT")) as response:
        return int(response.status)


def _botocore() -> int:
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    headers = {"Transfer-Encoding": "chunked"}
    response = URLLib3Session().send(AWSRequest("PUT", URL, headers, BytesIO(b"".join(PIECES))).prepare())
    return int(response.status_code)


def _aiohttp() -> int:
    async def go() -> int:
        async with aiohttp.ClientSession() as session, session.put(URL, data=agenerated()) as response:
            return response.status

    return asyncio.run(go())


def _httpx_async(module: Any) -> int:
    async def go() -> int:
        async with module.AsyncClient() as client:
            return int((await client.put(URL, content=agenerated())).status_code)

    return asyncio.run(go())


STREAMED_UP: dict[str, Callable[[], int]] = {
    "httpx": lambda: httpx.put(URL, content=generated()).status_code,
    "httpx_async": lambda: _httpx_async(httpx),
    "httpx2": lambda: httpx2.put(URL, content=generated()).status_code,
    "httpx2_async": lambda: _httpx_async(httpx2),
    "requests": lambda: requests.put(URL, data=generated()).status_code,
    "urllib3": lambda: urllib3.request("PUT", URL, body=generated()).status,
    "aiohttp": _aiohttp,
    "urllib_request": _urllib_request,
    "botocore": _botocore,
}


@pytest.mark.parametrize("name", STREAMED_UP)
def test_a_body_streamed_up(name: str) -> None:
    """A generator is sent in chunks, and arrives as one body."""
    with opened(says(200, b"ok")) as o:
        assert STREAMED_UP[name]() == 200
    (kept,) = o.plan.log
    assert kept.request.body == b"".join(PIECES)
    assert kept.request.header("transfer-encoding") == "chunked"


def test_100_continue_by_hand() -> None:
    """A client that waits for 100-continue gets it, and then its reply, on one connection."""
    with opened(says(200, b"ok", headers=KEEP)) as o:
        connection = http.client.HTTPSConnection("api.vendor.example")
        for _ in range(2):
            connection.putrequest("POST", "/v1/items")
            connection.putheader("Expect", "100-continue")
            connection.putheader("Content-Length", "5")
            connection.endheaders()
            assert connection.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.send(b"hello")
            assert connection.getresponse().read() == b"ok"
        connection.close()
    assert [x.request.body for x in o.plan.log] == [b"hello", b"hello"]
    assert o.door.made == 1


@every_client
def test_a_host_that_no_rule_can_match_is_untouched(client: Client) -> None:
    """The request reaches the real server; the plan only remembers where it went."""
    with loopback() as server, opened(says(500, to=f"GET {VENDOR}/*")) as o:
        got = asked(client, f"{server.url}/real")
    assert got[0] == 200
    assert server.asked == [("GET", "/real", b"")]
    assert (o.plan.log, o.door.made) == ([], 0)
    assert server.url.removeprefix("http://") in o.plan.passed


def test_one_client_may_talk_to_both_worlds() -> None:
    """A struck host in memory and a real one, by turns, from one pool."""
    with loopback() as server, opened(says(503, b"struck", to=f"GET {VENDOR}/*")), httpx.Client() as client:
        got = [client.get(u).status_code for u in (URL, f"{server.url}/a", URL, f"{server.url}/b")]
    assert got == [503, 200, 503, 200]
    assert len(server.asked) == 2


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A real server that nobody may reach."""
    with loopback() as running:
        yield running


@every_client
def test_a_struck_loopback_server_sees_nothing(client: Client, server: Loopback) -> None:
    """A rule for a server on this machine strikes it like any other host."""
    with opened(says(200, b"struck", to=f"* {server.url}/*")):
        assert asked(client, f"{server.url}/x") == [200, b"struck"]
    assert server.asked == []


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
@every_client
def test_names_and_addresses_are_dialled_alike(client: Client, name: str) -> None:
    """Whatever a URL calls its host, the door lets it in, and calls it by that name."""
    with opened(says(200, b"ok")) as o:
        assert asked(client, f"http://{name}:81/x") == [200, b"ok"]
    assert o.plan.log[0].request.url.lower() == f"http://{name.lower()}:81/x"


def test_concurrent_tasks_each_get_their_own_reply() -> None:
    """50 requests at once over one pool, each answered with what it asked."""

    class Echo:
        def answer(self, request: Request) -> Reply:
            return Reply.of(200, request.url.rpartition("/")[2].encode(), KEEP)

    async def go() -> list[bytes]:
        async with httpx.AsyncClient() as client:
            return [r.content for r in await asyncio.gather(*(client.get(f"{VENDOR}/{n}") for n in range(50)))]

    with opened(Rule("* *", (Echo(),))):
        assert asyncio.run(go()) == [str(n).encode() for n in range(50)]


def test_the_response_says_what_struck() -> None:
    """The header that confesses is there for the test's author to read."""
    with opened(says(429, b"slow down", name="any/rate-limit")):
        response = httpx.get(URL)
    assert (response.status_code, response.headers["x-agentfault"], response.text) == (
        429,
        "any/rate-limit",
        "slow down",
    )


def test_nothing_to_answer_with() -> None:
    """An altering fault over no baseline: the client meets the error, and it is kept for the verdict."""
    from pytest_agentfault._errors import UpstreamError

    with opened(Rule("* *", (Leaves(),))) as o, pytest.raises(UpstreamError) as caught:
        httpx.get(URL)
    assert str(caught.value) == (
        f"nobody answers GET {URL}\n"
        "  there is: no cassette, mock or server for it in this test\n"
        '  to do: name a recording: @pytest.mark.fault(..., cassette="path.yaml")'
    )
    assert o.plan.problems == [caught.value]
