"""
Which call a connection is for, and who makes it: for checks that count attempts which no request came of.

A connection that is refused has no request yet, but the client that dials holds
it: in the stack above, in a local variable. Rule 1: no client is named here; the
names are those that all of them use (`request` or `req` with a method and a URL,
or `method`, `url` and `body` by themselves). Rule 2: what is not certain is not
said: a call whose body cannot be read, or to another host, is no call.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from threading import get_ident
from types import FrameType
from typing import Any, Final
from urllib.parse import urlsplit

from .._exchange import Dialling
from .._reply import Headers, Request

HELD_AS: Final = ("request", "req")
BODIES: Final = ("content", "body", "data")  # httpx; requests, aiohttp and botocore; urllib
UNREADABLE: Final = object()
DEEPEST: Final = 60  # frames between a connection and the call it is for


def dialling(authority: str) -> Dialling | None:
    """The call that dials here and now; None: nobody can say.

    Args:
        authority: `scheme://host[:port]` as dialled.
    """
    request = next(_calls(authority), None)
    return None if request is None else Dialling(request, caller())


def caller() -> int:
    """Who runs here: a thread, or a task in it."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        task = None
    return hash((get_ident(), id(task)))


def _calls(authority: str) -> Iterator[Request]:
    """What is called from here, the nearest first."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(DEEPEST):
        if frame is None:
            return
        found = _held(frame.f_locals, authority)
        if found is not None:
            yield found
        frame = frame.f_back


def _held(names: Mapping[str, Any], authority: str) -> Request | None:
    """The call that a frame holds."""
    for name in HELD_AS:
        held = names.get(name)
        method = _told(held, "method") or _told(held, "get_method")
        url = _url(method, _told(held, "full_url") or _told(held, "url"), authority)
        for body in BODIES if url else ():  # of others nothing is read: it may be there to be read once
            content = _bytes(_told(held, body, UNREADABLE))
            if content is not None:
                return Request(method, url, _headers(_told(held, "headers")), content)
    if "method" in names and "url" in names and "body" in names:
        method, content = names["method"], _bytes(names["body"])
        url = _url(method, names["url"], authority)
        if url and content is not None:
            return Request(method, url, _headers(names.get("headers")), content)
    return None


def _told(held: Any, name: str, otherwise: Any = None) -> Any:
    """An attribute; where it is urllib's, which is asked for its method, what it gives."""
    try:
        value = getattr(held, name)
        return value() if name == "get_method" else value
    except Exception:  # of anybody's making: a stream that was not read, a proxy of nothing
        return otherwise


def _url(method: Any, url: Any, authority: str) -> str:
    """The whole URL of a call to where is dialled; empty: it is none, or goes elsewhere."""
    if not isinstance(method, str) or not method.isupper():
        return ""
    told = str(url)
    try:
        parts = urlsplit(told)
    except ValueError:  # half of an IPv6 address
        return ""
    if not parts.netloc and told.startswith("/"):
        return authority + told
    return told if parts.hostname == urlsplit(authority).hostname else ""


def _headers(headers: Any) -> Headers:
    said = headers.items() if isinstance(headers, Mapping) else ()
    return tuple((str(name), str(value)) for name, value in said)


def _bytes(body: Any) -> bytes | None:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    whole = getattr(body, "_value", None)  # aiohttp's payloads
    return bytes(whole) if isinstance(whole, bytes | bytearray) else None
