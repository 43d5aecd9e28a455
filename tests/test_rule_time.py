"""The time of a rule: how long a wait holds, from when on it strikes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from _planned import Answer, Refuse, Time, ask, row, rule
from _project import Project

from pytest_agentfault._errors import RuleError
from pytest_agentfault._plan import Plan
from pytest_agentfault._reply import Request


def limited(times: int, headers: tuple[tuple[str, str], ...], **more: Any) -> tuple[Plan, Time]:
    """A limit that holds until what its headers say has passed."""
    now = Time()
    return Plan([rule(Answer(429, headers=headers), until="waited", times=times)], now=now, **more), now


def statuses(plan: Plan, now: Time, *waits: float) -> list[int | None]:
    """What requests come to after these waits."""
    got = []
    for wait in waits:
        now.seconds += wait
        got.append(ask(plan).reply.status)
    return got


def test_early_calls_are_not_counted() -> None:
    """Two limits of 20 s: whoever comes early meets the first one again, and still the second."""
    plan, now = limited(2, (("Retry-After", "20"),))
    assert statuses(plan, now, 0, 5, 5, 10, 5, 15, 0) == [429, 429, 429, 429, 429, 200, 200]
    assert (plan.tallies[0].struck, plan.tallies[0].early) == (5, 3)


def test_an_early_call_does_not_make_it_longer() -> None:
    """The wait is that of the first refusal."""
    plan, now = limited(1, (("Retry-After", "20"),))
    assert statuses(plan, now, 0, 19, 1) == [429, 429, 200]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "Tue, 14 Nov 2023 22:14:20 GMT"),), 60),
        ((("Retry-After-Ms", "1500"),), 1.5),
        ((("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000045")), 45),
        ((("RateLimit", '"default";r=0;t=5'),), 5),
    ],
    ids=["date", "milliseconds", "reset", "structured"],
)
def test_it_holds_for_what_was_said_in_any_form(headers: tuple[tuple[str, str], ...], seconds: float) -> None:
    """One reading of waits, on the calendar of the code under test."""
    plan, now = limited(1, headers, epoch=lambda: 1_700_000_000.0)
    assert statuses(plan, now, 0, seconds - 0.1, 0.1) == [429, 429, 200]


def test_a_connection_is_refused_in_its_time_only() -> None:
    """An outage begins and ends, for those who only dial too."""
    now = Time()
    plan = Plan([rule(Refuse(), after_seconds=10, for_seconds=10)], now=now)
    got = []
    for wait in (0, 10, 9, 1):
        now.seconds += wait
        got.append(plan.connect("https://x") is not None)
    assert got == [False, True, True, False]


def test_the_time_runs_from_when_the_rule_was_placed() -> None:
    """Faults added later have a time of their own."""
    now = Time()
    plan = Plan(now=now)
    now.seconds += 100
    plan.add(rule(Answer(503), for_seconds=10))
    assert row(plan, [Request("GET", "https://x/a")]) == "X"
    now.seconds += 10
    assert row(plan, [Request("GET", "https://x/a")]) == "."


@pytest.mark.parametrize(
    ("settings", "what", "there", "do"),
    [
        ({"after_seconds": -1}, "`after_seconds` must be a number of seconds", "-1", "give 0 or more"),
        ({"after_seconds": "5"}, "`after_seconds` must be a number of seconds", "'5'", "give 0 or more"),
        ({"after_seconds": float("nan")}, "`after_seconds` must be a number of seconds", "nan", "give 0 or more"),
        ({"for_seconds": 0}, "`for_seconds` must be a number of seconds", "0", "give a number over 0"),
        ({"for_seconds": True}, "`for_seconds` must be a number of seconds", "True", "give a number over 0"),
    ],
)
def test_wrong_times_are_refused(settings: dict[str, Any], what: str, there: str, do: str) -> None:
    """With what, what is there, and what to do."""
    with pytest.raises(RuleError) as caught:
        rule(Answer(), **settings)
    assert (caught.value.what, caught.value.there, caught.value.do) == (what, there, do)


MARKED = """
import pytest

@pytest.mark.fault("any/server-error", after_second=5)
def test_misspelt():
    pass
"""


def test_a_misspelt_word_stops_the_run(project: Project) -> None:
    """At collection, with the nearest valid one."""
    result = project.run(MARKED)
    result.stderr.fnmatch_lines(["*unknown keyword 'after_second'*", "*did you mean 'after_seconds'?*"])


def test_an_outage_that_never_came_is_told(project: Project) -> None:
    """The test is over before the time: never struck, and why."""
    result = project.run(
        """
        import pytest
        from pytest_agentfault.faults import Status

        @pytest.mark.fault(Status(503), to="* *", after_seconds=60)
        @pytest.mark.fault(Status(200, json={"items": []}), to="* *")
        def test_too_early():
            fetch()
        """
    )
    result.stdout.fnmatch_lines(["*Status never struck", "*1 matching requests, but after_seconds=60 leaves them out"])


def test_who_hammers_a_host_that_is_down_fails(project: Project) -> None:
    """The scenario's own check counts connections that are refused; one attempt and no more is nobody's fault."""
    result = project.run(
        """
        @pytest.mark.fault("any/outage", raises=httpx.ConnectError)
        @pytest.mark.parametrize("attempts", [1, 5])
        def test_down(attempts):
            for _ in range(attempts):
                try:
                    return fetch()
                except httpx.ConnectError as error:
                    last = error
            raise last
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*retries came at once", "*there is: GET http://no-server.example/items, calls 1, 2, 3, 4, 5: *"]
    )
