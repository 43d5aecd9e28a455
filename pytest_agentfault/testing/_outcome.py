"""
What a client made of a conversation, in a form that two runs can be compared by.

Rule: only what no run repeats is taken out of a text (ports, addresses, object
ids, durations); everything else is compared as it is.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ._clients import Ask, Piece

UNSTABLE: Final = (
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<host>"),
    (re.compile(r"(<host>'?(?::|, ))\d+"), r"\1<port>"),
    (re.compile(r"\bport=\d+"), "port=<port>"),
    (re.compile(r"\b(?:0x[0-9a-fA-F]+|(?<=scope )[0-9a-f]+)\b"), "<id>"),
    (re.compile(r"\b\d+\.\d+\b"), "<number>"),
    (re.compile(r"_ssl\.c:\d+"), "_ssl.c"),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception of a chain: its class with its module, its text, and how it hangs on the one before.

    `link` is `cause` or `context`, or `hidden`: a context that `raise ... from None` keeps from being shown.
    """

    kind: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came up, in order (statuses and pieces of body), and the chain of exceptions it ended with."""

    got: tuple[Piece, ...]
    failures: tuple[Failure, ...] = ()

    def differences(self, other: Outcome) -> list[str]:
        """How another outcome differs from this one, a line each; empty when it is the same."""
        found = []
        if self.got != other.got:
            found.append(f"handed up {list(self.got)!r}, not {list(other.got)!r}")
        for what in ("kind", "link", "text"):
            mine, its = ([getattr(f, what) for f in outcome.failures] for outcome in (self, other))
            if mine != its:
                found.append(f"{what}s of the exceptions: {mine or 'none'}, not {its or 'none'}")
        return found


def outcome_of(client: Callable[[Ask, list[Piece]], None], ask: Ask) -> Outcome:
    """Ask a client, and keep what its user would have seen."""
    got: list[Piece] = []
    try:
        client(ask, got)
    except Exception as error:
        return Outcome(tuple(got), tuple(_chain(error, ask.url)))
    return Outcome(tuple(got))


def _chain(error: BaseException, url: str) -> Iterator[Failure]:
    link, seen = "", set[int]()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        kind = type(following)
        if kind is not ssl.SSLWantReadError:  # how a TLS layer says to itself "not yet"; never the failure
            yield Failure(f"{kind.__module__}.{kind.__qualname__}", stable(str(following), url), link)
        link = "cause" if following.__cause__ is not None else "hidden" if following.__suppress_context__ else "context"
        following = following.__cause__ if following.__cause__ is not None else following.__context__


def stable(text: str, url: str) -> str:
    """A text without what no run repeats.

    Args:
        text: what an exception says.
        url: where the client was sent.
    """
    parts = urlsplit(url)
    text = text.replace(f"{parts.scheme}://{parts.netloc}", "<base>").replace(parts.hostname or "", "<host>")
    for pattern, word in UNSTABLE:
        text = pattern.sub(word, text)
    return text
