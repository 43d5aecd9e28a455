"""
The tools that stand in for a server, each opened in the one way it has, with one healthy reply.

The clients verify nothing: there is no TLS in memory, and reading the roots takes longer than all else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import aioresponses
import httpcore2  # noqa: F401  # httpx2 imports it late: in an inner run it would be another one
import httpx
import httpx2
import pytest
import pytest_httpx
import requests
import requests_mock
import responses
import respx
import urllib3

from pytest_agentfault.upstreams.aioresponses import Aioresponses
from pytest_agentfault.upstreams.pytest_httpx import PytestHttpx
from pytest_agentfault.upstreams.requests_mock import RequestsMock
from pytest_agentfault.upstreams.responses import Responses
from pytest_agentfault.upstreams.respx import Respx

URL = "https://api.test/items?a=1&b=%C3%BC"
BODY = b'{"items": [1, 2, 3]}'
JSON = {"Content-Type": "application/json"}
REPEATED = True


def by_httpx(url: str = URL) -> tuple[int, bytes]:
    """One request of httpx."""
    reply = httpx.get(url, timeout=5, verify=False)
    return reply.status_code, reply.content


def by_httpx2(url: str = URL) -> tuple[int, bytes]:
    """One request of httpx2."""
    reply = httpx2.get(url, timeout=5, verify=False)
    return reply.status_code, reply.content


def by_requests(url: str = URL) -> tuple[int, bytes]:
    """One request of requests."""
    reply = requests.get(url, timeout=5)
    return reply.status_code, reply.content


def by_urllib3(url: str = URL) -> tuple[int, bytes]:
    """One request of urllib3."""
    with urllib3.PoolManager() as pool:
        reply = pool.request("GET", url, timeout=5, retries=False)
        return reply.status, reply.data


def by_httpx_async(url: str = URL) -> tuple[int, bytes]:
    """One request of httpx's async client."""

    async def ask() -> tuple[int, bytes]:
        async with httpx.AsyncClient(verify=False) as client:
            reply = await client.get(url, timeout=5)
            return reply.status_code, reply.content

    return asyncio.run(ask())


def by_httpx2_async(url: str = URL) -> tuple[int, bytes]:
    """One request of httpx2's async client."""

    async def ask() -> tuple[int, bytes]:
        async with httpx2.AsyncClient(verify=False) as client:
            reply = await client.get(url, timeout=5)
            return reply.status_code, reply.content

    return asyncio.run(ask())


def by_aiohttp(url: str = URL) -> tuple[int, bytes]:
    """One request of aiohttp; a GET that is lost before its head it asks once more by itself."""

    async def ask() -> tuple[int, bytes]:
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            return reply.status, await reply.read()

    return asyncio.run(ask())


CLIENTS: dict[str, Callable[..., tuple[int, bytes]]] = {
    "httpx": by_httpx,
    "httpx-async": by_httpx_async,
    "httpx2": by_httpx2,
    "httpx2-async": by_httpx2_async,
    "requests": by_requests,
    "urllib3": by_urllib3,
    "aiohttp": by_aiohttp,
}


@dataclass(frozen=True)
class Tool:
    """One tool: its mount, how it is opened over URL, how often it was asked, and the clients it patches."""

    kind: Callable[[], Any]
    opened: Callable[[], AbstractContextManager[Callable[[], int]]]
    own: tuple[str, ...]
    refuses: tuple[str, str]  # the class and the beginning of what it says to a request it does not know
    works_alone: bool = True  # also with the version of the client that is installed


@contextmanager
def _respx(using: str) -> Iterator[Callable[[], int]]:
    with respx.mock(using=using, assert_all_called=False) as router:
        route = router.get(URL).respond(200, content=BODY, headers=JSON)
        yield lambda: route.call_count


@contextmanager
def _responses() -> Iterator[Callable[[], int]]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        known = mock.get(URL, body=BODY, content_type="application/json")
        yield lambda: known.call_count


@contextmanager
def _requests_mock() -> Iterator[Callable[[], int]]:
    with requests_mock.Mocker() as mocker:
        matcher = mocker.get(URL, content=BODY, headers=JSON)
        yield lambda: matcher.call_count


@contextmanager
def httpx_mock(**options: Any) -> Iterator[pytest_httpx.HTTPXMock]:
    """pytest-httpx's own fixture, run by hand, so that it can be set up before a test begins."""
    node = SimpleNamespace(iter_markers=lambda name: [pytest.mark.httpx_mock(**options).mark])
    with pytest.MonkeyPatch.context() as patch:
        yield from pytest_httpx.httpx_mock._get_wrapped_function()(patch, SimpleNamespace(node=node))


@contextmanager
def _pytest_httpx() -> Iterator[Callable[[], int]]:
    with httpx_mock(assert_all_responses_were_requested=False, assert_all_requests_were_expected=False) as mock:
        mock.add_response(url=URL, content=BODY, headers=JSON, is_reusable=REPEATED)
        yield lambda: len(mock.get_requests(url=URL))


@contextmanager
def _aioresponses() -> Iterator[Callable[[], int]]:
    with aioresponses.aioresponses() as mock:
        mock.get(URL, body=BODY, repeat=REPEATED)
        yield lambda: sum(map(len, mock.requests.values()))


TOOLS = {
    "respx-httpcore": Tool(Respx, lambda: _respx("httpcore"), ("httpx", "httpx-async"), ("AllMocked", "RESPX: <")),
    "respx-httpx": Tool(Respx, lambda: _respx("httpx"), ("httpx", "httpx-async"), ("AllMocked", "RESPX: <")),
    "pytest-httpx": Tool(
        PytestHttpx, _pytest_httpx, ("httpx", "httpx-async"), ("TimeoutException", "No response can be found for GET ")
    ),
    "responses": Tool(
        Responses, _responses, ("requests",), ("ConnectionError", "Connection refused by Responses - the call doesn't")
    ),
    "requests-mock": Tool(RequestsMock, _requests_mock, ("requests",), ("NoMockAddress", "No mock address: GET ")),
    "aioresponses": Tool(
        Aioresponses, _aioresponses, ("aiohttp",), ("ClientConnectionError", "Connection refused: GET "), False
    ),
}
