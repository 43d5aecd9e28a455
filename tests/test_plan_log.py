"""What is kept of an exchange, what happens when it goes wrong, and when many happen at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from _planned import GET, WELL, Answer, Append, Late, Raises, Refuse, Time, ask, row, rule

from pytest_agentfault import Fin, How, Lost, Refused, Reply, Request, Script, Send
from pytest_agentfault._errors import FaultError
from pytest_agentfault._plan import Hung, Plan, adrive, drive


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
    assert [(t.seen, t.struck) for t in plan.tallies] == [(2048, 700), (2048, 512), (2048, 0)]


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
    assert Plan().max_calls == 100, "what the ini key says where it is not set"


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
