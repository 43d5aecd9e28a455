"""Every scenario for any host, against each HTTP client as it comes and against the openai SDK over its own."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any, Final

import aiohttp
import httpx
import httpx2
import openai
import pytest
import requests
from _cases import Case, arun, run, sync_and_async
from _cassettes import FEED, FEED_URL, ITEMS, ITEMS_URL, TURNS_URL, path_of
from _shapes import SAID
from test_openai import BACKOFF, achat, achat_stream, aclient, chat, chat_stream, client

from pytest_agentfault._run import Faults

TOKEN: Final = {"Authorization": "Bearer test"}
TIMEOUT: Final = 30  # seconds; for those that have none of their own


def told(lines: Iterable[str]) -> list[Any]:
    """The data of server-sent events, line by line."""
    return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]


def by_httpx(headers: dict[str, str] = TOKEN) -> Any:
    """The items."""
    return httpx.get(ITEMS_URL, headers=headers).raise_for_status().json()


async def by_httpx_async() -> Any:
    """The items."""
    async with httpx.AsyncClient(headers=TOKEN) as http:
        return (await http.get(ITEMS_URL)).raise_for_status().json()


def by_httpx2(headers: dict[str, str] = TOKEN) -> Any:
    """The items."""
    return httpx2.get(ITEMS_URL, headers=headers).raise_for_status().json()


async def by_httpx2_async() -> Any:
    """The items."""
    async with httpx2.AsyncClient(headers=TOKEN) as http:
        return (await http.get(ITEMS_URL)).raise_for_status().json()


def by_requests(headers: dict[str, str] = TOKEN) -> Any:
    """The items."""
    reply = requests.get(ITEMS_URL, headers=headers, timeout=TIMEOUT)
    reply.raise_for_status()
    return reply.json()


async def by_aiohttp() -> Any:
    """The items."""
    async with aiohttp.ClientSession(headers=TOKEN, raise_for_status=True) as http, http.get(ITEMS_URL) as reply:
        return await reply.json()


def by_urllib(headers: dict[str, str] = TOKEN) -> Any:
    """The items."""
    with urllib.request.urlopen(urllib.request.Request(ITEMS_URL, headers=headers), timeout=TIMEOUT) as reply:
        return json.load(reply)


def httpx_feed() -> Any:
    """The events, as they come."""
    with httpx.stream("GET", FEED_URL) as reply:
        return told(reply.raise_for_status().iter_lines())


async def httpx_feed_async() -> Any:
    """The events, as they come."""
    async with httpx.AsyncClient() as http, http.stream("GET", FEED_URL) as reply:
        return told([line async for line in reply.raise_for_status().aiter_lines()])


def httpx2_feed() -> Any:
    """The events, as they come."""
    with httpx2.stream("GET", FEED_URL) as reply:
        return told(reply.raise_for_status().iter_lines())


async def httpx2_feed_async() -> Any:
    """The events, as they come."""
    async with httpx2.AsyncClient() as http, http.stream("GET", FEED_URL) as reply:
        return told([line async for line in reply.raise_for_status().aiter_lines()])


def requests_feed() -> Any:
    """The events, as they come."""
    with requests.get(FEED_URL, stream=True, timeout=TIMEOUT) as reply:
        reply.raise_for_status()
        return told(line.decode() for line in reply.iter_lines())


async def aiohttp_feed() -> Any:
    """The events, as they come."""
    async with aiohttp.ClientSession(raise_for_status=True) as http, http.get(FEED_URL) as reply:
        return told([line.decode() async for line in reply.content])


def urllib_feed() -> Any:
    """The events, all at once."""
    with urllib.request.urlopen(FEED_URL, timeout=TIMEOUT) as reply:
        return told(reply.read().decode().splitlines())


def urllib_lines() -> Any:
    """How many lines the feed has, one by one."""
    with urllib.request.urlopen(FEED_URL, timeout=TIMEOUT) as reply:
        return sum(1 for _ in reply)


# Over sync TLS a reset reads as an end of file on CPython 3.11 and 3.12, and as a reset on 3.13.
CLIENTS: Final[dict[str, dict[str, Any]]] = {
    "httpx": {
        "call": by_httpx, "feed": httpx_feed, "status": httpx.HTTPStatusError, "code": "response.status_code",
        "json": json.JSONDecodeError, "html": json.JSONDecodeError, "stall": httpx.ReadTimeout, "waits": (5,),
        "reset": (httpx.RemoteProtocolError, httpx.ReadError), "cut": httpx.RemoteProtocolError,
    },
    "httpx, async": {
        "call": by_httpx_async, "feed": httpx_feed_async, "status": httpx.HTTPStatusError,
        "code": "response.status_code", "json": json.JSONDecodeError, "html": json.JSONDecodeError,
        "stall": httpx.ReadTimeout, "waits": (5,), "reset": httpx.ReadError, "cut": httpx.RemoteProtocolError,
    },
    "httpx2": {
        "call": by_httpx2, "feed": httpx2_feed, "status": httpx2.HTTPStatusError, "code": "response.status_code",
        "json": json.JSONDecodeError, "html": json.JSONDecodeError, "stall": httpx2.ReadTimeout, "waits": (5,),
        "reset": (httpx2.RemoteProtocolError, httpx2.ReadError), "cut": httpx2.RemoteProtocolError,
    },
    "httpx2, async": {
        "call": by_httpx2_async, "feed": httpx2_feed_async, "status": httpx2.HTTPStatusError,
        "code": "response.status_code", "json": json.JSONDecodeError, "html": json.JSONDecodeError,
        "stall": httpx2.ReadTimeout, "waits": (5,), "reset": httpx2.ReadError, "cut": httpx2.RemoteProtocolError,
    },
    "requests": {
        "call": by_requests, "feed": requests_feed, "status": requests.HTTPError, "code": "response.status_code",
        "json": requests.exceptions.JSONDecodeError, "html": requests.exceptions.JSONDecodeError,
        "stall": requests.exceptions.ReadTimeout, "waits": (30,), "reset": requests.exceptions.ConnectionError,
        "cut": requests.exceptions.ChunkedEncodingError,
    },
    "aiohttp": {
        "call": by_aiohttp, "feed": aiohttp_feed, "status": aiohttp.ClientResponseError, "code": "status",
        "json": json.JSONDecodeError, "html": aiohttp.ContentTypeError, "stall": TimeoutError, "waits": (300,),
        "reset": None, "cut": aiohttp.ClientPayloadError,
    },
    "urllib.request": {
        "call": by_urllib, "feed": urllib_feed, "status": urllib.error.HTTPError, "code": "code",
        "json": json.JSONDecodeError, "html": json.JSONDecodeError, "stall": TimeoutError, "waits": (30,),
        "reset": (RemoteDisconnected, ConnectionResetError), "cut": IncompleteRead,
    },
}  # fmt: skip


def cases_of(name: str, it: dict[str, Any]) -> Iterable[Case]:
    """What one client makes of each scenario: none of them retries, but for aiohttp."""
    call, items, error = it["call"], "any_items", it["status"]
    for status, scenario in ((429, "rate-limit"), (503, "server-error"), (401, "expired-session")):
        yield Case(
            f"any/{scenario}", name, call, items, "surfaced", (status,), raises=error, facts={it["code"]: status}
        )
    yield Case("any/html-instead", name, call, items, "surfaced", (200,), raises=it["html"])
    yield Case("any/malformed-json", name, call, items, "surfaced", (200,), raises=it["json"], says="Unterminated")
    if it["reset"]:
        yield Case("any/connection-reset", name, call, items, "surfaced", (None,), raises=it["reset"])
    else:
        yield Case(
            "any/connection-reset",
            name,
            call,
            items,
            "recovered",
            (None, 200),
            ITEMS,
            note="it sends a GET again by itself, once",
        )
    yield Case("any/stall", name, call, items, "surfaced", (None,), raises=it["stall"], waits=it["waits"])
    if it["waits"] == (5,):
        yield Case("any/slow", name, call, items, "surfaced", (200,), raises=it["stall"], waits=(5,))
    else:
        yield Case("any/slow", name, call, items, "held", (200,), ITEMS, waits=(20,))
    yield Case("any/chunk-split", name, call, items, "held", (200,), ITEMS)
    yield Case("any/chunk-split", f"{name}, streamed", it["feed"], "any_feed", "held", (200,), FEED)
    yield Case("any/stream-cut", f"{name}, streamed", it["feed"], "any_feed", "surfaced", (200,), raises=it["cut"])


def openai_cases(more: str, call: Any, stream: Any) -> Iterable[Case]:
    """What the openai SDK makes of each: its client retries twice."""
    name, tape = f"openai{more}", "openai_chat"
    yield Case("any/rate-limit", name, call, tape, "recovered", (429, 429, 200), SAID, waits=(2, 2))
    yield Case("any/server-error", name, call, tape, "recovered", (503, 503, 200), SAID, waits=BACKOFF)
    yield Case(
        "any/expired-session",
        name,
        call,
        tape,
        "surfaced",
        (401,),
        raises=openai.AuthenticationError,
        facts={"status_code": 401},
    )
    yield Case(
        "any/html-instead",
        name,
        call,
        tape,
        "surfaced",
        (200,),
        raises=AttributeError,
        says="'str' object",
        note="the SDK returns the page as a `str`; the caller trips over it",
    )
    yield Case(
        "any/malformed-json",
        name,
        call,
        tape,
        "surfaced",
        (200,),
        raises=json.JSONDecodeError,
        says="Unterminated",
        note="raw, none of the SDK's errors; not retried",
    )
    yield Case(
        "any/connection-reset",
        name,
        call,
        tape,
        "recovered",
        (None, 200),
        SAID,
        waits=BACKOFF[:1],
        note="a POST is sent again: the vendor may act twice",
    )
    yield Case(
        "any/stall",
        name,
        call,
        tape,
        "recovered",
        (None, 200),
        SAID,
        waits=(600, BACKOFF[0]),
        note="after ten minutes, its default timeout",
    )
    yield Case("any/slow", name, call, tape, "held", (200,), SAID, waits=(20,))
    yield Case("any/chunk-split", name, call, tape, "held", (200,), SAID)
    yield Case("any/chunk-split", f"{name}, streamed", stream, "openai_chat_stream", "held", (200,), SAID)
    yield Case(
        "any/stream-cut",
        f"{name}, streamed",
        stream,
        "openai_chat_stream",
        "surfaced",
        (200,),
        raises=openai.APIConnectionError,
    )


CASES: Final = (
    *(case for name, it in CLIENTS.items() for case in cases_of(name, it)),
    *openai_cases("", chat, chat_stream),
    *openai_cases(", async", achat, achat_stream),
)  # fmt: skip

SYNC, ASYNC = sync_and_async(CASES)


@SYNC
def test_any(case: Case) -> None:
    """Each client recovers, raises its own error, or notices nothing: as the table says."""
    run(case)


@ASYNC
@pytest.mark.asyncio
async def test_any_async(case: Case) -> None:
    """The same for the async clients."""
    await arun(case)


# Which field is gone is the seed's choice, so what is asserted is that something is, and that nobody says so.
DRIFTED: Final = {
    **{name: (it["call"], "any_items", ITEMS) for name, it in CLIENTS.items()},
    "openai": (lambda: client().chat.completions.create(model="m", messages=[]).to_dict(), "openai_chat", None),
}


async def drifted_async() -> Any:
    """The whole completion, async."""
    return (await aclient().chat.completions.create(model="m", messages=[])).to_dict()


def recorded_chat() -> Any:
    """What the recording of a chat completion says."""
    import yaml

    recorded = yaml.safe_load(path_of("openai_chat").read_text(encoding="utf-8"))
    return json.loads(recorded["interactions"][0]["response"]["body"]["string"])


@pytest.mark.parametrize("name", [name for name in DRIFTED if "async" not in name and name != "aiohttp"])
def test_no_client_notices_a_field_that_is_gone(faults: Faults, name: str) -> None:
    """The result lacks something, and no error says so: validating is the caller's."""
    call, tape, wanted = DRIFTED[name]
    faults.add("any/schema-drift", cassette=path_of(tape))
    lacking(call(), wanted or recorded_chat())


