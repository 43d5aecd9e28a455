"""The fixture `faults`: rules added by the test itself, the log, the clock."""

from __future__ import annotations

from _loopback import Loopback
from _project import Project


def test_a_retry_after_costs_no_real_time(project: Project, server: Loopback) -> None:
    """Twenty seconds of Retry-After pass on the clock alone, and the waits are logged."""
    result = project.run(
        """
        def test_it(faults):
            faults.add("any/rate-limit", times=3)
            began = time.monotonic()
            assert fetch() == [1, 2, 3]
            waited = [s.seconds for s in faults.clock.slept if s.who == "time.sleep"]
            assert len(waited) == 3
            assert time.monotonic() - began >= sum(waited)
            assert [x.reply.status for x in faults.log] == [429, 429, 429, 200]
            assert faults.outcome is None
        """,
    )
    result.assert_outcomes(passed=1)
    assert len(server.asked) == 1, "a fault that answers must not reach the server"


def test_fixture_faults_asked_for_too_late(project: Project, server: Loopback) -> None:
    """A test that asks for the fixture only while it runs is told to name it."""
    result = project.run("def test_it(request): request.getfixturevalue('faults')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the fixture `faults` came too late"])
