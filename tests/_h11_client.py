"""
A reply as a real client's parser reads it off the wire.

Ours is the writing side; h11 reads it here, and httpx undoes the content coding,
so that what a recording turns into is judged by parsers that are not ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import h11
import httpx

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._script import encode


@dataclass(frozen=True)
class Read:
    """What the client has in hand."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    raw: bytes
    decoded: bytes


def over_the_wire(reply: Reply, method: str = "GET") -> Read:
    """Write the reply as bytes, and read them as a client that asked with this method."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(encode(reply, Request(method, "http://x/")).sent)
    client.receive_data(b"")
    head, raw = client.next_event(), b""
    assert isinstance(head, h11.Response)
    while not isinstance(event := client.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        raw += bytes(event.data)
    headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers.raw_items()]
    coding = [h for h in headers if h[0].lower() == "content-encoding"]
    decoded = httpx.Response(200, headers=coding, content=raw).content if raw else raw
    return Read(head.status_code, head.reason.decode("latin-1"), headers, raw, decoded)
