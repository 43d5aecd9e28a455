"""What a test without a fault pays in a suite where the plugin is on."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from unittest import mock

import pytest

from pytest_agentfault._seams import Patches

from ._timing import Round, Row, Table, difference, in_turns

LIMIT_US = 20.0


def tables(quick: bool) -> Sequence[Table]:
    """Many trivial tests run in this process, with the plugin and without."""
    tests, pairs = (50, 2) if quick else (1000, 21)
    with TemporaryDirectory() as folder, _alone(), _counted() as patched:
        Path(folder, "test_trivial.py").write_text("".join(f"def test_{n}():\n    pass\n\n" for n in range(tests)))
        on, off = _suite(folder, tests, "-p", "pytest_agentfault.plugin"), _suite(folder, tests)
        found = in_turns({"on": on, "off": off}, pairs)
    count = patched.call_count
    return [
        Table(
            "A test without a fault",
            f"{tests} tests whose body is `pass`, run by `pytest.main` in this process, {pairs} pairs, collection "
            "included, no other plugin loaded; processor time, as the difference is small.",
            "on",
            "off",
            [
                difference("per test", found["on"], found["off"], "us", LIMIT_US),
                Row("names patched, in all of them", count, 0, "names", count, count, count, 0, "+"),
            ],
        )
    ]


@contextmanager
def _counted() -> Iterator[mock.Mock]:
    """Every patch of the plugin, put on as ever and counted."""
    with mock.patch.object(Patches, "set", autospec=True, side_effect=Patches.set) as patched:
        yield patched


@contextmanager
def _alone() -> Iterator[None]:
    """No plugin but those that are named."""
    with mock.patch.dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"):
        yield


def _suite(folder: str, tests: int, *options: str) -> Round:
    arguments = [folder, "-q", "-p", "no:cacheprovider", f"--rootdir={folder}", *options]

    def once() -> float:
        told = io.StringIO()
        began = process_time()
        with redirect_stdout(told):
            code = pytest.main(arguments)
        seconds = process_time() - began
        sys.modules.pop("test_trivial", None)
        assert code == 0, told.getvalue()
        return seconds / tests

    return once
