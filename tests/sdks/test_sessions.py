"""Dead sessions and tokens in the vendors' own words, against the SDKs and against clients that refresh."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import requests
import yaml
from _shapes import exchange

from pytest_agentfault._run import Faults
from pytest_agentfault.faults._tokens import claims_of, jwt

MET: Final = (
    *("oauth/refresh", "oauth/token-minute", "oauth/refresh-slow", "oauth/refresh-fails-once", "oauth/refresh-lost"),
    *(
        "oauth/narrower-scope",
        "oauth/invalid-grant",
        "github/app-jwt-expired",
        "jira/stale-cookie",
        "jira/captcha-lock",
    ),
    *("salesforce/expired-session", "odoo/expired-session", "slack/token-expired", "mcp/session-gone"),
    *("graph/claims-challenge", "graph/expired-token"),
)
API: Final = "https://api.shop.example/orders/7"
AUTH: Final = "https://auth.shop.example/oauth/token"


def tape(folder: Path, *kept: dict[str, Any]) -> str:
    """A recording of these replies, each three times."""
    path = folder / "tape.yaml"
    path.write_text(yaml.dump({"version": 1, "interactions": [dict(one) for one in kept * 3]}), encoding="utf-8")
    return str(path)


def order(folder: Path) -> str:
    """A recording of one order, read and written."""
    return tape(folder, exchange("GET", API, {"item": "lamp"}), exchange("POST", API, {"item": "lamp"}))


class Client:
    """A client with a refresh token, as the RFCs have it.

    Args:
        keeps: whether it keeps the refresh token that comes with a new access token.
    """

    def __init__(self, keeps: bool = True) -> None:
        self.access, self.refresh_token, self.keeps = "old", "first", keeps

    def call(self, method: str = "GET") -> httpx.Response:
        """One call, and once more after a refresh."""
        reply = self._call(method)
        if reply.status_code == 401:
            self.refresh()
            reply = self._call(method)
        return reply

    def _call(self, method: str) -> httpx.Response:
        return httpx.request(method, API, headers={"Authorization": f"Bearer {self.access}"})

    def refresh(self) -> None:
        """A new pair; a 503 is asked again, as it says."""
        for _ in range(3):
            reply = httpx.post(
                AUTH, data={"grant_type": "refresh_token", "refresh_token": self.refresh_token}, timeout=30
            )
            if reply.status_code != 503:
                break
            time.sleep(float(reply.headers["retry-after"]))
        said = reply.raise_for_status().json()
        self.access = said["access_token"]
        if self.keeps:
            self.refresh_token = said.get("refresh_token", self.refresh_token)


def row(faults: Faults) -> list[int | None]:
    """The statuses of all replies."""
    return [x.reply.status for x in faults.log]


@pytest.mark.parametrize(
    ("scenario", "expected", "seconds"),
    [
        ("oauth/refresh", [401, 200, 200], 0),
        ("oauth/refresh-slow", [401, 200, 200], 20),
        ("oauth/refresh-fails-once", [401, 503, 200, 200], 2),
    ],
)
def test_a_refresh_works(faults: Faults, tmp_path: Path, scenario: str, expected: list[int], seconds: float) -> None:
    """At once, late, or the second time."""
    faults.add(scenario, cassette=order(tmp_path))
    assert Client().call().json() == {"item": "lamp"}
    assert row(faults) == expected
    assert sum(s.seconds for s in faults.clock.slept) == pytest.approx(seconds, abs=0.5)


def test_a_token_lives_for_a_minute(faults: Faults, tmp_path: Path) -> None:
    """Who keeps the new refresh token goes on for ever."""
    faults.add("oauth/token-minute", cassette=order(tmp_path))
    client = Client()
    for _ in range(3):
        assert client.call().status_code == 200
        time.sleep(60)
    assert row(faults) == [200, 401, 200, 200, 401, 200, 200]


def test_who_forgets_the_new_refresh_token_is_out(faults: Faults, tmp_path: Path) -> None:
    """The first refresh works, and the second one ends the session."""
    faults.add("oauth/token-minute", cassette=order(tmp_path), raises=httpx.HTTPStatusError)
    client = Client(keeps=False)
    for _ in range(2):
        assert client.call().status_code == 200
        time.sleep(60)
    with pytest.raises(httpx.HTTPStatusError, match="400") as caught:
        client.call()
    assert caught.value.response.json()["error"] == "invalid_grant"
    raise caught.value


@pytest.mark.fault("oauth/refresh-lost", raises=httpx.HTTPStatusError)
def test_a_lost_rotation_cannot_be_repeated() -> None:
    """The server has rotated, the client has not heard it: the old token is invalid_grant now."""
    client = Client()
    with pytest.raises(httpx.TransportError):
        client.call()
    client.call()


def test_the_new_token_may_only_read(faults: Faults, tmp_path: Path) -> None:
    """Reading goes on; a write is 403, which no refresh cures."""
    faults.add("oauth/narrower-scope", cassette=order(tmp_path))
    client = Client()
    assert client.call().status_code == 200
    refused = client.call("POST")
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="read write"' in refused.headers["www-authenticate"]
    assert client.call().status_code == 200


@pytest.mark.parametrize(
    ("url", "status", "description"),
    [
        ("https://auth.atlassian.com/oauth/token", 403, "Unknown or invalid refresh token."),
        ("https://oauth2.googleapis.com/token", 400, "Token has been expired or revoked."),
        ("https://acme.my.salesforce.com/services/oauth2/token", 400, "expired access/refresh token"),
        ("https://login.microsoftonline.com/common/oauth2/v2.0/token", 400, "AADSTS700082"),
        (AUTH, 400, "The refresh token is invalid or expired"),
    ],
    ids=["atlassian", "google", "salesforce", "microsoft", "any"],
)
def test_each_vendor_refuses_a_refresh_in_its_own_words(
    faults: Faults, url: str, status: int, description: str
) -> None:
    """Atlassian says 403 where the RFC says 400."""
    faults.add("oauth/invalid-grant")
    said = httpx.post(url, data={"grant_type": "refresh_token", "refresh_token": "first"})
    assert (said.status_code, said.json()["error"]) == (status, "invalid_grant")
    assert description in said.json()["error_description"]


# --- vendors ----------------------------------------------------------------------------------------------------------


def test_github_takes_only_a_fresh_jwt(faults: Faults, tmp_path: Path) -> None:
    """Nine minutes ahead is good, one minute is not, as the vendor's clock is 90 s ahead; PyGithub raises its own."""
    import github

    url = "https://api.github.com/app"
    faults.add("github/app-jwt-expired", cassette=tape(tmp_path, exchange("GET", url, {"slug": "unit"})))
    now = int(time.time())
    stale, fresh = (jwt({"iat": now - 60, "exp": now + ahead, "iss": "1"}) for ahead in (60, 540))
    assert claims_of(stale)["exp"] == now + 60
    refused = httpx.get(url, headers={"Authorization": f"Bearer {stale}"})
    assert (refused.status_code, "numeric value representing the future time" in refused.json()["message"]) == (
        401,
        True,
    )
    assert httpx.get(url, headers={"Authorization": f"Bearer {fresh}"}).json()["slug"] == "unit"
    with pytest.raises(github.GithubException, match="'exp'"):
        github.Github(auth=github.Auth.Token(stale)).get_user().login  # noqa: B018


