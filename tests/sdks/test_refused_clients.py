"""Real clients at a host that refuses connections: who hammers it is found, by the call that it was for."""

from __future__ import annotations

import asyncio
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError

import aiohttp
import anthropic
import httpx
import openai
import pytest
import requests
import tenacity
import urllib3
import yaml
from _shapes import exchange
from requests.adapters import HTTPAdapter
from test_openai import CHAT
from urllib3.util import Retry

from pytest_agentfault._run import Faults
from pytest_agentfault.checks.backs_off import backs_off
from pytest_agentfault.checks.bounded import bounded
from pytest_agentfault.faults import Refuse, Status

URL: Final = "https://api.shop.example/orders/7"
JSON: Final = {"item": "lamp"}
ASKED: Final[Any] = {"model": "claude-x", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}
ERRORS: Final = (
    *(httpx.HTTPError, requests.RequestException, urllib3.exceptions.HTTPError, URLError, aiohttp.ClientError),
    *(openai.APIError, anthropic.APIError, OSError),
)


# --- the clients ------------------------------------------------------------------------------------------------------


def by_httpx() -> Any:
    """Its transport dials again by itself: at once, after 0.5 s, 1 s, 2 s."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=4)) as client:
        return client.post(URL, json=JSON)


def by_httpx_async() -> Any:
    """The same, async."""

    async def call() -> Any:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=4)) as client:
            return await client.post(URL, json=JSON)

    return asyncio.run(call())


def by_requests(**settings: Any) -> Callable[[], Any]:
    """urllib3 dials again below requests."""

    def call() -> Any:
        with requests.Session() as session:
            session.mount("https://", HTTPAdapter(max_retries=Retry(connect=4, **settings)))
            return session.post(URL, json=JSON, timeout=30)

    return call


def by_urllib3(**settings: Any) -> Callable[[], Any]:
    """urllib3 alone."""
    return lambda: urllib3.PoolManager(retries=Retry(connect=4, **settings)).request("GET", URL, timeout=30)


def by_openai_async() -> Any:
    """The SDK retries by itself."""

    async def call() -> Any:
        async with openai.AsyncOpenAI(api_key="sk-test", max_retries=4) as client:
            return await client.chat.completions.create(**CHAT)

    return asyncio.run(call())


async def by_aiohttp() -> Any:
    """One POST."""
    async with aiohttp.ClientSession() as client, client.post(URL, json=JSON) as reply:
        return await reply.json()


def by_urllib() -> Any:
    """One POST, by the standard library."""
    return urllib.request.urlopen(urllib.request.Request(URL, data=b"{}"), timeout=30)


def again(call: Callable[[], Any], wait: Any, attempts: int = 5) -> Callable[[], Any]:
    """Retried by tenacity."""
    return lambda: tenacity.Retrying(wait=wait, stop=tenacity.stop_after_attempt(attempts), reraise=True)(call)


def again_async(call: Callable[[], Any], wait: Any, attempts: int = 5) -> Callable[[], Any]:
    """Retried by tenacity, in one loop."""

    async def all_of_it() -> Any:
        stop = tenacity.stop_after_attempt(attempts)
        return await tenacity.AsyncRetrying(wait=wait, stop=stop, reraise=True)(call)

    return lambda: asyncio.run(all_of_it())


def at_once(call: Callable[[], Any]) -> Callable[[], Any]:
    """Tasks that want the same, each of them once."""

    async def all_of_it() -> None:
        await asyncio.gather(*(call() for _ in range(22)), return_exceptions=True)

    return lambda: asyncio.run(all_of_it())


def in_threads() -> None:
    """Threads that want the same, each of them once."""
    with ThreadPoolExecutor(22) as pool:
        list(pool.map(swallowed, [once] * 22))


def once() -> Any:
    """One GET that takes its thread for a while."""
    try:
        return requests.get(URL, timeout=30)
    finally:
        time.sleep(1)


def swallowed(call: Callable[[], Any]) -> None:
    """A call, whatever comes of it."""
    try:
        call()
    except ERRORS:
        return


def one_after_the_other() -> None:
    """Different things, each of them once: by their paths, and by their bodies."""
    for number in range(25):
        swallowed(lambda: httpx.get(f"{URL}/{number}"))  # noqa: B023
        swallowed(lambda: requests.post(URL, json={"item": number}, timeout=30))  # noqa: B023


GROWS: Final = tenacity.wait_exponential(max=8)
CORRECT: Final[dict[str, tuple[Callable[[], Any], int]]] = {  # and how many connections each tries
    "httpx": (by_httpx, 5),
    "httpx, async": (by_httpx_async, 5),
    "requests": (by_requests(backoff_factor=0.5), 5),
    "requests, in small steps": (by_requests(backoff_factor=0.05), 5),  # beside which a timeout of 30 s looks constant
    "urllib3": (by_urllib3(backoff_factor=0.5, backoff_jitter=0.5), 5),
    "openai": (lambda: openai.OpenAI(api_key="sk-test", max_retries=4).chat.completions.create(**CHAT), 5),
    "openai, async": (by_openai_async, 5),
    "anthropic": (lambda: anthropic.Anthropic(api_key="test", max_retries=4).messages.create(**ASKED), 5),
    "aiohttp": (again_async(by_aiohttp, GROWS), 5),
    "urllib": (again(by_urllib, GROWS), 5),
    "the same at once, in tasks": (at_once(by_aiohttp), 22),
    "the same at once, in threads": (in_threads, 22),
    "one thing after the other": (one_after_the_other, 50),
}
NO_WAIT, FIXED = tenacity.wait_none(), tenacity.wait_fixed(2)
AT_ONCE, SAME = "retries came at once", "the waits do not grow: 2 s each time"
BROKEN: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "httpx": (again(lambda: httpx.post(URL, json=JSON), NO_WAIT), AT_ONCE),
    "httpx, fixed": (again(lambda: httpx.get(URL), FIXED), SAME),
    "requests as it comes": (by_requests(), AT_ONCE),
    "urllib3 as it comes": (by_urllib3(), AT_ONCE),
    "urllib": (again(by_urllib, NO_WAIT), AT_ONCE),
    "aiohttp": (again_async(by_aiohttp, NO_WAIT), AT_ONCE),
    "aiohttp, fixed": (again_async(by_aiohttp, FIXED), SAME),
}


def found(faults: Faults) -> list[str]:
    """What both checks find, but for how many retries came at once: a machine under load may take its time for one."""
    findings = [finding.what for check in (backs_off, bounded) for finding in check(faults.log)]
    return [re.sub(r"^\d+ (?=retries)", "", what) for what in findings]


@pytest.mark.parametrize("why", ["refused", "unresolved", "timeout"])
@pytest.mark.parametrize("name", CORRECT)
def test_correct_clients_are_not_accused(faults: Faults, name: str, why: str) -> None:
    """Nobody is there: each dials again with waits that grow or vary, and gives up; or it was never a retry."""
    faults.add(Refuse(why), to="* *")
    call, attempts = CORRECT[name]
    swallowed(call)
    assert len(faults.log) == attempts
    assert all(x.dialling is not None for x in faults.log)
    assert found(faults) == []


@pytest.mark.parametrize("why", ["refused", "unresolved"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_clients_are(faults: Faults, name: str, why: str) -> None:
    """No wait, or always the same one."""
    faults.add(Refuse(why), to="* *")
    call, what = BROKEN[name]
    swallowed(call)
    assert found(faults) == [what]


def test_a_transport_without_a_socket_is_a_client_like_any_other(faults: Faults) -> None:
    """httpx over a mock: what it dials for is known, too."""
    faults.add(Refuse(), to="* *")
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=JSON))) as client:
        swallowed(again(lambda: client.get(URL), NO_WAIT))
    assert found(faults) == [AT_ONCE]


def test_a_connection_that_nobody_can_explain_is_held_against_nobody(faults: Faults) -> None:
    """A bare socket: it may be for anything."""
    faults.add(Refuse(), to="* *")
    for _ in range(25):
        swallowed(lambda: socket.create_connection(("api.shop.example", 443)))
    assert [x.dialling for x in faults.log] == [None] * 25
    assert found(faults) == []


@pytest.mark.parametrize("why", ["refused", "timeout"])
def test_who_never_gives_up_is_found(faults: Faults, why: str) -> None:
    """Thirty connections, however far apart."""
    faults.add(Refuse(why), to="* *")
    swallowed(again(lambda: httpx.get(URL), tenacity.wait_exponential(max=60), attempts=30))
    assert found(faults) == ["a call was tried 30 times"]


def test_the_call_is_named_and_not_the_connection(faults: Faults) -> None:
    """Without its query, which may hold credentials."""
    faults.add(Refuse(), to="* *")
    swallowed(again(lambda: httpx.get(URL, params={"key": "secret"}), NO_WAIT))
    (finding,) = backs_off(faults.log)
    assert finding.where.startswith(f"GET {URL}, calls 1, 2, 3, 4, 5: ")


def test_a_request_that_gets_through_begins_anew(faults: Faults, tmp_path: Path) -> None:
    """Refused once before each of three calls, and dialled again at once: three times one retry."""
    path = tmp_path / "tape.yaml"
    path.write_text(yaml.dump({"version": 1, "interactions": [exchange("GET", URL, JSON)] * 3}), encoding="utf-8")
    faults.add(Refuse(), to="* *", every=2, cassette=str(path))
    for _ in range(3):
        assert again(lambda: httpx.get(URL), NO_WAIT)().json() == JSON
    assert [x.reply.status for x in faults.log] == [None, 200] * 3
    assert found(faults) == []


def test_refused_and_then_503_are_two_rows(faults: Faults) -> None:
    """An outage in steps: a client that never waits is found in both."""
    faults.add(Refuse(), to="* *", times=5)
    faults.add(Status(503), to="* *")

    def get() -> Any:
        return httpx.get(URL).raise_for_status()

    swallowed(again(get, NO_WAIT, attempts=10))
    assert [x.reply.status for x in faults.log] == [None] * 5 + [503] * 5
    assert found(faults) == [AT_ONCE] * 2
