"""
The smallest part of a fault that still makes a test fail: delta debugging over reruns.

Pure: it is handed a way to try, and tries a bounded number of times. The
algorithm is ddmin (Zeller and Hildebrandt, "Simplifying and Isolating
Failure-Inducing Input", 2002).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Parts: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Smallest:
    """What was found.

    Args:
        parts: the fewest parts that were seen to fail.
        runs: how many reruns it took.
        is_sure: whether no single one of them can be left out; False: the reruns were spent before that was known.
    """

    parts: Parts
    runs: int
    is_sure: bool


def smallest(parts: Parts, fails: Callable[[Parts], bool], most: int) -> Smallest:
    """Fewer and fewer parts, as long as they still fail.

    Args:
        parts: what failed as a whole.
        fails: whether these parts alone fail too.
        most: how many times that may be asked.
    """
    runs, pieces = 0, 2
    while len(parts) > 1:
        found = None
        for candidate in _candidates(parts, pieces):
            if runs >= most:
                return Smallest(parts, runs, is_sure=False)
            runs += 1
            if fails(candidate):
                found = candidate
                break
        if found is not None:
            # What is left of a complement is looked at as finely as before; a part is begun with anew.
            pieces = max(pieces - 1, 2) if len(found) > len(parts) // 2 else 2
            parts = found
        elif pieces >= len(parts):
            break
        else:
            pieces = min(2 * pieces, len(parts))
    return Smallest(parts, runs, is_sure=True)


def _candidates(parts: Parts, pieces: int) -> Sequence[Parts]:
    """Each piece alone, then all but each piece."""
    edges = [round(n * len(parts) / pieces) for n in range(pieces + 1)]
    cut = list(itertools.pairwise(edges))
    alone = [parts[a:b] for a, b in cut]
    without = [parts[:a] + parts[b:] for a, b in cut] if pieces > 2 else []
    return [candidate for candidate in (*alone, *without) if candidate]
