"""The options: a suite that knows nothing of faults, the list, the seed, and the harnesses a suite is run by."""

from __future__ import annotations

import json

import pytest
from _loopback import Loopback
from _project import Project


def test_option_fault_runs_a_suite_that_knows_nothing_of_faults(project: Project, server: Loopback) -> None:
    """`--fault` adds a run per scenario to every test without a fault of its own."""
    test = """
        def test_plain(): assert fetch() == [1, 2, 3]
        def test_offline(): pass
        @pytest.mark.fault("any/slow")
        def test_own(): fetch()
    """
    result = project.run(test, "--fault", "any/*-limit")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["test_agent.py::test_plain?any/rate-limit? PASSED*"])
    result = project.pytest("--fault", "any/rat-limit")
    result.stdout.fnmatch_lines(["*did you mean 'any/rate-limit'?*"])


def test_option_fault_off_places_nothing(project: Project, server: Loopback) -> None:
    """`--fault-off` runs every test on its healthy replies."""
    test = """
        @pytest.mark.fault("any/server-error", times=None)
        def test_marked(): assert fetch() == [1, 2, 3]
        @pytest.mark.fault_matrix("any/*")
        def test_matrix(): assert fetch() == [1, 2, 3]
    """
    project.run(test, "--fault-off").assert_outcomes(passed=2)


def test_fault_list(project: Project) -> None:
    """`--fault-list` shows name and title of every scenario; as JSON it feeds a CI matrix."""
    result = project.pytest("--fault-list")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["any/rate-limit *", "openai/rate-limit *"])
    result = project.pytest("--fault-list=json")
    listed = json.loads("\n".join(result.outlines))
    assert {"name", "title", "damages", "confidence", "source"} == set(listed[0])
    assert "jira/expired-session" in [scenario["name"] for scenario in listed]


def test_header_says_seed_and_doors(project: Project, server: Loopback) -> None:
    """The header line names what a run can be repeated with."""
    result = project.run("def test_it(): pass", "--fault-seed=7")
    result.stdout.fnmatch_lines(["agentfault: seed 7, doors callable, memory, redirect, server, transport"])


def test_a_seed_repeats_every_choice(project: Project, server: Loopback) -> None:
    """The same seed drifts the same field, another seed may drift another."""
    test = """
        @pytest.mark.fault("any/schema-drift")
        def test_it(faults):
            httpx.get(URL)
            print("BODY", faults.log[0].reply.body)
    """

    def body(seed: str) -> str:
        lines = project.run(test, "-s", f"--fault-seed={seed}").outlines
        return next(line for line in lines if "BODY" in line)

    assert body("1") == body("1")
    assert len({body(str(seed)) for seed in range(6)}) > 1


HARNESSES = {
    "xdist": ("-p", "xdist", "-n", "2"),
    "random order": ("-p", "randomly"),
    "entry points": (),
}


@pytest.mark.parametrize("harness", HARNESSES)
def test_other_harnesses(project: Project, server: Loopback, harness: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcomes arrive from workers, in any order, and where the plugin is found by its entry point."""
    if harness == "entry points":
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
        project.write("pytest.ini", "[pytest]\naddopts = --strict-markers")
    result = project.run(
        '@pytest.mark.fault_matrix("any/rate-limit", "any/slow")\ndef test_it(): assert fetch() == [1, 2, 3]',
        *HARNESSES[harness],
        apart=True,
    )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*under faults: 1 recovered, 1 held*"])
