"""
What faults remember in one test: a budget that runs down, the tokens that were given out.

Rule 1: a fault is a frozen value that serves many tests, so what it remembers
stands here; the plan hands one to every fault with a field `memory`, as it does
with `random`, and forgets it with the test.
Rule 2: credentials are kept as digests only (`_credentials.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """What the faults of one rule remember in one test.

    Args:
        now: the clock, in seconds.
        epoch: the time as the code under test reads it, in seconds since 1970.
        test: what all faults of the test remember together; None: this is it.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        epoch: Callable[[], float] = time.time,
        test: Memory | None = None,
    ) -> None:
        self.now = now
        self.epoch = epoch
        self.lock = RLock()
        self.test: Memory = test or self
        self._kept: dict[Hashable, Any] = {}

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under this key; made when it is first asked for."""
        with self.lock:
            if key not in self._kept:
                self._kept[key] = make()
            found: T = self._kept[key]
            return found
