"""A write that the vendor has carried out must not be sent again blindly: it would happen twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .._exchange import Exchange
from .._reply import Reply
from . import Finding
from ._attempts import place_of

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEYS: Final = ("idempotency-key", "x-idempotency-key", "x-request-id")


def no_repeated_write(log: Sequence[Exchange]) -> list[Finding]:
    """No write whose reply was lost or altered after the vendor acted is sent again without an idempotency key."""
    found = []
    for place, exchange in enumerate(log):
        asked = exchange.request
        if asked.method not in WRITES or not exchange.struck or exchange.baseline is None:
            continue
        if any(asked.header(key) for key in KEYS) or _in_headers_only(exchange.baseline, exchange.reply):
            continue
        again = [
            later.number
            for later in log[place + 1 :]
            if later.baseline is not None
            and (later.request.method, later.request.url, later.request.body) == (asked.method, asked.url, asked.body)
        ]
        if again:
            found.append(
                Finding(
                    f"a write was sent {len(again) + 1} times",
                    f"{place_of(asked)}, calls {exchange.number}, {', '.join(map(str, again))}: "
                    f"the vendor carried out the first one, its reply met {exchange.struck[0].name}",
                    "send an Idempotency-Key, or look whether the write happened before repeating it",
                )
            )
    return found


def _in_headers_only(before: Reply, after: Reply) -> bool:
    """Whether nothing was changed but what the headers say: the client was told how its write went."""
    return before != after and before.with_headers(()) == after.with_headers(())
