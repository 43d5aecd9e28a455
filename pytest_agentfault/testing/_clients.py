"""
The clients a door is held against: one small function per stack, nothing shared but the question.

Rule 1: a client is imported when it is asked, never before: those that are not
installed are skipped, not required.
Rule 2: what a function puts into `out` is what its user would have in hand, in
order: the status, then each piece of the body as it was handed up.
Rule 3: all state is made anew for each question, but for the trust in certificates.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from io import BytesIO
from typing import Any, Final, TypeAlias

Piece: TypeAlias = int | bytes | None  # a status; bytes of the body; the end of an HTTP chunk, where a client tells it


class NeverEnded(Exception):  # noqa: N818 - an outcome, not somebody's mistake
    """The client was still waiting long after its own time limit."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a client.

    Args:
        url: where to.
        method: what is asked.
        headers: sent besides the client's own.
        body: what is uploaded.
        times: how often it is asked, one after another, by the same session.
        seconds: every time limit the client has.
        ca: a file of certificates to trust, in PEM; None: the system's.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    times: int = 1
    seconds: float = 0.3
    ca: str | None = None

    def rounds(self) -> Iterator[bool]:
        """True for each further round: the client should let a moment pass first, so that a close arrives."""
        return iter([number > 0 for number in range(self.times)])


MOMENT: Final = 0.04  # seconds: what a close needs to arrive
PATIENCE: Final = 3  # how many of its own time limits a client gets


@dataclass(frozen=True, slots=True)
class Client:
    """A client stack: its name, the module it needs, and how it is asked."""

    name: str
    module: str
    run: Callable[[Ask, list[Piece]], None]


@cache
def trust(ca: str | None) -> ssl.SSLContext:
    """One context per bundle: making one costs more than the exchange."""
    return ssl.create_default_context(cafile=ca)


def _httpx(
    module: str, ask: Ask, out: list[Piece], kind: str = "Client", transport: Callable[..., Any] | None = None
) -> None:
    with _made(module, kind, ask, transport) as client:
        for again in ask.rounds():
            time.sleep(MOMENT * again)
            with client.stream(ask.method, ask.url, headers=ask.headers, content=ask.body or None) as response:
                out.append(response.status_code)
                out.extend(response.iter_bytes())


