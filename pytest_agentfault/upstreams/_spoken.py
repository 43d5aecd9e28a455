"""
What is said to a real server and heard from it, sans-IO.

The request leaves with its framing said anew and asks for a close, so that the
end of the connection is the end of the exchange; the reply is followed event by
event, with its chunk boundaries and its ending as they came.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from .._reply import Data, End, Event, Head, How, Lost, Reply, Request

HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "expect", "te"})


class Spoken:
    """One request and its reply on the client's side of h11.

    Args:
        request: what is asked.
        kept_bytes: how much of the body is kept.
    """

    def __init__(self, request: Request, kept_bytes: float = inf) -> None:
        self._request = request
        self._room = kept_bytes
        self._connection = h11.Connection(h11.CLIENT)
        self._events: list[Event] = []
        self._chunk = b""
        self.done = False
        self.whole = False
        self.keeps = False  # whether its client may ask again on the connection it heard it by

    def asked(self) -> bytes:
        """The request as bytes, its framing said anew."""
        kept = [h for h in self._request.headers if h[0].lower() not in HOP_BY_HOP | {"content-length"}]
        length = [("Content-Length", str(len(self._request.body)))] if self._has_body() else []
        parts = urlsplit(self._request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = h11.Request(
            method=self._request.method, target=target, headers=[*kept, *length, ("Connection", "close")]
        )
        body = [h11.Data(data=self._request.body)] if self._request.body else []
        return b"".join(self._connection.send(e) or b"" for e in (head, *body, h11.EndOfMessage()))

    def _has_body(self) -> bool:
        named = ("content-length", "transfer-encoding")
        return bool(self._request.body) or any(self._request.header(name) for name in named)

    def receive(self, data: bytes | None) -> None:
        """Take in what the server sent; None: it reset the connection."""
        if data is None:
            self.lose()
            return
        try:
            self._connection.receive_data(data)
            for event in self._next():
                self._take(event)
        except h11.RemoteProtocolError:
            self.lose(How.CUT)

    def _next(self) -> Iterator[Any]:
        while not self.done:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                return
            yield event

    def _take(self, event: Any) -> None:
        match event:
            case h11.Response():
                pairs = tuple(
                    (k.decode("latin-1"), v.decode("latin-1"))
                    for k, v in event.headers.raw_items()
                    if k.lower() != b"connection"
                )
                self.keeps = self._is_kept(event)
                self._events.append(Head(event.status_code, pairs, bytes(event.reason).decode("latin-1")))
            case h11.Data():
                self._chunk += bytes(event.data) if self._room >= len(event.data) else b""
                self._room -= len(event.data)
                if event.chunk_end:
                    self._flush()
            case h11.EndOfMessage():
                self._flush()
                self._events.append(End())
                self.done = self.whole = True
            case h11.ConnectionClosed():
                self.lose(How.CUT)
            case _:
                pass  # 1xx: the client's own 100-continue is answered by the door

    def _is_kept(self, head: h11.Response) -> bool:
        """What a client makes of it (RFC 9112 section 9.3): not what we asked for, which was a close."""
        said = {name.lower(): value.lower() for name, value in head.headers.raw_items()}
        bodyless = self._request.method == "HEAD" or head.status_code in (204, 304)
        delimited = bodyless or b"content-length" in said or b"chunked" in said.get(b"transfer-encoding", b"")
        return head.http_version == b"1.1" and delimited and b"close" not in said.get(b"connection", b"")

    def _flush(self) -> None:
        if self._chunk:
            self._events.append(Data(self._chunk))
            self._chunk = b""

    def lose(self, how: How = How.RESET) -> None:
        """The server ended before its message did."""
        self._flush()
        self._events.append(Lost(how))
        self.done = True

    def reply(self) -> Reply:
        """What the server said."""
        return Reply(tuple(self._events))

    @property
    def so_far(self) -> Reply | None:
        """What the server has said until now; None: not even a head."""
        if self.done:
            return self.reply()
        rest = (Data(self._chunk),) if self._chunk else ()
        return Reply((*self._events, *rest, End())) if self._events else None
