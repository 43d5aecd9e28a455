"""
Requests and replies the tests of faults lean on, and how a faulted reply is read by a parser that is not ours.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import h11
import pytest
from hypothesis import strategies as st

from pytest_agentfault._errors import FaultError
from pytest_agentfault._reply import Data, End, Event, Head, Headers, How, Lost, Reply, Request
from pytest_agentfault._script import Script, Send, encode

GET = Request("GET", "https://api.test/v1/things")
POST = Request("POST", "https://api.test/v1/things", (("Content-Type", "application/json"),), b"{}")
HEAD = Request("HEAD", "https://api.test/v1/things")
JSON = (("Content-Type", "application/json"),)
SSE = (("Content-Type", "text/event-stream; charset=utf-8"),)
NDJSON = (("Content-Type", "application/x-ndjson"),)
NO_CONTENT = Reply.of(204)
EMPTY = Reply.of(200, b"", JSON)
GONE = Reply((Lost(How.RESET),))
BODYLESS = (NO_CONTENT, EMPTY, GONE)


# Any JSON, of a size that a fault is quick with.
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


def document(value: Any, status: int = 200) -> Reply:
    """A JSON reply."""
    return Reply.of(status, json.dumps(value, ensure_ascii=False).encode(), JSON)


def stream(*data: Any, done: str | None = "[DONE]", end: str = "\n") -> Reply:
    """A chunked reply of server-sent events, one `Data` each; a text is sent as it is, the rest as JSON."""
    said = [d if isinstance(d, str) else json.dumps(d, ensure_ascii=False) for d in data]
    events = [f"data: {text}{end}{end}".encode() for text in (*said, *([done] if done else []))]
    return Reply((Head(200, SSE), *(Data(event) for event in events), End()))


def lines(*values: Any) -> Reply:
    """A chunked reply of one JSON value per line."""
    pieces = [json.dumps(value).encode() + b"\n" for value in values]
    return Reply((Head(200, NDJSON), *(Data(piece) for piece in pieces), End()))


def gzipped(reply: Reply) -> Reply:
    """The same reply with its body compressed."""
    return reply.with_data([gzip.compress(reply.body, mtime=0)]).with_header("Content-Encoding", "gzip")


def unreadable(headers: Headers) -> Reply:
    """A reply in a content coding that nobody knows."""
    return Reply.of(200, b"\x00\x01\x02\x03", (*headers, ("Content-Encoding", "nonesuch")))


def sent_data(reply: Reply) -> list[str]:
    """The data of each event of a stream, as a reader of lines that is not ours finds them."""
    blocks = reply.body.decode().replace("\r\n", "\n").split("\n\n")
    found = [[line[6:] for line in block.split("\n") if line.startswith("data: ")] for block in blocks]
    return ["\n".join(data) for data in found if data]


def pieces(reply: Reply) -> list[bytes]:
    """The HTTP chunks of a reply."""
    return [e.data for e in reply.events if isinstance(e, Data)]


def segments(script: Script) -> list[bytes]:
    """The TCP segments of a script."""
    return [step.data for step in script.steps if isinstance(step, Send)]


def read(script: Script, request: Request = GET) -> tuple[list[type], bytes, str]:
    """What h11 makes of a script: the kinds of events, the body, and its complaint (empty: none)."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=request.method, target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    kinds: list[type] = []
    body = b""
    try:
        client.receive_data(script.sent)
        client.receive_data(b"")
        while not isinstance(event := client.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
            kinds.append(type(event))
            body += bytes(event.data) if isinstance(event, h11.Data) else b""
    except h11.RemoteProtocolError as error:
        return kinds, body, str(error)
    return [*kinds, type(event)], body, ""


def arrives(reply: Reply, request: Request = GET) -> bytes:
    """The body a real parser reads from a reply, which must be well-formed to its end."""
    _, body, complaint = read(encode(reply, request), request)
    assert not complaint
    return body


def refusal(make: Any, settings: dict[str, Any]) -> str:
    """The exact text with which a fault refuses these settings."""
    with pytest.raises(FaultError) as caught:
        make(**settings)
    return str(caught.value)


def three(what: str, there: str, do: str) -> str:
    """The text of an error in its three parts."""
    return f"{what}\n  there is: {there}\n  to do: {do}"


def without(events: Sequence[Event], kind: type) -> tuple[Event, ...]:
    """The events that are not of this kind."""
    return tuple(event for event in events if not isinstance(event, kind))
