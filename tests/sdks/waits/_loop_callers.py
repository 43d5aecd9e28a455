"""Retry loops for whatever is called, each told of three retries; each is imported where it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from _caller import Async, Caller, Sync
from _cassettes import ITEMS, ITEMS_URL
from _shapes import exchange


@contextmanager
def urllib3(base: str) -> Iterator[Callable[[], Any]]:
    """Items."""
    import urllib3

    with urllib3.PoolManager(retries=urllib3.Retry(3, status_forcelist=[429])) as pool:
        yield lambda: pool.request("GET", f"{base}/v1/items").json()


@contextmanager
def requests(base: str) -> Iterator[Callable[[], Any]]:
    """Items."""
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter

    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=urllib3.Retry(3, status_forcelist=[429])))
        yield lambda: session.get(f"{base}/v1/items").json()


@contextmanager
def items(base: str) -> Iterator[Callable[[], Any]]:
    """A client without retries."""
    import httpx

    with httpx.Client() as client:
        yield lambda: client.get(f"{base}/v1/items").raise_for_status().json()


@asynccontextmanager
async def items_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A client without retries, async."""
    import httpx

    async with httpx.AsyncClient() as client:

        async def call() -> Any:
            return (await client.get(f"{base}/v1/items")).raise_for_status().json()

        yield call


def by(loop: Callable[[Callable[[], Any]], Callable[[], Any]]) -> tuple[Sync, Async]:
    """The items, asked for by a retry loop, sync and async."""

    @contextmanager
    def sync(base: str) -> Iterator[Callable[[], Any]]:
        with items(base) as call:
            yield loop(call)

    @asynccontextmanager
    async def asynchronous(base: str) -> AsyncIterator[Callable[[], Any]]:
        async with items_async(base) as call:
            yield loop(call)

    return sync, asynchronous


def told(error: Any) -> float:
    """The Retry-After of a refusal, in seconds."""
    return float(error.response.headers["retry-after"])


def tenacity(call: Callable[[], Any]) -> Callable[[], Any]:
    """It backs off."""
    from tenacity import retry, stop_after_attempt, wait_exponential

    return retry(stop=stop_after_attempt(4), wait=wait_exponential(), reraise=True)(call)


def tenacity_told(call: Callable[[], Any]) -> Callable[[], Any]:
    """It waits as long as the reply says."""
    from tenacity import retry, stop_after_attempt

    return retry(stop=stop_after_attempt(4), wait=lambda state: told(state.outcome.exception()), reraise=True)(call)


def stamina(call: Callable[[], Any]) -> Callable[[], Any]:
    """It backs off."""
    import httpx
    import stamina

    return stamina.retry(on=httpx.HTTPStatusError, attempts=4)(call)


def stamina_told(call: Callable[[], Any]) -> Callable[[], Any]:
    """It waits as long as the reply says."""
    import stamina

    return stamina.retry(on=told, attempts=4, timeout=None)(call)


def backoff(call: Callable[[], Any]) -> Callable[[], Any]:
    """It backs off."""
    import backoff
    import httpx

    return backoff.on_exception(backoff.expo, httpx.HTTPStatusError, max_tries=4)(call)


def backoff_told(call: Callable[[], Any]) -> Callable[[], Any]:
    """It waits as long as the reply says."""
    import backoff
    import httpx

    return backoff.on_exception(backoff.runtime, httpx.HTTPStatusError, value=told, jitter=None, max_tries=4)(call)


ITEM_LIST: Final = exchange("GET", ITEMS_URL, ITEMS)
EXAMPLE: Final = "https://api.example.com"
STATUS_ERROR: Final = "httpx.HTTPStatusError"


def loop(name: str, told: str, package: str, ways: tuple[Sync, Async], **words: Any) -> Caller:
    """A retry loop around httpx."""
    return Caller(name, told, (package, "httpx"), package, EXAMPLE, ITEM_LIST, ITEMS, STATUS_ERROR, *ways, **words)


READS: Final = "the loop itself knows no Retry-After: it is told to read it"
IGNORES: Final = "knows no Retry-After"

LOOPS: Final = (
    Caller("urllib3", "Retry(3, status_forcelist=[429])", ("urllib3",), "urllib3", EXAMPLE, ITEM_LIST, ITEMS,
           "urllib3.exceptions.MaxRetryError", urllib3),
    Caller("requests", "HTTPAdapter(max_retries=Retry(3, status_forcelist=[429]))",
           ("requests", "urllib3"), "requests", EXAMPLE, ITEM_LIST,
           ITEMS, "requests.exceptions.RetryError", requests),
    loop("tenacity", "stop_after_attempt(4), wait_exponential()", "tenacity", by(tenacity),
         waits=((1, 1), (2, 2), (4, 4)), note=IGNORES),
    loop("tenacity, told", "stop_after_attempt(4), wait=", "tenacity", by(tenacity_told), note=READS),
    loop("stamina", "attempts=4", "stamina", by(stamina), waits=((0.1, 1.1), (0.2, 1.2), (0.4, 1.4)), note=IGNORES),
    loop("stamina, told", "attempts=4, timeout=None, on=", "stamina", by(stamina_told), note=READS),
    loop("backoff", "expo, max_tries=4", "backoff", by(backoff), waits=((0, 1), (0, 2), (0, 4)), note=IGNORES),
    loop("backoff, told", "runtime, value=, max_tries=4", "backoff", by(backoff_told), note=READS),
)  # fmt: skip
