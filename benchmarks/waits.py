"""What a client's waits cost under the clock: a minute asked for three times, in real milliseconds."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from ._timing import Row, Table

LIMIT_MS = 50.0
SECONDS = 60
REFUSALS = 3
TESTS = Path(__file__).parents[1] / "tests"


def tables(quick: bool) -> Sequence[Table]:
    """The clients of tests/sdks/waits that are installed."""
    sys.path += [str(TESTS), str(TESTS / "sdks"), str(TESTS / "sdks" / "waits")]
    callers, on_the_clock = import_module("_callers").CALLERS, import_module("_runs").on_the_clock
    logging.disable()  # clients tell of each retry
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [row for caller in callers if caller.is_here for row in _rows(caller, on_the_clock, 1 if quick else 15)]
    logging.disable(logging.NOTSET)
    return [
        Table(
            "Waits",
            f"One call of a client that is refused {REFUSALS} times with `Retry-After: {SECONDS}`, waits and tries "
            "again, and is then answered; the client is made before, one call goes before those that count. Beside it "
            "the waits that it asked for, which the clock has moved by. slack_sdk over urllib loads the system's "
            "authorities for each of its four connections, which is most of its time.",
            "in real time",
            "on the clock",
            rows,
        )
    ]


def _rows(caller: Any, on_the_clock: Any, rounds: int) -> Iterator[Row]:
    for awaited, name in zip((False, True), caller.ways, strict=False):
        heard = [on_the_clock(caller, awaited, SECONDS, REFUSALS) for _ in range(rounds + 1)][1:]
        assert all(one.came == caller.result for one in heard), name
        took = [one.took * 1e3 for one in heard]
        asked = median(sum(one.gaps) for one in heard) * 1e3
        yield Row(name, median(took), asked, "ms", median(took), min(took), max(took), LIMIT_MS, "+")
