"""A client that is never answered must give up one day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .._exchange import Exchange
from . import Finding
from ._attempts import asked_of, attempts, failed, place_of

MOST: Final = 20  # PyGithub's ten retries are the most that a well-known client makes by itself


def bounded(log: Sequence[Exchange]) -> list[Finding]:
    """No call is tried more than 20 times in a row without success; a connection that is refused is an attempt, too."""
    found = []
    for tries in attempts(log):
        failures = [x for x in tries if failed(x)]
        if len(failures) > MOST:
            seconds = failures[-1].ended - failures[0].began
            found.append(
                Finding(
                    f"a call was tried {len(tries)} times",
                    f"{place_of(asked_of(tries[0]))}, calls {tries[0].number} to {tries[-1].number}, within "
                    f"{seconds:.0f} s: {failures[0].struck[0].name} struck {len(failures)} of them",
                    f"give up after a few attempts (this check allows {MOST}) and surface the error; "
                    "or waive='bounded'",
                )
            )
    return found
