"""Limits that are windows, and waits in every form, against the SDKs' own retries and clients that know one form."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import github
import httpx
import openai
import pytest
import yaml
from _cassettes import path_of
from _shapes import SAID, exchange
from _shapes import chat as completion
from test_openai import CHAT, achat, chat, client
from test_real_sdks import OPENAI, aimed, calls, folder

from pytest_agentfault._run import Faults

COMPLETION: Final = completion({"role": "assistant", "content": SAID}, "stop")
# The scenarios that meet an SDK, or a client of the vendor's format, here.
MET: Final = (
    *("openai/rate-limit-window", "anthropic/rate-limit-window", "azure/rate-limit-window", "github/rate-limit"),
    *("github/secondary-limit-ignored", "jira/rate-limit-window", "jira/rate-limit-page", "jira/rate-limit-gateway"),
    *("jira/rate-limit-zero", "slack/rate-limit", "slack/rate-limit-in-200", "linear/rate-limit-window"),
    *("shopify/throttled", "notion/rate-limit", "salesforce/api-limit", "graph/throttled", "groq/rate-limit-window"),
)


def tape(folder: Path, method: str, url: str, said: Any) -> str:
    """A recording of one reply, three times."""
    path = folder / "tape.yaml"
    kept = [exchange(method, url, said) for _ in range(3)]
    path.write_text(yaml.dump({"version": 1, "interactions": kept}), encoding="utf-8")
    return str(path)


def thrice(folder: Path, name: str) -> str:
    """One of the small recordings, three times over."""
    path = folder / "tape.yaml"
    once = yaml.safe_load(path_of(name).read_text(encoding="utf-8"))
    path.write_text(yaml.dump({**once, "interactions": once["interactions"] * 3}), encoding="utf-8")
    return str(path)


def row(faults: Faults) -> list[int | None]:
    """The statuses of all replies."""
    return [x.reply.status for x in faults.log]


def slept(faults: Faults) -> list[float]:
    """The waits that were asked for, to the second."""
    return [round(s.seconds) for s in faults.clock.slept]


# --- openai and what is made like it ----------------------------------------------------------------------------------


def test_openai_waits_for_its_budget(faults: Faults, tmp_path: Path) -> None:
    """The second call meets the limit and waits as long as it takes for one request to come back."""
    faults.add("openai/rate-limit-window", cassette=thrice(tmp_path, "openai_chat"))
    assert [chat(), chat()] == [SAID, SAID]
    assert row(faults) == [200, 429, 200]
    assert slept(faults) == [20]
    left = [x.reply.header("x-ratelimit-remaining-requests") for x in faults.log]
    assert left == ["0", "0", "0"]
    assert faults.log[0].reply.header("x-ratelimit-reset-tokens").endswith("ms")


def test_openai_waits_for_its_budget_async(faults: Faults, tmp_path: Path) -> None:
    """The same, async."""
    faults.add("openai/rate-limit-window", cassette=thrice(tmp_path, "openai_chat"))

    async def both() -> list[Any]:
        return [await achat(), await achat()]

    assert asyncio.run(both()) == [SAID, SAID]
    assert row(faults) == [200, 429, 200]


def test_who_does_not_wait_is_refused_again(faults: Faults, tmp_path: Path) -> None:
    """A loop of the test's own, without a wait: refused until the budget has come back, however often it asks."""
    faults.add("openai/rate-limit-window", cassette=thrice(tmp_path, "openai_chat"), waive="retry_after_honoured")
    impatient = client().with_options(max_retries=0).chat.completions
    assert impatient.create(**CHAT)
    for _ in range(3):
        with pytest.raises(Exception, match=r"Please try again in (19\.|20s)"):
            impatient.create(**CHAT)
    time.sleep(20)
    assert impatient.create(**CHAT)
    assert row(faults) == [200, 429, 429, 429, 200]


