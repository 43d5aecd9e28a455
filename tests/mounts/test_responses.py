"""`responses` asked from below: registries, counts and errors are its own, and its seams are where they were."""

from __future__ import annotations

import inspect
import io
import json
import re
from typing import Any

import pytest
import requests
import responses
from _loopback import loopback
from _mounted import API, BUSY, Break, mounted, once, told
from requests.adapters import HTTPAdapter
from responses import matchers
from responses.registries import OrderedRegistry
from urllib3.util import Retry

from pytest_agentfault import Rule
from pytest_agentfault.upstreams._asked import variables_of
from pytest_agentfault.upstreams.responses import Responses

URL = f"{API}/x"


def test_calls_hold_what_was_asked_of_the_registry() -> None:
    """`calls` and `assert_call_count`: the client's own request, the registered response, nothing that was struck."""
    with mounted(Responses, once(BUSY)), responses.RequestsMock() as mock:
        known = mock.post(URL, json={"made": 1}, status=201, headers={"X-Its": "1"})
        assert [requests.post(URL, data={"a": "ü"}, timeout=5).status_code for _ in range(2)] == [429, 201]
        assert mock.assert_call_count(URL, 1)
        (call,) = mock.calls
        assert known.call_count == 1
        assert (call.request.body, call.request.headers["Content-Length"]) == ("a=%C3%BC", "8")
        assert (call.response.json(), call.response.headers["x-its"]) == ({"made": 1}, "1")
        with pytest.raises(AssertionError, match=r"called 2 times\. Called 1 times"):
            mock.assert_call_count(URL, 2)


def test_a_response_that_was_struck_only_counts_as_not_requested() -> None:
    """`assert_all_requests_are_fired` says so in its own words."""
    with (
        mounted(Responses, once(BUSY)),
        pytest.raises(AssertionError, match="Not all requests have been executed"),
        responses.RequestsMock() as mock,
    ):
        mock.get(URL)
        assert requests.get(URL, timeout=5).status_code == 429


@pytest.mark.parametrize(
    "error",
    [requests.ConnectionError("down"), requests.ReadTimeout("late"), ValueError("mine")],
    ids=["connection", "timeout", "value"],
)
def test_a_registered_error_is_raised_as_it_is(error: Exception) -> None:
    """The very object, once, whatever retries the client has: `responses` sits above them."""
    with mounted(Responses) as plan, responses.RequestsMock() as mock:
        known = mock.get(URL, body=error)
        session = requests.Session()
        session.mount("https://", HTTPAdapter(max_retries=Retry(3)))
        with pytest.raises(type(error)) as caught:
            session.get(URL, timeout=5)
        assert caught.value is error
        assert (known.call_count, plan.problems) == (1, [])


def test_the_clients_own_retries_run() -> None:
    """urllib3's Retry sees the injected 503s, waits on the test's clock, and asks again; the mock imitates none."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[429, 500], backoff_factor=10)))
    with mounted(Responses, Rule(f"* {API}/*", (BUSY,), times=2)) as plan, responses.RequestsMock() as mock:
        mock.get(URL, status=500)
        mock.get(URL, json={"ok": True})
        assert session.get(URL, timeout=5).json() == {"ok": True}
        assert told(plan) == [429, 429, 500, 200]
        assert [call.response.status_code for call in mock.calls] == [500, 200]


def test_registered_ones_are_used_up_in_an_ordered_registry() -> None:
    """A client that is owed one is given it again, out of turn; any other meets the registry's own refusal."""
    with mounted(Responses, once(Break())) as plan, responses.RequestsMock(registry=OrderedRegistry) as mock:
        mock.get(URL, body="one")
        mock.get(f"{API}/y", body="two")
        with pytest.raises(requests.ConnectionError):
            requests.get(URL, timeout=5)
        assert [requests.get(f"{API}/{path}", timeout=5).text for path in "xy"] == ["one", "two"]
        assert (told(plan), len(mock.calls)) == ([None, 200, 200], 2)
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            requests.get(URL, timeout=5)
        assert plan.problems == []


