"""What strikes an exchange, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest
from _planned import GET, POST, WELL, Answer, Append, Ask, Late, Refuse, Roll, Time, ask, row, rule

from pytest_agentfault import Fin, Refused, Reply, Request, Script, Wait, Why
from pytest_agentfault._plan import Plan


def test_nothing_planned_nothing_changed() -> None:
    """The reply goes through as it is, without a confession, and is kept in the log."""
    plan = Plan()
    done = ask(plan)
    assert (done.number, done.request, done.baseline, done.reply, done.struck) == (1, GET, WELL, WELL, ())
    assert b"X-Agentfault" not in done.script.sent
    assert plan.log == [done]


def test_an_answer_takes_the_vendors_place() -> None:
    """The vendor never sees the request, so there is no baseline."""
    seen: list[Request] = []
    done = ask(Plan([rule(Answer(503))]), GET, lambda r: seen.append(r) or WELL)  # type: ignore[func-returns-value]
    assert (done.reply.status, done.baseline, seen) == (503, None, [])
    assert [s.name for s in done.struck] == ["Answer"]


def test_alter_works_on_the_vendors_reply() -> None:
    """The vendor has acted: the baseline is kept beside what the client got."""
    done = ask(Plan([rule(Append())]))
    assert (done.baseline, done.reply.body) == (WELL, b"well!")


def test_garble_works_on_the_wire() -> None:
    """The reply is the vendor's, the script is not."""
    done = ask(Plan([rule(Late(2.0))]))
    assert done.reply == WELL
    assert done.script.steps[0] == Wait(2.0)


def test_mutate_changes_what_the_vendor_is_asked() -> None:
    """The log keeps what the client asked."""
    seen: list[Request] = []
    done = ask(Plan([rule(Ask())]), GET, lambda r: seen.append(r) or WELL)  # type: ignore[func-returns-value]
    assert (done.request.url, seen[0].url) == ("https://x/a", "https://x/b")
    assert len(done.struck) == 1


def test_all_verbs_of_one_rule_act_in_their_order() -> None:
    """Mutated on the way out, answered, altered on the way back, garbled on the wire."""
    done = ask(Plan([rule(Late(), Append(), Answer(500), Ask())]))
    assert done.reply.body == b"struck!"
    assert done.script.steps[0] == Wait(1.0)
    assert [type(s.fault).__name__ for s in done.struck] == ["Ask", "Answer", "Append", "Late"]


def test_of_two_rules_both_alter_and_the_first_answers() -> None:
    """Rules act together in the order they were added; one place in the vendor's stead is taken once."""
    plan = Plan([rule(Answer(500)), rule(Append(b"1")), rule(Answer(501)), rule(Append(b"2"))])
    assert ask(plan).reply == Reply.of(500, b"struck12")
    assert [t.struck for t in plan.tallies] == [1, 1, 0, 1]


def test_an_answer_for_other_requests_leaves_room_for_the_next() -> None:
    """A fault that has no answer to this request has not struck."""
    plan = Plan([rule(Answer(500, only="POST")), rule(Answer(501))])
    assert ask(plan).reply.status == 501
    assert [t.struck for t in plan.tallies] == [0, 1]


@pytest.mark.parametrize(
    ("acting", "sent"),
    [
        ((Append(b"l"),), WELL),
        ((Answer(only="PUT"),), WELL),
        ((Ask(GET.url),), WELL),
        ((Append(b"l"), Answer(only="PUT"), Ask(GET.url)), WELL),
    ],
)
def test_what_changed_nothing_has_not_struck(acting: tuple[Any, ...], sent: Reply) -> None:
    """It is not in the log, confesses nothing, and its count is given back."""
    plan = Plan([rule(*acting, times=1)])
    done = ask(plan)
    assert (done.reply, done.struck) == (sent, ())
    assert b"X-Agentfault" not in done.script.sent
    (tally,) = plan.tallies
    assert (tally.seen, tally.struck, tally.unchanged) == (1, 0, 1)


