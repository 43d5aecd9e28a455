"""The checks that look at when a client comes back: broken clients are found, correct ones let pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pytest_agentfault import Exchange, Fin, How, Lost, Reply, Request, Rule, Script, Strike
from pytest_agentfault.checks import Finding
from pytest_agentfault.checks.backs_off import backs_off
from pytest_agentfault.checks.bounded import bounded
from pytest_agentfault.checks.no_repeated_write import no_repeated_write
from pytest_agentfault.checks.reauthenticates_once import reauthenticates_once
from pytest_agentfault.checks.retry_after_honoured import retry_after_honoured
from pytest_agentfault.faults import Status

NOW = 1_700_000_000.0
URL = "https://api.example/orders"
STRIKE = Strike(Rule("* *", (Status(429),), name="any/limit"), Status(429))
DEAD = Strike(Rule("* *", (Status(401),), name="any/dead", until="credential_changes"), Status(401))


def call(at: float, status: int | None = 503, **more: Any) -> Exchange:
    """One exchange, 0.1 s long: a refusal struck, a 200 not."""
    lasts = more.pop("lasts", 0.1)
    headers = more.pop("headers", {})
    body = more.pop("said", b"")
    reply = Reply((Lost(How.RESET),)) if status is None else Reply.of(status, body, headers)
    strike = DEAD if status == 401 else STRIKE
    struck = (strike,) if status is None or status >= 400 else ()
    request = replace(Request("POST", URL, body=b"{}"), **more)
    return Exchange(0, request, None, reply, Script((Fin(),)), struck, at, at + lasts, epoch=NOW + at + lasts)


def numbered(log: Sequence[Exchange]) -> list[Exchange]:
    """The log, its calls counted."""
    return [replace(x, number=n) for n, x in enumerate(log, 1)]


def in_row(*waits: float, status: int | None = 503, **more: Any) -> list[Exchange]:
    """Attempts at one call with these waits between them, all struck."""
    log, at = [call(0, status, **more)], 0.1
    for wait in waits:
        at += wait
        log.append(call(at, status, **more))
        at += 0.1
    return log


def told(headers: dict[str, str], wait: float, status: int = 429, **more: Any) -> list[Exchange]:
    """A refusal with these headers, and the next attempt after so many seconds."""
    return [call(0, status, headers=headers, **more), call(0.1 + wait, 200)]


RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000060"}
UUIDS = ("6f1c0a52-7f1e-4a5b-9a0e-0d6a7a3f4b11", "0b5b61d7-5c0f-4d52-8a3b-8b6f0a1c2d3e")
JSON = {"Content-Type": "application/json"}
Check = Callable[[Sequence[Exchange]], list[Finding]]

CASES: dict[str, tuple[Check, list[Exchange], int]] = {
    # retry_after_honoured: every form, kept and not kept
    "date, too soon": (retry_after_honoured, told({"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}, 30), 1),
    "date, kept": (retry_after_honoured, told({"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60), 0),
    "date, kept to the second": (retry_after_honoured, told({"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}, 59), 0),
    "date with a zone, too soon": (
        retry_after_honoured, told({"Retry-After": "Tue, 14 Nov 2023 23:14:20 +0100"}, 9), 1,
    ),
    "date in the past": (retry_after_honoured, told({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0), 0),
    "zero": (retry_after_honoured, told({"Retry-After": "0"}, 0), 0),
    "negative": (retry_after_honoured, told({"Retry-After": "-1"}, 0), 0),
    "garbage": (retry_after_honoured, told({"Retry-After": "soon"}, 0), 0),
    "huge": (retry_after_honoured, told({"Retry-After": "86400"}, 60), 1),
    "milliseconds, too soon": (retry_after_honoured, told({"Retry-After-Ms": "1500"}, 1), 1),
    "milliseconds, kept": (retry_after_honoured, told({"Retry-After-Ms": "1500"}, 1.5), 0),
    "reset, too soon": (retry_after_honoured, told(RESET, 5, 403), 1),
    "reset, kept": (retry_after_honoured, told(RESET, 60, 403), 0),
    "body, too soon": (retry_after_honoured, told(JSON, 1, said=b'{"retry_after": 2.5}'), 1),
    "body, kept": (retry_after_honoured, told(JSON, 2.5, said=b'{"retry_after": 2.5}'), 0),
    "prose is for people": (retry_after_honoured, told(JSON, 1, said=b'{"m": "Please try again in 18s."}'), 0),
    "a retry with another nonce": (
        retry_after_honoured,
        [
            call(0, 429, headers={"Retry-After": "20"}, body=f'{{"id": "{UUIDS[0]}"}}'.encode()),
            call(1, 200, body=f'{{"id": "{UUIDS[1]}"}}'.encode()),
        ],
        1,
    ),
    "a retry with another time in its query": (
        retry_after_honoured,
        [
            call(0, 429, headers={"Retry-After": "20"}, url=URL + "?a=1&_=1700000000123"),
            call(1, 200, url=URL + "?_=1700000001123&a=1"),
        ],
        1,
    ),
    "another call, by another query": (
        retry_after_honoured,
        [call(0, 429, headers={"Retry-After": "20"}, url=URL + "?page=1"), call(1, 200, url=URL + "?page=2")],
        0,
    ),
    "another task's first attempt, as its SDK says": (
        retry_after_honoured,
        [
            call(0, 429, headers={"Retry-After": "20"}),
            replace(call(1, 200), request=Request("POST", URL, (("x-stainless-retry-count", "0"),), b"{}")),
        ],
        0,
    ),
    # backs_off
    "grows": (backs_off, in_row(0.5, 1, 2, 4), 0),
    "grows to a most": (backs_off, in_row(1, 2, 4, 5, 5, 5), 0),
    "jitter": (backs_off, in_row(0.7, 0.2, 1.9, 0.4), 0),
    "one retry at once, as urllib3 does": (backs_off, in_row(0, 2, 4), 0),
    "one retry at once and no more": (backs_off, in_row(0), 0),
    "two at once": (backs_off, in_row(0, 0), 1),
    "all at once": (backs_off, in_row(0, 0, 0, 0, 0), 1),
    "all at once, lost": (backs_off, in_row(0, 0, status=None), 1),
    "always the same": (backs_off, in_row(1, 1, 1), 1),
    "twice the same": (backs_off, in_row(1, 1), 0),
    "always the same, as it was told": (backs_off, in_row(2, 2, 2, 2, headers={"Retry-After": "2"}), 0),
    "at once, as it was told": (backs_off, in_row(0, 0, 0, headers={"Retry-After": "0"}), 1),
    "a refusal for good is nobody's backing off": (backs_off, in_row(0, 0, 0, status=400), 0),
    "three calls at once are no retries": (backs_off, [call(0), call(0), call(0.05)], 0),
    "a success between begins anew": (backs_off, [call(0), call(0.1, 200), call(0.2), call(0.3, 200)], 0),
    # bounded
    "twenty": (bounded, in_row(*[1.0] * 19), 0),
    "twenty-one": (bounded, in_row(*[1.0] * 20), 1),
    "thirty of which each third is well": (
        bounded,
        [call(n, 200 if n % 3 == 0 else 503) for n in range(30)],
        0,
    ),
    "thirty different ones": (bounded, [call(n, url=f"{URL}/{n}") for n in range(30)], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_check_finds(name: str) -> None:
    """How many findings each log has."""
    check, log, findings = CASES[name]
    found = check(numbered(log))
    assert len(found) == findings, found


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a session, in short: what, when, with which token, and how it went."""

    what: str
    at: float
    token: str = "a"
    status: int = 200

    def made(self) -> Exchange:
        """As the log has it."""
        if self.what == "refresh":
            request = Request("POST", "https://auth.example/oauth/token", (), b"grant_type=refresh_token")
        else:
            request = Request("GET", f"https://api.example/{self.what}", (("Authorization", f"Bearer {self.token}"),))
        exchange = call(self.at, self.status, lasts=0.5)
        return replace(exchange, request=request)


