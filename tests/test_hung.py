"""A wait that the clock cannot move ends all the same: as `hung`, with the place and the calls."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from itertools import takewhile

import pytest

from pytest_agentfault._plan import Hung, Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault._watchdog import SIGNAL, InterruptedHung, Watchdog, _raise_in

pytestmark = pytest.mark.skipif(SIGNAL is None, reason="this system has no signal for it")

Inner = Callable[..., pytest.RunResult]


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Inner:
    """Run a file of tests in a process of its own, under a budget of one real second."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\nfault_budget_seconds = 1\nfilterwarnings = error\n")

    def run(code: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=textwrap.dedent(code))
        options = ("-q", "-p", "no:cacheprovider", "-p", "pytest_agentfault.plugin", *arguments)
        return pytester.runpytest_subprocess(*options, timeout=60)

    return run


OPENING = """
import asyncio, httpx, pytest, socket, subprocess, sys, threading, time

async def never():
    await asyncio.Event().wait()

async def beside():
    async def ticks():
        while True:
            await asyncio.sleep(60)
    await asyncio.create_task(ticks())

def swallows():
    try:
        threading.Event().wait()
    except BaseException:
        pass

def polls():
    while True:
        time.sleep(5)
"""
HANGS = {
    "a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "an event": "threading.Event().wait()",
    "a socket": "ours, other = socket.socketpair(); other.recv(1)",
    "a process": "subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
    "asyncio": "asyncio.run(never())",
    "asyncio, polling": "asyncio.run(beside())",
    "polling": "polls()",
    "swallowed": "swallows()",
    "trio": "import trio; trio.run(trio.sleep_forever)",
    "uvloop": "import uvloop; uvloop.run(never())",
    "a thread": "thread = threading.Thread(target=time.sleep, args=(60,), daemon=True); thread.start(); thread.join()",
}


@pytest.mark.parametrize("wait", HANGS)
def test_no_test_hangs(inner: Inner, wait: str) -> None:
    """Whatever it waits for, it fails in its budget, and the next test is well."""
    tests = f"@pytest.mark.fault(clock=True)\ndef test_it():\n    {HANGS[wait]}\n\ndef test_next():\n    pass\n"
    began = time.monotonic()
    result = inner(OPENING + tests, "-p", "no:unraisableexception")
    result.assert_outcomes(failed=1, passed=1)
    assert time.monotonic() - began < 40
    result.stdout.fnmatch_lines(
        [
            "the test waited for more than 1 real seconds for what the shared clock cannot move",
            "  there is: a wait at *:* *; calls in all: 0",
            "  to do: give that wait a time limit, or raise the ini key `fault_budget_seconds`",
        ]
    )


CALLS = """
import httpx, pytest, threading

def hangs():
    assert httpx.get("https://api.example.com/x?key=1").status_code == 429
    threading.Event().wait()

@pytest.fixture
def hanging(faults):
    hangs()

@pytest.fixture
def hanging_at_the_end(faults):
    yield
    hangs()

@pytest.mark.fault("any/rate-limit", times=1)
def test_call():
    hangs()

@pytest.mark.fault("any/rate-limit", times=1)
def test_setup(hanging):
    pass

@pytest.mark.fault("any/rate-limit", times=1)
def test_raised():
    with pytest.raises(ValueError):
        hangs()
"""


def test_the_calls_are_told(inner: Inner) -> None:
    """In the test and in its fixtures: the outcome is `hung`, and the log of the calls is in the text."""
    result = inner(CALLS)
    result.assert_outcomes(failed=2, errors=1)
    before = takewhile(lambda line: "short test summary" not in line, result.outlines)  # which is longer on a CI
    told = [line for line in before if line.startswith("  there is: a wait at")]
    calls = "calls in all: 1 (1. GET https://api.example.com/x -> 429 (any/rate-limit))"
    assert [line.partition("; ")[2] for line in told] == [calls] * 3
    assert {line.partition(";")[0].partition(" at ")[2] for line in told} == {"test_it.py:5 hangs"}
    result.stdout.fnmatch_lines(["*under faults: 3 hung*"])


