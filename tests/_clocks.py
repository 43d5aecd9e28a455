"""The shared clock, put over this process for one test that must be over at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import REAL_MONOTONIC, Clock


@contextmanager
def clock_for(seconds: float) -> Iterator[Clock]:
    """A clock that is on; whatever waits within takes less than so many real seconds."""
    made, patches = Clock(), Patches()
    made.install(patches)
    began = REAL_MONOTONIC()
    try:
        yield made
    finally:
        patches.undo()
    assert REAL_MONOTONIC() - began < seconds
