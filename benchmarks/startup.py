"""What the plugin adds to the start of pytest, where no test uses it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

from ._timing import Round, Table, difference, in_turns

LIMIT_MS = 5.0


def tables(quick: bool) -> Sequence[Table]:
    """Whole processes of pytest on an empty file, with the plugin and without."""
    pairs = 2 if quick else 41
    with TemporaryDirectory() as folder:
        Path(folder, "test_empty.py").touch()
        found = in_turns({"on": _pytest(folder), "off": _pytest(folder, "-p", "no:agentfault")}, pairs)
    return [
        Table(
            "pytest on an empty file",
            f"{pairs} pairs of whole processes `python -m pytest test_empty.py`, the plugin installed, without and "
            "with `-p no:agentfault`; other installed plugins are off in both. Processor time of the process, "
            "as the difference is small: other load on the machine is not in it.",
            "on",
            "off",
            [difference("start to end", found["on"], found["off"], "ms", LIMIT_MS)],
        )
    ]


def _pytest(folder: str, *options: str) -> Round:
    others = {found.name for found in entry_points(group="pytest11")} - {"pytest_agentfault"}
    without = [f"-pno:{name}" for name in sorted(others)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *without, *options, "test_empty.py"]
    # An installed plugin is compiled; one in a checkout is so only where Python may write that down.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once() -> float:
        began = _children_seconds()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        seconds = _children_seconds() - began
        assert done.returncode == 5, done.stdout + done.stderr  # 5: no tests collected
        return seconds

    return once


def _children_seconds() -> float:
    """The processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
