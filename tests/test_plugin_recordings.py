"""Variants of a test that pytest-recording gives a cassette: each plays the recording of its baseline."""

from __future__ import annotations

import pytest
from _project import Project

TAPE = """
interactions:
- request: {method: GET, uri: "https://api.test/v1/me", body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '{"me": "NAME"}'}
version: 1
"""

KINDS = {
    "a function": (
        """
        @pytest.mark.vcr
        @pytest.mark.fault_matrix("any/rate-limit", "any/chunk-split")
        def test_it(): assert ask() == "test_it"
        """,
        ["test_it"],
        3,
    ),
    "a parametrised function": (
        """
        @pytest.mark.vcr
        @pytest.mark.fault_matrix("any/rate-limit", "any/chunk-split")
        @pytest.mark.parametrize("place", ["home", "at-work"])
        def test_it(place): assert ask() == f"test_it[{place}]"
        """,
        ["test_it[home]", "test_it[at-work]"],
        6,
    ),
    "parameters on both sides of the mark": (
        """
        @pytest.mark.parametrize("name", ["ann"])
        @pytest.mark.vcr
        @pytest.mark.fault_matrix("any/rate-limit")
        @pytest.mark.parametrize("place", ["home"])
        def test_it(name, place): assert ask() == "test_it[home-ann]"
        """,
        ["test_it[home-ann]"],
        2,
    ),
    "a method of unittest": (
        """
        import unittest
        class TestIt(unittest.TestCase):
            @pytest.mark.vcr
            @pytest.mark.fault_matrix("any/rate-limit", "any/chunk-split")
            def test_it(self): assert ask() == "TestIt.test_it"
        """,
        ["TestIt.test_it"],
        3,
    ),
}
ASKING = """
import httpx, pytest, time

def ask():
    while (reply := httpx.get("https://api.test/v1/me")).status_code == 429:
        time.sleep(float(reply.headers["retry-after"]))
    return reply.json()["me"]
"""


@pytest.mark.parametrize("kind", KINDS)
def test_every_variant_plays_the_recording_of_its_baseline(project: Project, kind: str) -> None:
    """The cassette's name is that of the test without its scenario, and nothing is recorded beside it."""
    test, names, passed = KINDS[kind]
    for name in names:
        project.write(f"cassettes/test_agent/{name}.yaml", TAPE.replace("NAME", name))
    result = project.run(test, "-p", "pytest_recording.plugin", above=ASKING)
    result.assert_outcomes(passed=passed)
    assert {path.stem for path in project.path.rglob("*.yaml")} == set(names)
