"""
docs/sdks.md: what each SDK makes of each scenario, printed from the cases that the tests run.

`python tests/sdks/_table.py` writes it. The versions in it are those of the machine that printed
it last; a test holds everything else to the cases.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Final

import test_anthropic
import test_any
import test_github
import test_jira
import test_linear
import test_models
import test_openai
from _cases import Case, Wait

PAGE: Final = Path(__file__).parents[2] / "docs" / "sdks.md"
SDKS: Final = {
    "openai": (test_openai.CASES, ("openai", "httpx2")),
    "anthropic": (test_anthropic.CASES, ("anthropic", "httpx2")),
    "models": (test_models.CASES, ("openai", "anthropic", "google-genai", "ollama", "httpx")),
    "jira": (test_jira.CASES, ("jira", "requests", "gql")),
    "linear": (test_linear.CASES, ("gql", "httpx", "httpx2", "requests", "aiohttp")),
    "github": (test_github.CASES, ("PyGithub", "requests")),
}
CLIENTS: Final = ("httpx", "httpx2", "requests", "aiohttp", "openai")
HEAD: Final = """\
# What each SDK makes of each scenario

<!-- Printed by `python tests/sdks/_table.py` from the cases in tests/sdks, which assert all of it but the notes. -->

Real SDKs, each with its own defaults, over small recordings. Each call in a line is one test: the outcome is the
plugin's own word for it, the error is the very class that came out of the call, and the waits are those that were
asked for.

- **recovered**: the call gave the recorded result, after the fault.
- **held**: the call gave its result; the fault damages nothing in it.
- **surfaced**: the call raised this error.
- **unnoticed**: the call gave a result that is wrong or not whole, and raised nothing.

Many more SDKs, under four faults each: [the matrix](sdk-matrix.md).

"""
ANY: Final = """\
## any host

The clients as they come, `raise_for_status` called, the body read as JSON or as events. `any/schema-drift` is
**unnoticed** by all of them: none knows what should be there, and openai builds its models without validation.
Where two errors stand in a cell, CPython decides: over TLS a reset reads as an end of file up to 3.12.
`urllib.request` raises on a cut stream where the body is read in one go; read line by line it notices nothing.

"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for vendor, (cases, packages) in SDKS.items():
        parts.append(f"## {vendor}\n\n{versions(packages)}\n\n")
        parts.append(table(("Scenario", "Call", "Outcome", "Replies", "Waits", "Note"), rows(cases)))
    parts += [ANY, versions(CLIENTS), "\n\n", matrix(test_any.CASES)]
    return "".join(parts).rstrip("\n") + "\n"


def versions(packages: Iterable[str]) -> str:
    """The versions this was printed with."""
    return "Printed with " + ", ".join(f"{name} {version(name)}" for name in packages) + "."


def rows(cases: Iterable[Case]) -> Iterable[tuple[str, ...]]:
    """The lines of these cases; calls that come to the same stand in one."""
    same: dict[tuple[str, ...], list[str]] = {}
    for case in cases:
        asked, *rest = row(case)
        same.setdefault((asked, *rest), []).append(case.client)
    return ((asked, "<br>".join(calls), *rest) for (asked, *rest), calls in same.items())


def row(case: Case) -> tuple[str, ...]:
    """The line of a case, but for its call."""
    replies = ", ".join("lost" if status is None else str(status) for status in case.statuses)
    if len(set(case.statuses)) == 1 and len(case.statuses) > 4:
        replies = f"{len(case.statuses)} x {case.statuses[0]}"
    return (f"`{case.asked}`", outcome(case), replies, waits(case.waits), case.note)


def outcome(case: Case) -> str:
    """The outcome, and the error where one came out."""
    return f"**{case.outcome}**" + "".join(
        f"{' or ' if number else ': '}`{called(kind)}`" for number, kind in enumerate(case.kinds)
    )


def called(kind: type[BaseException]) -> str:
    """A class as people import it: where the package itself has it, its parts are left out."""
    parts = kind.__module__.split(".")
    if parts == ["builtins"]:
        return kind.__name__
    for depth in range(1, len(parts)):
        home = ".".join(parts[:depth])
        if getattr(sys.modules[home], kind.__name__, None) is kind:
            return f"{home}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__name__}"


def waits(asked: Sequence[Wait]) -> str:
    """The waits in seconds; those that are alike are told once."""
    told = []
    for wait, alike in groupby(asked):
        many = len(list(alike))
        shown = f"{wait[0]:g} to {wait[1]:g} s" if isinstance(wait, tuple) else f"{wait:g} s"
        told.append(f"{many} x {shown}" if many > 1 else shown)
    return ", then ".join(told)


def matrix(cases: Sequence[Case]) -> str:
    """Scenarios down, what each client makes of them across."""
    parts = []
    kinds = list(dict.fromkeys((case.scenario, streamed(case)) for case in cases))
    for scenario, stream in sorted(kinds, key=lambda pair: pair[1]):
        told = [case for case in cases if (case.scenario, streamed(case)) == (scenario, stream)]
        title = f"`{scenario}`" + (", a stream" if stream else "")
        same: dict[tuple[str, ...], list[str]] = {}
        for case in told:
            same.setdefault((outcome(case), waits(case.waits), case.note), []).append(client(case))
        lines = [("<br>".join(names), *rest) for rest, names in same.items()]
        parts.append(f"### {title}\n\n" + table(("Client", "Outcome", "Waits", "Note"), lines))
    return "".join(parts)


def streamed(case: Case) -> bool:
    """Whether a case is about a stream."""
    return case.client.endswith(", streamed")


def client(case: Case) -> str:
    """The client of a case, whatever it reads."""
    return case.client.removesuffix(", streamed")


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    shown = [heads, ["---"] * len(heads), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in shown) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
