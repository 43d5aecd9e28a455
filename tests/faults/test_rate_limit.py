"""A limit that is one: what is left on every reply, refusals only when it is spent, and what comes back when."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from _planned import WELL, Time, ask

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._errors import FaultError
from pytest_agentfault._exchange import Exchange
from pytest_agentfault._memory import Memory
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault.faults import RateLimit
from pytest_agentfault.faults._budget import duration

EPOCH = 1_699_999_000.0  # and a clock that begins at 1000


def limited(**settings: Any) -> tuple[Plan, Time]:
    """A plan with this limit for every request, and its clock."""
    now = Time()
    rule = Rule("* *", (RateLimit(**settings),))
    return Plan([rule], now=now, epoch=lambda: EPOCH + now.seconds), now


def statuses(plan: Plan, now: Time, *waits: float) -> list[int | None]:
    """What requests come to after these waits."""
    got = []
    for wait in waits:
        now.seconds += wait
        got.append(ask(plan).reply.status)
    return got


# Requests by the day, points by the minute: one call is all that a minute has.
DAILY: Final[dict[str, Any]] = {
    "requests": 100,
    "per_seconds": 86_400,
    "points": 10,
    "points_each": 10,
    "points_per_seconds": 60,
}


@pytest.mark.parametrize(
    ("settings", "waits", "expected"),
    [
        ({"requests": 2}, (0, 1, 1, 57, 1, 0, 0), "2244224"),
        ({"requests": 2, "left": 0}, (0, 59.9, 0.1, 0, 0), "44224"),
        ({"requests": 2, "left": 0, "resets_in_seconds": 5, "per_seconds": 60}, (0, 4.9, 0.1, 0, 0), "44224"),
        ({"requests": 6, "left": 0, "refill": "steady"}, (0, 9.9, 0.1, 0, 20, 0, 0), "4424224"),
        ({"requests": 6, "left": 0, "refill": "steady"}, (0, 600, *[0] * 6), "42222224"),
        ({"points": 10, "points_each": 4}, (0, 0, 0, 60), "2242"),
        ({"requests": 1, "points": 10, "points_each": 20}, (0, 60), "44"),
        ({"requests": 5, "points": 10, "points_each": 5}, (0, 0, 0), "224"),
        ({**DAILY, "left": 3}, (0, 0, 59.9, 0.1, 60, 86_279.9, 0.1), "2442242"),
        ({**DAILY, "points_resets_in_seconds": 5}, (0, 4.9, 0.1, 59.9, 0.1), "24242"),
        ({**DAILY, "refill": "steady", "points_each": 5}, (0, 0, 0, 29.9, 0.1), "22442"),
    ],
    ids=[
        *("window", "spent", "resets sooner", "steady", "steady, full again", "points", "never", "the smaller of two"),
        *("two windows", "points reset sooner", "two of which both are steady"),
    ],
)
def test_who_is_refused(settings: dict[str, Any], waits: tuple[float, ...], expected: str) -> None:
    """Only when the budget is spent, and no longer than until it has come back."""
    got = statuses(*limited(**settings), *waits)
    assert [{"2": 200, "4": 429}[letter] for letter in expected] == got


HEADERS = {
    "limit": "{limit.requests.limit}",
    "left": "{limit.requests.remaining}",
    "used": "{limit.requests.used}",
    "reset": "{limit.requests.reset.seconds}",
    "span": "{limit.requests.reset.duration}",
    "ms": "{limit.requests.reset.ms}",
    "exact": "{limit.requests.reset.exact}",
    "epoch": "{limit.requests.reset.epoch}",
    "epoch-ms": "{limit.requests.reset.epoch_ms}",
    "rfc3339": "{limit.requests.reset.rfc3339}",
    "date": "{limit.requests.reset.http_date}",
    "zone": "{limit.requests.reset.zoned_date}",
    "ratelimit": '"default";r={limit.requests.remaining};t={limit.requests.reset.seconds}',
}


def test_every_reply_counts_down_in_the_vendors_own_form() -> None:
    """Good replies and refusals alike, and what is said is never sooner than true."""
    plan, now = limited(requests=2, headers=HEADERS, per_seconds=90)
    first = ask(plan).reply
    now.seconds += 0.2
    ask(plan)
    last = ask(plan).reply
    assert {name: first.header(name) for name in HEADERS} == {
        "limit": "2",
        "left": "1",
        "used": "1",
        "reset": "90",
        "span": "1m30s",
        "ms": "90000",
        "exact": "90.000",
        "epoch": "1700000090",
        "epoch-ms": "1700000090000",
        "rfc3339": "2023-11-14T22:14:50Z",
        "date": "Tue, 14 Nov 2023 22:14:50 GMT",
        "zone": "Wed, 15 Nov 2023 00:14:50 +0200",
        "ratelimit": '"default";r=1;t=90',
    }
    assert (last.status, last.header("left"), last.header("span"), last.header("reset")) == (429, "0", "1m29.8s", "90")
    assert last.header("retry-after") == "90"
    assert first.body == WELL.body


@pytest.mark.parametrize(("left", "wait"), [(2, "45"), (1, "82800")], ids=["points are short", "both are short"])
def test_two_windows_are_read_apart_and_the_later_is_waited_for(left: int, wait: str) -> None:
    """What is not short asks for no wait, however far its reset is."""
    headers = {"day": "{limit.requests.reset.duration}", "minute": "{limit.points.reset.duration}"}
    words: dict[str, Any] = {**DAILY, "left": left, "resets_in_seconds": 82_815, "headers": headers}
    plan, now = limited(**words)
    first = ask(plan).reply
    now.seconds += 15
    second = ask(plan).reply
    assert [(r.status, r.header("day"), r.header("minute")) for r in (first, second)] == [
        (200, "23h0m15s", "1m0s"),
        (429, "23h0m0s", "45s"),
    ]
    assert second.header("retry-after") == wait
    now.seconds += float(wait)
    assert ask(plan).reply.status == 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.084, "84ms"), (1, "1s"), (8.64, "8.64s"), (66.779, "1m6.779s"), (360, "6m0s"), (7230, "2h0m30s")],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    """OpenAI's reset headers; https://pkg.go.dev/time#Duration.String."""
    assert duration(seconds) == text


