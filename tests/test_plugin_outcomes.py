"""What became of a test under a fault, in one word and in full: the summary, the failure, the report."""

from __future__ import annotations

import pytest
from _loopback import Loopback
from _project import Project

OUTCOMES = {
    "recovered": (
        '@pytest.mark.fault("any/rate-limit")\ndef test_it(): assert fetch() == [1, 2, 3]',
        {"passed": 1},
        "recovered  test_agent.py::test_it  any/rate-limit (2 of 3 calls)",
    ),
    "held": (
        '@pytest.mark.fault("any/chunk-split")\ndef test_it(): assert fetch() == [1, 2, 3]',
        {"passed": 1},
        "held       test_agent.py::test_it  any/chunk-split (1 of 1 calls)",
    ),
    "surfaced": (
        '@pytest.mark.fault("any/server-error", times=None, raises=httpx.HTTPStatusError)\ndef test_it(): fetch()',
        {"passed": 1},
        "surfaced   test_agent.py::test_it  any/server-error (1 of 1 calls)",
    ),
    "crashed": (
        '@pytest.mark.fault("any/html-instead", raises=httpx.HTTPStatusError)\ndef test_it(): fetch()',
        {"failed": 1},
        "crashed    test_agent.py::test_it  any/html-instead (1 of 1 calls)",
    ),
    "unnoticed": (
        '@pytest.mark.fault("any/html-instead")\ndef test_it(): httpx.get(URL)',
        {"passed": 1},
        "unnoticed  test_agent.py::test_it  any/html-instead (1 of 1 calls)",
    ),
    "hung": (
        '@pytest.mark.fault("any/rate-limit", times=None)\ndef test_it(): fetch(attempts=1000)',
        {"failed": 1},
        "hung       test_agent.py::test_it  any/rate-limit (100 of 100 calls)",
    ),
    "missed": (
        '@pytest.mark.fault("any/rate-limit")\ndef test_it(): pass',
        {"failed": 1},
        "missed     test_agent.py::test_it  any/rate-limit (0 of 0 calls)",
    ),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_word(project: Project, server: Loopback, outcome: str) -> None:
    """The summary says in one word what became of a test under a fault."""
    test, counts, line = OUTCOMES[outcome]
    result = project.run(test)
    result.assert_outcomes(**counts)
    result.stdout.fnmatch_lines([f"*under faults: 1 {outcome}*", line])


def test_a_failure_says_what_struck(project: Project, server: Loopback) -> None:
    """An injected fault confesses: in a note on the error, and in a header of the reply."""
    result = project.run(
        """
        @pytest.mark.fault("any/server-error", times=None)
        def test_it():
            reply = httpx.get(URL)
            assert reply.headers["x-agentfault"] == "any/server-error"
            reply.raise_for_status()
        """,
    )
    result.stdout.fnmatch_lines(["*pytest-agentfault struck: any/server-error on call 1 (GET http://127.0.0.1:* -> 5*"])


def test_skip_and_xfail_keep_their_meaning(project: Project, server: Loopback) -> None:
    """A test that skips itself is not judged, and xfail sees the verdict."""
    test = """
        @pytest.mark.fault("any/slow")
        def test_skips(): pytest.skip("later")
        @pytest.mark.xfail(strict=True)
        @pytest.mark.fault("any/server-error", times=None)
        def test_known(): fetch()
    """
    project.run(test).assert_outcomes(skipped=1, xfailed=1)


def test_error_in_a_fixture_is_told(project: Project, server: Loopback) -> None:
    """Doors stand before fixtures run, and a fixture that breaks under a fault counts as crashed."""
    test = """
        @pytest.fixture
        def items(): return fetch()
        @pytest.mark.fault("any/server-error", times=None)
        def test_it(items): pass
    """
    result = project.run(test)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["crashed    test_agent.py::test_it  any/server-error (1 of 1 calls)"])


def test_checks_judge_the_log(project: Project, server: Loopback) -> None:
    """A check named in the mark turns its finding into a failure; `waive` takes it back."""
    test = """
        @pytest.mark.fault("any/rate-limit", checks="not_retried")
        def test_it(): fetch()
        @pytest.mark.fault("any/rate-limit", checks=["not_retried"], waive="not_retried")
        def test_waived(): fetch()
    """
    result = project.run(test)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["any/rate-limit was retried, and no retry can cure it"])


def test_outcomes_are_in_junit_files(project: Project, server: Loopback) -> None:
    """The outcome is a property of the test case."""
    project.run('@pytest.mark.fault("any/rate-limit")\ndef test_it(): fetch()', "--junitxml=out.xml")
    assert 'value="recovered: any/rate-limit (2 of 3 calls)"' in (project.path / "out.xml").read_text()


def test_a_test_that_adds_no_fault_has_no_outcome(project: Project, server: Loopback) -> None:
    """The fixture alone strikes nothing, and nothing is told of it."""
    result = project.run("def test_it(faults): fetch()", "--junitxml=out.xml")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*under faults*")
    assert "pytest_agentfault" not in (project.path / "out.xml").read_text()


def test_the_summary_is_short_unless_asked_for(project: Project, server: Loopback) -> None:
    """Without -v it shows what wants a look, the worst last, and counts the rest."""
    test = """
        @pytest.mark.fault("any/rate-limit")
        def test_well(): fetch()
        @pytest.mark.fault("any/rate-limit")
        def test_never(): pass
        @pytest.mark.fault("any/html-instead")
        def test_blind(): httpx.get(URL)
        @pytest.mark.fault("any/html-instead")
        def test_breaks(): fetch()
    """
    lines = project.run(test, "-q").outlines
    assert [line for line in lines if "test_agent.py::" in line and "  any/" in line] == [
        "missed     test_agent.py::test_never  any/rate-limit (0 of 0 calls)",
        "unnoticed  test_agent.py::test_blind  any/html-instead (1 of 1 calls)",
        "crashed    test_agent.py::test_breaks  any/html-instead (1 of 1 calls)",
    ]
    assert "(1 more that recovered, held or surfaced: -v shows them)" in lines


NEVER_STRUCK = {
    "no call at all": (
        '@pytest.mark.fault("openai/rate-limit")\ndef test_it(): pass',
        ["openai/rate-limit never struck", "*there is: no request came through the door", "*to do: see that the test*"],
    ),
    "another host": (
        '@pytest.mark.fault("openai/rate-limit")\ndef test_it(): fetch()',
        ["*connections to 127.0.0.1:* went past it, where no rule can strike"],
    ),
    "another method": (
        '@pytest.mark.fault("any/rate-limit", to="POST http*://127.0.0.1*/items")\ndef test_it(): fetch()',
        [
            "*there is: 1 requests seen (GET http://127.0.0.1:*/items); the nearest: method is GET, not POST",
            "*to do: correct the rule with to=, as in to='GET http://127.0.0.1:*/items'",
        ],
    ),
    "too few calls": (
        '@pytest.mark.fault("any/rate-limit", after=5)\ndef test_it(): fetch()',
        ["*there is: 1 matching requests, but after=5 leaves them out"],
    ),
    "nothing to change": (
        '@pytest.mark.fault("any/stream-cut")\ndef test_it(): fetch()',
        ["*1 matching requests; in 1 replies the fault found nothing to change", "*200 application/json*"],
    ),
}


@pytest.mark.parametrize("case", NEVER_STRUCK)
def test_a_fault_that_never_struck_fails_and_says_why(project: Project, server: Loopback, case: str) -> None:
    """What was planned and did not happen is a failure, with what was seen and what nearly matched."""
    test, lines = NEVER_STRUCK[case]
    result = project.run(test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)
