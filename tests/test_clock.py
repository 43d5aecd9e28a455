"""The shared clock: waits cost nothing, and everything still comes in its order."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import aiohttp
import anyio
import anyio.to_thread
import httpx
import httpx2
import pytest
from _clocks import clock_for
from _memory import Leaves, Says, opened, says, serving

from pytest_agentfault import Data, Delay, End, Head, Reply, Rule
from pytest_agentfault._moved import REAL
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import REAL_MONOTONIC, REAL_SLEEP, Clock, Slept

URL = "https://api.vendor.example/x"
EVERYTHING = Rule("* *", (Leaves(),))
AT_ONCE = 2.0  # real seconds: far below every wait that is asked for here, far above what a slow machine needs


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A clock that is on, for one test that must be over at once."""
    with clock_for(AT_ONCE) as made:
        yield made


def test_a_sleep_returns_at_once_and_is_noted(clock: Clock) -> None:
    """A minute of sleep is a minute on every clock that the code under test can read."""
    readings = [time.time, time.monotonic, time.perf_counter, clock.now]
    before = [read() for read in readings]
    time.sleep(60)
    time.sleep(0.5)
    assert all(60.5 <= read() - was < 62 for read, was in zip(readings, before, strict=True))
    assert clock.slept == [Slept("time.sleep", 60), Slept("time.sleep", 0.5)]


def test_no_sleep_at_all_is_no_wait(clock: Clock) -> None:
    """`sleep(0)` gives way to other threads, and a negative one is an error, as ever."""
    time.sleep(0)
    with pytest.raises(ValueError, match="non-negative"):
        time.sleep(-1)
    assert (clock.slept, clock.offset) == ([], 0.0)


def test_sleep_is_real_again_afterwards() -> None:
    """Without the clock a sleep takes its time."""
    patches = Patches()
    Clock().install(patches)
    patches.undo()
    assert (time.sleep, time.monotonic) == (REAL["sleep"], REAL["monotonic"])


def test_a_polling_thread_neither_runs_it_away_nor_is_slowed(clock: Clock) -> None:
    """A background thread sleeps really: 60 polls take their time, and move nothing."""
    done = threading.Event()

    def poll() -> None:
        for _ in range(60):
            time.sleep(0.001)
        done.set()

    began = REAL_MONOTONIC()
    thread = threading.Thread(target=poll)
    thread.start()
    time.sleep(5)
    thread.join()
    assert done.is_set()
    assert REAL_MONOTONIC() - began >= 0.06
    assert (clock.offset, clock.slept) == (5, [Slept("time.sleep", 5)])


def test_a_thread_that_calls_out_takes_part() -> None:
    """An agent in a worker thread backs off for a minute, at once."""

    def agent() -> float:
        httpx.get(URL)
        began = REAL_MONOTONIC()
        time.sleep(60)
        return REAL_MONOTONIC() - began

    with opened(says(429), timed=True) as o, ThreadPoolExecutor(1) as pool:
        assert pool.submit(agent).result() < AT_ONCE
    assert o.clock.slept == [Slept("time.sleep", 60)]


# --- asyncio: what comes first


def run(*tasks: Callable[[Callable[[str], None]], Awaitable[None]]) -> list[tuple[str, int]]:
    """Run these together; each line is what was said, and at what second."""
    said: list[tuple[str, int]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(task(lambda what: said.append((what, round(loop.time() - began)))) for task in tasks))

    asyncio.run(main())
    return said


async def sleeps(say: Callable[[str], None], seconds: float, what: str = "slept") -> None:
    """A task that sleeps."""
    await asyncio.sleep(seconds)
    say(what)


async def waits_for(say: Callable[[str], None], seconds: float) -> None:
    """A task that waits for something that never comes."""
    try:
        await asyncio.wait_for(asyncio.get_running_loop().create_future(), seconds)
    except TimeoutError:
        say("gave up")


async def moves_on(say: Callable[[str], None], seconds: float) -> None:
    """The same, by anyio."""
    with anyio.move_on_after(seconds):
        await anyio.sleep(1000)
    say("moved on")


