"""The marks `fault` and `fault_matrix`: wrong words, the ids of a matrix, and every kind of test that can bear them."""

from __future__ import annotations

import pytest
from _loopback import Loopback
from _project import Project

WRONG_MARKS = {
    "an unknown scenario": (
        '@pytest.mark.fault("any/rate-limt")',
        [
            "*test_agent.py:*: test_it: @pytest.mark.fault: unknown scenario",
            "*'any/rate-limt'",
            "*did you mean 'any/rate-limit'?*",
        ],
    ),
    "an unknown keyword": (
        '@pytest.mark.fault("any/slow", time=2)',
        ["*@pytest.mark.fault: unknown keyword 'time'", "*there is: time=2", "*did you mean 'times'?*"],
    ),
    "a wrong type": (
        '@pytest.mark.fault("any/slow", times="2")',
        ["*`times` must be a whole number", "*there is: '2'", "*to do: give 1 or more"],
    ),
    "nothing to strike with": (
        "@pytest.mark.fault()",
        ["*nothing is named that could strike", "*pytest --fault-list*"],
    ),
    "a fault without to=": (
        "@pytest.mark.fault(object())",
        ["*nothing says which requests object strikes*", '*add it: to="POST*'],
    ),
    "an object that is no fault": (
        '@pytest.mark.fault(object(), to="* *")',
        ["*this is not a fault", "*has none of the verbs"],
    ),
    "a fault's class": (
        '@pytest.mark.fault(int, to="* *")',
        ["*a fault is given as a class", "*to do: make one: int(...)"],
    ),
    "raises that is no error": (
        '@pytest.mark.fault("any/slow", raises="ValueError")',
        ["*`raises` must be an exception class", "*there is: 'ValueError'"],
    ),
    "a missing cassette": (
        '@pytest.mark.fault("any/slow", cassette="no.yaml")',
        ["*there is no cassette no.yaml", "*there is: no file *no.yaml"],
    ),
    "a cassette that is no path": (
        '@pytest.mark.fault("any/slow", cassette=3)',
        ["*`cassette` must be a path", "*there is: 3"],
    ),
    "an unknown check": (
        '@pytest.mark.fault("any/slow", checks="not_retryed")',
        ["*unknown check in `checks`", "*did you mean 'not_retried'?*"],
    ),
    "a to that is no pattern": (
        '@pytest.mark.fault("any/slow", to="https://x")',
        ["*`to` must be a method and a URL pattern*", "*there is: 'https://x'"],
    ),
}


@pytest.mark.parametrize("case", WRONG_MARKS)
def test_wrong_words_are_found_at_collection(project: Project, server: Loopback, case: str) -> None:
    """A wrong mark stops the run before any test, and names its place and the way out."""
    mark, lines = WRONG_MARKS[case]
    result = project.run(f"{mark}\ndef test_it(): raise AssertionError('ran')")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(lines)


def test_a_rule_of_ones_own_is_called_by_its_name_or_by_its_fault(project: Project, server: Loopback) -> None:
    """A whole rule may stand in the mark, with a name for the reports or without one."""
    test = """
        from pytest_agentfault import Rule
        from pytest_agentfault.faults import Slow
        @pytest.mark.fault(Rule("* *", (Slow(seconds=1),)))
        def test_unnamed(): fetch()
        @pytest.mark.fault(Rule("* *", (Slow(seconds=1),), name="team/lazy"))
        def test_named(): fetch()
    """
    result = project.run(test)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(
        ["held *::test_unnamed  Slow (1 of 1 calls)", "held *::test_named  team/lazy (1 of 1 calls)"]
    )


def test_wrong_matrix_is_a_collection_error(project: Project, server: Loopback) -> None:
    """A pattern that selects nothing names the nearest scenario."""
    result = project.run('@pytest.mark.fault_matrix("opnai/*")\ndef test_it(): pass')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_agent.py:*: test_it: no scenario matches", "*there is: 'opnai/[*]'"])


def test_matrix_keeps_the_bare_id_for_the_baseline(project: Project, server: Loopback) -> None:
    """Every named scenario is one run; the healthy run keeps the test's own id."""
    result = project.run(
        """
        @pytest.mark.fault_matrix("any/rate-limit", "any/server-error", raises=httpx.HTTPStatusError)
        @pytest.mark.parametrize("n", [1])
        def test_it(n):
            assert fetch() == [1, 2, 3]
        """,
    )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "test_agent.py::test_it?1? PASSED*",
            "test_agent.py::test_it?any/rate-limit-1? PASSED*",
            "test_agent.py::test_it?any/server-error-1? PASSED*",
        ]
    )


def test_a_swept_scenario_without_effect_is_skipped(project: Project, server: Loopback) -> None:
    """What a pattern sweeps in and has nothing to strike here is skipped, with the reason."""
    result = project.run('@pytest.mark.fault_matrix("any/stream-*")\ndef test_it(): fetch()', "-rs")
    assert result.parseoutcomes()["passed"] == 1
    assert "failed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(["SKIPPED*any/stream-cut never struck*"])


KINDS = {
    "unittest": """
        import unittest
        @pytest.mark.fault("any/rate-limit")
        class TestIt(unittest.TestCase):
            def test_passes(self):
                self.assertEqual(fetch(), [1, 2, 3])
        class TestOther(unittest.TestCase):
            @pytest.mark.fault("any/html-instead", raises=ValueError)
            def test_surfaces(self):
                fetch()
    """,
    "class mark": """
        @pytest.mark.fault("any/rate-limit")
        class TestIt:
            def test_one(self): fetch()
            def test_two(self): fetch()
    """,
    "module mark": """
        pytestmark = pytest.mark.fault("any/rate-limit")
        def test_one(): fetch()
        def test_two(): fetch()
    """,
    "pytest-asyncio": """
        import asyncio
        @pytest.mark.asyncio
        @pytest.mark.fault("any/slow", times=1)
        async def test_one():
            async with httpx.AsyncClient(timeout=60) as client:
                assert (await client.get(URL)).json()["ok"]
        @pytest.mark.asyncio
        @pytest.mark.fault("any/server-error", times=None, raises=httpx.HTTPStatusError)
        async def test_two():
            async with httpx.AsyncClient(timeout=60) as client:
                (await client.get(URL)).raise_for_status()
    """,
    "anyio": """
        @pytest.fixture
        def anyio_backend(): return "asyncio"
        @pytest.mark.anyio
        @pytest.mark.fault("any/slow", times=1)
        async def test_one():
            async with httpx.AsyncClient(timeout=60) as client:
                assert (await client.get(URL)).json()["ok"]
        @pytest.mark.anyio
        @pytest.mark.fault("any/server-error", times=None, raises=httpx.HTTPStatusError)
        async def test_two():
            async with httpx.AsyncClient(timeout=60) as client:
                (await client.get(URL)).raise_for_status()
    """,
    "stacked marks": """
        @pytest.mark.fault("any/rate-limit", times=1)
        @pytest.mark.fault("any/slow")
        def test_one(): fetch()
        @pytest.mark.fault("any/rate-limit", "any/slow")
        def test_two(): fetch()
    """,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_test_is_reached(project: Project, server: Loopback, kind: str) -> None:
    """Functions, methods, unittest classes and coroutines, marked in every place pytest knows."""
    plugins = {
        "pytest-asyncio": ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"),
        "anyio": ("-p", "anyio"),
    }
    project.run(KINDS[kind], *plugins.get(kind, ())).assert_outcomes(passed=2)