def test_azure_waits_by_the_millisecond(faults: Faults, tmp_path: Path) -> None:
    """AzureOpenAI reads Retry-After-Ms; the messages say the same wait."""
    url = "https://unit.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-06-01"
    faults.add("azure/rate-limit-window", cassette=tape(tmp_path, "POST", url, COMPLETION))
    azure = openai.AzureOpenAI(api_key="test", azure_endpoint="https://unit.openai.azure.com", api_version="2024-06-01")
    said = [azure.chat.completions.create(**CHAT).choices[0].message.content for _ in range(2)]
    assert said == [SAID, SAID]
    assert row(faults) == [200, 429, 200]
    assert slept(faults) == [60]
    assert faults.log[1].reply.header("retry-after-ms").isdigit()


@pytest.mark.parametrize("package", ["groq", "openai"])
def test_groq_counts_requests_by_the_day_and_tokens_by_the_minute(faults: Faults, tmp_path: Path, package: str) -> None:
    """Its SDK, or OpenAI's with its address, waits for the tokens; the requests' reset is further and asks nothing."""
    sdk = pytest.importorskip(package, reason="`make sdks` has it")
    base = "https://api.groq.com/openai/v1"
    faults.add("groq/rate-limit-window", cassette=tape(tmp_path, "POST", f"{base}/chat/completions", COMPLETION))
    made = sdk.Groq(api_key="test") if package == "groq" else sdk.OpenAI(api_key="test", base_url=base)
    assert [made.chat.completions.create(**CHAT).choices[0].message.content for _ in range(2)] == [SAID, SAID]
    assert row(faults) == [200, 429, 200]
    assert slept(faults)[0] in range(2, 6)  # 5, less what has come back while the calls were made
    said = [x.reply.header for x in faults.log[:2]]
    assert [h("x-ratelimit-remaining-requests") for h in said] == ["14369", "14369"]
    assert all(966 <= int(h("x-ratelimit-remaining-tokens")) < 1443 for h in said)
    assert all(h("x-ratelimit-reset-tokens")[:2] in ("45", "46", "47", "48", "49", "50") for h in said)
    assert all(h("x-ratelimit-reset-requests").startswith("3m") for h in said)


# --- anthropic --------------------------------------------------------------------------------------------------------


def test_anthropic_waits_for_its_budget(faults: Faults, tmp_path: Path) -> None:
    """The second call waits for the 12 seconds after which one request has come back."""
    faults.add("anthropic/rate-limit-window", cassette=thrice(tmp_path, "anthropic_message"))
    anthropic = pytest.importorskip("anthropic")
    sdk = anthropic.Anthropic(api_key="test")
    asked: Any = {"model": "claude-x", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}
    said = [sdk.messages.create(**asked).content[0].text for _ in range(2)]
    assert said == [SAID, SAID]
    assert row(faults) == [200, 429, 200]
    assert slept(faults) == [12]


# --- github -----------------------------------------------------------------------------------------------------------


def test_pygithub_waits_for_the_reset(faults: Faults, tmp_path: Path) -> None:
    """There is no Retry-After: it reads the reset, a quarter of an hour ahead."""
    faults.add("github/rate-limit", cassette=thrice(tmp_path, "github"))
    hub = github.Github(auth=github.Auth.Token("test"))
    names = [hub.get_repo("octocat/Hello-World").full_name for _ in range(2)]
    assert names == ["octocat/Hello-World"] * 2
    assert row(faults) == [200, 403, 200]
    assert 898 <= sum(s.seconds for s in faults.clock.slept) <= 904


def test_the_budget_of_graphql_is_spent_inside_a_200(faults: Faults, tmp_path: Path) -> None:
    """The body alone says so, without `data`."""
    faults.add("github/rate-limit", cassette=thrice(tmp_path, "github"))
    replies = [httpx.post("https://api.github.com/graphql", json={"query": "{ viewer { login } }"}) for _ in range(2)]
    assert [r.status_code for r in replies] == [200, 200]
    assert ["data" in r.json() for r in replies] == [True, False]
    assert replies[1].json()["errors"][0]["type"] == "RATE_LIMIT"
    assert replies[1].headers["x-ratelimit-remaining"] == "0"


