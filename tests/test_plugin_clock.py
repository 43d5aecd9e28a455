"""What a user sees of the clock: `faults.clock` and `clock=True`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from pytest_agentfault._placing import KEYWORDS

Inner = Callable[..., pytest.RunResult]


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Inner:
    """Run a file of tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(code: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=textwrap.dedent(code))
        return pytester.runpytest("-q", "-p", "no:cacheprovider", "-p", "pytest_agentfault.plugin", *arguments)

    return run


CLOCKED = """
    import asyncio, threading, time
    from datetime import datetime
    import httpx, pytest
    from pytest_agentfault.clock import REAL_MONOTONIC

    def backs_off(seconds):
        time.sleep(seconds)

    def test_a_fixture(faults):
        assert faults.clock.now < 1
        assert faults.clock.slept == []
        backs_off(60)
        asyncio.run(asyncio.sleep(30))
        threading.Event().wait(10)
        assert 100 <= faults.clock.now < 101
        assert [(s.who, round(s.seconds)) for s in faults.clock.slept] == [
            ("time.sleep", 60), ("loop", 30), ("threading", 10)
        ]
        places = [s.where.partition(":")[2] for s in faults.clock.slept]
        assert [place.partition(" ")[2] for place in places] == ["backs_off", "sleep", "test_a_fixture"]
        assert places[0] == "7 backs_off"

    def test_advance(faults):
        before = datetime.now()
        faults.clock.advance(86_400)
        assert faults.clock.now >= 86_400
        assert (datetime.now() - before).days == 1
        assert faults.clock.slept == []

    def test_advance_wakes(faults):
        async def go():
            woken = []
            async def sleeps(seconds):
                await asyncio.sleep(seconds)
                woken.append(seconds)
            tasks = [asyncio.create_task(sleeps(s)) for s in (50, 40, 3000)]
            await asyncio.sleep(0)
            faults.clock.advance(60)
            await asyncio.sleep(0.001)
            assert woken == [40, 50]
            tasks[-1].cancel()
        asyncio.run(go())

    @pytest.mark.fault(clock=True)
    def test_a_mark_alone():
        from datetime import datetime  # before any wait
        before = datetime.now()
        time.sleep(86_400)
        assert (datetime.now() - before).days == 1

    @pytest.mark.fault(clock=True)
    def test_stacked(faults):
        assert faults.clock.now < 1

    @pytest.mark.fault("any/rate-limit", times=1, clock=True)
    def test_with_a_fault(faults):
        assert httpx.get("https://api.example.com/x").status_code == 429

    @pytest.mark.fault_matrix("any/rate-limit", clock=True)
    def test_matrix(request):
        if "[" in request.node.name:
            assert httpx.get("https://api.example.com/x").status_code == 429

    def test_without():
        began = REAL_MONOTONIC()
        time.sleep(0.02)
        assert REAL_MONOTONIC() - began >= 0.02
"""


def test_a_test_on_the_clock(inner: Inner) -> None:
    """Waits cost nothing, are told with their place, and `advance` wakes in order."""
    result = inner(CLOCKED)
    result.assert_outcomes(passed=9)


WRONG = {
    "clock=False": (
        "`clock` can only be True",
        "clock=False",
        "leave it out: a test under a fault is on the clock anyway",
    ),
    "clock=60": ("`clock` can only be True", "clock=60", "leave it out: a test under a fault is on the clock anyway"),
    "clock=True, times=2": (
        "nothing is named that could strike",
        "no argument",
        'name a scenario ("any/rate-limit"; `pytest --fault-list` shows them) or give a fault object',
    ),
    "clok=True": (
        "unknown keyword 'clok'",
        "clok=True",
        f"did you mean 'clock'? known: {', '.join(sorted(KEYWORDS))}",
    ),
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_words_are_errors_of_collection(inner: Inner, words: str) -> None:
    """With what, what there is, and what to do."""
    result = inner(f"import pytest\n@pytest.mark.fault({words})\ndef test_it(): pass\n")
    what, there, do = WRONG[words]
    result.stderr.fnmatch_lines(
        [f"*test_it.py:2: test_it: @pytest.mark.fault: {what}", f"  there is: {there}", f"  to do: {do}"]
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("seconds", ["-1", "float('nan')", "float('inf')", "'60'", "True", "None"])
def test_the_clock_is_moved_by_seconds(inner: Inner, seconds: str) -> None:
    """Forwards, by a number."""
    code = f"""
        import pytest
        from pytest_agentfault import AgentFaultError
        def test_it(faults):
            with pytest.raises(AgentFaultError) as caught:
                faults.clock.advance({seconds})
            given = repr({seconds})
            assert str(caught.value) == (
                "the clock cannot be moved by that\\n  there is: advance(" + given + ")\\n"
                "  to do: give a number of seconds, 0 or more"
            )
    """
    inner(code).assert_outcomes(passed=1)


def test_a_date_of_retry_after_agrees_with_a_freeze(inner: Inner) -> None:
    """Faults tell the time of day that the code under test reads, also where the test has frozen it."""
    code = """
        import email.utils, httpx, pytest, time
        from freezegun import freeze_time
        from pytest_agentfault.faults.status import Status

        LATER = Status(code=503, headers={"retry-after": "{http_date+60}"})

        def asked():
            reply = httpx.get("https://api.example.com/x")
            return email.utils.parsedate_to_datetime(reply.headers["retry-after"]).timestamp() - time.time()

        @pytest.mark.fault(LATER, to="* *")
        def test_moved():
            time.sleep(86_400)
            assert 58 <= asked() <= 61

        @pytest.mark.fault(LATER, to="* *")
        @freeze_time("2031-05-06")
        def test_frozen():
            assert asked() == 60
    """
    inner(code).assert_outcomes(passed=2)
