"""
A budget that runs down and comes back with time, and how vendors write what is left of it.

Rule 1: no vendor is named here; which reading goes into which header, in which
form, is data, in scenarios.
Rule 2: what is said is never sooner than true: a client that waits as long as it
is told finds what it was promised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, formatdate
from math import ceil
from typing import Final

from .._errors import FaultError, nearest

EAST: Final = timezone(timedelta(hours=2))
SLACK: Final = 1e-6  # a clock is a float


@dataclass(slots=True)
class Budget:
    """So many of a thing in so many seconds.

    Args:
        limit: how many there are when it is full.
        per_seconds: in which time they come back: all at once at its end, or steadily.
        steady: True: so much each second (a token bucket). False: a window with an end.
        left: how many there are now.
        at: when that was, on the clock.
        ends: when the window ends; of no account where it is steady.
    """

    limit: float
    per_seconds: float
    steady: bool
    left: float
    at: float
    ends: float

    def move(self, now: float) -> None:
        """Give back what has come back since."""
        if self.steady:
            self.left = min(self.limit, self.left + (now - self.at) * self.limit / self.per_seconds)
        elif now >= self.ends - SLACK:
            self.left = self.limit
            self.ends = now + self.per_seconds
        self.at = now

    def has(self, count: float) -> bool:
        """Whether that much is left."""
        return self.left + SLACK >= count

    def wait(self, count: float) -> float:
        """Seconds until that much is there (until it is full, where it never will)."""
        if self.has(count):
            return 0.0
        return (min(count, self.limit) - self.left) * self._second if self.steady else self.ends - self.at

    @property
    def reset(self) -> float:
        """Seconds until it is full again."""
        return (self.limit - self.left) * self._second if self.steady else self.ends - self.at

    @property
    def _second(self) -> float:
        return self.per_seconds / self.limit


@dataclass(frozen=True, slots=True)
class Reading:
    """What is left at one moment: numbers by name, spans of time by name, and when that was.

    Args:
        counts: `requests.limit`, `requests.remaining`, `requests.used`, the same of `points`, `points.asked`.
        spans: seconds: `requests.reset`, `points.reset`, `wait`.
        epoch: seconds since 1970.
    """

    counts: Mapping[str, float]
    spans: Mapping[str, float]
    epoch: float


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """The way Go writes it, and OpenAI with it: `6m0s`, `18.642s`, `84ms`."""
    thousandths = ceil(seconds * 1000 - SLACK)
    if thousandths < 1000:
        return f"{thousandths}ms" if thousandths else "0s"
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else "") + shown


def up(number: float) -> int:
    """The next whole number."""
    return ceil(number - SLACK)


# How a span of time is written: from it, and from the moment it begins.
FORMS: Final[Mapping[str, Callable[[float, float], str]]] = {
    "seconds": lambda span, epoch: str(up(span)),
    "exact": lambda span, epoch: f"{up(span * 1000) / 1000:.3f}",
    "ms": lambda span, epoch: str(up(span * 1000)),
    "duration": lambda span, epoch: duration(span),
    "epoch": lambda span, epoch: str(up(epoch + span)),
    "epoch_ms": lambda span, epoch: str(up((epoch + span) * 1000)),
    "rfc3339": lambda span, epoch: _rfc3339(up(epoch + span)),
    "http_date": lambda span, epoch: formatdate(up(epoch + span), usegmt=True),  # RFC 9110 section 5.6.7
    # What RFC 9110 forbids and RFC 5322 allows: the same moment, two hours east.
    "zoned_date": lambda span, epoch: format_datetime(datetime.fromtimestamp(up(epoch + span), EAST)),
}
COUNTS: Final = ("limit", "remaining", "used")
MARK: Final = re.compile(r"\{\s*limits?\b[^{}\n\"]*\}")
NAME: Final = re.compile(r"\{limit\.([a-z0-9_.]+)\}")


def readings(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The names that may stand in braces, where these are counted."""
    counts = [f"{kind}.{name}" for kind in kinds for name in COUNTS] + (["points.asked"] if "points" in kinds else [])
    spans = [f"{span}.{form}" for span in (*(f"{kind}.reset" for kind in kinds), "wait") for form in FORMS]
    return tuple(f"{{limit.{name}}}" for name in (*counts, *spans))


def check_readings(fault: str, setting: str, text: str, kinds: tuple[str, ...]) -> None:
    """Every `{limit....}` of a text must be one that can be filled."""
    known = readings(kinds)
    for found in MARK.finditer(text):
        if found[0] not in known:
            raise FaultError(f"{fault}: unknown reading in `{setting}`", found[0], nearest(found[0], known))


def filled(text: str, reading: Reading) -> str:
    """The text, its readings written out."""
    if "{limit." not in text:
        return text
    return NAME.sub(lambda found: _value(found[1], reading), text)


def _value(name: str, reading: Reading) -> str:
    if name in reading.counts:
        return json.dumps(int(reading.counts[name]))
    span, _, form = name.rpartition(".")
    return FORMS[form](reading.spans[span], reading.epoch)
