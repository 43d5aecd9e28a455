"""What the shared clock costs a test, with large SDKs loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import pytest

from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock

from ._session import run, seconds_of
from ._timing import Row, Table, difference, in_turns
from .no_fault import BLOCK

LIMIT_MS = 5.0
SDKS = ("openai", "langchain_openai", "langchain_anthropic", "cohere", "boto3", "botocore")
TESTS = """
import logging
from datetime import datetime, timedelta
import pytest

def work(seconds):
    began = datetime.now()
    logging.getLogger("benchmark").info("at %s", began)
    assert datetime.now() - began >= timedelta(seconds=seconds)

@pytest.mark.parametrize("n", range({tests}))
@pytest.mark.fault(clock=True)
def test_on(n, request):
    work(0)

@pytest.mark.parametrize("n", range({tests}))
def test_off(n, request):
    work(0)
"""


def tables(quick: bool) -> Sequence[Table]:
    """One session of tests, every other block of them under the clock."""
    tests = 2 * BLOCK if quick else 50 * BLOCK
    loaded = [name for name in SDKS if _is_loaded(name)]
    blocks = _Blocks()
    with TemporaryDirectory() as folder:
        Path(folder, "test_clocked.py").write_text(TESTS.format(tests=tests))
        run(folder, "test_clocked", blocks)
    on, off = ([seconds / BLOCK for seconds in times[1:]] for times in (blocks.on, blocks.off))
    alone = in_turns({"on": _alone, "off": lambda: 0.0}, 2 if quick else 15)
    first = blocks.on[0] * 1e3
    return [
        Table(
            "The clock",
            f"{tests:,} tests that log and read `datetime.now()`, under `@pytest.mark.fault(clock=True)` and without, "
            f"in blocks of {BLOCK} in one session; {len(sys.modules):,} modules are loaded, among them "
            f"{', '.join(loaded)}. "
            "The first block, in which every module is looked through once, is not in the figures. Processor time: "
            "other load on the machine is not in it.",
            "on",
            "off",
            [
                difference("per test", on, off, "ms", LIMIT_MS),
                difference("of it, all names of time put over and back", alone["on"], alone["off"], "ms"),
                Row(
                    f"the first {BLOCK} tests together",
                    first,
                    blocks.off[0] * 1e3,
                    "ms",
                    first,
                    first,
                    first,
                    None,
                    "+",
                ),
            ],
        )
    ]


def _is_loaded(name: str) -> bool:
    with suppress(ImportError):
        import_module(name)
        return True
    return False


def _alone() -> float:
    clock, patches = Clock(), Patches()
    began = process_time()
    clock.install(patches)
    clock.calendar.want_dates()
    patches.undo()
    return process_time() - began


class _Blocks:
    """The plugin of pytest that runs the tests in blocks and times them."""

    def __init__(self) -> None:
        self.on: list[float] = []
        self.off: list[float] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        half = len(session.items) // 2
        kinds = {"on": iter(session.items[:half]), "off": iter(session.items[half:])}
        for number in range(2 * half // BLOCK):
            with_it = number % 4 in (0, 3)  # on, off, off, on
            items = list(islice(kinds["on" if with_it else "off"], BLOCK))
            (self.on if with_it else self.off).append(
                seconds_of(list(zip(items, [*items[1:], None], strict=True)), process_time)
            )
        return True
