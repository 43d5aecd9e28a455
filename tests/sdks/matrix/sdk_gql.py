"""gql: one query through each of its transports (https://linear.app/developers/graphql)."""

from __future__ import annotations

from typing import Any, Final

import gql
from _cassettes import CASSETTES, ISSUES, LINEAR, QUERY
from _cells import Call, Sdk, surfaced
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport
from gql.transport.requests import RequestsHTTPTransport


def asked(transport: Any) -> Any:
    """The issues."""
    with gql.Client(transport=transport) as session:
        return session.execute(gql.gql(QUERY))


async def aasked(transport: Any) -> Any:
    """The issues, async."""
    async with gql.Client(transport=transport) as session:
        return await session.execute(gql.gql(QUERY))


def by_requests() -> Any:
    """By requests."""
    return asked(RequestsHTTPTransport(LINEAR, headers={"Authorization": "test"}))


def by_httpx() -> Any:
    """By httpx."""
    return asked(HTTPXTransport(LINEAR, headers={"Authorization": "test"}))


async def by_httpx_async() -> Any:
    """By httpx, async."""
    return await aasked(HTTPXAsyncTransport(LINEAR, headers={"Authorization": "test"}))


async def by_aiohttp() -> Any:
    """By aiohttp."""
    return await aasked(AIOHTTPTransport(LINEAR, headers={"Authorization": "test"}, ssl=True))


LOST: Final = surfaced(TransportConnectionFailed)
LIMITED: Final = surfaced(TransportQueryError, note="a 400 that only its `extensions.code` tells from a wrong query")
REPLIES: Final = CASSETTES["linear"][1]

SDK: Final = Sdk(
    "gql",
    ("requests", "httpx2", "aiohttp"),
    (
        Call("requests", by_requests, ISSUES["data"], REPLIES, {"429": LIMITED, "reset": LOST}),
        Call("httpx", by_httpx, ISSUES["data"], REPLIES, {"429": LIMITED, "reset": LOST}),
        Call("httpx, async", by_httpx_async, ISSUES["data"], REPLIES, {"429": LIMITED, "reset": LOST}),
        Call("aiohttp", by_aiohttp, ISSUES["data"], REPLIES, {"429": LIMITED, "reset": LOST}),
    ),
    scenarios={"429": "linear/rate-limited"},
)
