"""
A fault of the team's own: Parcel's mainframe sometimes drops the tail of long numbers.

Any object with one of the verbs is a fault; `alter` strikes on the way back, so
Parcel has acted. A frozen dataclass prints well in reports.
"""

import re
from dataclasses import dataclass

from pytest_agentfault import Reply, Request


@dataclass(frozen=True, slots=True)
class LostDigits:
    """Every run of digits in the reply is cut after `kept` digits."""

    kept: int = 2

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with short numbers; headers stay as they are."""
        short = re.sub(rb"(\d{%d})\d+" % self.kept, rb"\1", reply.body)
        return reply.with_header("content-length", str(len(short))).with_data([short])
