"""
Asking one upstream for the healthy reply, as every door does it.

A recording and a mock say each thing as often as they may. Who is owed a reply
once more, because a fault struck it on its way, is decided here.
"""

from __future__ import annotations

from .._baseline import Coming, Upstream
from .._errors import PlayedError
from .._exchange import Claim, Exchange
from .._plan import Plan
from .._reply import How, Lost, Reply, Request
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


class Following:
    """Keeps in the log what comes of a reply that is passed on: once its head is there, and once it is over.

    Args:
        plan: whose log it is.
        claim: what was asked.
    """

    def __init__(self, plan: Plan, claim: Claim) -> None:
        self._plan, self._claim = plan, claim
        self._kept: Exchange | None = None

    def heard(self, relay: Coming) -> Exchange | None:
        """One more piece has come; what is kept of it now, if it was the first."""
        if self._kept is not None or (reply := relay.so_far) is None:
            return None
        self._kept = self._plan.passed_on(self._claim, reply)
        return self._kept

    def ended(self, relay: Coming) -> None:
        """No more comes."""
        reply = relay.so_far or Reply((Lost(How.CUT),))  # nobody has read even its head
        self._kept = self._plan.passed_on(self._claim, reply, self._kept)
