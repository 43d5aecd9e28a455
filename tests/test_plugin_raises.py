"""`raises=`: the error that a test says its fault should surface as."""

from __future__ import annotations

import pytest
from _loopback import Loopback
from _project import Project


def test_declared_error_that_does_not_come_is_a_failure(project: Project, server: Loopback) -> None:
    """`raises=` means that the error must come out."""
    result = project.run('@pytest.mark.fault("any/rate-limit", raises=(KeyError, ValueError))\ndef test_it(): fetch()')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["any/rate-limit did not surface as KeyError or ValueError"])


DECLARED = {
    "a class": ("httpx.HTTPStatusError", "surfaced"),
    "a class above it": ("httpx.HTTPError", "surfaced"),
    "one of several": ("(KeyError, httpx.HTTPStatusError)", "surfaced"),
    "none of several": ("(KeyError, ValueError)", "crashed"),
    "an error that matches": ('pytest.RaisesExc(httpx.HTTPStatusError, match="Server error")', "surfaced"),
    "an error that does not match": ('pytest.RaisesExc(httpx.HTTPStatusError, match="nothing like it")', "crashed"),
    "the second of two matches": ("(pytest.RaisesExc(KeyError), pytest.RaisesExc(httpx.HTTPError))", "surfaced"),
}


@pytest.mark.parametrize("case", DECLARED)
def test_a_declared_error_surfaces_and_another_one_crashes(project: Project, server: Loopback, case: str) -> None:
    """Classes, tuples of them, and pytest's own descriptions of an error."""
    raises, outcome = DECLARED[case]
    result = project.run(f'@pytest.mark.fault("any/server-error", times=None, raises={raises})\ndef test_it(): fetch()')
    result.assert_outcomes(**({"passed": 1} if outcome == "surfaced" else {"failed": 1}))
    result.stdout.fnmatch_lines([f"{outcome:<10} test_agent.py::test_it  any/server-error (1 of 1 calls)"])


def test_an_error_that_did_not_come_where_nothing_struck(project: Project) -> None:
    """Both are told: that nothing struck, and that nothing surfaced."""
    result = project.run('@pytest.mark.fault("any/server-error", raises=ValueError)\ndef test_it(): pass')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "any/server-error never struck",
            "any/server-error did not surface as ValueError",
            "  there is: the test passed without raising it; struck: nothing; calls in all: 0",
            "  to do: if passing is right here, drop raises=; else let the code under test raise it",
        ]
    )


FOUND = """
    import unittest

    pytestmark = pytest.mark.fault(
        "any/server-error", times=None, raises=httpx.HTTPStatusError, checks="not_retried"
    )

    def fetch_twice():
        httpx.get(URL + "/items")
        fetch()

    def test_function(): fetch_twice()

    class TestMethod(unittest.TestCase):
        def test_method(self): fetch_twice()
"""


def test_a_declared_error_does_not_hide_a_finding(project: Project, server: Loopback) -> None:
    """The error comes out as declared, and a check still fails the test for what the log shows, in unittest too."""
    result = project.run(FOUND)
    result.assert_outcomes(failed=2)
    told = [line for line in result.outlines if line == "any/server-error was retried, and no retry can cure it"]
    assert len(told) == 2