async def asks_httpx(say: Callable[[str], None], timeout: float, url: str = URL, module: Any = httpx) -> None:
    """A client with a time limit."""
    async with module.AsyncClient(timeout=timeout) as client:
        try:
            say((await client.get(url)).text)
        except module.ReadTimeout:
            say("timeout")


async def asks_aiohttp(say: Callable[[str], None], timeout: float, url: str = URL) -> None:
    """The same for aiohttp, whose limit is over all, and is told not to round it up to a whole second of the clock."""
    limit = aiohttp.ClientTimeout(total=timeout, ceil_threshold=1e9)
    async with aiohttp.ClientSession(timeout=limit) as session:
        try:
            async with session.get(url) as response:
                say(await response.text())
        except TimeoutError:
            say("timeout")


def slow(seconds: float) -> Rule:
    """A vendor that takes its time."""
    return Rule("* *", (Says(Reply((Delay(seconds), Head(200), Data(b"answer"), End()))),))


ASKS: dict[str, Callable[..., Awaitable[None]]] = {
    "httpx": asks_httpx,
    "httpx2": partial(asks_httpx, module=httpx2),
    "aiohttp": asks_aiohttp,
}


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize(
    ("takes", "limit", "said"), [(20, 30, ("answer", 20)), (40, 30, ("timeout", 30)), (600, 900, ("answer", 600))]
)
def test_an_answer_and_a_time_limit_come_in_their_order(
    name: str, takes: float, limit: float, said: tuple[str, int]
) -> None:
    """An answer within the limit passes at its second, a later one fails at the limit's, whatever else goes on."""
    began = REAL_MONOTONIC()
    with opened(slow(takes), timed=True):
        ask = ASKS[name]
        lines = run(
            lambda say: ask(say, limit),
            partial(waits_for, seconds=33),
            partial(moves_on, seconds=34),
            partial(sleeps, seconds=60),
        )
    others = [("gave up", 33), ("moved on", 34), ("slept", 60)]
    assert lines == sorted([said, *others], key=lambda line: line[1])
    assert REAL_MONOTONIC() - began < AT_ONCE


def test_a_silence_in_the_body_is_a_timer_like_any_other() -> None:
    """Each silence is within the limit for reading, their sum is not: httpx reads on, aiohttp's total is over."""
    rule = Rule("* *", (Says(Reply((Head(200), Data(b"a"), Delay(20), Data(b"b"), Delay(20), End()))),))
    with opened(rule, timed=True):
        assert run(lambda say: asks_httpx(say, 30), lambda say: asks_aiohttp(say, 30)) == [("timeout", 30), ("ab", 40)]


def test_many_tasks_wake_in_order(clock: Clock) -> None:
    """50 tasks sleep for 50 different times, drawn by lot."""
    times = random.Random(7).sample(range(1, 5000), 50)
    lines = run(*(partial(sleeps, seconds=t, what=str(t)) for t in times))
    assert lines == [(str(t), t) for t in sorted(times)]


def test_waits_of_the_loop_are_noted(clock: Clock) -> None:
    """Who asks how long an agent backed off finds it in the log."""
    asyncio.run(asyncio.sleep(60))
    assert [s.who for s in clock.slept] == ["loop"]
    assert sum(s.seconds for s in clock.slept) == pytest.approx(60, abs=0.1)


def test_a_sync_sleep_inside_a_task_moves_the_loop_too(clock: Clock) -> None:
    """Code that blocks its loop for ten seconds delays the others by ten."""

    async def blocks(say: Callable[[str], None]) -> None:
        time.sleep(10)
        say("blocked")

    assert run(blocks, partial(sleeps, seconds=3)) == [("blocked", 10), ("slept", 13)]


# --- work that is really under way holds it


