"""
Tokens that a test was given: which there are, what they may do, and how a JWT says when it ends.

Rule: only digests are kept. A JWT is read, never verified: whoever made it is in the same test.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .._credentials import FORM, digest
from .._memory import Memory
from .._payload import written
from .._reply import Request


@dataclass(slots=True)
class Issued:
    """What was given out in one test.

    Args:
        scopes: of each access token, by its digest.
        spent: the digests of refresh tokens that were used.
        count: how many pairs there were.
        revoked: whether the whole family is dead.
    """

    scopes: dict[str, frozenset[str] | None] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    count: int = 0
    revoked: bool = False


def issued_in(memory: Memory) -> Issued:
    """What was given out in the test that this memory belongs to."""
    return memory.test.kept("tokens", Issued)


def opaque(kind: str, count: int) -> str:
    """A token that says nothing, and the same again in the same place of a test."""
    return digest(f"{kind} {count}")[:43]


def jwt(claims: dict[str, Any]) -> str:
    """A token in three parts; the last one signs nothing."""
    parts = ({"alg": "RS256", "typ": "JWT", "kid": "test"}, claims)
    head, body = (_url64(written(part).encode()) for part in parts)
    return f"{head}.{body}.{_url64(digest(body).encode())}"


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT; empty: it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def grant_of(request: Request) -> dict[str, str]:
    """What a token request says, as a form or as JSON."""
    text = request.body.decode("utf-8", "replace")
    if request.header("content-type").lower().startswith(FORM) or not text.lstrip().startswith("{"):
        return dict(parse_qsl(text))
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return {key: value for key, value in told.items() if isinstance(value, str)}


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
