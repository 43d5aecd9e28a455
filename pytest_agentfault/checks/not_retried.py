"""A refusal that no retry can cure must not be retried: it only burns time and quota."""

from __future__ import annotations

from collections.abc import Sequence

from .._exchange import Exchange
from . import Finding
from ._attempts import place_of


def not_retried(log: Sequence[Exchange]) -> list[Finding]:
    """The same request is not sent again after it was struck."""
    found = []
    for place, exchange in enumerate(log):
        asked = exchange.request
        if not exchange.struck:
            continue
        again = [
            later.number
            for later in log[place + 1 :]
            if (later.request.method, later.request.url, later.request.body) == (asked.method, asked.url, asked.body)
        ]
        if again:
            found.append(
                Finding(
                    f"{exchange.struck[0].name} was retried, and no retry can cure it",
                    f"{place_of(asked)} was call {exchange.number} and again call "
                    f"{', '.join(map(str, again))}; the reply was {exchange.reply.status}",
                    "give this error up at once and surface it; or waive the check: waive='not_retried'",
                )
            )
            break  # the later ones are the same retry loop
    return found
