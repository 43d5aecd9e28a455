"""One session of pytest, whose tests a benchmark runs in blocks and times."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from unittest import mock

import pytest

from pytest_agentfault import plugin

Turn = tuple[pytest.Item, pytest.Item | None]


def seconds_of(turns: Sequence[Turn], now: Callable[[], float]) -> float:
    """How long these tests took, each with the one that follows it; nothing is collected meanwhile.

    Args:
        turns: the tests.
        now: the clock it is measured by.
    """
    gc.collect(1)
    gc.disable()
    began = now()
    for item, following in turns:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
    seconds = now() - began
    gc.enable()
    return seconds


def run(folder: str, module: str, blocks: object) -> None:
    """Run a folder's tests under this plugin and no other.

    Args:
        folder: where the tests are.
        module: their module, forgotten afterwards.
        blocks: a plugin that runs them.
    """
    arguments = [folder, "-q", "-p", "no:cacheprovider", f"--rootdir={folder}", "-p", plugin.__name__]
    told = io.StringIO()
    with redirect_stdout(told), mock.patch.dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"):
        code = pytest.main(arguments, [blocks])
    sys.modules.pop(module, None)
    assert code == 0, told.getvalue()
