"""
How long a reply asks its client to wait, in every form that vendors have for it.

Rule 1: FORMS is the only list: what comes first wins, as RFC 9110 section 10.2.3
puts Retry-After before what a vendor adds.
Rule 2: what cannot be read asks for nothing; nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ._payload import decoded, json_of
from ._reply import Reply

NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|us|µs|ns|d|h|m|s))+")
PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|us|µs|ns|d|h|m|s)")
PROSE: Final = re.compile(
    r"(?:try again|retry|wait|available)\s+(?:again\s+)?(?:in|after|for)?\s*(?:at least\s+)?"
    r"([0-9]+(?:\.[0-9]+)?\s*(?:milliseconds?|seconds?|minutes?|hours?|ms|h|m|s)(?:[0-9.]+m?s)?)\b",
    re.IGNORECASE,
)
WORDS: Final = (("milliseconds", "ms"), ("second", "s"), ("minute", "m"), ("hour", "h"))
HEADERS: Final[Mapping[str, float]] = {  # and how many seconds their number counts
    "retry-after-ms": 1e-3,  # Azure OpenAI, OpenAI
    "retry-after": 1.0,
    "x-retry-after": 1.0,
    "beta-retry-after": 1.0,  # Atlassian, while it was tried out
}
FIELDS: Final[Mapping[str, float]] = {
    "retry_after": 1.0,  # Discord, Telegram
    "retryafter": 1.0,
    "retry_after_seconds": 1.0,
    "retryafterseconds": 1.0,
    "retry_after_ms": 1e-3,
    "retryafterms": 1e-3,
    "retrydelay": 1.0,  # google.rpc.RetryInfo
}
ITEM: Final = re.compile(r'"[^"]*"((?:\s*;\s*[a-z]+\s*=\s*[^;,]+)*)')  # RateLimit, draft-ietf-httpapi-ratelimit-headers
LIMITED: Final = re.compile(r"rate-?limit", re.IGNORECASE)
EXACT, WHOLE_SECONDS = 0.0, 1.0
DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A wait that a reply asked for.

    Args:
        seconds: how long, from the reply on; never negative.
        said: the words it was asked in: `Retry-After: 20`.
        grain: how exactly that form can say it, in seconds.
        prose: whether it was said in words for people only.
    """

    seconds: float
    said: str
    grain: float = EXACT
    prose: bool = False


def asked(reply: Reply, epoch: float) -> Asked | None:
    """The wait that a reply asks for; None: it asks for none, or in no form that can be read.

    Args:
        reply: the reply, as the client was given it.
        epoch: when that was, in seconds since 1970; nan: nobody knows, so that dates and timestamps ask for 0 s.
    """
    if reply.status is None:
        return None
    for form in FORMS:
        for found in form(reply, epoch):
            return found
    return None


def seconds_asked(reply: Reply, epoch: float) -> float:
    """The same as a number: 0 where it asks for no wait."""
    wait = asked(reply, epoch)
    return 0.0 if wait is None else wait.seconds


def seconds_of(text: str, epoch: float, unit: float = 1.0) -> tuple[float, float] | None:
    """One value as seconds from now on, and how exact its form is: a number, a duration, a date or a timestamp."""
    text = text.strip()
    if NUMBER.fullmatch(text):
        return max(0.0, float(text) * unit), EXACT
    if DURATION.fullmatch(text):
        return sum(float(count) * UNITS[of] for count, of in PART.findall(text)), EXACT
    at = _date(text)
    return None if at is None else (max(0.0, at - epoch), WHOLE_SECONDS)


def _date(text: str) -> float | None:
    """A date of HTTP (all three forms, with any zone) or RFC 3339, in seconds since 1970."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at: datetime = read(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _in_headers(reply: Reply, epoch: float) -> Iterator[Asked]:
    given = {name.lower(): (name, value) for name, value in reversed(reply.headers)}
    for known, unit in HEADERS.items():
        if known in given:
            name, value = given[known]
            found = seconds_of(value, epoch, unit)
            if found is not None:
                yield Asked(found[0], f"{name}: {value}", found[1])


def _in_body(reply: Reply, epoch: float) -> Iterator[Asked]:
    """A field of a JSON error, outermost first."""
    if reply.status is None or reply.status < 400:
        return
    for key, value in _fields(json_of(reply), DEPTH):
        unit = FIELDS.get(key.lower())
        if unit is not None and isinstance(value, int | float | str) and not isinstance(value, bool):
            found = seconds_of(str(value), epoch, unit)
            if found is not None:
                yield Asked(found[0], f"{key} = {value} in its body", found[1])


def _in_resets(reply: Reply, epoch: float) -> Iterator[Asked]:
    """The latest reset among the budgets that are spent."""
    if reply.status is None or reply.status < 400:
        return
    found = [*_resets(reply, epoch), *_structured(reply)]
    if found:
        yield max(found, key=lambda one: one.seconds)


def _in_prose(reply: Reply, epoch: float) -> Iterator[Asked]:
    if reply.status is None or reply.status < 400:
        return
    told = PROSE.search((decoded(reply) or b"")[:20_000].decode("utf-8", "replace"))
    if told is None:
        return
    words = told[1].lower().replace(" ", "")
    for long, short in WORDS:
        words = re.sub(f"{long.rstrip('s')}s?", short, words)
    found = seconds_of(words, epoch)
    if found is not None:
        yield Asked(found[0], f'"{told[0]}" in its text', WHOLE_SECONDS, prose=True)


FORMS: Final[tuple[Callable[[Reply, float], Iterator[Asked]], ...]] = (_in_headers, _in_body, _in_prose, _in_resets)


def _resets(reply: Reply, epoch: float) -> Iterator[Asked]:
    """`x-ratelimit-reset`, `anthropic-ratelimit-tokens-reset` ...: where the `remaining` beside it is 0."""
    given = {name.lower(): (name, value) for name, value in reversed(reply.headers)}
    for lower, (name, value) in given.items():
        left = given.get(lower.replace("reset", "remaining"))
        if "reset" not in lower or not LIMITED.search(lower) or left is None or not _is_zero(left[1]):
            continue
        found = _moment(value.strip(), epoch)
        if found is not None:
            yield Asked(found[0], f"{left[0]}: {left[1]}, {name}: {value}", found[1])


def _moment(value: str, epoch: float) -> tuple[float, float] | None:
    """A reset: a timestamp in seconds or milliseconds (told by its size), or what `seconds_of` reads."""
    if NUMBER.fullmatch(value) and float(value) > 1e8:
        at = float(value) / 1000 if float(value) > 1e11 else float(value)
        return max(0.0, at - epoch), WHOLE_SECONDS
    return seconds_of(value, epoch)


def _structured(reply: Reply) -> Iterator[Asked]:
    """`RateLimit: "default";r=0;t=30`: the policies with nothing left."""
    value = reply.header("ratelimit")
    for item in ITEM.finditer(value):
        pairs = dict(re.findall(r"([a-z]+)\s*=\s*([0-9]+)", item[1]))
        if pairs.get("r", "0") == "0" and "t" in pairs:
            yield Asked(float(pairs["t"]), f"RateLimit: {value}", EXACT)


def _is_zero(text: str) -> bool:
    return NUMBER.fullmatch(text.strip()) is not None and float(text) == 0


def _fields(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Every field of a JSON value, those of the outer tables first."""
    inner = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    if isinstance(value, dict):
        yield from value.items()
    if depth:
        for each in inner:
            yield from _fields(each, depth - 1)
