"""What strikes an exchange, what is counted, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Barrier
from typing import Any

import pytest

from pytest_agentfault import Fin, How, Lost, Refused, Reply, Request, Rule, Script, Send, Wait, Why
from pytest_agentfault._errors import FaultError
from pytest_agentfault._plan import Exchange, Hung, Plan, adrive, drive

GET = Request("GET", "https://x/a")
POST = Request("POST", "https://x/a", body=b"{}")
WELL = Reply.of(200, b"well", {"Content-Type": "text/plain"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Answers with a status; None for requests of another method."""

    code: int = 503
    only: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, request: Request) -> Reply | None:
        return Reply.of(self.code, b"struck", self.headers) if request.method == self.only else None


@dataclass(frozen=True, slots=True)
class Append:
    """Appends to the body; to a body that ends so already it does nothing."""

    tail: bytes = b"!"

    def alter(self, request: Request, reply: Reply) -> Reply:
        return reply if reply.body.endswith(self.tail) else reply.with_data([reply.body + self.tail])


@dataclass(frozen=True, slots=True)
class Late:
    """Waits before everything; a script that begins with a wait it leaves alone."""

    seconds: float = 1.0

    def garble(self, script: Script) -> Script:
        return script if isinstance(script.steps[0], Wait) else Script((Wait(self.seconds), *script.steps))


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks for another URL."""

    url: str = "https://x/b"

    def mutate(self, request: Request) -> Request:
        return Request(request.method, self.url, request.headers, request.body)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuses the connection."""

    why: Why = Why.REFUSED

    def connect(self, request: Request) -> Refused:
        assert request.method == "CONNECT"
        return Refused(self.why)


@dataclass(frozen=True, slots=True)
class Raises:
    """Goes wrong in the verb of this name."""

    error: BaseException = field(default_factory=lambda: ZeroDivisionError("inside the fault"))

    def alter(self, request: Request, reply: Reply) -> Reply:
        raise self.error


@dataclass(frozen=True, slots=True)
class Roll:
    """Answers with a status that it rolls."""

    random: Random = field(default_factory=Random, repr=False, compare=False)

    def answer(self, request: Request) -> Reply:
        return Reply.of(self.random.randint(400, 599))


def rule(*faults: Any, to: str = "* *", **settings: Any) -> Rule:
    """A rule for every request."""
    return Rule(to, faults, **settings)


def ask(plan: Plan, request: Request = GET, send: Callable[[Request], Reply] = lambda r: WELL) -> Exchange:
    """One exchange over a healthy baseline."""
    return drive(plan.exchange(request), send)


def row(plan: Plan, requests: list[Request]) -> str:
    """Which of these were struck, as a row of letters."""
    return "".join("X" if ask(plan, r).struck else "." for r in requests)


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


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


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


# --- what a client is told, and what is kept


@pytest.mark.parametrize(
    ("acting", "line"),
    [
        ((Answer(429),), b"HTTP/1.1 429 Too Many Requests\r\nX-Agentfault: any/limit\r\n"),
        ((Append(), Late()), b"HTTP/1.1 200 OK\r\nX-Agentfault: any/limit\r\n"),
    ],
)
def test_an_injected_reply_confesses(acting: tuple[Any, ...], line: bytes) -> None:
    """Right below the status line stands the scenario, once; the length of the body is untouched."""
    done = ask(Plan([rule(*acting, name="any/limit")]))
    assert done.script.sent.startswith(line)
    assert done.script.sent.count(b"X-Agentfault") == 1


def test_two_rules_confess_together() -> None:
    """Both names, in order; what latin-1 cannot say becomes a question mark."""
    done = ask(Plan([rule(Append(b"1"), name="a"), rule(Append(b"2"), name="b ☃")]))
    assert b"\r\nX-Agentfault: a, b ?\r\n" in done.script.sent


