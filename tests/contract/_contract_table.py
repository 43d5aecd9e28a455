"""
What no door can remove between itself and a real socket, each with its reason: the one table of it.

The contracts assert that each line is a difference still; `_contract_page.py` makes docs/contract.md of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a client behind a door meets something else than on a real socket; names may hold `*`."""

    door: str
    case: str
    client: str
    reason: str
    scheme: str = "*"


ACCEPTED = "Who listens has accepted the connection already: it is reset at once, or stays silent."
IN_HANDSHAKE = "The silence begins with the TLS handshake, and a blocking client has other words for that."
BLOCKING = ("httpx", "httpx2", "requests", "urllib3", "urllib_request", "botocore")

DIFFERENCES = (
    Difference("server", "refused", "*", ACCEPTED),
    Difference("server", "unresolved", "*", ACCEPTED),
    Difference("server", "connect_timeout", "*", ACCEPTED, "http"),
    *(Difference("server", "connect_timeout", client, IN_HANDSHAKE, "https") for client in BLOCKING),
)

# Clients that a door does not reach at all.
UNREACHED = {
    "transport": {
        "httpx_aiohttp": "Its transport goes to a socket of aiohttp's: it is the doors beneath that reach it.",
        **dict.fromkeys(
            ("requests", "urllib3", "aiohttp", "urllib_request", "botocore"),
            "It has no transport of httpx's kind, which could be without a socket.",
        ),
    }
}


def explained(door: str, scheme: str) -> dict[tuple[str, str], str]:
    """The lines for one door over one scheme, as a contract wants them."""
    return {(d.case, d.client): d.reason for d in DIFFERENCES if d.door == door and fnmatchcase(scheme, d.scheme)}