def test_who_ignores_the_secondary_limit_waits_longer(faults: Faults, tmp_path: Path) -> None:
    """One early call is let go, with the next one the minute becomes five."""
    faults.add("github/secondary-limit-ignored", cassette=thrice(tmp_path, "github"), waive="retry_after_honoured")
    url = "https://api.github.com/repos/octocat/Hello-World"
    told = [httpx.get(url).headers["retry-after"] for _ in range(3)]
    assert told == ["60", "60", "300"]
    time.sleep(300)
    last = httpx.get(url)
    assert (last.status_code, last.headers["x-ratelimit-remaining"]) == (200, "4989")  # the hour's, not the minute's


def test_pygithub_is_not_among_them(faults: Faults, tmp_path: Path) -> None:
    """It waits its minute."""
    faults.add("github/secondary-limit-ignored", cassette=thrice(tmp_path, "github"))
    assert github.Github(auth=github.Auth.Token("test")).get_repo("octocat/Hello-World").id
    assert row(faults) == [403, 200]


# --- jira -------------------------------------------------------------------------------------------------------------

SITES: Final = {
    "cloud": "https://acme.atlassian.net/rest/api/3/issue/PROJ-1",
    "gateway": "https://api.atlassian.com/ex/jira/1/rest/api/3/issue/PROJ-1",
    "center": "https://jira.example.com/rest/api/2/issue/PROJ-1",
}


def patient(url: str, most: int = 6) -> httpx.Response:
    """A client that knows Retry-After in seconds, a reset as RFC 3339, and else waits 5 s."""
    for _ in range(most):
        reply = httpx.get(url)
        if reply.status_code != 429:
            break
        reset = reply.headers.get("x-ratelimit-reset")
        if "retry-after" in reply.headers:
            time.sleep(float(reply.headers["retry-after"]))
        elif reset:
            time.sleep(max(0.0, datetime.fromisoformat(reset).timestamp() - time.time()) + 1)
        else:
            time.sleep(5)
    return reply


@pytest.mark.parametrize(("site", "wait"), [("cloud", 600), ("gateway", 600), ("center", 12)])
def test_jira_counts_down_on_every_site(faults: Faults, tmp_path: Path, site: str, wait: int) -> None:
    """Structured fields on Cloud, a token bucket on Data Center, whose retry-after comes with good replies too."""
    faults.add("jira/rate-limit-window", cassette=tape(tmp_path, "GET", SITES[site], {"key": "PROJ-1"}))
    assert [patient(SITES[site]).json()["key"] for _ in range(2)] == ["PROJ-1"] * 2
    assert row(faults) == [200, 429, 200]
    assert slept(faults) == [wait]
    said = faults.log[0].reply
    if site == "center":
        assert (said.header("x-ratelimit-remaining"), said.header("retry-after")) == ("0", "12")
    else:
        assert said.header("ratelimit").endswith('-quota";r=0;t=600')


@pytest.mark.parametrize("site", ["cloud", "center"])
def test_jira_refuses_with_a_page(faults: Faults, tmp_path: Path, site: str) -> None:
    """HTML and no Retry-After."""
    faults.add("jira/rate-limit-page", cassette=tape(tmp_path, "GET", SITES[site], {"key": "PROJ-1"}))
    assert patient(SITES[site]).json()["key"] == "PROJ-1"
    assert row(faults) == [429, 429, 200]
    assert all(x.reply.header("content-type").startswith("text/html") for x in faults.log[:2])
    assert all(not x.reply.header("retry-after") for x in faults.log)


@pytest.mark.parametrize("site", ["cloud", "gateway"])
def test_jira_gateway_says_only_when_it_resets(faults: Faults, tmp_path: Path, site: str) -> None:
    """Who reads the reset passes at the first retry."""
    faults.add("jira/rate-limit-gateway", cassette=tape(tmp_path, "GET", SITES[site], {"key": "PROJ-1"}))
    assert patient(SITES[site]).json()["key"] == "PROJ-1"
    assert row(faults) == [429, 200]


