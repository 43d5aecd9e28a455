"""The live upstream: what a real server says is relayed as it was said, and its failures as they were."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from _loopback import loopback
from _memory import Leaves, opened, serving
from _wire import WireServer, authority, server_context

from pytest_agentfault import Data, End, Head, How, Lost, Reply, Request, Rule
from pytest_agentfault._errors import UpstreamError
from pytest_agentfault._script import encode
from pytest_agentfault.upstreams.live import Live

CHUNKED = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH_9 = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
RST = struct.pack("ii", 1, 0)
EVERYTHING = Rule("* *", (Leaves(),))


def sends(*segments: bytes, reset: bool = False) -> Callable[[socket.socket], None]:
    """A server that says this to any request."""

    def handle(sock: socket.socket) -> None:
        sock.recv(100_000)
        for segment in segments:
            sock.sendall(segment)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
            sock.close()

    return handle


def by_thread(url: str, **how: Any) -> Reply:
    """Ask as a sync client does."""
    return Live(nullcontext).send(Request(how.pop("method", "GET"), url, (("Host", "x"),), **how))


def by_loop(url: str, **how: Any) -> Reply:
    """Ask as an asyncio client does."""
    return asyncio.run(Live(nullcontext).asend(Request(how.pop("method", "GET"), url, (("Host", "x"),), **how)))


both_ways = pytest.mark.parametrize("ask", [by_thread, by_loop])

ONE, ENDED = Head(200, (("X-One", "1"), ("Transfer-Encoding", "chunked")), "OK"), (Data(b"abc"), Data(b"de"), End())
SAID: dict[str, tuple[Callable[[Any], None], tuple[Any, ...]]] = {
    "chunks, each in its own segment": (
        sends(CHUNKED, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"),
        (ONE, *ENDED),
    ),
    "chunks, all in one segment": (sends(CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), (ONE, *ENDED)),
    "chunks, cut in their middle": (sends(CHUNKED + b"3\r\na", b"bc\r\n2\r\nd", b"e\r\n0\r\n", b"\r\n"), (ONE, *ENDED)),
    "a known length in two segments is one piece": (
        sends(LENGTH_9 + b"abc", b"defghi"),
        (Head(200, (("Content-Length", "9"),), "OK"), Data(b"abcdefghi"), End()),
    ),
    "closed at its end, without a length": (
        sends(b"HTTP/1.0 200 Fine\r\nConnection: close\r\n\r\nabc"),
        (Head(200, (), "Fine"), Data(b"abc"), End()),
    ),
    "an interim reply before it": (
        sends(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + LENGTH_9 + b"abcdefghi"),
        (Head(200, (("Content-Length", "9"),), "OK"), Data(b"abcdefghi"), End()),
    ),
    "no body": (sends(b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"), (Head(204, (("A", "b"),), "No Content"), End())),
    "closed inside the body": (
        sends(LENGTH_9 + b"abc"),
        (Head(200, (("Content-Length", "9"),), "OK"), Data(b"abc"), Lost(How.CUT)),
    ),
    "closed inside a chunk": (sends(CHUNKED + b"3\r\nabc\r\n5\r\nd"), (ONE, Data(b"abc"), Data(b"d"), Lost(How.CUT))),
    "reset inside the body": (
        sends(LENGTH_9 + b"abc", reset=True),
        (Head(200, (("Content-Length", "9"),), "OK"), Data(b"abc"), Lost(How.RESET)),
    ),
    "closed without a word": (sends(), (Lost(How.CUT),)),
    "reset without a word": (sends(reset=True), (Lost(How.RESET),)),
    "not HTTP": (sends(b"\x00\x01\x02\r\n\r\n"), (Lost(How.CUT),)),
    "a broken chunk": (sends(CHUNKED + b"3\r\nabc\r\nzz\r\n"), (ONE, Data(b"abc"), Lost(How.CUT))),
}


@pytest.mark.parametrize("name", SAID)
@both_ways
def test_what_a_server_says(ask: Callable[..., Reply], name: str) -> None:
    """Chunk boundaries, headers, phrase and ending come as they were."""
    handle, events = SAID[name]
    with serving(handle) as port:
        reply = ask(f"http://127.0.0.1:{port}/")
    # A reset may overtake the bytes before it: on a real socket that is the client's truth too.
    overtaken = reply.last == Lost(How.RESET) == events[-1] and reply.events[:-1] == events[: len(reply.events) - 1]
    assert overtaken or reply.events == events


@both_ways
def test_what_a_server_hears(ask: Callable[..., Reply]) -> None:
    """Method, path, query, body and the client's own headers; framing and connection are said anew."""
    heard: list[bytes] = []

    def listen(sock: socket.socket) -> None:
        while not heard or not heard[0].endswith(b"hello"):
            heard[:] = [b"".join(heard) + sock.recv(1000)]
        sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    headers = (("Host", "vendor"), ("X-A", "1"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"))
    with serving(listen) as port:
        asked = Request("PUT", f"http://127.0.0.1:{port}/a%20b?c=d&e", headers, b"hello")
        live = Live(nullcontext)
        assert (live.send(asked) if ask is by_thread else asyncio.run(live.asend(asked))).status == 204
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"PUT /a%20b?c=d&e HTTP/1.1",
        b"Host: vendor",
        b"X-A: 1",
        b"Content-Length: 5",
        b"Connection: close",
    ]
    assert body == b"hello"


@both_ways
def test_a_head_request_promises_a_body_that_never_comes(ask: Callable[..., Reply]) -> None:
    """The length in the reply is kept, and nothing is waited for."""
    with serving(sends(LENGTH_9)) as port:
        reply = ask(f"http://127.0.0.1:{port}/", method="HEAD")
    assert reply.events == (Head(200, (("Content-Length", "9"),), "OK"), End())


@both_ways
def test_a_server_that_is_down(ask: Callable[..., Reply]) -> None:
    """The error names the request, the cause and two ways out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
    with pytest.raises(UpstreamError) as caught:
        ask(url)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"no healthy reply for GET {url}"
    assert lines[1].startswith("  there is: ConnectionRefusedError: [Errno 111] Conn")
    assert lines[1].endswith(", from the real server; no cassette and no mock of this test answers it")
    assert lines[2] == (
        '  to do: name a recording (@pytest.mark.fault(..., cassette="path.yaml")), or start the server before the test'
    )
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def trusting() -> ssl.SSLContext:
    """A client's context that trusts the loopback server."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def test_a_sync_client_through_the_door() -> None:
    """A server in a thread is asked once per request, and its reply is handed up."""
    with loopback({"ok": 1}) as server, opened(EVERYTHING, live=True) as o:
        assert httpx.post(f"{server.url}/a?b=c", content=b"hello").json() == {"ok": 1}
        assert requests.put(f"{server.url}/d", data=iter([b"hel", b"lo"])).json() == {"ok": 1}
    assert server.asked == [("POST", "/a?b=c", b"hello"), ("PUT", "/d", b"hello")]
    assert [x.struck for x in o.plan.log] == [(), ()]


def test_an_asyncio_server_in_the_same_loop() -> None:
    """Client and server share a loop: neither waits for the other, and chunks keep their boundaries."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in (CHUNKED, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def go() -> list[Any]:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
                first = [piece async for piece in response.aiter_bytes()]
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                second = [piece async for piece in answer.content.iter_any()]
            return [first, second]

    with opened(EVERYTHING, live=True, timed=True) as o:
        assert asyncio.run(asyncio.wait_for(go(), 30)) == [[b"abc", b"de"]] * 2
    assert len(o.plan.log) == 2


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_lost_reply_is_lost_for_the_client_too(asynchronous: bool) -> None:
    """A server that closes inside its body is met as itself."""

    async def go(url: str) -> None:
        async with httpx.AsyncClient() as client:
            await client.get(url)

    with serving(sends(LENGTH_9 + b"abc")) as port, opened(EVERYTHING, live=True):
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(httpx.RemoteProtocolError, match="received 3 bytes, expected 9"):
            asyncio.run(go(url)) if asynchronous else httpx.get(url)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_server_that_is_down_through_the_door(asynchronous: bool) -> None:
    """The problem is kept for the verdict, however the client takes it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"

    async def go() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(url)

    with opened(EVERYTHING, live=True) as o, pytest.raises((UpstreamError, httpx.HTTPError)):
        asyncio.run(go()) if asynchronous else httpx.get(url)
    assert [str(p).splitlines()[0] for p in o.plan.problems] == [f"no healthy reply for GET {url}"]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("trusted", [True, False])
def test_tls_with_what_the_client_trusts(asynchronous: bool, trusted: bool) -> None:
    """The client's own context decides whether the real server is trusted."""
    verify: Any = trusting() if trusted else ssl.create_default_context()
    script = encode(Reply.of(200, b"over tls"), Request("GET", "https://x/"))

    async def go(url: str) -> bytes:
        async with httpx.AsyncClient(verify=verify) as client:
            return (await client.get(url)).content

    with WireServer(script, server_context()) as server, opened(EVERYTHING, live=True) as o:
        try:
            body = asyncio.run(go(server.url)) if asynchronous else httpx.get(server.url, verify=verify).content
        except (UpstreamError, httpx.HTTPError):
            body = b""
    assert body == (b"over tls" if trusted else b"")
    if not trusted:
        assert "CERTIFICATE_VERIFY_FAILED" in str(o.plan.problems[0])