@pytest.mark.parametrize("name", ["httpx, async", "httpx2, async", "aiohttp", "openai, async"])
@pytest.mark.asyncio
async def test_no_async_client_notices_a_field_that_is_gone(faults: Faults, name: str) -> None:
    """The same for the async clients."""
    call, tape, wanted = DRIFTED.get(name, (drifted_async, "openai_chat", None))
    faults.add("any/schema-drift", cassette=path_of(tape))
    lacking(await call(), wanted or recorded_chat())


def lacking(result: Any, wanted: Any) -> None:
    """Exactly something is gone: the text is shorter, and nothing in it is new."""
    assert result != wanted
    assert len(json.dumps(result)) < len(json.dumps(wanted))


@pytest.mark.parametrize("call", [by_httpx, by_httpx2, by_requests, by_urllib])
@pytest.mark.fault("any/expired-session", cassette="cassettes/any_items.yaml")
def test_a_new_credential_ends_an_expired_session(call: Any, faults: Faults) -> None:
    """The dead one is refused as often as it comes; the next one is answered."""
    for _ in range(2):
        with pytest.raises((httpx.HTTPStatusError, httpx2.HTTPStatusError, OSError), match="401"):
            call()
    assert call({"Authorization": "Bearer renewed"}) == ITEMS
    assert [x.reply.status for x in faults.log] == [401, 401, 200]