def said(json_text: str) -> Exchange:
    """What a JSON reply becomes under a limit of points that adds to it."""
    fault = RateLimit(
        points=1000,
        per_seconds=20,
        refill="steady",
        points_each=100,
        points_at="$.cost",
        adds='{"extensions":{"cost":{"available":{limit.points.remaining}}}}',
    )
    plan = Plan([Rule("* *", (fault,))], now=Time())
    return ask(plan, send=lambda request: Reply.of(200, json_text.encode(), {"Content-Type": "application/json"}))


def test_what_is_left_may_stand_in_the_body_and_what_it_truly_cost_is_taken() -> None:
    """As Shopify says it: merged into the JSON that is there, by the true cost."""
    assert json.loads(said('{"cost":30,"extensions":{"a":1}}').reply.body)["extensions"] == {
        "a": 1,
        "cost": {"available": 970},
    }
    assert json.loads(said('{"data":{}}').reply.body)["extensions"]["cost"]["available"] == 900
    assert said("[1]").struck == ()
    assert said('{"errors":[]}').struck == ()


def test_a_request_may_say_what_it_asks_for() -> None:
    """Tokens are counted by what the request reserves."""
    plan, _ = limited(points=1000, points_asked="$.max_tokens", headers={"left": "{limit.points.remaining}"})
    asked = [
        Request("POST", "https://x/a", body=body) for body in (b'{"max_tokens": 600}', b"{}", b'{"max_tokens": 400}')
    ]
    got = [drive(plan.exchange(request), lambda _: WELL).reply for request in asked]
    assert [(r.status, r.header("left")) for r in got] == [(200, "400"), (200, "399"), (429, "399")]


def test_who_keeps_coming_early_waits_longer() -> None:
    """Two early calls are let go; each further one begins a longer wait anew."""
    plan, now = limited(requests=1, left=0, resets_in_seconds=10, early_calls=2, early_seconds=300)
    assert statuses(plan, now, 0, 1, 1) == [429] * 3
    assert ask(plan).reply.header("retry-after") == "300"
    assert statuses(plan, now, 299) == [429]
    assert statuses(plan, now, 299) == [429]
    assert statuses(plan, now, 300, 60) == [200, 200]


