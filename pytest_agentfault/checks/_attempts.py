"""
Which requests of a log are attempts at the same thing.

Rule: two requests are the same when they differ in nothing but what a client makes
anew for each attempt: a nonce, a time, an id of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from .._exchange import Exchange
from .._plan import CONNECT
from .._reply import Request

Call = tuple[str, str, bytes]

# A UUID, 16 or more letters of hex, a time in seconds or milliseconds or as RFC 3339 writes it.
MADE_ANEW: Final = re.compile(
    rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{16,}\b"
    rb"|\b1[0-9]{9}(?:[0-9]{3})?(?:\.[0-9]+)?\b|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
)
NONCES: Final = frozenset({"_", "nonce", "ts", "timestamp", "cachebust", "request_id", "requestid", "oauth_nonce"})
FIRST: Final = {"x-stainless-retry-count": "0"}  # SDKs of OpenAI's family say which attempt it is
REFUSALS: Final = frozenset({408, 425, 429})
TOLERANCE_SECONDS: Final = 0.01  # clocks are read before and after the wait


def call_of(request: Request) -> Call:
    """What is asked, without what is made anew for each attempt."""
    parts = urlsplit(request.url)
    pairs = sorted(pair for pair in parse_qsl(parts.query, True) if pair[0].lower() not in NONCES)
    query = MADE_ANEW.sub(b"*", repr(pairs).encode()).decode()
    place = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return request.method, f"{place}?{query}" if pairs else place, MADE_ANEW.sub(b"*", request.body)


def attempts(log: Sequence[Exchange]) -> list[list[Exchange]]:
    """The exchanges of each call, in the order in which they began; a good reply closes it.

    Connections that failed are attempts, too, where it is known which call they were for: a row of them ends with the
    first request that gets through to the host. Who else dials meanwhile, for the same call, is in a row of its own.
    """
    open_calls: dict[Call | tuple[Call, int], list[Exchange]] = {}
    found: list[list[Exchange]] = []
    for exchange in sorted(log, key=lambda x: (x.began, x.number)):
        dialling = exchange.dialling
        if exchange.request.method == CONNECT and dialling is None:
            continue
        key: Call | tuple[Call, int]
        if dialling is not None:
            key = call_of(dialling.request), dialling.caller
        else:
            key = call_of(exchange.request)
            for dialled in [k for k, tries in open_calls.items() if _failed_to_reach(tries, exchange.request)]:
                del open_calls[dialled]
        last = open_calls.get(key, [])
        begins = not last or not failed(last[-1]) or exchange.began < last[-1].ended or is_first(asked_of(exchange))
        if begins:
            open_calls[key] = []
            found.append(open_calls[key])
        open_calls[key].append(exchange)
    return found


def asked_of(exchange: Exchange) -> Request:
    """The request, or the one that a failed connection was for."""
    return exchange.request if exchange.dialling is None else exchange.dialling.request


def _failed_to_reach(tries: Sequence[Exchange], request: Request) -> bool:
    """Whether these are connections that failed, to where a request has come now."""
    return bool(tries) and tries[-1].dialling is not None and _host(tries[-1].request) == _host(request)


def _host(request: Request) -> tuple[str | None, int]:
    parts = urlsplit(request.url)
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def waits(tries: Sequence[Exchange]) -> Iterator[tuple[Exchange, Exchange, float]]:
    """Each attempt with the next one, and the seconds between them."""
    for before, after in pairwise(tries):
        yield before, after, after.began - before.ended


def failed(exchange: Exchange) -> bool:
    """Whether a struck exchange came to nothing that a retry might cure: lost, refused for now, or broken."""
    status = exchange.reply.status
    if not exchange.struck:
        return False
    return status is None or status >= 500 or status in REFUSALS or not exchange.reply.whole


def is_first(request: Request) -> bool:
    """Whether a client says itself that this is no retry."""
    return any(request.header(name) == value for name, value in FIRST.items())


def place_of(request: Request) -> str:
    """Method and URL for a message: a query may hold credentials, and is left out."""
    return f"{request.method} {request.url.partition('?')[0]}"


def number(seconds: float) -> str:
    """Seconds as people write them."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