@pytest.mark.parametrize("scenario", ["any/html-instead", "any/malformed-json", "any/schema-drift"])
@pytest.mark.parametrize("call", [by_httpx, by_httpx2, by_requests, by_urllib])
def test_a_second_call_is_well(faults: Faults, scenario: str, call: Any) -> None:
    """What strikes once leaves the next call alone, over a recording that says it once."""
    faults.add(scenario, cassette=path_of("any_items"))
    try:
        assert call() != ITEMS
    except ValueError:
        assert scenario != "any/schema-drift"
    assert call() == ITEMS


@pytest.mark.fault("any/stream-cut", cassette="cassettes/any_feed.yaml")
def test_urllib_line_by_line_never_notices_a_cut() -> None:
    """http.client ends a chunked body that breaks off without a word when it is read by lines."""
    whole = 2 * len(FEED)
    assert urllib_lines() < whole
    assert urllib_lines() == whole


@pytest.mark.fault("any/connection-reset", cassette="cassettes/any_turns.yaml")
def test_a_retry_inside_a_conversation_hears_the_same_turn() -> None:
    """Two turns at one URL: when the reply to the first is lost, its retry is not given the second."""

    def turn(number: int) -> Any:
        for _ in range(2):
            try:
                return httpx.post(TURNS_URL, json={"turn": number}).json()["turn"]
            except httpx.TransportError:
                continue
        return None

    assert [turn(1), turn(2)] == [1, 2]
