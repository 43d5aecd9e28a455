"""
What the terminal says at the end: the outcome of every test under a fault.

Loaded with the plugin, so it imports the standard library and pytest only. An
outcome travels with its report, as a property of the test: it arrives from xdist
workers and in JUnit files without more ado.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Final

import pytest

PROPERTY: Final = "pytest_agentfault"
FIELDS: Final = ("$", "Link ")  # how the name of a field begins, of all that is run per place: a JSONPath, or a link
PLACE: Final = "pytest_agentfault_place"  # of a run per place: the id of its test, and the name of the place, as JSON
COLOURS: Final = {
    "recovered": "green",
    "held": "green",
    "surfaced": "cyan",
    "missed": "yellow",
    "unnoticed": "yellow",
    "crashed": "red",
    "hung": "red",
}
QUIET: Final = frozenset({"recovered", "held", "surfaced"})


class Summary:
    """Gathers outcomes and prints them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], str] = {}
        self._fields: dict[str, dict[tuple[str, str], str]] = {}  # by test: of a field and what was done to it

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome a report carries."""
        for name, value in report.user_properties:
            if name == PROPERTY:
                outcome, _, told = str(value).partition(": ")
                self._rows[report.nodeid, told] = outcome
                self._keep_field(report, outcome)

    def _keep_field(self, report: pytest.TestReport, outcome: str) -> None:
        for test, place in (json.loads(str(value)) for name, value in report.user_properties if name == PLACE):
            operation, _, path = place.partition(":")
            if path.startswith(FIELDS):
                self._fields.setdefault(test, {})[path, operation] = outcome

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the outcomes: all of them with -v, else those that want a look."""
        if not self._rows:
            return
        counts = Counter(self._rows.values())
        said = ", ".join(f"{counts[word]} {word}" for word in COLOURS if counts[word])
        write = terminalreporter
        write.section(f"under faults: {said}", sep="-", blue=True)
        verbose = write.config.get_verbosity() > 0
        for (nodeid, told), outcome in sorted(
            self._rows.items(), key=lambda row: (list(COLOURS).index(row[1]), row[0])
        ):
            if verbose or outcome not in QUIET:
                write.write(f"{outcome:<10}", **{COLOURS[outcome]: True})
                write.write(f" {nodeid}  {told}\n")
        hidden = sum(count for word, count in counts.items() if word in QUIET)
        if hidden and not verbose:
            write.write_line(f"({hidden} more that recovered, held or surfaced: -v shows them)")
        for test, results in sorted(self._fields.items()):
            from ._sensitivity import table_of

            write.section(f"field sensitivity of {test}", sep="-", blue=True)
            write.write_line(table_of((*change, outcome) for change, outcome in results.items()))
