"""A client that is told when to come back must not come back sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .._plan import Exchange
from . import Finding

TOLERANCE_SECONDS: Final = 0.01  # clocks are read before and after the wait


def retry_after_honoured(log: Sequence[Exchange]) -> list[Finding]:
    """The same request is sent again no sooner than Retry-After said, on the clock (RFC 9110 section 10.2.3)."""
    found = []
    for place, exchange in enumerate(log):
        asked = exchange.request
        seconds = exchange.reply.header("retry-after")
        if not exchange.struck or not seconds.replace(".", "", 1).isdecimal():
            continue
        again = next(
            (
                later
                for later in log[place + 1 :]
                if (later.request.method, later.request.url, later.request.body)
                == (asked.method, asked.url, asked.body)
                and later.began >= exchange.ended
            ),
            None,
        )
        waited = again.began - exchange.ended if again else 0.0
        if again and waited + TOLERANCE_SECONDS < float(seconds):
            found.append(
                Finding(
                    f"came back after {waited:.2f} s, asked to wait {seconds} s",
                    f"{asked.method} {asked.url}, calls {exchange.number} and {again.number}: "
                    f"{exchange.reply.status} with Retry-After: {seconds}",
                    "sleep for at least Retry-After before the next attempt; or waive='retry_after_honoured'",
                )
            )
    return found
