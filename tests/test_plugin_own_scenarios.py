"""Scenarios and hosts of a team's own, by ini key and by hook."""

from __future__ import annotations

import pytest
from _loopback import Loopback
from _project import Project


def test_own_scenarios_and_hosts(project: Project, server: Loopback) -> None:
    """A team's own scenarios come from an ini directory; a self-hosted vendor from `fault_hosts`."""
    project.write(
        "own/acme/teapot.toml",
        'title = "A teapot"\nsource = "https://www.rfc-editor.org/rfc/rfc2324"\nconfidence = "documented"\n'
        '[[rule]]\nto = "* https://api.acme.example/*"\ntimes = 1\nfaults = [{ status = { code = 418 } }]\n',
    )
    project.ini("fault_scenarios = own", f"fault_hosts = acme = {server.url}")
    test = """
        @pytest.mark.fault("acme/teapot")
        def test_it(): assert httpx.get(URL + "/pot").status_code == 418
    """
    project.run(test).assert_outcomes(passed=1)


def test_hook_adds_scenarios(project: Project, server: Loopback) -> None:
    """Another plugin or a conftest adds directories by hook."""
    project.write(
        "hooked/acme/down.toml",
        'title = "Down"\nsource = "https://acme.example"\nconfidence = "reported"\n'
        '[[rule]]\nto = "* *"\nfaults = [{ status = { code = 503 } }]\n',
    )
    project.write(
        "conftest.py",
        "from pathlib import Path\ndef pytest_agentfault_scenarios(config): return [Path(__file__).parent / 'hooked']",
    )
    project.run('@pytest.mark.fault("acme/down")\ndef test_it(): httpx.get(URL)').assert_outcomes(passed=1)


def test_fault_hosts_without_a_host_is_a_usage_error(project: Project) -> None:
    """A line of `fault_hosts` that names no host is shown with how to write it."""
    project.ini("fault_hosts = jira")
    result = project.pytest("--fault-list")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*fault_hosts: this line names no host", "*there is: 'jira'"])
