"""
When an idle event loop need not listen again before the clock jumps on.

Before each jump a loop listens for a moment, for a thread that hands it a result.
Some libraries set timers that wake nobody (aiohttp tidies up every two seconds), so
that a long wait is a hundred jumps, and the moments are all that it costs.

Rule: a moment is saved only where it could bring nothing. Since the last one, which
was in vain, the loop has run bare timers alone, no thread is at work, and all others
of the process, of Python or not, have computed nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

QUIET_NANOSECONDS: Final = 2_000  # of computing: less than a thread needs to wake and ask for the interpreter
MANY_TICKS: Final = 10_000  # some tenths of a second: timers that alone go on and on must not make a loop spin
CPU_IS_TOLD: Final = sys.platform != "win32" and hasattr(time, "thread_time_ns")  # there in steps of 16 ms

_PROCESS: Final = time.process_time_ns
_THREAD: Final = getattr(time, "thread_time_ns", _PROCESS)


def _others() -> int:
    """Nanoseconds that other threads of this process have computed.

    What we compute between two readings is missing, so the largest of some is nearest.
    """
    return max(_PROCESS() - _THREAD(), _PROCESS() - _THREAD(), _PROCESS() - _THREAD())


class Lull:
    """The time from a loop's listening in vain to whatever it does next that is more than a timer's callback.

    Args:
        selector: the loop's.
        before: the one that would have lasted until now.
    """

    __slots__ = ("_others", "_selector", "_ticks")

    def __init__(self, selector: Any, before: Lull | None = None) -> None:
        self._selector, self._others = selector, _others()
        self._ticks: int = before._ticks if before else 0

    def lasts(self, selector: Any, at_work: Callable[[], bool]) -> bool:
        """Whether this loop, idle again, may go on without listening.

        Args:
            selector: the loop's that asks.
            at_work: whether a thread may still bring something.
        """
        self._ticks += 1
        if not CPU_IS_TOLD or selector is not self._selector or self._ticks >= MANY_TICKS:
            return False
        return _others() - self._others < QUIET_NANOSECONDS and not at_work()
