"""A client that keeps on asking while nobody can answer must ask less and less often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .._exchange import Exchange
from .._reply import Refused, Why
from .._waits import asked
from . import Finding
from ._attempts import asked_of, attempts, failed, number, place_of, waits

AT_ONCE_SECONDS: Final = 0.05  # what a client without a wait takes by itself
SAME_SECONDS, SAME_SHARE = 0.05, 0.02  # two waits that differ by less than the longer of these are one setting


def backs_off(log: Sequence[Exchange]) -> list[Finding]:
    """Between attempts at a call that keeps failing there are waits, and they do not stay the same.

    One retry at once is let pass, as many clients begin so; two are not, and neither are three waits of one length.
    A wait that the reply asked for is another check's business. A connection that is refused is an attempt like any
    other, as far as the door knows which call it was for; how long one was waited for in vain is no wait.
    """
    found = []
    for tries in attempts(log):
        own = [
            (after, waited)
            for before, after, waited in waits(tries)
            if failed(before) and not _was_told(before, waited) and not _took_its_time(before)
        ]
        at_once = [after for after, waited in own if waited < AT_ONCE_SECONDS]
        lengths = [waited for _, waited in own]
        numbers = ", ".join(str(x.number) for x in tries)
        if len(at_once) >= 2:
            found.append(
                Finding(
                    f"{len(at_once)} retries came at once",
                    f"{place_of(asked_of(tries[0]))}, calls {numbers}: {_shown(lengths)} s between them",
                    "wait between attempts, longer each time and not the same for all clients (jitter); "
                    "or waive='backs_off'",
                )
            )
        elif len(lengths) >= 3 and _is_one_setting(lengths):
            found.append(
                Finding(
                    f"the waits do not grow: {number(round(min(lengths), 1))} s each time",
                    f"{place_of(asked_of(tries[0]))}, calls {numbers}: {_shown(lengths)} s between them",
                    "wait longer each time (1, 2, 4 ... s, with jitter); or waive='backs_off'",
                )
            )
    return found


def _is_one_setting(lengths: Sequence[float]) -> bool:
    shortest, longest = min(lengths), max(lengths)
    return shortest > 2 * SAME_SECONDS and longest - shortest <= max(SAME_SECONDS, SAME_SHARE * longest)


def _took_its_time(exchange: Exchange) -> bool:
    """Whether nobody knows when the client was told: it gave up waiting for the connection by its own timeout."""
    return isinstance(exchange.reply.last, Refused) and exchange.reply.last.why is Why.TIMEOUT


def _was_told(exchange: Exchange, waited: float) -> bool:
    """Whether the wait is the one that the reply asked for."""
    wait = asked(exchange.reply, exchange.epoch)
    return wait is not None and 0 < wait.seconds <= waited + wait.grain


def _shown(lengths: Sequence[float]) -> str:
    return ", ".join(f"{length:.2f}" for length in lengths[:8]) + (" ..." if len(lengths) > 8 else "")
