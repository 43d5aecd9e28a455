"""Sessions and tokens: who is told that his is over, and what a token endpoint does to its clients."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from _planned import WELL, Time

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._errors import FaultError
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault.faults import ExpireJwt, ExpireSession, InsufficientScope, IssueToken
from pytest_agentfault.faults._tokens import claims_of, jwt

EPOCH = 1_700_000_000.0
TOKEN = "POST https://auth.test/oauth/token"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


class Session:
    """A plan with a clock, and requests with or without a credential."""

    def __init__(self, *rules: Rule) -> None:
        self.now = Time()
        start = self.now.seconds
        self.plan = Plan(rules, now=self.now, epoch=lambda: EPOCH + self.now.seconds - start)

    def get(self, token: str = "", method: str = "GET", **headers: str) -> Reply:
        """What the API says."""
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}
        request = Request(method, "https://api.test/a", tuple(sent.items()))
        return drive(self.plan.exchange(request), lambda _: WELL).reply

    def refresh(self, token: str = "", **more: str) -> Reply:
        """What the token endpoint says to a refresh token (none: to client credentials)."""
        grant = (
            {"grant_type": "refresh_token", "refresh_token": token} if token else {"grant_type": "client_credentials"}
        )
        request = Request("POST", TOKEN[5:], FORM, urlencode({**grant, **more}).encode())
        return drive(self.plan.exchange(request), lambda _: WELL).reply


def tokens(**settings: Any) -> Rule:
    """A token endpoint."""
    return Rule(TOKEN, (IssueToken(**settings),))


def test_each_credential_lives_for_a_while() -> None:
    """From its first use on; a new one lives as long."""
    session = Session(Rule("* https://api.test/*", (ExpireSession(lives_seconds=60),)))
    got = []
    for wait, token in ((0, "a"), (59, "a"), (0, "b"), (1, "a"), (0, "b"), (58.9, "b"), (0.1, "b"), (0, "c")):
        session.now.seconds += wait
        got.append(session.get(token).status)
    assert got == [200, 200, 200, 401, 200, 200, 401, 200]


def test_only_requests_in_a_session_are_told() -> None:
    """Who sends no cookie is in none; good credentials beside a dead cookie do not help."""
    rule = Rule("* *", (ExpireSession(only_with="cookie"),), until="credential_changes")
    session = Session(rule)
    got = [session.get(**headers).status for headers in (
        {}, {"Cookie": "s=1"}, {"Cookie": "s=1", "token": "t"}, {"token": "t"}, {"Cookie": "s=2"},
    )]  # fmt: skip
    assert got == [200, 401, 200, 200, 200]


def test_a_session_ends_at_a_time_on_the_clock() -> None:
    """The rule's own time, and only for the credential that was met then."""
    rule = Rule("* *", (ExpireSession(),), after_seconds=3600, until="credential_changes")
    session = Session(rule)
    before = session.get("a").status
    session.now.seconds += 3600
    assert [before, session.get("a").status, session.get("b").status, session.get("a").status] == [200, 401, 200, 401]


@pytest.mark.parametrize(
    ("request_", "other"),
    [
        (Request("GET", "https://x/a?access_token=1"), Request("GET", "https://x/a?access_token=2")),
        (Request("POST", "https://x/a", FORM, b"token=1"), Request("POST", "https://x/a", FORM, b"token=2")),
        (
            Request("GET", "https://x/", (("Mcp-Session-Id", "1"),)),
            Request("GET", "https://x/", (("mcp-session-id", "2"),)),
        ),
    ],
    ids=["query", "form", "mcp"],
)
def test_credentials_are_found_wherever_vendors_put_them(request_: Request, other: Request) -> None:
    """In a query, in a form, in a header of their own."""
    plan = Plan([Rule("* *", (ExpireSession(),), until="credential_changes")])
    got = [drive(plan.exchange(r), lambda _: WELL).reply.status for r in (request_, other, request_)]
    assert got == [401, 200, 401]