def test_a_script_without_a_status_line_confesses_nothing() -> None:
    """Garbage stays garbage, byte for byte."""

    class Garbage:
        def garble(self, script: Script) -> Script:
            return Script((Send(b"\x00\r\n"), Fin()))

    assert ask(Plan([rule(Garbage())])).script == Script((Send(b"\x00\r\n"), Fin()))


def test_templates_are_filled_once_per_request() -> None:
    """The plan hands each fault over to be bound; the log shows the bound one."""
    asked: list[Any] = []

    def bind(fault: Any, request: Request) -> Any:
        asked.append((fault, request))
        return Answer(500 + len(asked))

    plan = Plan([rule(Answer(1))], bind=bind)
    assert [ask(plan).reply.status for _ in range(2)] == [501, 502]
    assert asked == [(Answer(1), GET)] * 2
    assert plan.log[1].struck[0].fault == Answer(502)


def test_readings_of_the_clock() -> None:
    """An exchange began when the request was there and ended when its reply was ready."""
    now = Time()

    def slow(request: Request) -> Reply:
        now.seconds += 3
        return WELL

    done = drive(Plan(now=now).exchange(GET), slow)
    assert (done.began, done.ended) == (1000.0, 1003.0)


# --- when something goes wrong


def test_answering_with_refused_is_an_error() -> None:
    """The request is on its way: there is a connection already."""

    class Wrong:
        def answer(self, request: Request) -> Reply:
            return Reply((Refused(),))

    with pytest.raises(FaultError) as caught:
        ask(Plan([rule(Wrong())]))
    assert str(caught.value) == (
        "Wrong.answer gave Refused()\n"
        "  there is: the request is already on its way, so the connection cannot be refused any more\n"
        "  to do: give the fault the verb `connect` instead, or answer with Lost(...)"
    )


def boom(request: Request) -> Reply:
    """An upstream that fails."""
    raise ConnectionError("no vendor today")


async def aboom(request: Request) -> Reply:
    """The same, awaited."""
    raise ConnectionError("no vendor today")


def test_a_failing_upstream_gives_the_strike_back() -> None:
    """The error comes out of both drivers, nothing is kept, and the next request is struck."""
    plan = Plan([rule(Append(), times=1)])
    with pytest.raises(ConnectionError, match="no vendor today"):
        drive(plan.exchange(GET), boom)
    with pytest.raises(ConnectionError, match="no vendor today"):
        asyncio.run(adrive(plan.exchange(GET), aboom))
    assert (plan.log, plan.tallies[0].struck, plan.tallies[0].unchanged) == ([], 0, 2)
    assert row(plan, [GET, GET]) == "X."


def test_a_failing_fault_gives_the_strike_back() -> None:
    """A bug in a fault comes out as itself."""
    plan = Plan([rule(Raises(), times=1)])
    with pytest.raises(ZeroDivisionError):
        ask(plan)
    assert (plan.log, plan.tallies[0].struck) == ([], 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interrupt_closes_the_exchange(error: type[BaseException]) -> None:
    """Ctrl-C and cancellation while the upstream is asked leave no strike behind."""
    plan = Plan([rule(Append(), times=1)])

    def interrupted(request: Request) -> Reply:
        raise error

    async def ainterrupted(request: Request) -> Reply:
        raise error

    flow = plan.exchange(GET)
    with pytest.raises(error):
        drive(flow, interrupted)
    with pytest.raises(StopIteration):
        next(flow)
    coroutine = adrive(plan.exchange(GET), ainterrupted)
    with pytest.raises(error):
        coroutine.send(None)
    assert plan.tallies[0].struck == 0


def test_both_drivers_come_to_the_same() -> None:
    """With and without a question to the upstream."""

    async def asend(request: Request) -> Reply:
        return WELL

    for faults in ((Append(),), (Answer(),)):
        ruled = rule(*faults)
        now = Time()
        first = drive(Plan([ruled], now=now).exchange(GET), lambda r: WELL)
        second = asyncio.run(adrive(Plan([ruled], now=now).exchange(GET), asend))
        assert (first.reply, first.script, first.baseline) == (second.reply, second.script, second.baseline)
        assert len(first.struck) == len(second.struck) == 1


# --- many at once


def test_threads_are_counted_exactly() -> None:
    """32 threads, 64 calls each: exactly `times` are struck, each number is given once, and nothing is lost."""
    plan = Plan([rule(Append(b"1"), times=700), rule(Append(b"2"), every=4), rule(Answer(only="PUT"), times=5)])
    together = Barrier(32)

    def work(_: int) -> None:
        together.wait()
        for _ in range(64):
            ask(plan)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(work, range(32)))
    bodies = [x.reply.body for x in plan.log]
    assert sum(b"1" in b for b in bodies) == 700
    assert sum(b"2" in b for b in bodies) == 512
    assert sorted(x.number for x in plan.log) == list(range(1, 2049))
    assert [(t.seen, t.struck, t.unchanged) for t in plan.tallies] == [(2048, 700, 0), (2048, 512, 0), (2048, 0, 2048)]


