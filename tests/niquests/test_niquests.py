"""
niquests under faults, over hard-coded URLs and without any setting: what a user of it meets.

Its urllib3 (urllib3-future) takes the place of the real one where it is installed; hence the environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import niquests
import pytest
from niquests.packages.urllib3.util import Retry

from pytest_agentfault.faults import Lose, Refuse, SplitChunks, Status

HOST = "api.vendor.example"


def blocking(url: str, **how: Any) -> tuple[int | None, bytes]:
    """As most use it."""
    with niquests.Session(**how) as session:
        response = session.get(url, timeout=10)
        return response.status_code, response.content or b""


def on_asyncio(url: str, **how: Any) -> tuple[int | None, bytes]:
    """Its own asynchronous session."""

    async def go() -> tuple[int | None, bytes]:
        async with niquests.AsyncSession(**how) as session:
            response = await session.get(url, timeout=10)
            return response.status_code, response.content or b""

    return asyncio.run(go())


every_way = pytest.mark.parametrize("ask", [blocking, on_asyncio])
both_schemes = pytest.mark.parametrize("scheme", ["http", "https"])
Way = Callable[..., tuple[int | None, bytes]]


@pytest.fixture
def server() -> Iterator[str]:
    """A small real server."""
    body = json.dumps({"ok": True, "text": "x" * 200}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/x"
    running.shutdown()
    running.server_close()
    thread.join()


@both_schemes
@every_way
@pytest.mark.fault("any/rate-limit", times=2)
def test_rate_limit(ask: Way, scheme: str, faults: Any) -> None:
    """A hard-coded URL of a host that does not exist answers 429."""
    assert ask(f"{scheme}://{HOST}/x")[0] == 429
    assert [x.request.url for x in faults.log] == [f"{scheme}://{HOST}/x"]


@every_way
@pytest.mark.fault(Status(code=503), to="GET http://127.0.0.1*", times=2)
def test_its_own_retries_recover(ask: Way, server: str, faults: Any) -> None:
    """Its retry loop runs, and comes to the healthy reply of the real server."""
    retries = Retry(total=3, status_forcelist=[503], backoff_factor=0.5)
    assert ask(server, retries=retries)[0] == 200
    assert [x.reply.status for x in faults.log] == [503, 503, 200]


@both_schemes
@every_way
@pytest.mark.fault(Refuse(), to=f"* *{HOST}/*")
def test_refused(ask: Way, scheme: str) -> None:
    """Nobody listens."""
    with pytest.raises(niquests.exceptions.ConnectionError):
        ask(f"{scheme}://{HOST}/x")


@every_way
@pytest.mark.fault(Refuse("untrusted"), to=f"* https://{HOST}/*")
def test_untrusted(ask: Way) -> None:
    """A certificate that nobody vouches for."""
    with pytest.raises(niquests.exceptions.SSLError):
        ask(f"https://{HOST}/x")


@every_way
@pytest.mark.fault(
    Lose(how="reset", where="before_head"), to="GET http://127.0.0.1*", raises=niquests.exceptions.ConnectionError
)
def test_reset_before_the_head(ask: Way, server: str) -> None:
    """The connection is reset when the request has been read."""
    ask(server)


@every_way
@pytest.mark.fault(
    Lose(how="cut", where="in_body"), to="GET http://127.0.0.1*", raises=niquests.exceptions.ChunkedEncodingError
)
def test_cut_in_the_body(ask: Way, server: str) -> None:
    """Less comes than was promised."""
    ask(server)


@every_way
@pytest.mark.fault(SplitChunks(every_bytes=7), to="GET http://127.0.0.1*")
def test_split_chunks(ask: Way, server: str) -> None:
    """Cut in pieces, the body is the same."""
    status, body = ask(server)
    assert (status, json.loads(body)["ok"]) == (200, True)


@every_way
@pytest.mark.fault("any/rate-limit", to=f"* https://{HOST}/*")
def test_others_are_left_alone(ask: Way, server: str) -> None:
    """A host that no rule can match is asked itself."""
    assert ask(server)[0] == 200
    assert ask(f"https://{HOST}/x")[0] == 429


def test_nothing_is_left() -> None:
    """After all these, the names are what they were."""
    import socket

    assert socket.create_connection.__module__ == "socket"
    assert socket.socket.connect.__qualname__ == "socket.connect"
    assert ssl.SSLContext.wrap_bio.__qualname__ == "SSLContext.wrap_bio"
