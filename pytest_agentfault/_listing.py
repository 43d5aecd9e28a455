"""
Which scenarios there are for this run of pytest, and how `--fault-list` shows them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ._errors import AgentFaultError

if TYPE_CHECKING:
    from .scenario import Library


def make_library(config: pytest.Config) -> Library:
    """The shipped scenarios, and those that ini files, packages and hooks add."""
    from .scenario import Library

    directories = [Path(path) for path in config.getini("fault_scenarios")]
    for found in config.hook.pytest_agentfault_scenarios(config=config):
        directories += [Path(path) for path in found or ()]
    try:
        return Library(directories, hosts=_hosts(config.getini("fault_hosts")))
    except AgentFaultError as error:
        raise pytest.UsageError(str(error)) from error


def _hosts(lines: list[str]) -> dict[str, list[str]]:
    hosts: dict[str, list[str]] = {}
    for line in lines:
        vendor, equals, bases = line.partition("=")
        if not equals or not bases.split():
            raise pytest.UsageError(
                f"fault_hosts: this line names no host\n  there is: {line!r}\n"
                "  to do: write it like jira = https://jira.example.com https://jira-2.example.com"
            )
        hosts.setdefault(vendor.strip(), []).extend(bases.split())
    return hosts


def listing(library: Library, how: str) -> str:
    """All scenarios: a line each, or as JSON for a CI matrix."""
    scenarios = [library.get(name) for name in library.names()]
    if how == "json":
        return json.dumps(
            [
                {"name": s.name, "title": s.title, "damages": s.damages, "confidence": s.confidence, "source": s.source}
                for s in scenarios
            ],
            indent=1,
        )
    width = max((len(s.name) for s in scenarios), default=0)
    return "\n".join(f"{s.name:<{width}}  {s.title}" for s in scenarios)
