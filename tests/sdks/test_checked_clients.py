"""Real retry loops before the checks on time: correct ones are not accused, the same ones set wrongly are."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anthropic
import httpx
import openai
import pytest
import requests
import tenacity
import yaml
from _cassettes import path_of
from _shapes import exchange
from requests.adapters import HTTPAdapter
from test_openai import CHAT
from urllib3.util import Retry

from pytest_agentfault._run import Faults
from pytest_agentfault.checks import Finding
from pytest_agentfault.checks.backs_off import backs_off
from pytest_agentfault.checks.bounded import bounded
from pytest_agentfault.checks.reauthenticates_once import reauthenticates_once
from pytest_agentfault.checks.retry_after_honoured import retry_after_honoured
from pytest_agentfault.faults import ExpireSession, IssueToken, Lose, Status

URL: Final = "https://api.shop.example/orders/7"
ERRORS: Final = (httpx.HTTPError, requests.RequestException, openai.APIError, anthropic.APIError)


def tape(folder: Path, *also: dict[str, Any]) -> str:
    """A recording of one order, one chat completion and one message."""
    path = folder / "tape.yaml"
    kept = [exchange("GET", URL, {"item": "lamp"}), *also]
    for name in ("openai_chat", "anthropic_message"):
        kept += yaml.safe_load(path_of(name).read_text(encoding="utf-8"))["interactions"]
    path.write_text(yaml.dump({"version": 1, "interactions": kept}), encoding="utf-8")
    return str(path)


# --- the clients ------------------------------------------------------------------------------------------------------


def get() -> httpx.Response:
    """The order, or an error."""
    return httpx.get(URL).raise_for_status()


def by_tenacity(wait: Any, attempts: int = 6) -> Callable[[], Any]:
    """The order, retried by tenacity."""
    again = tenacity.Retrying(wait=wait, stop=tenacity.stop_after_attempt(attempts), reraise=True)
    return lambda: again(get)


def by_requests(**settings: Any) -> Callable[[], Any]:
    """The order, retried by urllib3 below requests."""

    def call() -> Any:
        with requests.Session() as session:
            session.mount("https://", HTTPAdapter(max_retries=Retry(5, status_forcelist=[429, 503], **settings)))
            return session.get(URL, timeout=30)

    return call


def by_openai(**settings: Any) -> Callable[[], Any]:
    """A chat completion, retried by the SDK."""
    return lambda: openai.OpenAI(api_key="sk-test", **settings).chat.completions.create(**CHAT)


def by_openai_async() -> Any:
    """The same, async."""

    async def call() -> Any:
        async with openai.AsyncOpenAI(api_key="sk-test", max_retries=5) as client:
            return await client.chat.completions.create(**CHAT)

    return asyncio.run(call())


def by_anthropic(**settings: Any) -> Callable[[], Any]:
    """A message, retried by the SDK."""
    asked: Any = {"model": "claude-x", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}
    return lambda: anthropic.Anthropic(api_key="test", **settings).messages.create(**asked)


def by_hand(wait: Callable[[httpx.Response, int], float], attempts: int = 6) -> Callable[[], Any]:
    """The order, by a loop as people write it."""

    def call() -> Any:
        for attempt in range(attempts):
            try:
                reply = httpx.get(URL)
            except httpx.HTTPError:
                reply = httpx.Response(500)
            if reply.status_code < 400:
                break
            time.sleep(wait(reply, attempt))
        return reply

    return call


def told(reply: httpx.Response, attempt: int) -> float:
    """Retry-After, where it is a number."""
    return float(reply.headers.get("retry-after", "1"))


CORRECT: Final[dict[str, Callable[[], Any]]] = {
    "tenacity, exponential": by_tenacity(tenacity.wait_exponential(max=8)),
    "tenacity, jitter": by_tenacity(tenacity.wait_exponential_jitter()),
    "tenacity, full jitter": by_tenacity(tenacity.wait_random_exponential(min=0.5, max=20)),
    "urllib3": by_requests(backoff_factor=0.5),
    "urllib3, jitter": by_requests(backoff_factor=0.5, backoff_jitter=0.5),
    "openai": by_openai(max_retries=5),
    "openai, async": by_openai_async,
    "anthropic": by_anthropic(max_retries=5),
    "by hand": by_hand(lambda reply, attempt: 2.0**attempt),
}
BROKEN: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "tenacity, no wait": (by_tenacity(tenacity.wait_none()), "5 retries came at once"),
    "tenacity, fixed": (by_tenacity(tenacity.wait_fixed(2)), "the waits do not grow: 2 s each time"),
    "urllib3 as it comes": (by_requests(), "5 retries came at once"),
    "by hand, no wait": (by_hand(lambda reply, attempt: 0.0), "5 retries came at once"),
    "by hand, fixed": (by_hand(lambda reply, attempt: 0.5), "the waits do not grow: 0.5 s each time"),
}


def run(call: Callable[[], Any]) -> None:
    """Call, whatever comes of it."""
    try:
        call()
    except ERRORS:
        return


def found(faults: Faults) -> list[str]:
    """What the three checks find, but for what they say to do."""
    findings: list[Finding] = [f for check in (backs_off, bounded, retry_after_honoured) for f in check(faults.log)]
    return [finding.what for finding in findings]


@pytest.mark.parametrize("fault", [Status(503), Lose("reset", "before_head")], ids=["503", "reset"])
@pytest.mark.parametrize("name", CORRECT)
def test_correct_clients_are_not_accused(faults: Faults, name: str, fault: Any, tmp_path: Path) -> None:
    """Nobody answers: each retries with waits that grow or vary, and gives up."""
    faults.add(fault, to="* *", cassette=tape(tmp_path))
    run(CORRECT[name])
    assert len(faults.log) >= 2
    assert found(faults) == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_clients_are(faults: Faults, name: str, tmp_path: Path) -> None:
    """No wait, or always the same one."""
    faults.add(Status(503), to="* *", cassette=tape(tmp_path))
    call, what = BROKEN[name]
    run(call)
    assert found(faults) == [what]


def test_who_never_gives_up_is_found(faults: Faults, tmp_path: Path) -> None:
    """Thirty attempts, however far apart."""
    faults.add(Status(503), to="* *", cassette=tape(tmp_path))
    run(by_tenacity(tenacity.wait_exponential(max=60), attempts=30))
    assert found(faults) == ["a call was tried 30 times"]


SECONDS: Final = Status(429, {"Retry-After": "30"})
DATE: Final = Status(429, {"Retry-After": "{http_date+30}"})
MS: Final = Status(429, {"Retry-After-Ms": "1500"})
FLOAT: Final = Status(503, {"Retry-After": "2.5"})
HUGE: Final = Status(429, {"Retry-After": "86400"})


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (by_openai(), SECONDS),
        (by_openai(), DATE),
        (by_openai(), MS),
        (by_openai(), FLOAT),
        (by_openai_async, DATE),
        (by_anthropic(), SECONDS),
        (by_anthropic(), DATE),
        (by_requests(), SECONDS),
        (by_requests(), DATE),
        (by_anthropic(), HUGE),
        (by_hand(told), SECONDS),
        (by_hand(told), FLOAT),
    ],
    ids=lambda value: "",
)
def test_who_waits_as_told_is_not_accused(faults: Faults, call: Callable[[], Any], fault: Any, tmp_path: Path) -> None:
    """Seconds, dates, milliseconds and fractions, as each client knows them; the clock is theirs."""
    faults.add(fault, to="* *", times=2, cassette=tape(tmp_path))
    run(call)
    assert len(faults.log) >= 2
    assert retry_after_honoured(faults.log) == []


@pytest.mark.parametrize(
    ("call", "fault", "what"),
    [
        (by_requests(), HUGE, r"came back after 21600\.\d\d s, asked to wait 86400 s"),
        (by_requests(respect_retry_after_header=False), SECONDS, r"came back after 0\.\d\d s, asked to wait 30 s"),
        (by_requests(respect_retry_after_header=False), MS, r"came back after 0\.\d\d s, asked to wait 1\.5 s"),
        (by_hand(lambda reply, attempt: 5), DATE, r"came back after 5\.\d\d s, asked to wait (29|30)[.\d]* s"),
        (by_tenacity(tenacity.wait_exponential()), SECONDS, r"came back after 1\.\d\d s, asked to wait 30 s"),
    ],
    ids=["urllib3, at most six hours", "urllib3", "urllib3, ms", "by hand, date", "tenacity"],
)
def test_who_comes_back_too_soon_is(
    faults: Faults, call: Callable[[], Any], fault: Any, what: str, tmp_path: Path
) -> None:
    """What was asked and what was waited are named."""
    faults.add(fault, to="* *", times=1, cassette=tape(tmp_path))
    run(call)
    (finding,) = retry_after_honoured(faults.log)
    assert re.fullmatch(what, finding.what), finding.what


@pytest.mark.fault("any/rate-limit-huge", to="* *", cassette=path_of("openai_chat"), raises=openai.RateLimitError)
def test_who_gives_up_instead_is_not_accused(faults: Faults) -> None:
    """openai does not wait for a day: it raises at once."""
    try:
        by_openai()()
    finally:
        assert len(faults.log) == 1
        assert found(faults) == []


# --- one refresh for all ----------------------------------------------------------------------------------------------

AUTH: Final = "https://auth.shop.example/oauth/token"


class Client:
    """A client of an API with a token: it refreshes when it is told to.

    Args:
        locked: whether one refresh serves all.
    """

    def __init__(self, locked: bool) -> None:
        self.token, self.refresh_token = "old", "first"
        self.lock = asyncio.Lock() if locked else None

    async def get(self, http: httpx.AsyncClient, path: str) -> int:
        """One call, and once more after a refresh."""
        used = self.token
        reply = await http.get(f"{URL}{path}", headers={"Authorization": f"Bearer {used}"})
        if reply.status_code == 401:
            if self.lock is None:
                await self.refresh(http)
            else:
                async with self.lock:
                    if self.token == used:
                        await self.refresh(http)
            reply = await http.get(f"{URL}{path}", headers={"Authorization": f"Bearer {self.token}"})
        return reply.status_code

    async def refresh(self, http: httpx.AsyncClient) -> None:
        """A new pair."""
        asked = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        said = (await http.post(AUTH, data=asked)).raise_for_status().json()
        self.token, self.refresh_token = said["access_token"], said.get("refresh_token", self.refresh_token)

    def all(self) -> list[int]:
        """Five calls at once."""

        async def at_once() -> list[int]:
            async with httpx.AsyncClient() as http:
                return await asyncio.gather(*(self.get(http, f"/{n}") for n in range(5)))

        return asyncio.run(at_once())


@pytest.mark.parametrize("locked", [True, False])
def test_five_refusals_cause_one_refresh(faults: Faults, locked: bool, tmp_path: Path) -> None:
    """Under a lock it is one; without it there are five, which rotation would turn into a lost session."""
    orders = [exchange("GET", f"{URL}/{n}", {"item": "lamp"}) for n in range(5)]
    faults.add(IssueToken(rotates=False), to=f"POST {AUTH}", cassette=tape(tmp_path, *orders))
    faults.add(ExpireSession(), to="GET *", until="credential_changes")
    assert Client(locked).all() == [200] * 5
    findings = reauthenticates_once(faults.log)
    assert [f.what for f in findings] == ([] if locked else ["5 new tokens were fetched for one that had died"])


@pytest.mark.fault("oauth/refresh", to="* https://*.shop.example/*", raises=httpx.HTTPStatusError)
def test_without_a_lock_a_rotating_endpoint_refuses_the_second() -> None:
    """The first refresh uses the refresh token up; the others are told invalid_grant."""
    Client(locked=False).all()
