"""
Where a request that reached the server was meant to go.

Three ways lead through one port: as to a proxy (the request names its URL, or
CONNECT its host), below a path that begins with the vendor's base
(`http://127.0.0.1:PORT/https://api.example.com/v1`), or straight, which means the
base that the server stands for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from .._errors import UnreachableError
from .._reply import Request
from .._rule import DEFAULT_PORTS

BELOW: Final = re.compile(r"/(https?):/{1,2}(?=[^/?#])")  # some clients make one slash of two
BASE: Final = re.compile(r"https?://[^/?#\s]+(?:/[^?#\s]*)?")
CONNECTED: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s:/?#\[\]@]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """A host that was asked for by CONNECT."""

    host: str
    port: int


def check_base(base: str) -> str:
    """The base of a vendor, without a slash at its end.

    Raises:
        UnreachableError: it is none.
    """
    if not isinstance(base, str) or not BASE.fullmatch(base):
        raise UnreachableError(
            "this is no base URL of a server", repr(base), "give scheme and host, as in https://api.openai.com/v1"
        )
    return base.rstrip("/")


def aimed(request: Request, own: str, base: str | None) -> Request:
    """The request as the vendor would get it.

    Args:
        request: as it was read from the connection.
        own: what its URL begins with when it came straight.
        base: what the server stands for then; None: itself.
    """
    path = request.url.removeprefix(own) if request.url.startswith(f"{own}/") else ""
    below = BELOW.match(path)
    if below is not None:
        return _to(request, f"{below[1]}://{path[below.end() :]}")
    return _to(request, base + path) if path and base is not None else request


def _to(request: Request, url: str) -> Request:
    parts = urlsplit(url)
    if not parts.path:
        url = parts._replace(path="/").geturl()
    headers = tuple((k, parts.netloc if k.lower() == "host" else v) for k, v in request.headers)
    return replace(request, url=url, headers=headers)


def origin(url: str) -> str:
    """`scheme://host[:port]` of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def place_of(target: str) -> Place:
    """The host that CONNECT asks for.

    Raises:
        UnreachableError: it names none.
    """
    found = CONNECTED.fullmatch(target)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise UnreachableError(
            "a client asks the proxy for something that is no host", f"CONNECT {target[:80]}", "let it name host:port"
        )
    return Place(found["six"] or found["name"], int(found["port"]))


def scheme_of(place: Place) -> str:
    """What is spoken there, as far as a port tells."""
    return "http" if place.port == DEFAULT_PORTS["http"] else "https"
