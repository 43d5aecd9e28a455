"""
The main job, shown: every test of the examples under every fault, and what became of it.

Runs the suites of the example projects as a user would, and prints one line per
test and fault. Exit code 1 when a suite fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
PROJECTS = ("triage_agent", "hand_rolled_sse", "custom_scenario", "page_reader")
COLOURS = {"recovered": 32, "held": 32, "surfaced": 36, "missed": 33, "unnoticed": 33, "crashed": 31, "hung": 31}
PROPERTY = "pytest_agentfault"


def main() -> int:
    """Run all projects; the exit code for the shell."""
    counts: Counter[str] = Counter()
    failed = []
    for project in PROJECTS:
        print(f"\n{project}: running ...", flush=True)
        code, cases = run(HERE / project)
        for case in cases:
            show(case, counts)
        if code:
            failed.append(project)
    said = ", ".join(f"{counts[word]} {word}" for word in (*COLOURS, "passed") if counts[word])
    print(f"\nunder faults and without: {said}")
    if failed:
        print(f"FAILED: {', '.join(failed)} (run `pytest -c examples/{failed[0]}/pytest.ini` to see why)")
    return 1 if failed else 0


def run(project: Path) -> tuple[int, list[ElementTree.Element]]:
    """Run one project's suite; its exit code and its test cases."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:randomly",
                f"--junitxml={report}",
                "-o",
                "junit_logging=no",
            ],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            print(done.stdout, done.stderr)
            return done.returncode or 1, []
        if done.returncode:
            print(done.stdout)
        return done.returncode, list(ElementTree.parse(report).iter("testcase"))


def show(case: ElementTree.Element, counts: Counter[str]) -> None:
    """Print what became of one test."""
    told = [p.get("value", "") for p in case.iter("property") if p.get("name") == PROPERTY]
    name = case.get("name", "")
    result = next((kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None), "passed")
    skipped = case.find("skipped")
    why = "" if skipped is None else f" ({(skipped.get('message') or '').partition(';')[0]})"
    outcome, _, rest = told[-1].partition(": ") if told else (result, "", "")
    counts[outcome] += 1
    colour = COLOURS.get(outcome)
    word = f"{outcome:<10}"
    if colour and sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        word = f"\033[{colour}m{word}\033[0m"
    print(f"  {word} {name:<68.68} {rest}{why if result == 'skipped' and not rest else ''}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
