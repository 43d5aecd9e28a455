"""Connections that never come to be, client by client, and how they are counted."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import botocore.exceptions
import httpx
import httpx2
import pytest
import requests
import urllib3
from _memory import Refuses, opened, says

from pytest_agentfault import Rule, Why
from pytest_agentfault.testing._clients import CLIENTS, Ask, Client, Piece

VENDOR = "https://api.vendor.example"
URL = f"{VENDOR}/v1/items"

every_client = pytest.mark.parametrize("client", CLIENTS, ids=[c.name for c in CLIENTS])


def asked(client: Client, url: str = URL, **how: Any) -> list[Piece]:
    """What a client hands up, in order: statuses and pieces of body."""
    out: list[Piece] = []
    client.run(Ask(url, **{"seconds": 5.0, **how}), out)  # patience for a busy machine
    return out


REFUSALS: dict[str, dict[Why, type[BaseException]]] = {
    "httpx": {w: httpx.ConnectTimeout if w is Why.TIMEOUT else httpx.ConnectError for w in Why},
    "httpx_async": {w: httpx.ConnectTimeout if w is Why.TIMEOUT else httpx.ConnectError for w in Why},
    "httpx2": {w: httpx2.ConnectTimeout if w is Why.TIMEOUT else httpx2.ConnectError for w in Why},
    "httpx2_async": {w: httpx2.ConnectTimeout if w is Why.TIMEOUT else httpx2.ConnectError for w in Why},
    "requests": {
        Why.REFUSED: requests.ConnectionError,
        Why.UNRESOLVED: requests.ConnectionError,
        Why.UNTRUSTED: requests.exceptions.SSLError,
        Why.TIMEOUT: requests.ConnectTimeout,
    },
    "urllib3": {
        Why.REFUSED: urllib3.exceptions.NewConnectionError,
        Why.UNRESOLVED: urllib3.exceptions.NameResolutionError,
        Why.UNTRUSTED: urllib3.exceptions.SSLError,
        Why.TIMEOUT: urllib3.exceptions.ConnectTimeoutError,
    },
    "aiohttp": {
        Why.REFUSED: aiohttp.ClientConnectorError,
        Why.UNRESOLVED: aiohttp.ClientConnectorDNSError,
        Why.UNTRUSTED: aiohttp.ClientConnectorCertificateError,
        Why.TIMEOUT: aiohttp.ConnectionTimeoutError,
    },
    "httpx_aiohttp": dict.fromkeys(Why, httpx.ConnectTimeout),  # whatever aiohttp could not connect for
    "urllib_request": dict.fromkeys(Why, OSError),
    "botocore": {
        Why.REFUSED: botocore.exceptions.EndpointConnectionError,
        Why.UNRESOLVED: botocore.exceptions.EndpointConnectionError,
        Why.UNTRUSTED: botocore.exceptions.SSLError,
        Why.TIMEOUT: botocore.exceptions.ConnectTimeoutError,
    },
}


@pytest.mark.parametrize("why", list(Why), ids=lambda w: w.value)
@every_client
def test_a_refused_connection_is_the_clients_own_exception(client: Client, why: Why) -> None:
    """Each client raises the class it raises on a real socket, and the plan has it in its log."""
    with opened(Rule("* *", (Refuses(why),)), timed=True) as o, pytest.raises(REFUSALS[client.name][why]) as caught:
        asked(client, seconds=5)
    assert type(caught.value) is REFUSALS[client.name][why] or client.name == "urllib_request"
    assert [(x.request.method, x.request.url) for x in o.plan.log] == [("CONNECT", f"{VENDOR}/")]


@every_client
def test_connection_attempts_are_counted_once(client: Client) -> None:
    """A client that looks a name up and then connects to it has made one attempt, not two."""
    got = []
    refusing = Rule("* *", (Refuses(Why.REFUSED),), after=1, times=1)
    with opened(refusing, says(200, b"ok"), timed=True) as o:
        for _ in range(3):
            try:
                got.append(asked(client)[0])
            except Exception:
                got.append(0)
    assert got == [200, 0, 200]
    assert o.plan.tallies[0].seen == 3


def test_connection_attempts_that_overlap_are_counted_once() -> None:
    """Look-ups and connections of 12 tasks come by turns, and every third attempt is refused."""

    async def at_once(loop: asyncio.AbstractEventLoop) -> None:
        await loop.create_connection(asyncio.Protocol, "api.vendor.example", 443)

    async def after_a_look_up(loop: asyncio.AbstractEventLoop) -> None:
        (info, *_) = await loop.getaddrinfo("api.vendor.example", 443)
        await asyncio.sleep(0)
        await loop.create_connection(asyncio.Protocol, *info[4])

    async def go() -> list[Any]:
        loop = asyncio.get_running_loop()
        ways = [way(loop) for _ in range(6) for way in (at_once, after_a_look_up)]
        return await asyncio.gather(*ways, return_exceptions=True)

    with opened(Rule("* *", (Refuses(Why.REFUSED),), every=3)) as o:
        refused = [isinstance(result, ConnectionRefusedError) for result in asyncio.run(go())]
    assert (refused.count(True), o.plan.tallies[0].seen) == (4, 12)