WELL = """
import pytest, subprocess, sys, threading, time

@pytest.fixture(scope="session")
def started():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(1.5)"], check=True)

@pytest.mark.fault(clock=True)
def test_a_fixture_may_take_its_time(started):
    pass

@pytest.mark.fault(clock=True)
def test_computing_is_no_wait():
    end = time.thread_time() + 1.2
    while time.thread_time() < end:
        pass

@pytest.mark.fault(clock=True)
def test_long_waits_on_the_clock_are_none():
    for _ in range(50):
        time.sleep(3600)

def test_without_a_fault():
    threading.Event().wait(0.5)
"""


def test_what_does_not_hang_is_left_alone(inner: Inner) -> None:
    """A fixture that starts something, a computation, virtual waits, and tests without a fault."""
    inner(WELL).assert_outcomes(passed=4)


def test_the_budget_of_calls_tells_them_too(inner: Inner) -> None:
    """The last twenty of a hundred."""
    code = """
        import httpx, pytest
        @pytest.mark.fault("any/expired-session")
        def test_it():
            while True:
                try:
                    httpx.get("https://api.example.com/x")
                except Exception:
                    pass
    """
    result = inner(code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*under faults: 1 hung*"])


@pytest.mark.parametrize("given", ["0", "-1", "soon", "inf", "nan"])
def test_a_wrong_budget_is_an_error(pytester: pytest.Pytester, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At collection, with what there is."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(f"[pytest]\nfault_budget_seconds = {given}\n")
    pytester.makepyfile("def test_it(): pass\n")
    result = pytester.runpytest("-p", "pytest_agentfault.plugin")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: `fault_budget_seconds` must be a number of real seconds",
            f"  there is: '{given}'",
            "  to do: give more than 0",
        ]
    )


def test_the_signal_is_given_back() -> None:
    """Who had a handler for it has it again, and hears of what is not ours meanwhile."""
    assert SIGNAL is not None
    heard: list[int] = []
    before = signal.signal(SIGNAL, lambda number, frame: heard.append(number))
    try:
        mine, patches = signal.getsignal(SIGNAL), Patches()
        Watchdog(Plan(), lambda: 0, 30).install(patches)
        assert signal.getsignal(SIGNAL) is not mine
        signal.raise_signal(SIGNAL)
        patches.undo()
        assert signal.getsignal(SIGNAL) is mine
        assert heard == [SIGNAL]
    finally:
        signal.signal(SIGNAL, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_process_that_forks_has_no_thread_of_ours() -> None:
    """CPython 3.12 warns of threads that a fork would lose; afterwards the watch goes on."""
    patches, watchdog = Patches(), Watchdog(Plan(), lambda: 0, 30)
    watchdog.install(patches)
    child = os.fork()
    if child == 0:
        os._exit(len(sys._current_frames()) - 1)
    assert os.waitpid(child, 0)[1] == 0
    assert watchdog._over is not None
    patches.undo()


def test_where_no_signal_helps_python_is_interrupted() -> None:
    """A test outside the main thread ends as soon as it runs Python again, in words that say why."""
    caught: list[BaseException] = []
    begun = threading.Event()

    def spins() -> None:
        try:
            begun.set()
            while True:
                pass
        except Hung as error:
            caught.append(error)

    thread = threading.Thread(target=spins)
    thread.start()
    begun.wait()
    assert thread.ident is not None
    _raise_in(thread.ident, Hung, "why")
    thread.join(5)
    assert [str(error) for error in caught] == ["why"]


def test_the_kinds_of_hung() -> None:
    """asyncio lets through no other error than these of its tasks."""
    assert issubclass(InterruptedHung, Hung)
    assert issubclass(InterruptedHung, KeyboardInterrupt)
    assert not issubclass(Hung, Exception)