def test_a_strike_that_was_given_back_is_there_for_the_next_request() -> None:
    """`times=1` means one real strike."""
    plan = Plan([rule(Answer(only="POST"), times=1)])
    assert row(plan, [GET, GET, POST, POST, GET]) == "..X.."


PLACES = {
    "times": (rule(Append(), times=2), "XX...."),
    "after": (rule(Append(), after=2), "..XXXX"),
    "every": (rule(Append(), every=3), "X..X.."),
    "all three": (rule(Append(), after=1, every=2, times=2), ".X.X.."),
}


@pytest.mark.parametrize("name", PLACES)
def test_counting(name: str) -> None:
    """Counts are the plan's, not the rule's: one rule serves many plans."""
    ruled, expected = PLACES[name]
    for _ in range(2):
        assert row(Plan([ruled]), [GET] * 6) == expected


def test_only_matching_requests_are_counted() -> None:
    """What a rule does not mean passes without a trace in its tally."""
    plan = Plan([rule(Append(), to="POST https://x/*", after=1)])
    assert row(plan, [GET, POST, GET, POST]) == "...X"
    assert plan.tallies[0].seen == 2


def test_probability_is_the_seeds() -> None:
    """One seed strikes the same calls again; every rule rolls its own dice."""
    rows = [row(Plan([rule(Append(), probability=0.5)], seed=seed), [GET] * 64) for seed in ("1", "1", "2")]
    assert rows[0] == rows[1] != rows[2]
    plan = Plan([rule(Append(b"1"), probability=0.5), rule(Append(b"2"), probability=0.5)])
    bodies = {ask(plan).reply.body for _ in range(64)}
    assert bodies == {b"well", b"well1", b"well2", b"well12"}


def test_a_faults_randomness_is_the_seeds() -> None:
    """The plan fills in `random`: what a fault rolls is repeatable, and the fault given stays as it was."""
    given = Roll()

    def rolled(seed: str) -> list[int | None]:
        plan = Plan([rule(given)], seed=seed)
        return [ask(plan).reply.status for _ in range(8)]

    assert rolled("a") == rolled("a") != rolled("b")


def with_key(key: str) -> Request:
    """A request with this credential."""
    return Request("GET", "https://x/a", (("Authorization", f"Bearer {key}"),))


def test_an_expired_session_stays_expired_for_its_credential_only() -> None:
    """The credential of the first one struck is struck for good; a new one passes, the old one never again."""
    plan = Plan([rule(Answer(401), until="credential_changes", after=1)])
    old, new = with_key("old"), with_key("new")
    assert row(plan, [old, old, old, new, old, new]) == ".XX.X."


def test_a_strike_that_changed_nothing_binds_no_credential() -> None:
    """The first request was not one that the fault answers: its credential is not the expired one."""
    plan = Plan([rule(Answer(401, only="POST"), until="credential_changes")])
    old = Request("POST", "https://x/a", (("Authorization", "Bearer old"),))
    assert row(plan, [with_key("new"), old, with_key("new"), old]) == ".X.X"


def limited(retry_after: str, times: int = 1) -> tuple[Plan, Time]:
    """A rate limit that holds until this Retry-After has passed."""
    now = Time()
    answer = Answer(429, headers=(("Retry-After", retry_after),))
    return Plan([rule(answer, until="waited", times=times)], now=now), now


def test_a_rate_limit_holds_until_it_was_waited_for() -> None:
    """Who comes early is struck again, and counted; who waited is answered."""
    plan, now = limited("20")
    got = []
    for wait in (0.0, 5.0, 14.9, 0.2, 0.0):
        now.seconds += wait
        got.append(ask(plan).reply.status)
    assert got == [429, 429, 429, 200, 200]
    assert plan.tallies[0].struck == 3


def test_a_rule_that_changed_nothing_holds_for_no_time() -> None:
    """The vendor's own Retry-After, or another rule's, is not its own."""
    limited_already = Reply.of(429, b"enough!", {"Retry-After": "20"})
    plan = Plan([rule(Append(), until="waited", times=1)], now=Time())
    assert ask(plan, send=lambda request: limited_already).struck == ()
    assert [ask(plan).reply.body for _ in range(2)] == [b"well!", b"well"]


