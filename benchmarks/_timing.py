"""
How a figure is come by: two ways of doing the same, taken in turns in one process.

Rule 1: only ratios and differences of neighbouring rounds are judged, so that a
machine that gets slower or faster meanwhile cancels out.
Rule 2: the clock is the real one, bound before anything is patched.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal, TypeAlias

Round: TypeAlias = Callable[[], float]
"""Does its work once and returns the seconds that count."""

MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Args:
        what: what was measured.
        ours: its time, in `unit`.
        base: the time of what it is held against, in `unit`.
        unit: of the two times.
        value: what is judged: the ratio of the two, or their difference in `unit`.
        low: the smallest value of a round.
        high: the largest.
        limit: what `value` may be at most; None: reported only.
        judged: whether `value` is a ratio or a difference.
    """

    what: str
    ours: float
    base: float
    unit: str
    value: float
    low: float
    high: float
    limit: float | None = None
    judged: Literal["x", "+"] = "x"

    @property
    def met(self) -> bool | None:
        """Whether the limit holds; None: there is none."""
        return None if self.limit is None else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found.

    Args:
        title: its heading.
        how: one paragraph: what was done, and how.
        ours: what the first column of times holds.
        base: what the second one holds.
        rows: the lines.
    """

    title: str
    how: str
    ours: str
    base: str
    rows: Sequence[Row]


def in_turns(
    ways: Mapping[str, Round], rounds: int, *, warm: int = 1, collecting: bool = False
) -> dict[str, list[float]]:
    """The seconds of every round of every way, taken A B C, C B A, A B C ...

    Args:
        ways: what takes turns.
        rounds: how many count.
        warm: how many go before them.
        collecting: whether the garbage collector runs within a round; it always runs before one.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for number in range(-warm, rounds):
        for name in order:
            gc.collect()
            if not collecting:
                gc.disable()
            try:
                seconds = ways[name]()
            finally:
                gc.enable()
            if number >= 0:
                times[name].append(seconds)
        order.reverse()
    return times


def ratio(what: str, ours: Sequence[float], base: Sequence[float], limit: float | None = None) -> Row:
    """Ours against the base: the median of the ratios of neighbouring rounds."""
    pairs = [a / b for a, b in zip(ours, base, strict=True)]
    mine, other = median(ours), median(base)
    return Row(what, mine * MICRO, other * MICRO, "us", median(pairs), min(pairs), max(pairs), limit)


def difference(
    what: str, ours: Sequence[float], base: Sequence[float], unit: Literal["us", "ms"], limit: float | None = None
) -> Row:
    """Ours less the base: the median of the differences of neighbouring rounds."""
    scale = MICRO if unit == "us" else 1e3
    pairs = [(a - b) * scale for a, b in zip(ours, base, strict=True)]
    value = median(pairs)
    return Row(what, median(ours) * scale, median(base) * scale, unit, value, min(pairs), max(pairs), limit, "+")