async def with_httpx(
    module: str,
    ask: Ask,
    out: list[Piece],
    kind: str = "AsyncClient",
    transport: Callable[..., Any] | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """An async client of httpx's kind, on whatever loop this runs on."""
    is_aiohttp = module == "httpx_aiohttp"
    async with _made(module, kind, ask, transport) as client, _closing_tls(ask, is_aiohttp):
        for again in ask.rounds():
            await sleep(MOMENT * again)
            body = _flowing(ask.body) if is_aiohttp and ask.body else ask.body or None
            asked = client.stream(ask.method, ask.url, headers=ask.headers, content=body)
            async with asked as response:
                out.append(response.status_code)
                async for piece in response.aiter_bytes():
                    out.append(piece)


async def _flowing(body: bytes) -> AsyncIterator[bytes]:
    """An upload as a stream: aiohttp warns of big ones given as bytes."""
    yield body


def _made(module: str, kind: str, ask: Ask, transport: Callable[..., Any] | None) -> Any:
    """A client of httpx's kind; `transport` is given library and URL, and may give None for the usual one."""
    library = import_module(module)
    own = transport(library, ask.url) if transport is not None else None
    return getattr(library, kind)(transport=own, timeout=ask.seconds, trust_env=False, verify=trust(ask.ca))


def _requests(ask: Ask, out: list[Piece]) -> None:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        session.verify = ask.ca or True
        for again in ask.rounds():
            time.sleep(MOMENT * again)
            with session.request(
                ask.method,
                ask.url,
                headers=dict(ask.headers),
                data=ask.body or None,
                stream=True,
                timeout=ask.seconds,
                allow_redirects=False,
            ) as response:
                out.append(response.status_code)
                out.extend(response.iter_content(None))


def _urllib3(ask: Ask, out: list[Piece]) -> None:
    import urllib3

    with urllib3.PoolManager(retries=False, timeout=ask.seconds, ssl_context=trust(ask.ca)) as pool:
        for again in ask.rounds():
            time.sleep(MOMENT * again)
            response = pool.request(
                ask.method, ask.url, headers=dict(ask.headers), body=ask.body or None, preload_content=False
            )
            try:
                out.append(response.status)
                out.extend(response.stream())
            finally:
                response.release_conn()


async def with_aiohttp(ask: Ask, out: list[Piece]) -> None:
    """aiohttp, on whatever loop this runs on."""
    import aiohttp

    limit = aiohttp.ClientTimeout(total=None, sock_connect=ask.seconds, sock_read=ask.seconds)
    connector = aiohttp.TCPConnector(ssl=trust(ask.ca))
    async with aiohttp.ClientSession(timeout=limit, connector=connector) as session, _closing_tls(ask, True):
        for again in ask.rounds():
            await asyncio.sleep(MOMENT * again)
            body = BytesIO(ask.body) if ask.body else None
            async with session.request(ask.method, ask.url, headers=dict(ask.headers), data=body) as response:
                out.append(response.status)
                if response.content.at_eof() and response.content.exception() is None:
                    continue  # of no body its iter_chunks() never ends
                async for piece, is_end_of_chunk in response.content.iter_chunks():
                    if piece:
                        out.append(piece)
                    if is_end_of_chunk:
                        out.append(None)


@asynccontextmanager
async def _closing_tls(ask: Ask, is_left_to_itself: bool) -> AsyncIterator[None]:
    """aiohttp leaves a connection it gave up to say goodbye by itself; the loop must live that long."""
    try:
        yield
    finally:
        if is_left_to_itself and ask.url.startswith("https:"):
            await asyncio.sleep(MOMENT / 2)


def _urllib_request(ask: Ask, out: list[Piece]) -> None:
    from urllib import request
    from urllib.error import HTTPError

    opener = request.build_opener(request.ProxyHandler({}), request.HTTPSHandler(context=trust(ask.ca)))
    for again in ask.rounds():
        time.sleep(MOMENT * again)
        asked = request.Request(ask.url, ask.body or None, dict(ask.headers), method=ask.method)  # noqa: S310
        try:
            with opener.open(asked, timeout=ask.seconds) as response:
                out.append(response.status)
                while piece := response.read1(65536):
                    out.append(piece)
        except HTTPError as error:
            error.close()
            raise


def _botocore(ask: Ask, out: list[Piece]) -> None:
    make_request: Any = import_module("botocore.awsrequest").AWSRequest  # it ships no types
    session: Any = import_module("botocore.httpsession").URLLib3Session(verify=ask.ca or True, timeout=ask.seconds)
    try:
        for again in ask.rounds():
            time.sleep(MOMENT * again)
            asked = make_request(ask.method, ask.url, dict(ask.headers), ask.body or None, stream_output=True)
            response = session.send(asked.prepare())
            try:
                out.append(response.status_code)
                out.extend(response.raw.stream())
            finally:
                response.raw.release_conn()
    finally:
        session.close()


def on_loop(
    going: Callable[[Ask, list[Piece]], Coroutine[Any, Any, None]],
    ask: Ask,
    out: list[Piece],
    run: Callable[[Any], Any] = asyncio.run,
) -> None:
    """Ask in a loop of its own; some clients wait for ever on what they cannot parse."""

    async def guarded() -> None:
        task = asyncio.ensure_future(going(ask, out))
        done, _ = await asyncio.wait({task}, timeout=ask.seconds * PATIENCE)
        if not done:
            task.cancel()
            await asyncio.wait({task})
            raise NeverEnded(f"still waiting after {PATIENCE} times its limit")
        task.result()

    run(guarded())


def _httpx_async(module: str, ask: Ask, out: list[Piece], **settings: Any) -> None:
    on_loop(partial(with_httpx, module, **settings), ask, out)


CLIENTS: Final[tuple[Client, ...]] = (
    Client("httpx", "httpx", partial(_httpx, "httpx")),
    Client("httpx_async", "httpx", partial(_httpx_async, "httpx")),
    Client("httpx2", "httpx2", partial(_httpx, "httpx2")),
    Client("httpx2_async", "httpx2", partial(_httpx_async, "httpx2")),
    Client("httpx_aiohttp", "httpx_aiohttp", partial(_httpx_async, "httpx_aiohttp", kind="HttpxAiohttpClient")),
    Client("requests", "requests", _requests),
    Client("urllib3", "urllib3", _urllib3),
    Client("aiohttp", "aiohttp", partial(on_loop, with_aiohttp)),
    Client("urllib_request", "urllib.request", _urllib_request),
    Client("botocore", "botocore.httpsession", _botocore),
)