@pytest.mark.fault("jira/rate-limit-gateway", waive="retry_after_honoured")
def test_who_does_not_read_the_reset_is_refused_until_then() -> None:
    """Seven seconds later is too soon, four times."""
    got = []
    for _ in range(4):
        got.append(httpx.get(SITES["gateway"], headers={"a": "b"}).status_code)
        time.sleep(7)
    assert got == [429] * 4


def test_jira_with_zero_seconds(faults: Faults, tmp_path: Path) -> None:
    """Five refusals at once, and a client that believes them asks six times in no time."""
    faults.add("jira/rate-limit-zero", cassette=tape(tmp_path, "GET", SITES["cloud"], {"key": "PROJ-1"}))
    assert patient(SITES["cloud"]).json()["key"] == "PROJ-1"
    assert row(faults) == [429] * 5 + [200]
    assert slept(faults) == []


# --- the others -------------------------------------------------------------------------------------------------------


def test_slack_waits_when_it_is_told_to(faults: Faults, tmp_path: Path) -> None:
    """slack_sdk raises by itself; with its own handler it waits as long as it is asked to."""
    slack_sdk = pytest.importorskip("slack_sdk")
    from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

    url = "https://slack.com/api/auth.test"
    faults.add("slack/rate-limit", cassette=tape(tmp_path, "POST", url, {"ok": True, "user": "ecto1"}))
    web = slack_sdk.WebClient(token="xoxb-test")
    with pytest.raises(slack_sdk.errors.SlackApiError, match="ratelimited"):
        web.auth_test()
    time.sleep(31)
    web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
    faults.add("slack/rate-limit")
    assert web.auth_test()["user"] == "ecto1"
    assert row(faults) == [429, 429, 200]
    assert slept(faults)[-1] >= 30


def test_slack_refuses_inside_a_200(faults: Faults, tmp_path: Path) -> None:
    """The SDK raises on `ok: false`, whatever the status."""
    slack_sdk = pytest.importorskip("slack_sdk")
    url = "https://slack.com/api/auth.test"
    faults.add("slack/rate-limit-in-200", cassette=tape(tmp_path, "POST", url, {"ok": True, "user": "ecto1"}))
    web = slack_sdk.WebClient(token="xoxb-test")
    for _ in range(2):
        with pytest.raises(slack_sdk.errors.SlackApiError, match="ratelimited"):
            web.auth_test()
    assert web.auth_test()["user"] == "ecto1"


def test_linear_resets_in_milliseconds(faults: Faults, tmp_path: Path) -> None:
    """A 400; who waits until x-ratelimit-requests-reset is answered."""
    url = "https://api.linear.app/graphql"
    faults.add("linear/rate-limit-window", cassette=tape(tmp_path, "POST", url, {"data": {"viewer": {"id": "1"}}}))
    first = httpx.post(url, json={"query": "{ viewer { id } }"})
    assert (first.status_code, first.headers["x-ratelimit-requests-remaining"]) == (200, "0")
    second = httpx.post(url, json={"query": "{ viewer { id } }"})
    assert second.json()["errors"][0]["extensions"]["code"] == "RATELIMITED"
    time.sleep(float(second.headers["x-ratelimit-requests-reset"]) / 1000 - time.time())
    assert httpx.post(url, json={"query": "{ viewer { id } }"}).status_code == 200
    assert 599 <= sum(s.seconds for s in faults.clock.slept) <= 601


