"""Threads that wait for each other: a delay costs nothing, and nothing that is still to come is missed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from _clocks import clock_for
from _memory import Leaves, opened, serving

from pytest_agentfault import Rule
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import REAL_MONOTONIC, REAL_SLEEP, Clock

AT_ONCE = 20.0  # real seconds: far below the minute that is asked for
SHORT = 0.15  # real seconds that somebody works


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A clock that is on, for one test that must be over at once."""
    with clock_for(AT_ONCE) as made:
        yield made


def a_queue(seconds: float) -> None:
    """An empty one."""
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=seconds)


def a_full_queue(seconds: float) -> None:
    """A full one."""
    full = queue.Queue[int](1)
    full.put(1)
    with pytest.raises(queue.Full):
        full.put(2, timeout=seconds)


def a_future(seconds: float) -> None:
    """One that nobody fulfils."""
    with pytest.raises(concurrent.futures.TimeoutError):
        concurrent.futures.Future[None]().result(timeout=seconds)


def futures(seconds: float) -> None:
    """Several."""
    waited: concurrent.futures.Future[None] = concurrent.futures.Future()
    assert concurrent.futures.wait([waited], timeout=seconds).not_done
    waited.cancel()


def a_condition(seconds: float) -> None:
    """Nobody notifies."""
    condition = threading.Condition()
    with condition:
        assert not condition.wait(seconds)


def a_predicate(seconds: float) -> None:
    """It never holds."""
    condition = threading.Condition()
    with condition:
        assert not condition.wait_for(lambda: False, seconds)


def an_event(seconds: float) -> None:
    """It is never set."""
    assert not threading.Event().wait(seconds)


def a_semaphore(seconds: float) -> None:
    """Nobody gives one back."""
    assert not threading.Semaphore(0).acquire(timeout=seconds)


def a_barrier(seconds: float) -> None:
    """Nobody else comes."""
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(seconds)


WAITS = [a_queue, a_full_queue, a_future, futures, a_condition, a_predicate, an_event, a_semaphore, a_barrier]


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__)
def test_a_wait_for_what_nobody_brings_is_a_delay(clock: Clock, wait: Callable[[float], None]) -> None:
    """It is over at once, has moved the clock by what was asked, and is noted with its place."""
    before = clock.now()
    wait(60)
    assert 60 <= clock.now() - before < 60 + AT_ONCE
    (slept,) = clock.slept
    assert (slept.who, round(slept.seconds)) == ("threading", 60)
    file, _, place = slept.where.partition(":")
    assert file.endswith("test_waiting_threads.py")
    assert place.partition(" ")[2] == wait.__name__
    assert int(place.partition(" ")[0]) - wait.__code__.co_firstlineno in range(1, 6)


def sleeps_really() -> None:
    """By the real function."""
    REAL_SLEEP(SHORT)


def sleeps() -> None:
    """By the function that the test has put over."""
    time.sleep(SHORT)  # really: it has no part in the test


def computes() -> None:
    """Without a wait."""
    end = REAL_MONOTONIC() + SHORT
    while REAL_MONOTONIC() < end:
        pass


def reads() -> None:
    """From a real socket."""
    ours, other = socket.socketpair()
    with ours, other:
        threading.Timer(SHORT, lambda: ours.sendall(b"x")).start()
        other.recv(1)


def polls_twice() -> None:
    """In two rounds."""
    for _ in range(2):
        threading.Event().wait(SHORT / 2)


def runs_a_process() -> None:
    """Which is waited for in small steps."""
    subprocess.run([sys.executable, "-c", "pass"], check=True, timeout=5)