def test_a_token_endpoint_gives_tokens() -> None:
    """As RFC 6749 section 5.1 has them, never the same twice in a test, and the same again in the next one."""
    for _ in range(2):
        session = Session(tokens(scope="read"))
        first, second = (json.loads(session.refresh().body) for _ in range(2))
        assert first == {
            "access_token": first["access_token"],
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "read",
            "refresh_token": first["refresh_token"],
        }
        assert (
            len({first["access_token"], first["refresh_token"], second["access_token"], second["refresh_token"]}) == 4
        )
    assert session.refresh().header("cache-control") == "no-store"


def test_a_refresh_token_is_good_once() -> None:
    """The one that came with the reply is good; the old one is not."""
    session = Session(tokens())
    new = json.loads(session.refresh("old").body)["refresh_token"]
    again = session.refresh("old")
    assert (again.status, json.loads(again.body)["error"]) == (400, "invalid_grant")
    assert [session.refresh(new).status, session.refresh(new).status] == [200, 400]


def test_a_refresh_token_that_comes_again_may_end_all() -> None:
    """RFC 9700 section 4.14.2: then the winner of the race is out too."""
    session = Session(tokens(reuse_revokes=True))
    new = json.loads(session.refresh("old").body)["refresh_token"]
    assert [session.refresh("old").status, session.refresh(new).status, session.refresh().status] == [400, 400, 200]


def test_refresh_tokens_need_not_rotate() -> None:
    """RFC 6749 section 6: then there is no new one in the reply, and the old one stays good."""
    session = Session(tokens(rotates=False))
    said = [session.refresh("old") for _ in range(2)]
    assert [r.status for r in said] == [200, 200]
    assert "refresh_token" not in json.loads(said[0].body)


def test_a_vendor_says_it_in_its_own_words() -> None:
    """Atlassian's 403; Slack's `ok`; a request in JSON; what is no POST is not for a token."""
    session = Session(tokens(invalid_code=403, invalid_json='{"error":"invalid_grant"}', adds={"ok": True}))
    asked = Request("POST", TOKEN[5:], (("Content-Type", "application/json"),), b'{"refresh_token": "old"}')
    got = [drive(session.plan.exchange(asked), lambda _: WELL).reply for _ in range(2)]
    assert json.loads(got[0].body)["ok"] is True
    assert (got[1].status, got[1].body) == (403, b'{"error":"invalid_grant"}')
    assert drive(session.plan.exchange(replace(asked, method="GET")), lambda _: WELL).struck == ()


def test_the_new_token_may_do_less() -> None:
    """403 for tokens of this test that lack the scope; unknown ones are another fault's business."""
    writes = Rule("POST https://api.test/*", (InsufficientScope("write"),))
    session = Session(tokens(scope="read files"), writes)
    narrow = json.loads(session.refresh().body)["access_token"]
    refused = session.get(narrow, "POST")
    assert refused.status == 403
    assert refused.header("www-authenticate") == 'Bearer error="insufficient_scope", scope="write"'
    assert [session.get("old", "POST").status, session.get(narrow).status] == [200, 200]
    assert session.get(jwt({"scope": "write read"}), "POST").status == 200
    assert session.get(jwt({"scope": "read"}), "POST").status == 403


def test_a_token_that_does_not_say_its_scope_is_not_judged() -> None:
    """RFC 6749 section 5.1: no scope in the reply means the one that was asked for."""
    session = Session(tokens(), Rule("POST https://api.test/*", (InsufficientScope("write"),)))
    assert session.get(json.loads(session.refresh().body)["access_token"], "POST").status == 200


