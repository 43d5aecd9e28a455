"""
A user's own test project, run inside a test of ours: what a user writes, and what a user sees of it.

Rule: the inner run loads this plugin and no other, knows no marker but the declared ones, and takes every warning
for an error; a test that needs another harness says which in `options` or `ini`.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Final

import pytest

INI: Final = """
[pytest]
addopts = --strict-markers -p pytest_agentfault.plugin -p no:cacheprovider
filterwarnings = error
"""

# The client of an agent that means well: it waits as long as it is told, and tries again.
RETRYING: Final = """
import os
import time

import httpx
import pytest

URL = os.environ.get("LOOPBACK", "http://no-server.example")

def fetch(attempts=5):
    for _ in range(attempts):
        reply = httpx.get(URL + "/items", timeout=60)
        if reply.status_code != 429:
            break
        time.sleep(float(reply.headers.get("retry-after", 1)))
    reply.raise_for_status()
    return reply.json()["items"]
"""


class Project:
    """A folder with an ini file, and pytest run in it; test files begin with `RETRYING` unless told otherwise."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path = pytester.path
        self.write("pytest.ini", INI)

    def ini(self, *lines: str) -> None:
        """Further lines of the ini file."""
        self.write("pytest.ini", "\n".join((INI.strip(), *lines)))

    def write(self, name: str, text: str) -> Path:
        """A file of the project; its folders are made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def run(self, test: str, *options: str, above: str = RETRYING, apart: bool = False) -> pytest.RunResult:
        """Run one test file, `test_agent.py`; `apart`: in a process of its own."""
        self.write("test_agent.py", (above + textwrap.dedent(test)).lstrip("\n"))
        return self.pytest("-v", *options, apart=apart)

    def pytest(self, *options: str, apart: bool = False) -> pytest.RunResult:
        """Run what is there."""
        how = self._pytester.runpytest_subprocess if apart else self._pytester.runpytest_inprocess
        return how(*options)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Project(pytester)