def test_jira_with_a_dead_cookie(faults: Faults, tmp_path: Path) -> None:
    """Good credentials beside it do not help; without the cookie they do."""
    url = "https://jira.example.com/rest/api/2/myself"
    faults.add("jira/stale-cookie", cassette=tape(tmp_path, exchange("GET", url, {"name": "fred"})))
    with requests.Session() as session:
        session.auth = ("fred", "right")
        session.cookies.set("JSESSIONID", "17E2F3A3", domain="jira.example.com")
        refused = session.get(url)
        assert (refused.status_code, refused.text) == (401, "os_authType was 'any' and an invalid cookie was sent.")
        assert session.get(url).status_code == 401
        session.cookies.clear()
        assert session.get(url).json()["name"] == "fred"


def test_jira_behind_a_captcha(faults: Faults) -> None:
    """jira raises its own error, which holds the reason in a header."""
    import jira

    faults.add("jira/captcha-lock", waive="not_retried")
    with pytest.raises(jira.JIRAError) as caught:
        jira.JIRA("https://jira.example.com", basic_auth=("fred", "right"), max_retries=0)
    assert caught.value.status_code == 403
    reason = faults.log[-1].reply.header("x-authentication-denied-reason")
    assert reason.startswith("CAPTCHA_CHALLENGE")


