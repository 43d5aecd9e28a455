"""A session that ends between two steps, in the middle of a stream, or for good."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from pytest_agentfault.faults import IssueToken, Status

from chain import Desk, SignedOut, letter, refund

API = "* https://api.desk.example/v1/*"
TOKEN = "POST https://api.desk.example/oauth/token"
GREETING = "Grüße aus Zürich – naïve parsers lose “this” part: 你好, 👋🏽 done."
WRITES = ["/refunds", "/tickets/7/comments", "/tickets/7/close"]

pytestmark = pytest.mark.vcr
refunding = pytest.mark.default_cassette("refund")
writing = pytest.mark.default_cassette("letter")


def calls(faults: Any) -> list[tuple[str, int | None]]:
    """What was asked of the desk, and how it went."""
    return [(x.request.url.rpartition("/v1")[2], x.reply.status) for x in faults.log if "/v1/" in x.request.url]


@refunding
def test_refund() -> None:
    """The happy path."""
    with Desk("first") as desk:
        assert refund(desk, 7) == "closed"


@refunding
@pytest.mark.fault(IssueToken(), to=TOKEN, checks="reauthenticates_once")
@pytest.mark.fault("any/expired-session", to=API, after=3)
def test_the_session_ends_between_steps_three_and_four(faults: Any) -> None:
    """The refund is refused, asked for again with a new token, and paid once."""
    with Desk("first") as desk:
        assert refund(desk, 7) == "closed"
    assert [status for _, status in calls(faults)] == [200, 200, 200, 401, 201, 201, 200]
    assert [path for path, status in calls(faults) if status in (200, 201)][3:] == WRITES


@refunding
@pytest.mark.fault(IssueToken(), to=TOKEN)
@pytest.mark.fault("any/expired-after-an-hour", to=API)
def test_an_hour_between_two_refunds_steps(faults: Any) -> None:
    """The same by the clock: the chain sleeps for an hour between two calls."""
    with Desk("first") as desk:
        desk.call("GET", "/tickets/7")
        faults.clock.advance(3600)
        assert desk.call("GET", "/customers/3")["name"] == "Ada"
    assert [status for _, status in calls(faults)] == [200, 401, 200]


@refunding
@pytest.mark.fault("any/expired-session", to=API, after=3)
@pytest.mark.fault(
    Status(400, json={"error": "invalid_grant", "error_description": "The refresh token was revoked"}),
    to=TOKEN,
    after=1,
    raises=SignedOut,
)
def test_nobody_is_signed_in_any_more(faults: Any) -> None:
    """The refresh token is dead too: the chain stops before it has paid anything."""
    try:
        with Desk("first") as desk:
            refund(desk, 7)
    finally:
        assert [status for _, status in calls(faults)] == [200, 200, 200, 401]


@writing
@pytest.mark.fault("any/expired-mid-stream", to="POST https://api.openai.com/v1/*")
def test_the_session_ends_in_the_middle_of_a_stream(faults: Any) -> None:
    """Half a letter is thrown away; the whole one comes with a new token."""
    tokens = count(1)
    assert letter(lambda: f"token-{next(tokens)}") == GREETING
    assert [bool(x.struck) for x in faults.log] == [True, False]


@writing
@pytest.mark.fault("any/expired-mid-stream", to="POST https://api.openai.com/v1/*", raises=SignedOut)
def test_the_same_token_again_is_refused() -> None:
    """Who has no new token has none after the second attempt either."""
    letter(lambda: "token")
