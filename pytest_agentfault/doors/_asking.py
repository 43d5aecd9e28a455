"""
Asking one upstream for the healthy reply, as every door does it.

A recording and a mock say each thing as often as they may. Who is owed a reply
once more, because a fault struck it on its way, is decided here.
"""

from __future__ import annotations

from .._errors import PlayedError
from .._plan import Plan, Upstream
from .._reply import Reply, Request
from .._seams import UsedUp


def ask(plan: Plan, upstream: Upstream, request: Request) -> Reply:
    """The healthy reply of one upstream.

    Raises:
        PassedOn: the upstream leaves the request to the next one.
        PlayedError: a recording has nothing left to say, and the client is owed nothing.
    """
    again = plan.lost_baseline(request) if getattr(upstream, "is_recorded", False) else None
    try:
        return again or upstream.send(request)
    except (PlayedError, UsedUp) as error:
        return owed(plan, request, error)


def owed(plan: Plan, request: Request, error: PlayedError | UsedUp) -> Reply:
    """The last healthy reply once more, where the client is owed it."""
    reply = plan.struck_baseline(request)
    if reply is not None:
        return reply
    if isinstance(error, UsedUp):
        otherwise: Reply = error.otherwise()
        return otherwise
    raise error