def test_tasks_are_counted_exactly() -> None:
    """500 tasks whose upstream answers in mixed order: exactly `times` are struck."""
    plan = Plan([rule(Append(), times=123), rule(Answer(), after=400, times=50)])

    async def asend(request: Request) -> Reply:
        for _ in range(int(request.url[-1])):
            await asyncio.sleep(0)
        return WELL

    async def main() -> None:
        asked = [Request("GET", f"https://x/{n % 7}") for n in range(500)]
        await asyncio.gather(*(adrive(plan.exchange(r), asend) for r in asked))

    asyncio.run(main())
    assert [t.struck for t in plan.tallies] == [123, 50]
    assert len(plan.log) == 500
    assert sum(x.reply.status == 503 for x in plan.log) == 50


def test_rules_may_be_added_while_others_ask() -> None:
    """`faults.add` in one thread never breaks an exchange in another."""
    plan = Plan()
    together = Barrier(3)

    def add() -> None:
        together.wait()
        for _ in range(300):
            plan.add(rule(Append(), to="PUT https://nowhere/"))

    def asking() -> None:
        together.wait()
        for _ in range(300):
            ask(plan)
            plan.connect("https://x")

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(add), pool.submit(asking), pool.submit(asking)]:
            future.result()
    assert len(plan.rules) == 300


# --- the budget


def test_the_budget_of_calls() -> None:
    """Within it nothing happens; beyond it the code under test is stopped, and stays stopped."""
    plan = Plan(max_calls=3)
    for _ in range(3):
        plan.check_budget()
        ask(plan)
    for _ in range(2):
        with pytest.raises(Hung) as caught:
            plan.check_budget()
        assert str(caught.value) == (
            "the code under test made more than 3 calls, the budget of one test (ini `fault_budget_calls`)"
        )
    assert plan.hung


def test_hung_passes_through_a_retry_loop() -> None:
    """`except Exception` does not swallow it."""
    assert not issubclass(Hung, Exception)


def test_a_refused_connection_counts_against_the_budget() -> None:
    """A client that dials for ever is stopped too."""
    plan = Plan([rule(Refuse())], max_calls=2)
    for _ in range(2):
        plan.check_budget()
        assert plan.connect("http://x") == Refused()
    with pytest.raises(Hung):
        plan.check_budget()


def test_a_lost_reply_is_no_head_to_confess_in() -> None:
    """The connection is lost before a byte was sent: there is nowhere to write a name."""

    class Gone:
        def alter(self, request: Request, reply: Reply) -> Reply:
            return Reply((Lost(How.CUT),))

    done = ask(Plan([rule(Gone())]))
    assert (done.script, len(done.struck)) == (Script((Fin(),)), 1)
