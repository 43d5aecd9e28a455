"""
What a request proves itself with, as a digest.

Rule: a credential is compared, never kept, shown or logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ._reply import Request

HEADERS: Final = (
    *("authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token", "private-token"),
    *("x-shopify-access-token", "mcp-session-id"),
)
FIELDS: Final = ("access_token", "api_key", "apikey", "key", "token")  # of a query, or of a form
SECRET: Final = re.compile(
    rf"([?&](?:{'|'.join((*FIELDS, 'refresh_token', 'client_secret', 'sig'))})=)[^&#]+", re.IGNORECASE
)
FORM: Final = "application/x-www-form-urlencoded"


def digest(secret: str) -> str:
    """What stands for a credential: it cannot be read back."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def credential_digest(request: Request) -> str:
    """A digest of all that a request proves itself with; the credential itself is never kept."""
    return digest("\n".join(_proofs(request)))


def shown(url: str) -> str:
    """A URL for a message: what proves something in its query is left out."""
    return SECRET.sub(r"\1...", url)


def bearer_of(request: Request) -> str:
    """The token behind `Bearer`, or whatever the Authorization header holds; empty: none."""
    scheme, _, token = request.header("authorization").partition(" ")
    return (token or scheme).strip()


def _proofs(request: Request) -> Iterator[str]:
    for name in HEADERS:
        yield f"{name}:{request.header(name)}"
    given = parse_qsl(urlsplit(request.url).query)
    if request.header("content-type").lower().startswith(FORM):
        given += parse_qsl(request.body.decode("utf-8", "replace"))
    for name, value in given:
        if name.lower() in FIELDS:
            yield f"{name}:{value}"
