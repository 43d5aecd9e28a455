"""pytest-httpx asked from below: responses, assertions and errors are its own, and its seams are where they were."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import httpx
import httpx2
import pytest
from _loopback import loopback
from _mounted import API, BUSY, Break, mounted, once, told
from _tools import httpx_mock
from pytest_httpx import HTTPXMock, IteratorStream

from pytest_agentfault.upstreams._asked import variables_of
from pytest_agentfault.upstreams.pytest_httpx import PytestHttpx

URL = f"{API}/x"


def get(path: str = "/x") -> httpx.Response:
    """One request of a client that verifies nothing."""
    return httpx.get(API + path, verify=False)


def test_requests_hold_what_was_asked_of_the_mock() -> None:
    """`get_requests` has the request as it went out, with its extensions, and nothing that was struck."""
    with mounted(PytestHttpx, once(BUSY)), httpx_mock() as mock:
        mock.add_response(status_code=201, json={"made": 1}, match_json={"n": 1}, match_headers={"X-Mine": "1"})
        client = httpx.Client(headers={"X-Mine": "1"}, verify=False)
        assert [client.post(URL, json={"n": 1}).status_code for _ in range(2)] == [429, 201]
        asked = mock.get_request(method="POST", url=URL)
        assert asked is not None
        assert (asked.content, asked.extensions["timeout"]["read"]) == (b'{"n":1}', 5.0)


def test_a_response_that_was_struck_only_counts_as_not_requested() -> None:
    """The fixture's own assertion at the end of the test."""
    with (
        mounted(PytestHttpx, once(BUSY)),
        pytest.raises(AssertionError, match="mocked but not requested"),
        httpx_mock() as mock,
    ):
        mock.add_response(url=URL)
        assert get().status_code == 429


def test_a_request_that_nothing_was_registered_for_is_its_own_error() -> None:
    """At the client and, as `assert_all_requests_were_expected`, at the end; no problem of the run."""
    with (
        mounted(PytestHttpx) as plan,
        pytest.raises(AssertionError, match="requests were not expected"),
        httpx_mock() as mock,
    ):
        mock.add_response(url=f"{API}/other", is_optional=True)
        with pytest.raises(httpx.TimeoutException, match=r"No response can be found for GET request on .*/x"):
            get()
        assert plan.problems == []


def test_a_lost_response_is_given_again_to_the_client_that_is_owed_it() -> None:
    """A response is for one request; asked for once more by anybody else, it is pytest-httpx's own error."""
    with mounted(PytestHttpx, once(Break())) as plan, httpx_mock(assert_all_requests_were_expected=False) as mock:
        mock.add_response(url=URL, text="one")
        with pytest.raises(httpx.TransportError):
            get()
        assert get().text == "one"
        assert (told(plan), len(mock.get_requests())) == ([None, 200], 1)
        with pytest.raises(httpx.TimeoutException, match="Already matched any request on"):
            get()
        assert plan.problems == []


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout("late"), httpx.ConnectError("down"), ValueError("mine")],
    ids=["timeout", "connect", "value"],
)
def test_a_registered_exception_is_raised_as_it_is(error: Exception, is_async: bool) -> None:
    """The very class and text, in both kinds of client."""

    async def ask() -> None:
        async with httpx.AsyncClient(verify=False) as client:
            await client.get(URL)

    with mounted(PytestHttpx) as plan, httpx_mock() as mock:
        mock.add_exception(error, url=URL)
        with pytest.raises(type(error)) as caught:
            asyncio.run(ask()) if is_async else get()
        assert str(caught.value) == str(error)
        assert plan.problems == []


def test_callbacks_that_await_are_awaited() -> None:
    """On the test's clock, by clients of httpx and of others."""

    async def slowly(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        return httpx.Response(200, json={"path": request.url.path})

    async def ask() -> list[Any]:
        async with (
            httpx.AsyncClient(verify=False, timeout=60) as one,
            httpx2.AsyncClient(verify=False, timeout=60) as two,
        ):
            return [(await client.get(URL)).json() for client in (one, two)]

    with mounted(PytestHttpx), httpx_mock(can_send_already_matched_responses=True) as mock:
        mock.add_callback(slowly)
        assert asyncio.run(ask()) == [{"path": "/x"}] * 2


def test_what_it_is_told_not_to_mock_leads_to_the_server() -> None:
    """`should_mock` holds: such a request is not seen by pytest-httpx, and struck all the same."""
    to = "* http://127.0.0.1:*"
    with (
        loopback() as server,
        mounted(PytestHttpx, once(BUSY, to=to)),
        httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1") as mock,
    ):
        mock.add_response(is_optional=True)
        assert [httpx.get(server.url).status_code for _ in range(2)] == [429, 200]
        assert (mock.get_requests(), len(server.asked)) == ([], 1)


def test_streams_go_over_the_wire_piece_by_piece() -> None:
    """Each piece is a chunk."""
    with mounted(PytestHttpx), httpx_mock() as mock:
        mock.add_response(stream=IteratorStream([b"one", b"two"]))
        with httpx.Client(verify=False) as client, client.stream("GET", URL) as reply:
            assert list(reply.iter_raw()) == [b"one", b"two"]


def test_seam_of_the_mock() -> None:
    """`_handle_request` and its async twin have the arguments they had; matchers count as they did."""
    for name in ("_handle_request", "_handle_async_request"):
        assert list(inspect.signature(getattr(HTTPXMock, name)).parameters) == ["self", "real_transport", "request"]
    with httpx_mock() as mock:
        mock.add_response(url=URL)
        ((matcher, _),) = mock._callbacks
        assert (matcher.nb_calls, matcher.is_reusable, matcher.proxy_url) == (0, False, None)
        assert mock._options.should_mock(httpx.Request("GET", URL))
        assert matcher.match(None, httpx.Request("GET", URL))
        mock.reset()


def test_seam_of_the_patch() -> None:
    """What the fixture puts over httpx's transports knows `mock` and the real one by their names."""
    real, areal = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request
    with httpx_mock() as mock:
        found = variables_of(httpx.HTTPTransport.handle_request)
        assert (found["mock"], found["real_handle_request"]) == (mock, real)
        found = variables_of(httpx.AsyncHTTPTransport.handle_async_request)
        assert (found["mock"], found["real_handle_async_request"]) == (mock, areal)
