"""
A connection that never comes to be.

The only fault with the verb `connect`: it is asked before there is a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .._reply import Refused, Request, Why
from ._settings import check_choice

WHYS: Final = tuple(why.value for why in Why)


@dataclass(frozen=True, slots=True)
class Refuse:
    """The client cannot connect, and its request was never seen.

    Args:
        why: `"refused"` (nothing listens), `"unresolved"` (no such name), `"untrusted"` (the
            certificate does not verify) or `"timeout"` (the attempt is never answered).

    Raises:
        FaultError: `why` is none of these.
    """

    why: str = "refused"

    def __post_init__(self) -> None:
        check_choice("refuse", "why", self.why, WHYS)

    def connect(self, request: Request) -> Refused:
        """How the attempt fails."""
        return Refused(Why(self.why))