def test_a_jwt_ends_by_its_own_claim() -> None:
    """As the endpoint issued it: good until exp, on the clock."""
    session = Session(tokens(form="jwt", expires_in=300), Rule("* https://api.test/*", (ExpireJwt(),)))
    token = json.loads(session.refresh().body)["access_token"]
    assert claims_of(token) == {"sub": "test", "iat": EPOCH, "exp": EPOCH + 300, "jti": "1"}
    got = []
    for wait in (0, 299, 1):
        session.now.seconds += wait
        got.append(session.get(token).status)
    assert got == [200, 200, 401]


@pytest.mark.parametrize(
    ("settings", "claims", "status"),
    [
        ({"ahead_seconds": 300}, {"exp": EPOCH + 299}, 401),
        ({"ahead_seconds": 300}, {"exp": EPOCH + 301}, 200),
        ({"ahead_seconds": 300, "leeway_seconds": 60}, {"exp": EPOCH + 299}, 200),
        ({"ahead_seconds": -120}, {"exp": EPOCH + 9, "iat": EPOCH}, 401),
        ({"ahead_seconds": -120, "leeway_seconds": 120}, {"exp": EPOCH + 9, "iat": EPOCH}, 200),
        ({}, {"nbf": EPOCH + 5}, 401),
        ({}, {}, 200),
        ({}, {"exp": "soon"}, 200),
        ({}, {"exp": True}, 200),
    ],
)
def test_whose_clock_is_wrong(settings: dict[str, Any], claims: dict[str, Any], status: int) -> None:
    """A clock ahead ends a token early; one behind has it begin in the future."""
    session = Session(Rule("* *", (ExpireJwt(**settings),)))
    assert session.get(jwt(claims)).status == status


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.bm90IGpzb24.c", "a.W10.c"])
def test_what_is_no_jwt_passes(token: str) -> None:
    """It has no time to be held to."""
    assert Session(Rule("* *", (ExpireJwt(ahead_seconds=1e8),))).get(token).status == 200


@pytest.mark.parametrize(
    ("make", "what", "there", "do"),
    [
        (
            lambda: ExpireSession(lives_seconds=0),
            "expire_session: `lives_seconds` must be a number of seconds",
            "0",
            "give a number over 0",
        ),
        (
            lambda: ExpireJwt(ahead_seconds="5"),
            "expire_jwt: `ahead_seconds` must be a number of seconds",
            "'5'",
            "give a number",
        ),  # type: ignore[arg-type]
        (
            lambda: IssueToken(form="jwe"),
            "issue_token: unknown `form`",
            "'jwe'",
            "did you mean 'jwt'? known: jwt, opaque",
        ),
        (lambda: IssueToken(expires_in=-1), "issue_token: `expires_in` must be a whole number", "-1", "give 0 or more"),
        (lambda: InsufficientScope(3), "insufficient_scope: `scope` must be a text", "3", "put it in quotes"),  # type: ignore[arg-type]
    ],
    ids=["lives_seconds", "ahead_seconds", "form", "expires_in", "scope"],
)
def test_wrong_settings_are_refused(make: Any, what: str, there: str, do: str) -> None:
    """With what, what is there, and what to do."""
    with pytest.raises(FaultError) as caught:
        make()
    assert (caught.value.what, caught.value.there, caught.value.do) == (what, there, do)


@pytest.mark.parametrize(
    ("settings", "row"),
    [
        ({"after_seconds": 10}, "..XX"),
        ({"for_seconds": 10}, "XX.."),
        ({"after_seconds": 10, "for_seconds": 10}, "..X."),
        ({"after_seconds": 5, "times": 1}, ".X.."),
        ({"after_seconds": 10, "after": 3}, "...X"),
        ({}, "XXXX"),
    ],
)
def test_a_rule_has_its_time(settings: dict[str, Any], row: str) -> None:
    """At 0, 5, 10 and 20 seconds since it was placed."""
    session = Session(Rule("* *", (ExpireSession(),), **settings))
    got = ""
    for wait in (0, 5, 5, 10):
        session.now.seconds += wait
        got += "X" if session.get().status == 401 else "."
    assert got == row