@pytest.mark.parametrize(
    "work",
    [
        lambda: asyncio.to_thread(REAL_SLEEP, 0.15),
        lambda: asyncio.get_running_loop().run_in_executor(None, REAL_SLEEP, 0.15),
        lambda: anyio.to_thread.run_sync(REAL_SLEEP, 0.15),
    ],
    ids=["to_thread", "run_in_executor", "anyio"],
)
def test_work_in_a_thread_is_not_overtaken(work: Callable[[], Awaitable[None]]) -> None:
    """A blocking call takes 0.15 real seconds: a limit of 30 beside it must not pass meanwhile."""

    async def guarded(say: Callable[[str], None]) -> None:
        await asyncio.wait_for(work(), 30)
        say("done")

    with opened(timed=True):
        assert run(guarded, partial(sleeps, seconds=60)) == [("done", 0), ("slept", 60)]


def test_work_in_a_thread_that_fails_lets_go(clock: Clock) -> None:
    """An error and a cancellation in between do not hold the clock for ever."""

    async def fails(say: Callable[[str], None]) -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(REAL_SLEEP, 0.05), 0.01)
        REAL_SLEEP(0.06)
        await asyncio.sleep(60)
        say("slept")

    assert run(fails) == [("slept", 60)]


def test_busy_holds_it(clock: Clock) -> None:
    """Who does real I/O says so; blocks may lie in each other, and an error leaves them."""

    async def works(say: Callable[[str], None]) -> None:
        with pytest.raises(ZeroDivisionError), clock.busy(), clock.busy():
            event = asyncio.Event()
            asyncio.get_running_loop().call_soon_threadsafe(lambda: None)
            threading.Timer(0.1, partial(asyncio.get_running_loop().call_soon_threadsafe, event.set)).start()
            await event.wait()
            say("done")
            raise ZeroDivisionError
        await asyncio.sleep(5)
        say("after")

    lines = run(works, partial(sleeps, seconds=60))
    assert lines == [("done", 0), ("after", 5), ("slept", 60)]


async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that needs a tenth of a real second, in a thread, before it answers."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.to_thread(REAL_SLEEP, 0.1)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")
    writer.close()


def late_in_a_thread(sock: socket.socket) -> None:
    """The same on a thread of its own, of which the loop knows nothing."""
    sock.recv(10_000)
    REAL_SLEEP(0.1)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")


@pytest.mark.parametrize("name", ASKS)
def test_a_real_server_is_not_overtaken(name: str) -> None:
    """A request relayed to a real server is answered before another task's sleep, or the client's limit, is over."""
    with serving(late_in_a_thread) as port, opened(EVERYTHING, live=True, timed=True):
        ask = partial(ASKS[name], timeout=30, url=f"http://127.0.0.1:{port}/")
        assert run(ask, partial(sleeps, seconds=60)) == [("real", 0), ("slept", 60)]


@pytest.mark.parametrize("name", ASKS)
def test_a_real_server_in_the_same_loop_is_not_overtaken(name: str) -> None:
    """The same for a server that shares the loop with its client."""

    async def both(say: Callable[[str], None]) -> None:
        async with await asyncio.start_server(late, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await ASKS[name](say, timeout=30, url=f"http://127.0.0.1:{port}/")

    with opened(EVERYTHING, live=True, timed=True):
        assert run(both, partial(sleeps, seconds=60)) == [("real", 0), ("slept", 60)]


def test_a_loop_of_another_thread_runs_in_real_time(clock: Clock) -> None:
    """A background loop that has no part in the test sleeps really."""
    began = REAL_MONOTONIC()
    thread = threading.Thread(target=asyncio.run, args=(asyncio.sleep(0.05),))
    thread.start()
    thread.join()
    assert REAL_MONOTONIC() - began >= 0.05
    assert clock.offset == 0


def test_a_closing_loop_waits_for_its_threads_without_the_clock() -> None:
    """The loop's own time limit for its executor (300 s since CPython 3.12) is no wait of the test."""

    class Slow(ThreadPoolExecutor):
        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            REAL_SLEEP(0.1)
            super().shutdown(*args, **kwargs)

    async def go() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Slow())
        await loop.run_in_executor(None, lambda: None)

    clock, patches = Clock(), Patches()
    clock.install(patches)
    try:
        asyncio.run(go())
    finally:
        patches.undo()
    assert [s for s in clock.slept if s.seconds > 200] == []
