"""What a test is given of the clock it is on: `faults.clock`."""

from __future__ import annotations

from math import isfinite

from ._errors import FaultError
from .clock import Clock, Slept


class TestClock:
    """The clock that faults and the code under test share, as a test sees it.

    Args:
        clock: the clock itself.
    """

    __test__ = False  # its name begins as pytest's classes of tests do

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.now()

    @property
    def now(self) -> float:
        """Seconds on the clock since the test began, its setup included."""
        return self._clock.now() - self._began

    @property
    def slept(self) -> list[Slept]:
        """The waits that cost nothing, oldest first: by what (`who`), how long (`seconds`), and `where` in the code."""
        return self._clock.slept

    def advance(self, seconds: float) -> None:
        """Move the clock on: what is due then comes as after a wait, and what waits for it wakes.

        Args:
            seconds: by how much, 0 or more.

        Raises:
            FaultError: that is no number of seconds.
        """
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not is_number or not isfinite(seconds) or seconds < 0:
            raise FaultError(
                "the clock cannot be moved by that", f"advance({seconds!r})", "give a number of seconds, 0 or more"
            )
        self._clock.advance(seconds)
