"""Every linear scenario against gql (over httpx2, requests and aiohttp) and against plain httpx."""

from __future__ import annotations

import time
from typing import Any, Final

import gql
import httpx
import pytest
from _cases import Case, arun, run, sync_and_async
from _cassettes import ISSUES, LINEAR, QUERY
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport
from gql.transport.requests import RequestsHTTPTransport

from pytest_agentfault._run import Faults

HEADERS: Final = {"Authorization": "lin_api_test"}
ASKED: Final = gql.gql(QUERY)


def by_httpx() -> Any:
    """The issues, by gql over httpx2."""
    return gql.Client(transport=HTTPXTransport(LINEAR, headers=HEADERS)).execute(ASKED)


async def by_httpx_async() -> Any:
    """The same, async."""
    async with gql.Client(transport=HTTPXAsyncTransport(LINEAR, headers=HEADERS)) as session:
        return await session.execute(ASKED)


def by_requests() -> Any:
    """The same, by gql over requests."""
    return gql.Client(transport=RequestsHTTPTransport(LINEAR, headers=HEADERS)).execute(ASKED)


async def by_aiohttp() -> Any:
    """The same, by gql over aiohttp."""
    async with gql.Client(transport=AIOHTTPTransport(LINEAR, headers=HEADERS, ssl=True)) as session:
        return await session.execute(ASKED)


def post() -> httpx.Response:
    """The reply itself."""
    return httpx.post(LINEAR, json={"query": QUERY}, headers=HEADERS)


def plain() -> Any:
    """The issues, by httpx and the status."""
    return post().raise_for_status().json()["data"]


def careless() -> Any:
    """The issues, by httpx and whatever JSON comes."""
    return post().json()["data"]


def patient() -> Any:
    """The issues, by httpx, waiting until the vendor's own reset whenever it says RATELIMITED."""
    while True:
        reply = post()
        errors = reply.json().get("errors", [])
        if not any(error["extensions"]["code"] == "RATELIMITED" for error in errors):
            return reply.json()["data"]
        time.sleep(float(reply.headers["x-ratelimit-requests-reset"]) / 1000 - time.time())


LIMITED: Final[dict[str, Any]] = {
    "outcome": "surfaced",
    "statuses": (400,),
    "raises": TransportQueryError,
    "says": "Rate limit exceeded. Only 2500 requests are allowed per 1 hour.",
    "facts": {"errors.0.extensions.code": "RATELIMITED", "errors.0.extensions.statusCode": 429},
    "note": "only `errors[0]['extensions']['code']` tells it from a wrong query; when the budget is back is not in it",
}
INVALID: Final[dict[str, Any]] = {
    "outcome": "surfaced",
    "statuses": (400,),
    "raises": TransportQueryError,
    "says": 'Cannot query field "nosuchfield"',
    "facts": {
        "errors.0.extensions.code": "GRAPHQL_VALIDATION_FAILED",
        "errors.0.locations": [{"line": 1, "column": 27}],
    },
}
PARTIAL: Final[dict[str, Any]] = {
    "outcome": "surfaced",
    "statuses": (200,),
    "raises": TransportQueryError,
    "says": "Internal server error",
    "facts": {"errors.0.extensions.code": "INTERNAL_SERVER_ERROR"},
    "note": "what did come is in the error's `data`",
}
WAYS: Final = (
    ("gql, httpx2", by_httpx),
    ("gql, httpx2, async", by_httpx_async),
    ("gql, requests", by_requests),
    ("gql, aiohttp", by_aiohttp),
)
CASES: Final = (
    *(Case("linear/rate-limited", name, call, "linear", **LIMITED) for name, call in WAYS),
    Case("linear/rate-limited", "httpx, raise_for_status()", plain, "linear", "surfaced", (400,),
         raises=httpx.HTTPStatusError, says="400 Bad Request", facts={"response.status_code": 400},
         note="a client that retries on 429 never retries this"),
    Case("linear/rate-limited", "httpx, .json()['data']", careless, "linear", "surfaced", (400,), raises=KeyError,
         says="data", note="GraphQL leaves `data` out when the request is refused whole"),
    Case("linear/rate-limited", "httpx, waiting for the reset", patient, "linear", "recovered", (400, 400, 200),
         ISSUES["data"], waits=((58, 60), (58, 60)), note="by `x-ratelimit-requests-reset`, in milliseconds"),
    *(Case("linear/invalid-query", name, call, "linear", **INVALID) for name, call in WAYS),
    Case("linear/invalid-query", "httpx, raise_for_status()", plain, "linear", "surfaced", (400,),
         raises=httpx.HTTPStatusError, says="400 Bad Request", facts={"response.status_code": 400},
         note="what is wrong with the query is only in the body"),
    Case("linear/invalid-query", "httpx, .json()['data']", careless, "linear", "surfaced", (400,), raises=KeyError,
         says="data"),
    *(Case("linear/graphql-partial", name, call, "linear", **PARTIAL) for name, call in WAYS),
)  # fmt: skip

SYNC, ASYNC = sync_and_async(CASES)


@SYNC
def test_linear(case: Case) -> None:
    """gql raises its own error with the vendor's code in it, or the caller recovers: as the table says."""
    run(case)


@ASYNC
@pytest.mark.asyncio
async def test_linear_async(case: Case) -> None:
    """The same for the async transports."""
    await arun(case)


@pytest.mark.fault("linear/rate-limited", cassette="cassettes/linear.yaml", times=1)
def test_gql_is_well_afterwards(faults: Faults) -> None:
    """Who asks again after the error is answered."""
    with pytest.raises(TransportQueryError):
        by_httpx()
    assert by_httpx() == ISSUES["data"]
    assert [x.reply.status for x in faults.log] == [400, 200]
