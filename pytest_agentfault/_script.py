"""
What happens on the wire, step by step: the byte level.

`encode` turns a reply into a script, `Conversation` turns a client's bytes into
requests. Both are sans-IO, in the manner of h11: doors own no decisions, each
performs six steps. The set of steps is closed; what is not HTTP at all (a bad
chunk size, two content-lengths, garbage) is a change of script, made by a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import Final, TypeAlias

import h11

from ._errors import FaultError, UnreachableError
from ._plain import Plain
from ._reply import Data, Delay, End, Head, How, Lost, Reply, Request, first_of


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes as one TCP segment."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing, for ever; the connection stays open."""


@dataclass(frozen=True, slots=True)
class Fin:
    """Close in good order (FIN): the client reads end of file."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Close at once (RST): the client meets ECONNRESET."""


@dataclass(frozen=True, slots=True)
class Next:
    """Keep the connection for the next request (RFC 9112 section 9.3)."""


Step: TypeAlias = Send | Wait | Stall | Fin | Reset | Next
ENDS: Final = frozenset({Stall, Fin, Reset, Next})


@dataclass(frozen=True, slots=True)
class Script:
    """The steps a door performs on a client; exactly the last one is an end.

    Raises:
        FaultError: there is no end, or a step stands behind it.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        kinds = list(map(type, self.steps))
        if kinds and kinds.pop() in ENDS and ENDS.isdisjoint(kinds):
            return
        raise FaultError(
            "illegal script: exactly its last step must be an end",
            " ".join(type(s).__name__ for s in self.steps) or "no step at all",
            "finish it with one of Stall, Fin, Reset, Next",
        )

    @property
    def sent(self) -> bytes:
        """All bytes it sends."""
        return b"".join(s.data for s in self.steps if isinstance(s, Send))

    def parts(self) -> tuple[bytes, list[Step]]:
        """The head block (status line to blank line), and the steps behind it."""
        gathered, rest = b"", list(self.steps)
        while rest and isinstance(rest[0], Send) and b"\r\n\r\n" not in gathered:
            gathered += rest.pop(0).data  # type: ignore[union-attr]  # narrowed one line above
        head, blank, body = gathered.partition(b"\r\n\r\n")
        return head + blank, ([Send(body)] if body else []) + rest


LARGE_BYTES: Final = 1 << 20  # from here on a piece of the body is a segment of its own, so that it need not be copied
BODYLESS: Final = frozenset({204, 304})
FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})


def is_bodyless(request: Request, status: int) -> bool:
    """True where RFC 9112 section 6.3 ends the message with its head, whatever the headers say."""
    return status in BODYLESS or status < 200 or request.method == "HEAD"


def encode(reply: Reply, request: Request, keep: bool = True) -> Script:
    """The script that says this reply in well-formed HTTP/1.1.

    Framing is chunked where the headers say so or where the body has more than
    one piece and no content-length; otherwise content-length. A content-length
    is recomputed for a whole reply; for a lost one the header is believed, as
    the length that was promised.

    Args:
        reply: what is said.
        request: what it answers; a HEAD gets no body, `Connection: close` a close.
        keep: whether the connection may be used again; a reply's own `Connection` header decides first.
    """
    keep = keep and "close" not in first_of(request.headers, "connection").lower()
    manner = (request.method == "HEAD", keep)
    script: Script | None = reply.scripts.get(manner)
    if script is None:
        script = reply.scripts[manner] = _encoded(reply, request, keep)
    return script


def _encoded(reply: Reply, request: Request, keep: bool) -> Script:
    head = reply.head
    if head is None:
        return Script((*_waits(reply), _end(reply, keep_alive=False)))
    bodyless = is_bodyless(request, head.status)
    sizes = [len(e.data) for e in reply.events if isinstance(e, Data) and e.data]
    chunked, keep_alive, opening = _opening(head, len(sizes) > 1, sum(sizes), reply.whole, bodyless, keep)
    steps: list[Step] = []
    held = b""  # the head, or a chunk, waits for what shares a segment with it
    for event in reply.events:
        if isinstance(event, Data):
            data = event.data
            if bodyless or not data:
                continue
            if len(data) >= LARGE_BYTES:
                before = (held, b"%x\r\n" % len(data)) if chunked else (held,)
                steps += [Send(piece) for piece in (*before, data) if piece]
                held = b"\r\n" if chunked else b""
            elif chunked:
                if held:
                    steps.append(Send(held))
                held = b"%x\r\n%b\r\n" % (len(data), data)
            else:
                steps.append(Send(held + data))
                held = b""
        elif isinstance(event, Head):
            held = opening
        elif isinstance(event, Delay):
            if held:
                steps.append(Send(held))
                held = b""
            steps.append(Wait(event.seconds))
        elif chunked and not bodyless and isinstance(event, End):
            held += b"0\r\n\r\n"  # a server that knows which chunk is the last sends both at once
    if held:
        steps.append(Send(held))
    return Script((*steps, _end(reply, keep_alive)))


def _waits(reply: Reply) -> Iterator[Wait]:
    return (Wait(e.seconds) for e in reply.events if isinstance(e, Delay))


def _end(reply: Reply, keep_alive: bool) -> Step:
    last = reply.last
    if isinstance(last, Lost) and last.how is not How.CUT:
        return Reset() if last.how is How.RESET else Stall()
    return Next() if keep_alive and isinstance(last, End) else Fin()


@lru_cache(maxsize=64)  # the same reply in other pieces has the same head
def _opening(head: Head, many: bool, length: int, whole: bool, bodyless: bool, keep: bool) -> tuple[bool, bool, bytes]:
    """Whether the body is chunked, whether the connection is kept, and the head block that says both truly.

    Args:
        head: the status line and the header section.
        many: whether the body has more than one piece.
        length: how many bytes it has.
        whole: whether it is complete.
        bodyless: whether it is not sent at all.
        keep: whether the connection may be used again.
    """
    told: dict[str, str] = {}  # the first value of each framing field
    kept = []
    for field in head.headers:
        name = field[0].lower()
        if name in FRAMING:
            told.setdefault(name, field[1])
        else:
            kept.append(field)
    promised = told.get("content-length")
    framed = head.status >= 200 and head.status != 204  # RFC 9112 section 6.1, RFC 9110 section 8.6
    chunked = framed and (
        "chunked" in told.get("transfer-encoding", "").lower() or (not promised and (many or not whole))
    )
    if chunked:
        kept.append(("Transfer-Encoding", "chunked"))
    elif framed:
        # A HEAD or a 304 promises the length of a body that is not here.
        believed = not whole or (bodyless and not length)
        kept.append(("Content-Length", promised if promised and believed else str(length)))
    connection = told.get("connection") or ("" if keep else "close")
    if connection:
        kept.append(("Connection", connection))
    return chunked, "close" not in connection.lower(), _head_block(head.status, head.reason, kept)


def _head_block(status: int, reason: str, headers: Iterable[tuple[str, str]]) -> bytes:
    if not reason:
        try:
            reason = HTTPStatus(status).phrase
        except ValueError:
            reason = ""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in headers)]
    together = "".join(lines)
    if "\r" in together or "\n" in together:
        raise FaultError(
            "illegal reply: a line break inside its head",
            repr(next(line for line in lines if "\r" in line or "\n" in line))[:120],
            "take it out; to send a broken head use the fault `bad_framing`",
        )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


TOKEN: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def speaks_http(first: bytes) -> bool:
    """True while the first bytes of a connection can still be an HTTP request line."""
    method, space, target = first[:64].partition(b" ")
    return bool(method) and TOKEN.issuperset(method) and (not space or target[:1] not in b" \r\n\x00" or not target)


class Conversation:
    """One connection's worth of requests, read from a client's bytes; sans-IO, on h11's server side.

    Args:
        authority: `scheme://host[:port]` the client dialled, without a default port.
    """

    def __init__(self, authority: str) -> None:
        self.authority = authority
        self._plain: Plain | None = None
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._began = b""

    @cached_property
    def _parser(self) -> h11.Connection:
        return h11.Connection(h11.SERVER)

    @property
    def idle(self) -> bool:
        """True when no request has been begun and left unfinished."""
        return self._plain is None and self._head is None and not self._began

    def receive(self, data: bytes) -> Iterator[Request | Send]:
        """Take in what the client sent; yield each finished request, and each interim `Send` (100-continue).

        Raises:
            UnreachableError: the client speaks HTTP/2, asks for an upgrade, or does not speak HTTP.
        """
        while data and (self._plain is not None or self.idle):
            self._plain, plain = None, self._plain
            if plain is None:
                if (plain := Plain.begun_by(data)) is None:
                    break
                data = data[plain.size :]
            data = plain.take(data)
            if plain.missing:
                self._plain = plain
            else:
                yield plain.request(self.authority)
        if data:
            yield from self._through_h11(data)

    def _through_h11(self, data: bytes) -> Iterator[Request | Send]:
        if self._head is None:
            self._began += data
            if b"PRI * HTTP/2.0".startswith(self._began[:14]) and len(self._began) >= 4:
                raise UnreachableError(
                    f"a client speaks HTTP/2 to {self.authority}",
                    "the HTTP/2 connection preface",
                    "switch HTTP/2 off in the client (httpx: http2=False); faults speak HTTP/1.1",
                )
        try:
            self._parser.receive_data(data)
            yield from self._events()
        except h11.RemoteProtocolError as error:
            raise UnreachableError(
                f"a client on {self.authority} does not speak HTTP/1.1",
                f"{error} ({bytes(self._began[:40])!r})",
                "narrow the rule's `to` to the hosts that speak HTTP",
            ) from error

    def _events(self) -> Iterator[Request | Send]:
        while True:
            event = self._parser.next_event()
            match event:
                case h11.Request():
                    self._refuse_upgrade(event)
                    self._head = event
                    self._began = b""
                case h11.Data(data=piece):
                    self._body.append(bytes(piece))
                case h11.EndOfMessage():
                    yield self._finish()
                    trailing = self._parser.trailing_data[0]
                    self._parser = h11.Connection(h11.SERVER)
                    if not trailing:
                        return
                    self._began = bytes(trailing)
                    self._parser.receive_data(trailing)
                case h11.NEED_DATA:
                    if self._parser.they_are_waiting_for_100_continue:
                        response = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                        yield Send(self._parser.send(response) or b"")
                    return
                case _:
                    return

    def _refuse_upgrade(self, head: h11.Request) -> None:
        upgrade = dict(head.headers).get(b"upgrade")
        if upgrade and upgrade.lower() != b"h2c":  # urllib and curl may offer h2c; a server may ignore it
            raise UnreachableError(
                f"a client asks {self.authority} for an upgrade",
                f"Upgrade: {upgrade.decode('latin-1')}",
                "narrow the rule's `to` so that it leaves this host out; faults speak HTTP/1.1 only",
            )

    def _finish(self) -> Request:
        assert self._head is not None  # h11 gives EndOfMessage only behind a Request
        head, self._head = self._head, None
        body, self._body = b"".join(self._body), []
        target = head.target.decode("latin-1")
        absolute = "://" in target[:9]  # asked of a proxy (RFC 9112 section 3.2.2); CONNECT names an authority alone
        url = target if absolute else self.authority + (target if target[:1] in "/*" else f"/{target}")
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers.raw_items())
        return Request(head.method.decode("latin-1"), url, headers, body)


def with_header_line(script: Script, line: str) -> Script:
    """The same script, with one more line behind the first status line that it says; without one, the same."""
    for number, step in enumerate(script.steps):
        data = step.data if isinstance(step, Send) else b""
        place = data.find(b"\r\n")
        if data.startswith(b"HTTP/1.") and place > 0:
            told = Send(data[:place] + b"\r\n" + line.encode("latin-1", "replace") + data[place:])
            return Script((*script.steps[:number], told, *script.steps[number + 1 :]))
    return script
