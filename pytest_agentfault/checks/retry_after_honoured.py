"""A client that is told when to come back must not come back sooner."""

from __future__ import annotations

from collections.abc import Sequence

from .._exchange import Exchange
from .._waits import asked
from . import Finding
from ._attempts import TOLERANCE_SECONDS, call_of, is_first, number, place_of


def retry_after_honoured(log: Sequence[Exchange]) -> list[Finding]:
    """The same request is sent again no sooner than it was asked to be, on the clock (RFC 9110 section 10.2.3).

    Asked in Retry-After (seconds or a date), Retry-After-Ms, a field of the body (`retry_after`, `retryDelay`), or
    the reset of a budget with nothing remaining. A wait said in prose only is not held against anybody.
    """
    found = []
    for place, exchange in enumerate(log):
        wait = asked(exchange.reply, exchange.epoch) if exchange.struck else None
        if wait is None or wait.prose or _went_well(exchange):
            continue
        call = call_of(exchange.request)
        again = next(
            (
                later
                for later in log[place + 1 :]
                if later.began >= exchange.ended and call_of(later.request) == call and not is_first(later.request)
            ),
            None,
        )
        waited = again.began - exchange.ended if again else 0.0
        if again and waited + max(wait.grain, TOLERANCE_SECONDS) + 1e-9 < wait.seconds:
            found.append(
                Finding(
                    f"came back after {waited:.2f} s, asked to wait {number(wait.seconds)} s",
                    f"{place_of(exchange.request)}, calls {exchange.number} and {again.number}: "
                    f"{exchange.reply.status} with {wait.said}",
                    f"sleep for at least {_name(wait.said)} before the next attempt; or waive='retry_after_honoured'",
                )
            )
    return found


def _name(said: str) -> str:
    """Retry-After by its name; what has several names, as what it is."""
    return said.partition(":")[0] if said.lower().startswith("retry-after") else "that long"


def _went_well(exchange: Exchange) -> bool:
    """Whether the vendor did what it was asked: Jira Data Center sends Retry-After on such replies too."""
    status = exchange.reply.status
    return exchange.baseline is not None and status is not None and status < 300
