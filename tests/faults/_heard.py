"""
What a reader of event streams hears: the events of a body, by two parsers that are not ours.

Both leave two rules of WHATWG HTML 9.2 to their caller: a byte order mark in
front is not part of the stream (9.2.5), and what has no data is no event (9.2.6).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import httpx_sse

from pytest_agentfault._reply import Reply

TYPE = {"Content-Type": "text/event-stream"}
Heard = list[tuple[str, str]]


def by_httpx_sse(body: bytes) -> Heard:
    """Name and data of each event, as httpx-sse hears them."""
    response = httpx.Response(200, headers=TYPE, content=body.removeprefix(b"\xef\xbb\xbf"))
    return [(e.event or "message", e.data) for e in httpx_sse.EventSource(response).iter_sse() if e.data]


def by_httpx2(body: bytes) -> Heard:
    """Name and data of each event, as httpx2 hears them."""
    request = httpx2.Request("GET", "https://api.test/")
    response = httpx2.Response(200, headers=TYPE, content=body.removeprefix(b"\xef\xbb\xbf"), request=request)
    return [(e.event, e.data) for e in httpx2.EventSource(response, max_event_size=None) if e.data]


READERS: dict[str, Callable[[bytes], Heard]] = {"httpx-sse": by_httpx_sse, "httpx2": by_httpx2}


def lines_heard(body: bytes) -> Heard:
    """The lines of a body of JSON lines."""
    return [("", line.decode()) for line in body.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]


def meant(heard: Heard) -> list[tuple[str, Any]]:
    """The same with each data that is JSON read as such, without the member that padding adds."""
    return [(name, _value(data)) for name, data in heard]


def _value(data: str) -> Any:
    try:
        value = json.loads(data)
    except ValueError:
        return data
    if isinstance(value, dict):
        value.pop("padding", None)
    return [value]


def plain_body(reply: Reply) -> bytes:
    """The body of a reply as a client has it, content coding undone."""
    coding = [pair for pair in reply.headers if pair[0].lower() == "content-encoding"]
    return httpx.Response(200, headers=coding, content=reply.body).read()