def test_what_passes_through_leads_to_the_server() -> None:
    """A prefix is not counted, a registered one is, as without a fault; the fault strikes both."""
    with (
        loopback() as server,
        mounted(Responses, Rule("* http://127.0.0.1:*", (BUSY,), every=2)),
        responses.RequestsMock() as mock,
    ):
        mock.add_passthru(re.compile(rf"{server.url}/prefix"))
        known = mock.add(responses.PassthroughResponse("GET", f"{server.url}/known"))
        for path, count in (("/prefix", 0), ("/known", 1)):
            assert [requests.get(server.url + path, timeout=5).status_code for _ in range(2)] == [429, 200]
            assert len(mock.calls) == count
        assert (known.call_count, len(server.asked)) == (1, 2)


def test_matchers_see_the_clients_own_request() -> None:
    """Its body as text, its parameters, and the words it was sent with."""
    with mounted(Responses), responses.RequestsMock() as mock:
        kwargs = {"stream": False, "timeout": 5, "verify": True}
        mock.post(
            URL,
            match=[
                matchers.query_param_matcher({"q": "1"}),
                matchers.urlencoded_params_matcher({"a": "b"}),
                matchers.header_matcher({"X-Mine": "1"}),
                matchers.request_kwargs_matcher(kwargs),
            ],
        )
        session = requests.Session()
        session.trust_env = False  # whose certificates would be told to `verify`
        reply = session.post(URL, params={"q": "1"}, data={"a": "b"}, headers={"X-Mine": "1"}, timeout=5)
        assert reply.status_code == 200


def test_files_callbacks_and_hooks_work_as_ever() -> None:
    """A body read from a file, a callback's reply, and a response that the suite's hook has changed."""

    def echo(request: Any) -> tuple[int, dict[str, str], str]:
        return 203, {"X-Echo": "1"}, request.body.decode()

    def hook(response: Any) -> Any:
        response.headers["X-Hooked"] = "yes"
        return response

    with mounted(Responses) as plan, responses.RequestsMock(response_callback=hook) as mock:
        mock.add_callback("POST", URL, echo)
        reply = requests.post(URL, data=io.BytesIO(b"from a file"), timeout=5)
        assert (reply.status_code, reply.text, reply.headers["x-hooked"]) == (203, "from a file", "yes")
        assert plan.problems == []


@pytest.mark.parametrize("form", ["decorator", "nested"])
def test_every_way_to_start_it_is_taken_over(form: str) -> None:
    """The decorator of the module, and one mock in another: the inner one decides alone."""

    @responses.activate
    def body() -> list[int]:
        responses.get(URL, status=202)
        with responses.RequestsMock() if form == "nested" else responses.mock as mock:
            mock.get(URL, status=204)
            found = [requests.get(URL, timeout=5).status_code for _ in range(2)]
        if form == "nested":
            assert requests.get(URL, timeout=5).status_code == 202
        return found

    with mounted(Responses, once(BUSY)):
        assert body() == [429, 204 if form == "nested" else 202]


def test_a_fault_that_changes_the_request_is_seen_by_the_matchers() -> None:
    """They are asked with what went out, not with what the client meant."""

    class Reword:
        def mutate(self, request: Any) -> Any:
            from dataclasses import replace

            return replace(request, body=json.dumps({"q": "changed"}).encode())

    with mounted(Responses, once(Reword())), responses.RequestsMock() as mock:
        mock.post(URL, match=[matchers.json_params_matcher({"q": "changed"})])
        assert requests.post(URL, json={"q": "meant"}, timeout=5).status_code == 200


def test_seam_of_the_mock() -> None:
    """`_on_request` has the arguments it had, and its instance the attributes the mount leans on."""
    parameters = list(inspect.signature(responses.RequestsMock._on_request).parameters)
    assert parameters == ["self", "adapter", "request", "retries", "kwargs"]
    mock = responses.RequestsMock()
    for name in ("_real_send", "_find_match", "_calls", "_patcher", "_read_filelike_body", "_parse_request_params"):
        assert hasattr(mock, name), name


def test_seam_of_the_patch() -> None:
    """What is put over the adapter's `send` knows its mock by the name `self`, and the patcher what was there."""
    real = HTTPAdapter.send
    with responses.RequestsMock() as mock:
        assert variables_of(HTTPAdapter.send) == {"self": mock}
        assert mock._patcher.temp_original is real