def test_shopify_costs_points(faults: Faults, tmp_path: Path) -> None:
    """The wait is computed from the points that lack and the rate at which they come back."""
    url = "https://unit.myshopify.com/admin/api/2025-10/graphql.json"
    faults.add("shopify/throttled", cassette=tape(tmp_path, "POST", url, {"data": {"shop": {"name": "Unit"}}}))
    first = httpx.post(url, json={"query": "{ shop { name } }"}).json()
    assert first["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] in range(48, 60)
    cost = httpx.post(url, json={"query": "{ shop { name } }"}).json()["extensions"]["cost"]
    status = cost["throttleStatus"]
    time.sleep((cost["requestedQueryCost"] - status["currentlyAvailable"]) / status["restoreRate"])
    again = httpx.post(url, json={"query": "{ shop { name } }"}).json()
    assert again["data"]["shop"]["name"] == "Unit"


def test_shopify_waits_half_a_second(faults: Faults, tmp_path: Path) -> None:
    """REST: a Retry-After that is no whole number, which int() refuses."""
    url = "https://unit.myshopify.com/admin/api/2025-10/shop.json"
    faults.add("shopify/throttled", cassette=tape(tmp_path, "GET", url, {"shop": {"name": "Unit"}}))
    first = httpx.get(url)
    assert (first.status_code, first.headers["x-shopify-shop-api-call-limit"]) == (429, "40/40")
    with pytest.raises(ValueError, match="invalid literal"):
        int(first.headers["retry-after"])
    time.sleep(float(first.headers["retry-after"]))
    assert httpx.get(url).json()["shop"]["name"] == "Unit"


def test_notion_waits(faults: Faults, tmp_path: Path) -> None:
    """notion-client retries by itself, after as long as it was told."""
    notion_client = pytest.importorskip("notion_client", reason="`make sdks` has it")
    url = "https://api.notion.com/v1/users/1"
    faults.add("notion/rate-limit", cassette=tape(tmp_path, "GET", url, {"object": "user", "id": "1", "name": "Avo"}))
    assert notion_client.Client(auth="test").users.retrieve("1")["name"] == "Avo"
    assert row(faults) == [429, 200]


def test_notion_without_its_sdk(faults: Faults, tmp_path: Path) -> None:
    """Early is refused again; five seconds later is not."""
    url = "https://api.notion.com/v1/users/1"
    faults.add("notion/rate-limit", waive="retry_after_honoured", cassette=tape(tmp_path, "GET", url, {"id": "1"}))
    got = []
    for wait in (0, 2, 4):
        time.sleep(wait)
        got.append(httpx.get(url).status_code)
    assert got == [429, 429, 200]


def test_salesforce_counts_up(faults: Faults, tmp_path: Path) -> None:
    """api-usage on every reply; the refusal is a 403 whose body is a list."""
    url = "https://acme.my.salesforce.com/services/data/v59.0/limits"
    faults.add("salesforce/api-limit", cassette=tape(tmp_path, "GET", url, {"DailyApiRequests": {}}))
    replies = [httpx.get(url) for _ in range(2)]
    assert [r.headers["sforce-limit-info"] for r in replies] == ["api-usage=15000/15000"] * 2
    assert replies[1].status_code == 403
    assert replies[1].json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_graph_asks_more_of_who_does_not_wait(faults: Faults, tmp_path: Path) -> None:
    """41 seconds, then 315."""
    url = "https://graph.microsoft.com/v1.0/me"
    words: Any = {"cassette": tape(tmp_path, "GET", url, {"id": "1"}), "waive": "retry_after_honoured"}
    faults.add("graph/throttled", **words)
    assert [httpx.get(url).headers["retry-after"] for _ in range(2)] == ["41", "315"]
    time.sleep(315)
    assert httpx.get(url).status_code == 200


# --- over recordings of the real services -----------------------------------------------------------------------------


@pytest.mark.shared
@OPENAI
def test_recorded_conversations_meet_the_limit(faults: Faults, name: str) -> None:
    """Whatever was recorded is said in the end, and each reply counts down: its own headers are the limit's."""
    first = calls(name)[0][0]
    faults.add("openai/rate-limit-window", to=aimed(first), cassette=folder() / name)
    for _, call in calls(name):
        try:
            said = call()
            if hasattr(said, "close"):
                list(said)
        except openai.APIStatusError:
            continue  # a recorded error
    ours = [x.reply for x in faults.log if x.struck]
    assert ours
    assert all(reply.header("x-ratelimit-limit-requests") == "3" for reply in ours)
    assert {reply.header("x-ratelimit-remaining-requests") for reply in ours} <= {"0", "1", "2"}
    assert all(x.baseline is not None for x in faults.log if x.reply.status == 200)