@pytest.mark.parametrize(
    ("retry_after", "early", "late"), [("0.5", 0.4, 0.2), ("1", 0.9, 0.2), ("٣", 2.9, 0.2)], ids=["0.5", "1", "arabic"]
)
def test_retry_after_may_be_a_fraction(retry_after: str, early: float, late: float) -> None:
    """Some vendors send fractions of a second."""
    plan, now = limited(retry_after)
    got = [ask(plan).reply.status]
    for wait in (early, late):
        now.seconds += wait
        got.append(ask(plan).reply.status)
    assert got == [429, 429, 200]


@pytest.mark.parametrize("retry_after", ["", "soon", ".", "²", "-5", "1.2.3"])
def test_a_retry_after_that_says_no_number_holds_for_no_time(retry_after: str) -> None:
    """There is nothing to wait for: only the count bounds it."""
    plan, _ = limited(retry_after, times=2)
    assert [ask(plan).reply.status for _ in range(3)] == [429, 429, 200]


def test_connect_is_asked_before_any_request() -> None:
    """A refusal is counted and kept like any exchange, and a request does not count against it."""
    plan = Plan([rule(Refuse(Why.UNRESOLVED), to="POST https://x/v1/*", times=1, after=1)])
    assert plan.connect("https://x") is None
    assert plan.connect("https://y") is None
    assert plan.connect("http://x") is None
    assert ask(plan, POST).struck == ()
    assert plan.connect("https://x") == Refused(Why.UNRESOLVED)
    assert plan.connect("https://x") is None
    refused = plan.log[-1]
    assert (refused.request, refused.reply, refused.baseline) == (
        Request("CONNECT", "https://x/"),
        Reply((Refused(Why.UNRESOLVED),)),
        None,
    )
    assert refused.script == Script((Fin(),))
    assert [type(s.fault) for s in refused.struck] == [Refuse]


def test_connect_of_two_rules_the_first_that_is_due_refuses() -> None:
    """Each rule counts its own attempts."""
    plan = Plan([rule(Refuse(Why.REFUSED), times=1), rule(Refuse(Why.TIMEOUT), times=1)])
    assert [plan.connect("http://x:81") for _ in range(3)] == [Refused(Why.REFUSED), Refused(Why.TIMEOUT), None]


def test_a_connect_fault_that_lets_a_connection_be_leaves_room_for_the_next() -> None:
    """None from `connect` is no strike: the next rule is asked, and the count is given back."""

    class Lets:
        def connect(self, request: Request) -> None:
            return None

    plan = Plan([rule(Lets(), times=1), rule(Refuse(), times=1)])
    assert plan.connect("https://x") == Refused(Why.REFUSED)
    assert plan.connect("https://x") is None
    assert [(tally.struck, tally.unchanged) for tally in plan.tallies] == [(0, 2), (1, 0)]
    assert len(plan.log) == 1


def test_a_connect_fault_that_goes_wrong_gives_its_count_back() -> None:
    """The error comes out, and the attempt was no strike."""

    class Wrong:
        def connect(self, request: Request) -> Refused:
            raise ZeroDivisionError("inside the fault")

    plan = Plan([rule(Wrong(), times=1)])
    with pytest.raises(ZeroDivisionError):
        plan.connect("http://x")
    assert plan.tallies[0].struck == 0
    assert plan.log == []


def test_which_hosts_a_plan_wants() -> None:
    """What it does not want it remembers, to say why nothing struck."""
    plan = Plan([rule(Append(), to="GET https://x/*"), rule(Append(), to="GET http://y:81/*")])
    assert [plan.wants(*to) for to in (("x", 443), ("y", 81), ("x", 80), ("z", 443))] == [True, True, False, False]
    assert plan.passed == {"x:80", "z:443"}


def test_a_rule_added_later_strikes_from_then_on() -> None:
    """`faults.add` in the middle of a test."""
    plan = Plan()
    assert row(plan, [GET]) == "."
    plan.add(rule(Append(), times=1))
    assert row(plan, [GET, GET]) == "X."
