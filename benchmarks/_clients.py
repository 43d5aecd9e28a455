"""
The clients, as real suites have them: one object, made once and used by every test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from ._timing import Round

BODY = b'{"model":"gpt-5","messages":[{"role":"user","content":"Summarise PROJ-1 in one sentence."}]}'
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-test"}
CLOSING = {**HEADERS, "connection": "close"}


@dataclass(frozen=True, slots=True)
class Client:
    """One stack: `repeat(url, times, status, keeps)` is a round of so many posts, each read to its end and checked."""

    name: str
    repeat: Callable[[str, int, int, bool], Round]


@contextmanager
def clients() -> Iterator[list[Client]]:
    """All of them, closed when the block ends; the asynchronous ones share one loop."""
    import httpx
    import httpx2

    with ExitStack() as stack:
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        yield [
            Client("httpx", _blocking(_httpx(stack.enter_context(httpx.Client(trust_env=False))))),
            Client("httpx2", _blocking(_httpx(stack.enter_context(httpx2.Client(trust_env=False))))),
            Client("requests", _blocking(_requests(stack))),
            Client("aiohttp", _awaited(loop, _aiohttp(loop, stack))),
            Client("httpx, asyncio", _awaited(loop, _httpx_async(httpx, loop, stack))),
        ]


def _httpx(client: Any) -> Callable[[str, dict[str, str]], tuple[int, bytes]]:
    def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
        response = client.post(url, content=BODY, headers=headers)
        return response.status_code, response.content

    return ask


def _requests(stack: ExitStack) -> Callable[[str, dict[str, str]], tuple[int, bytes]]:
    import requests

    session = stack.enter_context(requests.Session())
    session.trust_env = False

    def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
        response = session.post(url, data=BODY, headers=headers)
        return response.status_code, response.content

    return ask


def _aiohttp(loop: asyncio.AbstractEventLoop, stack: ExitStack) -> Callable[[str, dict[str, str]], Any]:
    import aiohttp

    async def opened() -> aiohttp.ClientSession:
        # A door gives out addresses of its own, and each round has another door: none may be remembered.
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(use_dns_cache=False))

    session = loop.run_until_complete(opened())
    stack.callback(lambda: loop.run_until_complete(session.close()))

    async def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
        async with session.post(url, data=BODY, headers=headers) as response:
            return response.status, await response.read()

    return ask


def _httpx_async(
    module: Any, loop: asyncio.AbstractEventLoop, stack: ExitStack
) -> Callable[[str, dict[str, str]], Any]:
    client = module.AsyncClient(trust_env=False)
    stack.callback(lambda: loop.run_until_complete(client.aclose()))

    async def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
        response = await client.post(url, content=BODY, headers=headers)
        return response.status_code, response.content

    return ask


def _blocking(ask: Callable[[str, dict[str, str]], tuple[int, bytes]]) -> Callable[[str, int, int, bool], Round]:
    def repeat(url: str, times: int, status: int, keeps: bool) -> Round:
        headers = HEADERS if keeps else CLOSING

        def once() -> float:
            began = perf_counter()
            for _ in range(times):
                found, body = ask(url, headers)
                assert found == status, (found, body)
                assert body
            return (perf_counter() - began) / times

        return once

    return repeat


def _awaited(
    loop: asyncio.AbstractEventLoop, ask: Callable[[str, dict[str, str]], Any]
) -> Callable[[str, int, int, bool], Round]:
    def repeat(url: str, times: int, status: int, keeps: bool) -> Round:
        headers = HEADERS if keeps else CLOSING

        async def work() -> float:
            began = perf_counter()
            for _ in range(times):
                found, body = await ask(url, headers)
                assert found == status, (found, body)
                assert body
            return (perf_counter() - began) / times

        return lambda: loop.run_until_complete(work())

    return repeat