def test_salesforce_says_it_in_a_list(faults: Faults, tmp_path: Path) -> None:
    """body["errorCode"] is a TypeError."""
    url = "https://acme.my.salesforce.com/services/data/v59.0/sobjects/Account/1"
    faults.add("salesforce/expired-session", cassette=tape(tmp_path, exchange("GET", url, {"Id": "1"})))
    got = [httpx.get(url, headers={"Authorization": f"Bearer {token}"}) for token in ("old", "old", "new")]
    assert [r.status_code for r in got] == [401, 401, 200]
    assert got[0].json()[0]["errorCode"] == "INVALID_SESSION_ID"


def test_simple_salesforce_raises_its_own_error(faults: Faults) -> None:
    """SalesforceExpiredSession."""
    sf = pytest.importorskip("simple_salesforce", reason="`make sdks` has it")
    faults.add("salesforce/expired-session")
    with pytest.raises(sf.exceptions.SalesforceExpiredSession):
        sf.Salesforce(instance="acme.my.salesforce.com", session_id="old").Account.get("1")


def test_odoo_says_it_in_a_200(faults: Faults, tmp_path: Path) -> None:
    """There is no `result`; another session cookie is answered."""
    url = "https://erp.example.com/web/dataset/call_kw/res.partner/read"
    faults.add("odoo/expired-session", cassette=tape(tmp_path, exchange("POST", url, {"jsonrpc": "2.0", "result": []})))
    got = [httpx.post(url, json={}, headers={"Cookie": f"session_id={n}"}).json() for n in ("1", "1", "2")]
    assert [("result" in said, said.get("error", {}).get("code")) for said in got] == [
        (False, 100),
        (False, 100),
        (True, None),
    ]


def test_slack_rotates(faults: Faults, tmp_path: Path) -> None:
    """slack_sdk raises token_expired; the pair of oauth.v2.access is good."""
    slack_sdk = pytest.importorskip("slack_sdk")
    url = "https://slack.com/api/auth.test"
    new = {"ok": True, "access_token": "xoxe.xoxb-new", "expires_in": 43200, "refresh_token": "xoxe-2"}
    oauth = exchange("POST", "https://slack.com/api/oauth.v2.access", new)
    who = exchange("POST", url, {"ok": True, "user": "ecto1"})
    faults.add("slack/token-expired", cassette=tape(tmp_path, oauth, who))
    with pytest.raises(slack_sdk.errors.SlackApiError, match="token_expired"):
        slack_sdk.WebClient(token="xoxe.xoxb-old").auth_test()
    pair = slack_sdk.WebClient().oauth_v2_access(
        client_id="1", client_secret="2", grant_type="refresh_token", refresh_token="xoxe-1"
    )
    assert (pair["ok"], pair["expires_in"]) == (True, 43200)
    assert slack_sdk.WebClient(token=pair["access_token"]).auth_test()["user"] == "ecto1"


def test_an_mcp_session_is_gone(faults: Faults, tmp_path: Path) -> None:
    """The id is dead and the token is not: `initialize` starts a new session."""
    url = "https://mcp.example.com/mcp"
    faults.add("mcp/session-gone", cassette=tape(tmp_path, exchange("POST", url, {"jsonrpc": "2.0", "result": {}})))
    sent: list[dict[str, str]] = [{}, {"Mcp-Session-Id": "1"}, {"Mcp-Session-Id": "1"}, {}, {"Mcp-Session-Id": "2"}]
    got = [httpx.post(url, json={"jsonrpc": "2.0"}, headers=headers).status_code for headers in sent]
    assert got == [200, 404, 404, 200, 200]


@pytest.mark.parametrize("scenario", ["graph/claims-challenge", "graph/expired-token"])
def test_graph_wants_another_token(faults: Faults, tmp_path: Path, scenario: str) -> None:
    """The same one from a cache is refused again."""
    url = "https://graph.microsoft.com/v1.0/me"
    faults.add(scenario, cassette=tape(tmp_path, exchange("GET", url, {"id": "1"})))
    got = [httpx.get(url, headers={"Authorization": f"Bearer {token}"}) for token in ("old", "old", "new")]
    assert [r.status_code for r in got] == [401, 401, 200]
    assert got[0].json()["error"]["code"] == "InvalidAuthenticationToken"
    challenged = "insufficient_claims" in got[0].headers["www-authenticate"]
    assert challenged is (scenario == "graph/claims-challenge")
