"""
Time over real sockets: trio and tornado live on the shared clock, and nothing overtakes the server.

Rule: each wait is long, and each test short; what is measured is the clock of the test.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import httpx
import pytest
import trio
import trio.lowlevel
import trio.testing
import uvloop
from _memory import Leaves, Says
from _redirected import BY_HAND, TORNADO, TRIO, UVLOOP, redirected
from _server import Vendor

from pytest_agentfault import Delay, How, Lost, Reply, Request, Rule
from pytest_agentfault._errors import WouldBlockForeverError
from pytest_agentfault.clock import REAL_MONOTONIC, REAL_SLEEP
from pytest_agentfault.doors._redirect_uvloop import QUIET_LOOKS, Timer, Timers
from pytest_agentfault.testing import Ask, Client

URL = "https://api.vendor.example/x"
WELL = Reply.of(200, b"ok")
SILENT = Reply((Lost(How.STALLED),))
SHORT = 8.0  # real seconds that any of this may take on a busy machine


def after(seconds: float) -> Reply:
    """A reply that is well, and late."""
    return Reply((Delay(seconds), *WELL.events))


@pytest.fixture(autouse=True)
def _takes_no_time() -> Any:
    began = REAL_MONOTONIC()
    yield
    assert REAL_MONOTONIC() - began < SHORT


async def got(seconds: float | None = None) -> int:
    """The status of one request on trio."""
    async with httpx.AsyncClient(timeout=seconds) as client:
        return (await client.get(URL)).status_code


def test_a_sleep_costs_nothing() -> None:
    """An hour on trio passes at once, and is logged."""
    with redirected(Rule("* *", (Says(WELL),)), timed=True) as o:
        before = o.clock.now()
        trio.run(trio.sleep, 3600)
        assert o.clock.now() - before >= 3600
    assert [slept.who for slept in o.clock.slept] == ["trio"]


@pytest.mark.parametrize(("seconds", "limit", "outcome"), [(20, 30, 200), (40, 30, None)])
def test_timeouts_come_in_their_order(seconds: float, limit: float, outcome: int | None) -> None:
    """A reply after 20 s comes under a limit of 30, one after 40 does not."""

    async def go() -> int | None:
        with trio.move_on_after(limit):
            return await got()
        return None

    with redirected(Rule("* *", (Says(after(seconds)),)), timed=True) as o:
        before = o.clock.now()
        assert trio.run(go) == outcome
        assert min(seconds, limit) <= o.clock.now() - before < min(seconds, limit) + SHORT


@pytest.mark.parametrize("client", [*TRIO, *UVLOOP, TORNADO], ids=lambda client: client.name)
def test_a_read_timeout_costs_nothing(client: Client) -> None:
    """A client that bears silence for a minute gives up at once, in its own words."""
    with redirected(Rule("* *", (Says(SILENT),)), timed=True) as o:
        with pytest.raises(Exception, match=r"(?i)timeout|^$") as caught:
            client.run(Ask(URL, seconds=60), [])
        assert "Timeout" in type(caught.value).__name__
    assert not o.plan.problems


@pytest.mark.parametrize("client", [*TRIO, *UVLOOP, TORNADO], ids=lambda client: client.name)
def test_the_clock_does_not_overtake_the_server(client: Client) -> None:
    """A healthy reply that takes long to be found out is not taken for a timeout."""

    class Slow(Vendor):
        def send(self, request: Request) -> Reply:
            REAL_SLEEP(0.3)
            return super().send(request)

    out: list[int | bytes | None] = []
    with redirected(Rule("* *", (Leaves(),)), upstreams=(Slow(WELL),), timed=True):
        client.run(Ask(URL, seconds=5), out)
    assert 200 in out


async def ordered() -> list[str]:
    """Timers of all kinds."""
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.call_later(50, told.append, "50")
    loop.call_later(40, told.append, "never").cancel()
    loop.call_at(loop.time() + 20, told.append, "20")
    loop.call_later(0, told.append, "0")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 30)
    told.append("30")
    await asyncio.sleep(3600)
    return told


def test_uvloop_is_believed_to_rest_after_several_looks() -> None:
    """A loop that was asked for nothing since the last look may be closing a transport in C: the clock stands still."""
    looks: list[Callable[[], None]] = []
    told: list[str] = []
    loop = uvloop.new_event_loop()
    silent, other = socket.socketpair()

    def look(times: int) -> bool:
        for _ in range(times):
            looks.pop()()
        return bool(told)

    with silent, other, redirected(Rule("* *", (Says(WELL),)), timed=True) as o:
        timers = Timers(o.door, silent.fileno, lambda seconds, call: looks.append(call))
        timers.start(Timer(o.clock.now() + 3600, told.append, ("late",), loop))
        assert not look(QUIET_LOOKS)
        timers.asked += 1  # something was going on after all: it begins anew
        assert not look(QUIET_LOOKS)
        assert look(1)
    loop.close()


def test_the_timers_of_uvloop_come_in_their_order() -> None:
    """An hour on uvloop passes at once, and everything in it in its order."""
    with redirected(Rule("* *", (Says(WELL),)), timed=True) as o:
        before = o.clock.now()
        assert uvloop.run(ordered()) == ["0", "20", "30", "50"]
        assert o.clock.now() - before >= 3630


def test_a_thread_of_uvloop_is_waited_for() -> None:
    """While a blocking call runs in its thread, no timeout overtakes it."""

    async def go() -> str:
        async with asyncio.timeout(5):
            return await asyncio.to_thread(lambda: REAL_SLEEP(0.2) or "done")

    with redirected(Rule("* *", (Says(WELL),)), timed=True):
        assert uvloop.run(go()) == "done"


def test_a_thread_at_work_is_waited_for() -> None:
    """While a blocking call of trio runs in its thread, no timeout overtakes it."""

    async def go() -> str:
        with trio.fail_after(5):
            return await trio.to_thread.run_sync(lambda: REAL_SLEEP(0.2) or "done")

    with redirected(Rule("* *", (Says(WELL),)), timed=True):
        assert trio.run(go) == "done"


async def on_asyncio() -> None:
    """A loop of asyncio and a socket of one's own, without a limit."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("api.vendor.example", 80))
        await loop.sock_sendall(sock, b"GET /x HTTP/1.1\r\nHost: api.vendor.example\r\n\r\n")
        await loop.sock_recv(sock, 1)


