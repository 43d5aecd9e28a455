"""A client that the environment sends to a proxy is struck all the same: what it wants stands behind the proxy."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests


def _urllib(url: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    with caught.value as reply:
        return reply.code


def _httpx_async(url: str) -> int:
    async def ask() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code

    return asyncio.run(ask())


def _aiohttp(url: str) -> int:
    async def ask() -> int:
        async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as reply:
            return reply.status

    return asyncio.run(ask())


CLIENTS: dict[str, Callable[[str], int]] = {
    "httpx": lambda url: httpx.get(url).status_code,
    "httpx2": lambda url: httpx2.get(url).status_code,
    "requests": lambda url: requests.get(url, timeout=5).status_code,
    "urllib.request": _urllib,
    "httpx async": _httpx_async,
    "aiohttp": _aiohttp,
}


@pytest.fixture(autouse=True)
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment whose proxy does not exist: who reaches it in earnest fails."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.fault("any/rate-limit", to="GET *://api.example.com/*")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_rule_for_the_host_behind_the_proxy_strikes(client: str, scheme: str, faults: Any) -> None:
    """Plain requests name the whole URL, the others ask for a tunnel first; both are the host's own in the log."""
    url = f"{scheme}://api.example.com/x?y=1"
    assert CLIENTS[client](url) == 429
    assert [x.request.url for x in faults.log] == [url]
