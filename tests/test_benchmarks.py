"""Every benchmark runs and yields rows; how fast it is, is for `make bench` to say, never for a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = sorted(p.stem for p in (ROOT / "benchmarks").glob("[!_]*.py") if p.stem != "run")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m benchmarks` in a process of its own: it patches, and its clients outlive nothing."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_yields_rows(name: str) -> None:
    """In quick mode each one prints a heading, the command, and at least one row with a verdict."""
    done = bench("--quick", name)
    assert done.returncode == 0, done.stderr
    assert f"`python -m benchmarks {name}`" in done.stdout
    verdicts = [line.split("|")[-2].strip() for line in done.stdout.splitlines() if line.startswith("|")]
    assert {"met", "**not met**", "reported"} & set(verdicts)


def test_an_unknown_benchmark_is_named_with_those_there_are() -> None:
    """The error lists the benchmarks."""
    done = bench("--quick", "exchnage")
    assert done.returncode == 2
    assert f"no benchmark exchnage; there are {', '.join(NAMES)}" in done.stderr


def test_the_page_is_written_by_a_whole_run_only() -> None:
    """A quick run, or a part, never overwrites the figures in the docs."""
    done = bench("--quick", "--write")
    assert done.returncode == 2
    assert "--write is for a whole run" in done.stderr