SESSIONS: dict[str, tuple[list[Step], int]] = {
    "three refused, one refresh": (
        [Step(x, 0, status=401) for x in "xyz"] + [Step("refresh", 1)] + [Step(x, 2, "b") for x in "xyz"],
        0,
    ),
    "three refused, three refreshes": (
        [Step(x, 0, status=401) for x in "xyz"] + [Step("refresh", 1)] * 3 + [Step(x, 2, "b") for x in "xyz"],
        1,
    ),
    "one after the other": (
        [Step("x", 0, status=401), Step("y", 0, status=401), Step("refresh", 1), Step("x", 2, "b"), Step("refresh", 3),
         Step("y", 4, "c")],
        1,
    ),
    "the refresh failed and was repeated": (
        [Step("x", 0, status=401), Step("refresh", 1, status=503), Step("refresh", 2), Step("x", 3, "b")],
        0,
    ),
    "the new token died too": (
        [Step("x", 0, status=401), Step("refresh", 1), Step("x", 2, "b", 401), Step("refresh", 3), Step("x", 4, "c")],
        0,
    ),
    "a refresh before any refusal": (
        [Step("refresh", 0), Step("x", 1, status=401), Step("refresh", 2), Step("x", 3, "b")],
        0,
    ),
    "a refresh long after": (
        [Step("x", 0, status=401), Step("refresh", 1), Step("x", 2, "b"), Step("refresh", 60), Step("x", 61, "c")],
        0,
    ),
    "gave up": ([Step("x", 0, status=401), Step("y", 0, status=401)], 0),
    "nothing refused": ([Step("refresh", 0), Step("refresh", 1), Step("x", 2)], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", SESSIONS)
def test_a_dead_token_is_replaced_once(name: str) -> None:
    """However many calls met it."""
    steps, findings = SESSIONS[name]
    found = reauthenticates_once(numbered([step.made() for step in steps]))
    assert len(found) == findings, found


def test_a_write_whose_reply_was_told_more_in_its_headers_is_no_lost_one() -> None:
    """The client has been told how it went: to send it again is its own wish."""
    well = Reply.of(200, b"{}", {"a": "1"})
    first = replace(call(0), baseline=well, reply=well.with_header("x-ratelimit-remaining", "3"))
    again = replace(call(1, 200), baseline=well)
    assert no_repeated_write(numbered([first, again])) == []
    assert len(no_repeated_write(numbered([replace(first, reply=well), again]))) == 1


@pytest.mark.parametrize(
    ("check", "log", "text"),
    [
        (
            retry_after_honoured,
            told(RESET, 5, 403),
            "came back after 5.00 s, asked to wait 59.9 s\n"
            f"  there is: POST {URL}, calls 1 and 2: 403 with x-ratelimit-remaining: 0, x-ratelimit-reset: 1700000060\n"
            "  to do: sleep for at least that long before the next attempt; or waive='retry_after_honoured'",
        ),
        (
            backs_off,
            in_row(0, 0, 0, url=URL + "?key=secret"),
            "3 retries came at once\n"
            f"  there is: POST {URL}, calls 1, 2, 3, 4: 0.00, 0.00, 0.00 s between them\n"
            "  to do: wait between attempts, longer each time and not the same for all clients (jitter); "
            "or waive='backs_off'",
        ),
        (
            backs_off,
            in_row(1, 1, 1),
            "the waits do not grow: 1 s each time\n"
            f"  there is: POST {URL}, calls 1, 2, 3, 4: 1.00, 1.00, 1.00 s between them\n"
            "  to do: wait longer each time (1, 2, 4 ... s, with jitter); or waive='backs_off'",
        ),
        (
            bounded,
            in_row(*[1.0] * 20),
            "a call was tried 21 times\n"
            f"  there is: POST {URL}, calls 1 to 21, within 22 s: any/limit struck 21 of them\n"
            "  to do: give up after a few attempts (this check allows 20) and surface the error; or waive='bounded'",
        ),
        (
            reauthenticates_once,
            [step.made() for step in SESSIONS["three refused, three refreshes"][0]],
            "3 new tokens were fetched for one that had died\n"
            "  there is: POST https://auth.example/oauth/token, calls 4, 5, 6; refused with the old one: "
            "calls 1, 2, 3\n"
            "  to do: let one caller refresh under a lock while the others wait for its token (where refresh tokens "
            "rotate, the second refresh ends the session); or waive='reauthenticates_once'",
        ),
    ],
    ids=["retry_after_honoured", "backs_off", "backs_off, constant", "bounded", "reauthenticates_once"],
)
def test_the_words_of_a_finding(check: Check, log: list[Exchange], text: str) -> None:
    """What, where, what to do; and never a credential that stood in a query."""
    (finding,) = check(numbered(log))
    assert str(finding) == text
