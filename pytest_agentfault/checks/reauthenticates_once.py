"""When a token dies under several calls at once, one of them fetches a new one and the others use it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from .._credentials import credential_digest
from .._exchange import Exchange
from .._plan import CONNECT
from .._reply import Request
from . import Finding
from ._attempts import call_of, place_of

GRANT: Final = re.compile(rb"\bgrant_type\b")
ENDPOINT: Final = re.compile(
    r"/(?:token|access_tokens?|oauth\.v2\.access|auth/1/session|authenticate|login|signin)/?$", re.IGNORECASE
)


def reauthenticates_once(log: Sequence[Exchange]) -> list[Finding]:
    """For each credential that is refused, a new one is fetched once, however many calls were refused with it.

    Fetching: a POST with a `grant_type`, or to a path such as `/oauth/token`, `/access_tokens`, `/login`. A fetch
    that failed may be repeated.
    """
    found = []
    refused = _refused(log)
    for digest, calls in refused.items():
        since = min(x.ended for x in calls)
        until = _until(log, digest, calls)
        fetched = [x for x in log if _fetches(x.request) and _gave(x) and since <= x.began <= until]
        others = [at for other, each in refused.items() if other != digest for at in [min(x.ended for x in each)]]
        ours = [x for x in fetched if not any(since < at <= x.began for at in others)]
        if len(ours) > 1:
            numbers = ", ".join(str(x.number) for x in ours)
            found.append(
                Finding(
                    f"{len(ours)} new tokens were fetched for one that had died",
                    f"{place_of(ours[0].request)}, calls {numbers}; refused with the old one: calls "
                    f"{', '.join(str(x.number) for x in calls)}",
                    "let one caller refresh under a lock while the others wait for its token (where refresh tokens "
                    "rotate, the second refresh ends the session); or waive='reauthenticates_once'",
                )
            )
    return found


def _refused(log: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    """The calls that were told their credential is dead, by its digest."""
    found: dict[str, list[Exchange]] = {}
    for exchange in log:
        told = exchange.reply.status == 401 or any(s.rule.until == "credential_changes" for s in exchange.struck)
        if exchange.struck and told and exchange.request.method != CONNECT and not _fetches(exchange.request):
            found.setdefault(credential_digest(exchange.request), []).append(exchange)
    return found


def _until(log: Sequence[Exchange], digest: str, calls: Sequence[Exchange]) -> float:
    """When the last of the refused calls was sent again with another credential; what is fetched later is for later."""
    again = (_again(log, digest, call) for call in calls)
    return max((at for at in again if at is not None), default=max(x.ended for x in log))


def _again(log: Sequence[Exchange], digest: str, refused: Exchange) -> float | None:
    call = call_of(refused.request)
    return next(
        (
            x.began
            for x in log
            if x.began >= refused.ended and call_of(x.request) == call and credential_digest(x.request) != digest
        ),
        None,
    )


def _fetches(request: Request) -> bool:
    """Whether a request asks for a credential."""
    path = urlsplit(request.url).path
    return request.method == "POST" and bool(GRANT.search(request.body) or ENDPOINT.search(path[-40:]))


def _gave(exchange: Exchange) -> bool:
    status = exchange.reply.status
    return status is not None and status < 400 and exchange.reply.whole
