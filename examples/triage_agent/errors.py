"""
What can keep a triage from being finished, and what is done about it.

One small family of errors for three vendors, and one policy (`carefully`): the
libraries' own retries are off, because two loops on top of each other multiply,
and because the `jira` package would also repeat a write whose reply was lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
ATTEMPTS = 4
LONGEST_WAIT = 60.0  # seconds; who asks for more gets told so instead


class AgentError(Exception):
    """A triage was not finished; `vendor` says who is at fault, the text why."""

    def __init__(self, vendor: str, why: str) -> None:
        super().__init__(f"{vendor}: {why}")
        self.vendor = vendor


class RateLimited(AgentError):
    """Too many requests, and waiting did not help or takes too long."""

    def __init__(self, vendor: str, why: str, wait: float | None = None) -> None:
        super().__init__(vendor, why)
        self.wait = wait


class SessionExpired(AgentError):
    """The credential is refused, a fresh one too."""


class Rejected(AgentError):
    """The vendor understood and says no; asking again changes nothing."""


class Unavailable(AgentError):
    """The vendor cannot be reached, or is failing; it may have said when it will be back."""

    def __init__(self, vendor: str, why: str, wait: float | None = None) -> None:
        super().__init__(vendor, why)
        self.wait = wait


class BadAnswer(AgentError):
    """The vendor answered something that cannot be worked with."""


class IncompleteAnswer(BadAnswer):
    """The model's answer ended before it was finished."""


class MaybeWritten(AgentError):
    """A write was sent and its answer was lost: look before doing it again."""


def carefully(call: Callable[[], T], renew: Callable[[], None], *, writes: bool = False) -> T:
    """Do what the error says: wait, renew once, ask again; never repeat a write that may have been done."""
    renewed = False
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        try:
            return call()
        except RateLimited as problem:  # it was not done: a write may be repeated
            wait = 2.0**attempt if problem.wait is None else problem.wait
            if last or wait > LONGEST_WAIT:
                raise
            time.sleep(wait)
        except SessionExpired:  # nor was this
            if renewed:
                raise
            renewed = True
            renew()
        except (Unavailable, BadAnswer) as problem:
            if writes:
                raise MaybeWritten(problem.vendor, f"the write may have been done ({problem})") from problem
            wait = max(2.0**attempt, getattr(problem, "wait", None) or 0.0)
            if last or wait > LONGEST_WAIT:
                raise
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def refused(vendor: str, status: int, why: str, wait: str | None = None) -> AgentError:
    """The error for an HTTP status, `why` cut to one line."""
    line = " ".join(why.split())[:300] or f"status {status}"
    if status == 429:
        return RateLimited(vendor, line, seconds(wait))
    if status == 401:
        return SessionExpired(vendor, line)
    return Unavailable(vendor, line, seconds(wait)) if status >= 500 else Rejected(vendor, line)


def not_json(vendor: str, text: str) -> AgentError:
    """The error for a success that is not JSON: a page is what a browser gets that has to sign in."""
    if text.lstrip()[:1] == "<":
        return SessionExpired(vendor, "a web page came in the place of JSON; the session is probably over")
    return BadAnswer(vendor, f"this is not JSON: {text[:80]!r}")


def seconds(value: str | None) -> float | None:
    """A Retry-After in seconds (RFC 9110 section 10.2.3); its date form and nonsense count as absent."""
    try:
        return max(float(value or ""), 0.0)
    except ValueError:
        return None
