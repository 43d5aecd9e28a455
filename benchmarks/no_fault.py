"""What a test without a fault pays in a suite where the plugin is on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from pytest_agentfault import plugin
from pytest_agentfault._seams import Patches

from ._session import run, seconds_of
from ._timing import Row, Table, difference

LIMIT_US = 20.0
BLOCK = 20
AT_START = ("pytest_addoption", "pytest_addhooks", "pytest_configure")
AT_COLLECTION = ("pytest_generate_tests", "pytest_collection_modifyitems")


def tables(quick: bool) -> Sequence[Table]:
    """One session of trivial tests; every other block of them runs with the plugin taken out."""
    tests = 4 * BLOCK if quick else 600 * BLOCK
    collecting: list[float] = []
    blocks = _Blocks()
    with TemporaryDirectory() as folder, _patches_counted() as patched, _timed_at_collection(collecting):
        Path(folder, "test_trivial.py").write_text("".join(f"def test_{n}():\n    pass\n\n" for n in range(tests)))
        run(folder, "test_trivial", blocks)
    per_test = sum(collecting) / tests
    on = [seconds / BLOCK + per_test for seconds in blocks.on]
    off = [seconds / BLOCK for seconds in blocks.off]
    none = patched.call_count
    return [
        Table(
            "A test without a fault",
            f"{tests:,} tests whose body is `pass` in one session of `pytest.main`, no other plugin loaded, run in "
            f"blocks of {BLOCK} with the plugin's hooks and without. Its hooks at collection, {per_test * 1e6:.1f} us "
            "a test, are in its time.",
            "on",
            "off",
            [
                difference("per test", on, off, "us", LIMIT_US),
                Row("names patched by all of them", none, 0, "names", none, none, none, 0, "+"),
            ],
        )
    ]


class _Blocks:
    """The plugin of pytest that runs the tests in blocks and times them."""

    def __init__(self) -> None:
        self.on: list[float] = []
        self.off: list[float] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        manager = session.config.pluginmanager
        summary = manager.get_plugin("pytest_agentfault_summary")
        # What pytest calls once and remembers must not be called anew when the plugin comes back.
        hooks = {n: getattr(plugin, n) for n in dir(plugin) if n.startswith("pytest_") and n not in AT_START}
        plugins = (SimpleNamespace(**hooks), summary)
        manager.unregister(plugin)
        manager.unregister(summary)
        following = iter(zip(session.items, [*session.items[1:], None], strict=True))
        for number in range(len(session.items) // BLOCK):
            with_it = number % 4 in (0, 3)  # on, off, off, on
            if with_it:
                for each in plugins:
                    manager.register(each)
            (self.on if with_it else self.off).append(seconds_of(list(islice(following, BLOCK)), perf_counter))
            if with_it:
                for each in plugins:
                    manager.unregister(each)
        return True


@contextmanager
def _patches_counted() -> Iterator[mock.Mock]:
    """Every patch of the plugin, put on as ever and counted."""
    with mock.patch.object(Patches, "set", autospec=True, side_effect=Patches.set) as patched:
        yield patched


@contextmanager
def _timed_at_collection(spent: list[float]) -> Iterator[None]:
    def timed(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def items(config: Any, items: Any) -> Any:
            began = perf_counter()
            real(config, items)
            spent.append(perf_counter() - began)

        def tests(metafunc: Any) -> Any:
            began = perf_counter()
            real(metafunc)
            spent.append(perf_counter() - began)

        return tests if name == "pytest_generate_tests" else items

    with ExitStack() as stack:
        for name in AT_COLLECTION:
            stack.enter_context(mock.patch.object(plugin, name, timed(getattr(plugin, name), name)))
        yield