WORK = [sleeps_really, sleeps, computes, reads, polls_twice, runs_a_process]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_a_thread_at_work_is_waited_for(clock: Clock, work: Callable[[], None]) -> None:
    """What another thread is about to bring comes before the time limit, whatever it is doing meanwhile."""
    done = threading.Event()
    threading.Thread(target=lambda: (work(), done.set())).start()
    assert done.wait(60)
    assert clock.slept == []


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_a_job_of_an_executor_is_waited_for(work: Callable[[], None]) -> None:
    """Also one of an executor that was there before the test."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        clock, patches = Clock(), Patches()
        clock.install(patches)
        try:
            pool.submit(work).result(timeout=60)
            assert clock.slept == []
            with pytest.raises(concurrent.futures.TimeoutError):
                concurrent.futures.Future[None]().result(timeout=60)  # its worker is idle now
        finally:
            patches.undo()


def late(sock: socket.socket) -> None:
    """A server that needs some real time."""
    sock.recv(10_000)
    REAL_SLEEP(SHORT)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")


def test_a_client_in_another_thread_is_waited_for() -> None:
    """What it asks for is relayed by a door from a real server, and takes real time."""
    said: list[str] = []
    done = threading.Event()
    with serving(late) as port, opened(Rule("* *", (Leaves(),)), live=True, timed=True) as o:
        url = f"http://127.0.0.1:{port}/"
        threading.Thread(target=lambda: (said.append(httpx.get(url).text), done.set())).start()
        assert done.wait(60)
    assert (said, o.clock.slept) == (["real"], [])


async def answers(seconds: float) -> str:
    """In small steps."""
    for _ in range(5):
        await asyncio.sleep(seconds / 5)
    return "done"


@pytest.mark.parametrize("takes_part", [False, True], ids=["really", "on the clock"])
def test_a_loop_in_another_thread_is_waited_for(clock: Clock, takes_part: bool) -> None:
    """A sync face of an async client: its loop runs in a thread, and the caller waits for a future under a limit."""
    loop = asyncio.new_event_loop()
    if takes_part:
        loop.call_soon(clock.may_move_here)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    future = asyncio.run_coroutine_threadsafe(answers(60 if takes_part else SHORT), loop)
    assert future.result(timeout=120) == "done"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_time_limit_comes_while_somebody_works(clock: Clock) -> None:
    """In real time, as it would."""
    done = threading.Event()
    thread = threading.Thread(target=lambda: (REAL_SLEEP(SHORT), done.set()))
    thread.start()
    assert not done.wait(SHORT / 5)
    thread.join()
    assert clock.slept == []


def polls(stop: threading.Event, seconds: float) -> None:
    """Looks again and again."""
    while not stop.wait(seconds):
        pass


def test_a_thread_that_polls_does_not_hold_it(clock: Clock) -> None:
    """A reporter in the background that looks every 50 ms is taken for one after three rounds; its pace is its own."""
    stop = threading.Event()
    thread = threading.Thread(target=polls, args=(stop, 0.05))
    thread.start()
    before = REAL_MONOTONIC()
    assert not threading.Event().wait(3600)
    assert REAL_MONOTONIC() - before < 1
    assert [s.seconds for s in clock.slept] == [pytest.approx(3600, abs=1)]
    stop.set()
    thread.join()


def test_a_reporter_that_was_there_before_is_nobody() -> None:
    """A thread of the session, in whatever it is doing, holds nothing."""
    stop, clock, patches = threading.Event(), Clock(), Patches()
    thread = threading.Thread(target=polls, args=(stop, 0.5))
    thread.start()
    clock.install(patches)
    try:
        before = REAL_MONOTONIC()
        assert not threading.Event().wait(3600)
        assert REAL_MONOTONIC() - before < 0.4
    finally:
        patches.undo()
        stop.set()
        thread.join()


def test_a_waiter_is_told_at_once(clock: Clock) -> None:
    """Between the looks nothing is missed: a thousand messages arrive, each in its time."""
    there, back = queue.Queue[int](), queue.Queue[int]()

    def echo() -> None:
        while (said := there.get(timeout=60)) >= 0:
            back.put(said)

    thread = threading.Thread(target=echo)
    thread.start()
    for number in range(1000):
        there.put(number)
        assert back.get(timeout=60) == number
    there.put(-1)
    thread.join()
    assert clock.slept == []


def test_a_condition_that_is_not_held_is_an_error(clock: Clock) -> None:
    """As ever."""
    with pytest.raises(RuntimeError, match="cannot wait on un-acquired lock"):
        threading.Condition().wait(1)


def test_a_loop_of_another_thread_hears_that_the_clock_was_moved(clock: Clock) -> None:
    """It waits really, unless the test moves the clock by hand."""
    asleep = threading.Event()

    async def go() -> None:
        asyncio.get_running_loop().call_soon(asleep.set)
        await asyncio.sleep(3600)

    thread = threading.Thread(target=asyncio.run, args=(go(),))
    thread.start()
    asleep.wait()
    REAL_SLEEP(0.02)
    clock.advance(3600)
    thread.join(AT_ONCE)
    assert not thread.is_alive()


def test_a_process_is_waited_for_really(clock: Clock) -> None:
    """The small sleeps by which `subprocess` waits do not run the clock away."""
    waits: Any = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"])
    assert waits.wait(timeout=30) == 0
    assert clock.offset == 0


def test_waiting_is_real_again_afterwards() -> None:
    """Without the clock a wait takes its time."""
    patches, before = Patches(), threading.Condition.wait
    Clock().install(patches)
    patches.undo()
    assert threading.Condition.wait is before


def test_seam_condition() -> None:
    """A condition keeps its waiters as locks in a row; two methods give its own lock back and take it again."""
    condition: Any = threading.Condition()
    with condition:
        assert condition._is_owned()
        lock = threading.Lock()
        lock.acquire()
        condition._waiters.append(lock)
        saved = condition._release_save()
        assert not condition._is_owned()
        condition._acquire_restore(saved)
        condition.notify()
        assert not lock.locked()
        assert list(condition._waiters) == []