def test_who_waits_is_not_punished() -> None:
    """Early calls are forgotten with the first good one."""
    plan, now = limited(requests=1, left=0, resets_in_seconds=10, early_calls=1, early_seconds=300)
    assert statuses(plan, now, 0, 1, 9, 1, 1, 58) == [429, 429, 200, 429, 429, 200]


def test_a_good_reply_without_headers_is_not_struck() -> None:
    """What passed as it came was not changed by the limit."""
    plan, _ = limited(requests=1)
    assert [bool(ask(plan).struck) for _ in range(2)] == [False, True]


def test_two_tests_do_not_share_a_budget() -> None:
    """One fault object serves many tests, each with a memory of its own; its settings alone make it equal."""
    fault = RateLimit(requests=1)
    for _ in range(2):
        plan = Plan([Rule("* *", (fault,))], now=Time())
        assert [ask(plan).reply.status for _ in range(2)] == [200, 429]
    assert fault == RateLimit(requests=1, memory=Memory())


@pytest.mark.parametrize(
    ("settings", "what", "there", "do"),
    [
        ({}, "rate_limit: nothing is counted", "neither `requests` nor `points`", "give one of them"),
        ({"requests": 0}, "rate_limit: `requests` must be a whole number", "0", "give 1 or more"),
        (
            {"requests": 1, "per_seconds": 0},
            "rate_limit: `per_seconds` must be a number of seconds",
            "0",
            "give a number over 0",
        ),
        (
            {"requests": 1, "refill": "steadily"},
            "rate_limit: unknown `refill`",
            "'steadily'",
            "did you mean 'steady'? known: steady, window",
        ),
        (
            {"requests": 1, "points_per_seconds": 60},
            "rate_limit: `points_per_seconds` without `points`",
            "a window of nothing",
            "give `points`",
        ),
        (
            {"points": 1, "points_resets_in_seconds": 5},
            "rate_limit: `points_resets_in_seconds` without `points_per_seconds`",
            "a window of nothing",
            "give `points_per_seconds`",
        ),
        (
            {"points": 1, "points_per_seconds": -1},
            "rate_limit: `points_per_seconds` must be a number of seconds",
            "-1",
            "give a number over 0",
        ),
        (
            {"requests": 1, "adds": "[1]"},
            "rate_limit: `adds` must be a JSON table",
            "'[1]'",
            'write it like {"extensions": {}}',
        ),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, dict) else "",
)
def test_wrong_settings_are_refused(settings: dict[str, Any], what: str, there: str, do: str) -> None:
    """With what, what is there, and what to do."""
    with pytest.raises(FaultError) as caught:
        RateLimit(**settings)
    assert (caught.value.what, caught.value.there, caught.value.do) == (what, there, do)


@pytest.mark.parametrize(
    ("settings", "setting", "near"),
    [
        ({"requests": 1, "headers": {"a": "{limit.requests.remainin}"}}, "headers", "{limit.requests.remaining}"),
        ({"requests": 1, "spent_headers": {"a": "{limit.wait.second}"}}, "spent_headers", "{limit.wait.seconds}"),
        ({"points": 1, "text": "{limit.points.reset.epoc}"}, "text", "{limit.points.reset.epoch}"),
        ({"points": 1, "json": '{"a":{limits.points.asked}}'}, "json", "{limit.points.asked}"),
        ({"points": 1, "adds": '{"a":{limit.points.aske}}'}, "adds", "{limit.points.asked}"),
    ],
    ids=["headers", "spent_headers", "text", "json", "adds"],
)
def test_a_reading_that_cannot_be_filled_is_refused(settings: dict[str, Any], setting: str, near: str) -> None:
    """A near miss is named, never sent as it stands; what is not counted cannot be read."""
    with pytest.raises(FaultError) as caught:
        RateLimit(**settings)
    if setting != "adds":
        assert caught.value.what == f"rate_limit: unknown reading in `{setting}`"
        assert caught.value.do.startswith(f"did you mean {near!r}?")


def test_what_is_not_counted_cannot_be_read() -> None:
    """`points` without points would say nothing."""
    with pytest.raises(FaultError, match="unknown reading in `headers`"):
        RateLimit(requests=1, headers={"a": "{limit.points.remaining}"})
