"""requests-mock asked from below: matchers, history and errors are its own, and its seams are where they were."""

from __future__ import annotations

import inspect

import pytest
import requests
import requests_mock
from _loopback import loopback
from _mounted import API, BUSY, Break, mounted, once, told
from requests.adapters import HTTPAdapter
from requests_mock import adapter as seam
from requests_mock import mocker as seam_of_mocker
from urllib3.util import Retry

from pytest_agentfault import Rule
from pytest_agentfault.upstreams._asked import variables_of
from pytest_agentfault.upstreams.requests_mock import RequestsMock

URL = f"{API}/x"


def test_the_history_holds_what_was_asked_of_the_mock() -> None:
    """Of mocker and matcher: with the client's own body and words, and nothing that was struck."""
    with mounted(RequestsMock, once(BUSY)), requests_mock.Mocker() as mock:
        matcher = mock.post(URL, json={"made": 1}, status_code=201)
        found = [requests.post(URL + "?Q=1", data={"a": "ü"}, timeout=7).status_code for _ in range(2)]
        assert found == [429, 201]
        assert (mock.call_count, matcher.called_once) == (1, True)
        asked = mock.request_history[0]
        assert (asked.text, asked.qs, asked.timeout) == ("a=%C3%BC", {"q": ["1"]}, 7)


@pytest.mark.parametrize(
    "error",
    [requests.ConnectTimeout, requests.ConnectionError("down"), ValueError("mine")],
    ids=["timeout-class", "connection", "value"],
)
def test_a_registered_error_is_raised_as_it_is(error: Exception) -> None:
    """Its class and text, once, whatever retries the session has."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(3)))
    with mounted(RequestsMock) as plan, requests_mock.Mocker() as mock:
        mock.get(URL, exc=error)
        with pytest.raises(error if isinstance(error, type) else type(error)):
            session.get(URL, timeout=5)
        assert (mock.call_count, plan.problems) == (1, [])


def test_the_sessions_own_retries_run() -> None:
    """The adapter that the session really has retries the injected 429s; requests-mock alone bypasses it."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[429], backoff_factor=10)))
    with mounted(RequestsMock, Rule(f"* {API}/*", (BUSY,), times=2)) as plan, requests_mock.Mocker() as mock:
        mock.get(URL, text="well")
        assert session.get(URL, timeout=5).text == "well"
        assert (told(plan), mock.call_count) == ([429, 429, 200], 1)


def test_responses_in_a_row_are_given_in_their_order() -> None:
    """The struck one is used up; the last is given for ever, as requests-mock does."""
    with mounted(RequestsMock, once(Break())) as plan, requests_mock.Mocker() as mock:
        mock.get(URL, [{"text": "one"}, {"text": "two"}])
        with pytest.raises(requests.ConnectionError):
            requests.get(URL, timeout=5)
        assert [requests.get(URL, timeout=5).text for _ in range(2)] == ["two", "two"]
        assert (told(plan), mock.call_count) == ([None, 200, 200], 3)


@pytest.mark.parametrize("form", ["mocker", "matcher"])
def test_real_http_leads_to_the_server(form: str) -> None:
    """And is in the history, as without a fault; the fault strikes its reply too."""
    with (
        loopback() as server,
        mounted(RequestsMock, once(BUSY, to="* http://127.0.0.1:*")),
        requests_mock.Mocker(real_http=form == "mocker") as mock,
    ):
        if form == "matcher":
            mock.get(f"{server.url}/y", real_http=True)
        assert [requests.get(f"{server.url}/y", timeout=5).status_code for _ in range(2)] == [429, 200]
        assert (mock.call_count, len(server.asked)) == (1, 1)


def test_text_without_a_type_and_cookie_jars_come_through() -> None:
    """What no header says: the encoding of the text, and cookies given as objects."""
    jar = requests_mock.CookieJar()
    jar.set("seen", "1", domain=".api.test", path="/")
    with mounted(RequestsMock), requests_mock.Mocker() as mock:
        mock.get(URL, text="grüße", cookies=jar, headers={"Set-Cookie": "other=2"})
        reply = requests.get(URL, timeout=5)
        assert (reply.text, reply.encoding) == ("grüße", "utf-8")
        assert dict(reply.cookies) == {"seen": "1", "other": "2"}


def test_every_way_to_start_it_is_taken_over() -> None:
    """A decorated function, a single session, one mocker in another, an adapter mounted by hand."""

    @requests_mock.Mocker(kw="mock")
    def decorated(mock: requests_mock.Mocker) -> int:
        mock.get(URL, status_code=201)
        return requests.get(URL, timeout=5).status_code

    session = requests.Session()
    with mounted(RequestsMock, Rule(f"* {API}/*", (BUSY,), every=2)):
        assert [decorated(), decorated()] == [429, 201]
        with requests_mock.Mocker(session=session) as mock:
            mock.get(URL, status_code=202)
            assert [session.get(URL, timeout=5).status_code for _ in range(2)] == [429, 202]
        with requests_mock.Mocker() as outer, requests_mock.Mocker(real_http=False) as inner:
            outer.get(URL, status_code=500)
            inner.get(URL, status_code=203)
            assert [requests.get(URL, timeout=5).status_code for _ in range(2)] == [429, 203]
        adapter = requests_mock.Adapter()
        adapter.register_uri("GET", URL, status_code=204)
        session.mount("https://", adapter)
        assert [session.get(URL, timeout=5).status_code for _ in range(2)] == [429, 204]
        assert adapter.call_count == 1


def test_a_redirect_is_followed_by_the_session() -> None:
    """Each hop is asked of the mock."""
    with mounted(RequestsMock) as plan, requests_mock.Mocker() as mock:
        mock.get(URL, status_code=302, headers={"Location": f"{API}/there"})
        mock.get(f"{API}/there", text="there")
        assert requests.get(URL, timeout=5).text == "there"
        assert (mock.call_count, told(plan)) == (2, [302, 200])


def test_seam_of_the_mocker() -> None:
    """`_original_send` is looked up at each request; `send` and `get_adapter` know the mocker by the name `self`."""
    inside = seam_of_mocker.MockerCore.start.__code__.co_consts
    assert any("_original_send" in getattr(const, "co_names", ()) for const in inside)
    with requests_mock.Mocker() as mock:
        assert variables_of(requests.Session.send)["self"] is mock
        assert mock._last_send is seam_of_mocker._original_send


def test_seam_of_the_adapter() -> None:
    """`Adapter.send`, its matchers and what they raise to let go have the shape they had."""
    assert list(inspect.signature(seam.Adapter.send).parameters) == ["self", "request", "kwargs"]
    assert issubclass(seam._RunRealHTTP, Exception)
    adapter = seam.Adapter()
    matcher = adapter.register_uri("GET", URL)
    assert (adapter._matchers, matcher._real_http, adapter._case_sensitive) == ([matcher], False, False)
    assert callable(matcher._match)