@pytest.mark.parametrize(
    ("run", "scheme", "error"),
    [(lambda: trio.run(got), "https", httpx.ReadError), (lambda: asyncio.run(on_asyncio()), "http", ConnectionError)],
    ids=["trio", "asyncio"],
)
def test_waiting_for_ever_is_told_of(run: Callable[[], Any], scheme: str, error: type[Exception]) -> None:
    """A client without a limit that reads on a silenced connection is cut off, and the test told what it is under."""
    with redirected(Rule("* *", (Says(SILENT),), name="any/stall"), timed=True) as o, pytest.raises(error):
        run()
    (problem,) = o.plan.problems
    assert isinstance(problem, WouldBlockForeverError)
    assert str(problem) == (
        f"a client waits for ever on {scheme}://api.vendor.example\n"
        "  there is: the script is silent from here on (any/stall struck it), "
        "and the client has set no time limit for reading\n"
        "  to do: give the client a read timeout, as it needs one in production too"
    )


def test_a_clock_of_the_tests_own_rules() -> None:
    """A run that is given a clock keeps it."""
    clock = trio.testing.MockClock(autojump_threshold=0)

    async def go() -> float:
        await trio.sleep(100)
        return trio.current_time()

    with redirected(Rule("* *", (Says(WELL),)), timed=True) as o:
        assert trio.run(go, clock=clock) == 100
    assert not o.clock.slept


def test_a_run_that_outlives_the_test_waits_for_real() -> None:
    """Some harnesses keep one run, or one loop, for many tests."""

    async def on_trio() -> float:
        before = REAL_MONOTONIC()
        await trio.sleep(0.05)
        return REAL_MONOTONIC() - before

    async def on_uvloop() -> float:
        before = REAL_MONOTONIC()
        await asyncio.sleep(0.05)
        return REAL_MONOTONIC() - before

    loop = uvloop.new_event_loop()
    calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
    ended: list[Any] = []
    with redirected(Rule("* *", (Says(WELL),)), timed=True):
        loop.run_until_complete(on_uvloop())
        late = loop.create_task(on_uvloop())
        loop.run_until_complete(asyncio.sleep(0, loop))
        trio.lowlevel.start_guest_run(on_trio, run_sync_soon_threadsafe=calls.put, done_callback=ended.append)
    while not ended:
        calls.get(timeout=SHORT)()
    assert ended[0].unwrap() >= 0.05
    assert loop.run_until_complete(late) >= 0.04  # libuv counts milliseconds, from when it last looked at its clock
    assert loop.run_until_complete(on_uvloop()) >= 0.04
    loop.close()


def test_a_run_in_another_thread_waits_for_real() -> None:
    """A thread that never called out cannot run the clock away; one that did takes part."""
    with redirected(Rule("* *", (Says(WELL),)), timed=True) as o:

        def other(go: Callable[[], Any]) -> None:
            import threading

            thread = threading.Thread(target=trio.run, args=(go,))
            thread.start()
            thread.join()

        async def only_sleeps() -> None:
            await trio.sleep(0.02)

        async def calls_out() -> None:
            assert await got() == 200
            await trio.sleep(3600)

        other(only_sleeps)
        assert not o.clock.slept
        other(calls_out)
        assert sum(slept.seconds for slept in o.clock.slept) >= 3599


def test_a_guest_run_is_on_the_clock_too() -> None:
    """anyio's pytest plugin runs trio as a guest of its own small loop."""
    with redirected(Rule("* *", (Says(WELL),)), timed=True) as o:
        calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        ended: list[Any] = []
        trio.lowlevel.start_guest_run(trio.sleep, 3600, run_sync_soon_threadsafe=calls.put, done_callback=ended.append)
        while not ended:
            calls.get(timeout=SHORT)()
    assert sum(slept.seconds for slept in o.clock.slept) >= 3599


def test_with_the_clock_off_all_waits_are_real() -> None:
    """A test with clients in other processes lives in their time, also on trio and uvloop."""
    with redirected(Rule("* *", (Says(WELL),))) as o:
        for run in (lambda: trio.run(trio.sleep, 0.1), lambda: uvloop.run(asyncio.sleep(0.1))):
            before = REAL_MONOTONIC()
            run()
            assert REAL_MONOTONIC() - before >= 0.099
    assert not o.clock.slept


def test_where_time_stays_real() -> None:
    """A blocking read of a real socket takes the time it takes."""
    client, before = BY_HAND, time.monotonic()
    with redirected(Rule("* *", (Says(SILENT),)), timed=True), pytest.raises(Exception, match=r"(?i)timed out|^$"):
        client.run(Ask(URL, seconds=0.2), [])
    assert time.monotonic() - before >= 0.2
