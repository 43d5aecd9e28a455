"""
What was asked and what came back, as data: the HTTP level.

Rule 1: this file does no I/O and knows no HTTP client.
Rule 2: the set of events is closed. A new fault composes these six; where it
cannot be said with them, the vocabulary changes here first, in TRANSITIONS,
and mypy then names every place that has to learn the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Any, Final, TypeAlias

from ._errors import FaultError

Headers: TypeAlias = tuple[tuple[str, str], ...]


class Why(Enum):
    """Why a connection never came to be, as the client sees it."""

    REFUSED = "refused"  # nothing listens there
    UNRESOLVED = "unresolved"  # the name has no address
    UNTRUSTED = "untrusted"  # the certificate does not verify
    TIMEOUT = "timeout"  # the connection attempt is never answered


class How(Enum):
    """How a connection is lost, as the client sees it."""

    RESET = "reset"  # RST: ECONNRESET
    CUT = "cut"  # FIN: closed in good order, but the message is incomplete
    STALLED = "stalled"  # open, and silent for ever


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and the header section (RFC 9110 section 6). `reason` empty: the standard phrase."""

    status: int
    headers: Headers = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the body. One `Data` is one HTTP chunk: boundaries are part of the reply."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Delay:
    """Silence of `seconds` before what follows."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """The message is complete."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody answered: the request was never seen."""

    why: Why = Why.REFUSED


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is lost here: before the head, after it, or anywhere in the body."""

    how: How


Event: TypeAlias = Head | Data | Delay | End | Refused | Lost


class State(StrEnum):  # looked up for each event of each reply: a text has its hash ready, another member has not
    OPEN = "before its head"
    BODY = "in its body"
    CLOSED = "over"


TRANSITIONS: Final[Mapping[State, Mapping[type[Event], State]]] = {
    State.OPEN: {Delay: State.OPEN, Head: State.BODY, Refused: State.CLOSED, Lost: State.CLOSED},
    State.BODY: {Delay: State.BODY, Data: State.BODY, End: State.CLOSED, Lost: State.CLOSED},
    State.CLOSED: {},
}


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked: method, absolute URL, header section and whole body."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str, default: str = "") -> str:
        """The value of the first header of this name (any case), or `default`."""
        return first_of(self.headers, name, default)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete, legal sequence of events; an illegal one cannot be built.

    Raises:
        FaultError: an event stands where TRANSITIONS does not allow it.
    """

    events: tuple[Event, ...]
    # What `encode` made of it: a reply never changes, and a recorded or prepared one is said many times.
    scripts: dict[tuple[bool, bool], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        state = State.OPEN
        for number, event in enumerate(self.events):
            following = TRANSITIONS[state].get(type(event))
            if following is None:
                can = ", ".join(t.__name__ for t in TRANSITIONS[state]) or "nothing"
                raise FaultError(
                    f"illegal reply: event {number} is {event!r:.80}",
                    f"the reply is {state.value} there",
                    f"put {can} in its place",
                )
            state = following
        if state is not State.CLOSED:
            raise FaultError(
                "illegal reply: it never ends",
                f"the reply is {state.value} after its last event",
                "finish it with End(), Lost(...) or Refused()",
            )

    @classmethod
    def of(cls, status: int, body: bytes = b"", headers: Mapping[str, str] | Headers = (), reason: str = "") -> Reply:
        """The ordinary, whole reply."""
        pairs = tuple(headers.items()) if isinstance(headers, Mapping) else headers
        return cls((Head(status, pairs, reason), *((Data(body),) if body else ()), End()))

    @property
    def head(self) -> Head | None:
        """The head, or None when the reply was lost or refused before it."""
        for event in self.events:  # asked for several times in each exchange: no generator
            if isinstance(event, Head):
                return event
        return None

    @property
    def status(self) -> int | None:
        """The status code, or None when there is no head."""
        head = self.head
        return None if head is None else head.status

    @property
    def headers(self) -> Headers:
        """The header section as sent; empty when there is no head."""
        head = self.head
        return () if head is None else head.headers

    @property
    def body(self) -> bytes:
        """All body bytes, content coding still applied."""
        return b"".join(e.data for e in self.events if isinstance(e, Data))

    @property
    def last(self) -> Event:
        """How it ends: `End`, `Lost` or `Refused`."""
        return self.events[-1]

    @property
    def whole(self) -> bool:
        """True when it ends in `End`: nothing of it is missing."""
        return isinstance(self.last, End)

    def header(self, name: str, default: str = "") -> str:
        """The value of the first header of this name (any case), or `default`."""
        return first_of(self.headers, name, default)

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> Reply:
        """The same reply with another header section."""
        pairs = tuple(headers)
        return Reply(tuple(replace(e, headers=pairs) if isinstance(e, Head) else e for e in self.events))

    def with_header(self, name: str, value: str | None) -> Reply:
        """The same reply with this header set, or taken out when `value` is None."""
        kept = tuple(h for h in self.headers if h[0].lower() != name.lower())
        return self.with_headers(kept if value is None else (*kept, (name, value)))

    def with_data(self, pieces: Iterable[bytes]) -> Reply:
        """The same reply with another body, cut as given; delays inside the old body are dropped."""
        until_head = next((n for n, e in enumerate(self.events) if isinstance(e, Head)), len(self.events) - 2) + 1
        return Reply((*self.events[:until_head], *(Data(p) for p in pieces if p), self.last))


def first_of(headers: Headers, name: str, default: str = "") -> str:
    """The value of the first header of this name (any case), or `default`."""
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return default
