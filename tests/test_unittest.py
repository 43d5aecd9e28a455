"""`fault_matrix` and `--fault` on methods of unittest, which pytest itself does not parametrise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _loopback import Loopback, loopback

FILE = """
    import asyncio
    import os
    import time
    import unittest

    import httpx
    import pytest

    URL = os.environ["LOOPBACK"] + "/items"

    class Agent(unittest.TestCase):
        def setUp(self):
            self.client = httpx.Client(timeout=60)

        def tearDown(self):
            self.client.close()

        @pytest.mark.fault_matrix("any/rate-limit", "any/html-instead")
        def test_sync(self):
            reply = self.client.get(URL)
            while reply.status_code == 429:
                time.sleep(float(reply.headers["retry-after"]))
                reply = self.client.get(URL)
            self.assertEqual(reply.json()["items"], [1, 2, 3])

        def test_plain(self):
            self.assertTrue(self.client.get(URL).text)

    class Aware(unittest.IsolatedAsyncioTestCase):
        @pytest.mark.fault_matrix("any/rate-limit")
        async def test_async(self):
            async with httpx.AsyncClient(timeout=60) as client:
                reply = await client.get(URL)
                while reply.status_code == 429:
                    await asyncio.sleep(float(reply.headers["retry-after"]))
                    reply = await client.get(URL)
            self.assertEqual(reply.json()["items"], [1, 2, 3])
"""
VARIANTS = [
    "test_agent.py::Agent::test_plain",
    "test_agent.py::Agent::test_sync",
    "test_agent.py::Agent::test_sync[any/rate-limit]",
    "test_agent.py::Agent::test_sync[any/html-instead]",
    "test_agent.py::Aware::test_async",
    "test_agent.py::Aware::test_async[any/rate-limit]",
]


@pytest.fixture
def agent(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.Pytester]:
    """A project whose tests are methods of unittest, and the server they call."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(
        "[pytest]\naddopts = --strict-markers -p pytest_agentfault.plugin -p no:cacheprovider\nfilterwarnings = error"
    )
    pytester.makepyfile(test_agent=FILE)
    with loopback() as server:
        assert isinstance(server, Loopback)
        monkeypatch.setenv("LOOPBACK", server.url)
        yield pytester


def collected(project: pytest.Pytester, *options: str) -> list[str]:
    """The ids that these options choose."""
    result = project.runpytest_inprocess("--collect-only", "-q", *options)
    return [line for line in result.outlines if "::" in line]


def test_each_variant_is_a_run_of_its_own(agent: pytest.Pytester) -> None:
    """The method runs bare and once per scenario; each outcome stands under the id of its variant."""
    result = agent.runpytest_inprocess("-v")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_agent.py::Agent::test_sync PASSED*",
            "test_agent.py::Agent::test_sync[[]any/rate-limit] PASSED*",
            "test_agent.py::Agent::test_sync[[]any/html-instead] FAILED*",
            "test_agent.py::Aware::test_async[[]any/rate-limit] PASSED*",
            "*Agent.test_sync[[]any/html-instead]*",
            "*under faults: 2 recovered, 1 crashed*",
        ]
    )


CHOICES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "all": ((), VARIANTS),
    "node_id_of_a_variant": (("test_agent.py::Agent::test_sync[any/rate-limit]",), VARIANTS[2:3]),
    "node_id_of_the_method": (("test_agent.py::Agent::test_sync",), VARIANTS[1:4]),
    "keyword": (("-k", "rate-limit"), [VARIANTS[2], VARIANTS[5]]),
    "off": (("--fault-off",), [v for v in VARIANTS if "[" not in v]),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_variants_are_chosen_like_parametrised_tests(agent: pytest.Pytester, choice: str) -> None:
    """Node ids, `-k` and `--fault-off` work on variants of methods as on those of functions."""
    options, ids = CHOICES[choice]
    assert collected(agent, *options) == ids


def test_the_option_reaches_methods_too(agent: pytest.Pytester) -> None:
    """`--fault` adds its variant to every method that has no fault of its own."""
    added = set(collected(agent, "--fault", "any/slow")) - set(VARIANTS)
    assert added == {f"{bare}[any/slow]" for bare in VARIANTS if "[" not in bare}


def test_workers_share_the_variants(agent: pytest.Pytester) -> None:
    """Under xdist each variant runs once, on one of the workers."""
    result = agent.runpytest_subprocess("-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*under faults: 2 recovered, 1 crashed*"])


def test_an_unknown_scenario_is_a_collection_error(agent: pytest.Pytester) -> None:
    """A wrong name in the mark of a method is told with its place and the nearest valid one."""
    agent.makepyfile(test_agent=FILE.replace('"any/rate-limit", "any/html-instead"', '"any/rate-limt"'))
    result = agent.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["test_agent.py:*: test_sync: no scenario matches", "*'any/rate-limt'", "*did you mean 'any/rate-limit'?*"]
    )


def test_seam_pytest_makes_the_test_case_by_the_name_of_its_item() -> None:
    """pytest asks a method's item for its test case by `_getinstance`, and its class says `nofuncargs`."""
    from _pytest.unittest import TestCaseFunction, UnitTestCase

    assert callable(vars(TestCaseFunction)["_getinstance"])
    assert UnitTestCase.nofuncargs is True
