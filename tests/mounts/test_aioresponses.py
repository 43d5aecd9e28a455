"""aioresponses asked from below: matches, counts and errors are its own, and its seams are where they were."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
from _loopback import loopback
from _mounted import API, BUSY, Break, mounted, once, told
from aioresponses import CallbackResult, aioresponses
from aioresponses.core import RequestMatch
from yarl import URL as Url  # noqa: N811

from pytest_agentfault._errors import UpstreamError
from pytest_agentfault.upstreams.aioresponses import Aioresponses

URL = f"{API}/x"


def ask(*calls: Callable[[aiohttp.ClientSession], Any]) -> list[Any]:
    """Make these calls in one session: the status and the text of each, or the error."""

    async def run() -> list[Any]:
        found: list[Any] = []
        async with aiohttp.ClientSession() as session:
            for call in calls:
                try:
                    async with call(session) as reply:
                        found.append((reply.status, await reply.text()))
                except Exception as error:
                    found.append(error)
        return found

    return asyncio.run(run())


def get(path: str = "/x", **options: Any) -> Callable[[aiohttp.ClientSession], Any]:
    """A GET of this path."""
    return lambda session: session.get(API + path, **options)


def post(path: str = "/x", **options: Any) -> Callable[[aiohttp.ClientSession], Any]:
    """A POST of this path: aiohttp never asks it twice by itself."""
    return lambda session: session.post(API + path, **options)


def test_calls_hold_what_was_asked_of_the_mock() -> None:
    """`requests` and its assertions: with the caller's words, and nothing that was struck."""
    with mounted(Aioresponses, once(BUSY)) as plan, aioresponses() as mock:
        mock.post(f"{URL}?q=1", payload={"made": 1}, status=201, headers={"X-Its": "1"})
        said = ask(*[post(params={"q": "1"}, json={"n": 1})] * 2)
        assert said == [(429, '{"error":"busy"}'), (201, '{"made": 1}')]
        mock.assert_called_once_with(URL, method="POST", params={"q": "1"}, json={"n": 1})
        assert list(mock.requests) == [("POST", Url(f"{URL}?q=1"))]
        assert plan.problems == []


def test_a_registered_exception_is_raised_as_it_is() -> None:
    """The very object."""
    error = aiohttp.ClientOSError("mine")
    with mounted(Aioresponses) as plan, aioresponses() as mock:
        mock.post(URL, exception=error)
        mock.post(URL, timeout=True)
        found = ask(post(), post())
        assert found[0] is error
        assert isinstance(found[1], asyncio.TimeoutError)
        assert plan.problems == []


def test_a_lost_response_is_given_again_to_the_client_that_is_owed_it() -> None:
    """A response is for one request; asked for once more by anybody else, it is aioresponses's own error."""
    with mounted(Aioresponses, once(Break())) as plan, aioresponses() as mock:
        mock.post(URL, body="one")
        lost, again, gone = ask(post(), post(), post())
        assert isinstance(lost, aiohttp.ClientError)
        assert again == (200, "one")
        assert str(gone) == f"Connection refused: POST {URL}"
        assert told(plan) == [None, 200]
        assert plan.problems == []


@pytest.mark.parametrize("form", ["prefix", "unmatched"])
def test_what_passes_through_leads_to_the_server(form: str) -> None:
    """A prefix is not counted, what is unmatched is, as without a fault; the fault strikes both."""
    with loopback() as server, mounted(Aioresponses, once(BUSY, to="* http://127.0.0.1:*")):
        options: Any = {"passthrough": [server.url]} if form == "prefix" else {"passthrough_unmatched": True}
        with aioresponses(**options) as mock:
            found = ask(*[lambda session: session.get(server.url + "/y")] * 2)
            assert [status for status, _ in found] == [429, 200]
            assert (len(server.asked), len(mock.requests)) == (1, 0 if form == "prefix" else 1)


def test_callbacks_patterns_and_redirects_work_as_ever() -> None:
    """A callback is handed the caller's words; a redirect is followed, and its second hop is not noted."""

    async def slowly(url: Url, **kwargs: Any) -> CallbackResult:
        await asyncio.sleep(1)
        return CallbackResult(status=202, body=f"{url.path} {kwargs['headers']['X-Mine']}")

    with mounted(Aioresponses), aioresponses() as mock:
        mock.get(re.compile(rf"{API}/y.*"), callback=slowly)
        mock.get(URL, status=302, headers={"Location": f"{API}/there"})
        mock.get(f"{API}/there", body="there")
        assert ask(get("/y1", headers={"X-Mine": "1"}), get()) == [(202, "/y1 1"), (200, "there")]
        assert [str(url) for _, url in mock.requests] == [f"{API}/y1", URL]


def test_a_blocking_client_cannot_await_a_callback() -> None:
    """It is told so; what awaits nothing is answered."""

    async def slowly(url: Url, **kwargs: Any) -> CallbackResult:
        await asyncio.sleep(1)
        return CallbackResult()

    async def at_once(url: Url, **kwargs: Any) -> CallbackResult:
        return CallbackResult(body="at once")

    with mounted(Aioresponses), aioresponses() as mock:
        mock.get(URL, callback=slowly)
        mock.get(f"{API}/now", callback=at_once)
        assert httpx.get(f"{API}/now", verify=False).text == "at once"
        with pytest.raises(UpstreamError) as caught:
            httpx.get(URL, verify=False)
        assert str(caught.value) == (
            f"no healthy reply for GET {URL}\n"
            "  there is: a callback of aioresponses that awaits, and a blocking client\n"
            "  to do: ask with aiohttp, or let the callback await nothing"
        )


def test_one_made_in_a_test_is_its_own_again_after_it() -> None:
    """The object keeps nothing of the mount."""
    with mounted(Aioresponses), aioresponses() as mock:
        pass
    assert (mock._passthrough, type(mock.patcher).__module__) == ([], "unittest.mock")


def test_seam_of_the_mock() -> None:
    """`_passthrough` and `patcher.temp_original` are looked up at each request; `match` has its arguments."""
    names = aioresponses._request_mock.__code__.co_names
    assert {"_passthrough", "patcher", "temp_original"} <= set(names)
    assert list(inspect.signature(aioresponses.match).parameters) == [
        "self",
        "method",
        "url",
        "allow_redirects",
        "kwargs",
    ]
    assert callable(aioresponses._build_request_call)
    with aioresponses() as mock:
        mock.get(URL)
        (match,) = mock._matches.values()
        assert match.match("GET", Url(URL))
        effect: Any = aiohttp.ClientSession._request
        assert effect.mock.side_effect.__self__ is mock


def test_seam_of_the_response() -> None:
    """A match makes its response by `_build_response`, with these arguments."""
    assert list(inspect.signature(RequestMatch._build_response).parameters) == [
        "self",
        "url",
        "method",
        "request_headers",
        "status",
        "body",
        "content_type",
        "payload",
        "headers",
        "response_class",
        "reason",
    ]
