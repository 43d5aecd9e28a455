"""
What a JSON value seems to be (a date, an id, a number written out), and others of its kind.

Schemas are not at hand, so a field is judged by its name and by how its value
is written, and where neither says enough it is left alone. New values come from
Faker, seeded by the rule, so that a failing run can be had again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from math import isfinite
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final

ISO: Final = re.compile(  # RFC 3339, and the looser forms that vendors write (Jira: +0000)
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[Zz]|[+-]\d\d:?\d\d)?)?"
)
IMF: Final = re.compile(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})")  # RFC 5322
SECONDS: Final = range(10**9, 4 * 10**9)  # 2001 to 2096
MILLISECONDS: Final = range(10**12, 4 * 10**12)
TIME_NAME: Final = re.compile(r"(?:at|on|date|time|timestamp|created|updated|modified|expires|expiry|reset|ts|ms)$")
ID_NAME: Final = re.compile(r"(?:^|.*_)id$|.*[a-z]I[dD]$|^ID$|^number$")
DECIMAL: Final = re.compile(r"-?\d+\.\d+")


def is_id_name(key: object) -> bool:
    """True for a name that ids have."""
    return isinstance(key, str) and ID_NAME.fullmatch(key) is not None


def is_number(value: object) -> bool:
    """True for a JSON number; what Python's reader takes for one besides (Infinity, NaN) is none."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and (isinstance(value, int) or isfinite(value))
    )


def is_date(value: Any, key: object) -> bool:
    """True for a date or a point in time; a number counts as one under a name that times have."""
    return earlier(value, key, 1) is not None


def earlier(value: Any, key: object, days: int) -> Any:
    """The same date this many days before, written in the same way; None: it is no date."""
    try:
        if isinstance(value, str) and ISO.fullmatch(value):
            return (date.fromisoformat(value[:10]) - timedelta(days)).isoformat() + value[10:]
        if isinstance(value, str) and IMF.fullmatch(value):
            moved = parsedate_to_datetime(value) - timedelta(days)
            return format_datetime(moved, usegmt=value.endswith("GMT"))
    except (ValueError, OverflowError):
        return None
    unit = _unit(value, key)
    return value - type(value)(days * 86400 * unit) if unit else None


def otherwise_dated(value: Any, key: object, random: Random) -> Any:
    """The same date in another usual way of writing it."""
    moment = _moment(value, key)
    ways: list[Callable[[], Any]] = [
        lambda: moment.strftime("%d/%m/%Y"),
        lambda: moment.strftime("%b %d, %Y"),
        lambda: int(moment.timestamp()),
        lambda: int(moment.timestamp()) * 1000,
        lambda: format_datetime(moment, usegmt=True),
        lambda: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]
    random.shuffle(ways)
    return next(said for said in (way() for way in ways) if type(said) is not type(value) or said != value)


def localised(value: Any, random: Random) -> str:
    """The number as a person in another country would read it: in a text, with a comma and grouped thousands."""
    group, text = random.choice((".", "\u202f", "\u00a0", " ", "'")), str(value)
    if isinstance(value, int):
        text += ".00"
    elif not DECIMAL.fullmatch(text):  # 1e+30
        text = f"{value:.2f}"
    whole, _, part = text.lstrip("-").partition(".")
    grouped = f"{int(whole):,}".replace(",", group)
    return f"{'-' if text.startswith('-') else ''}{grouped},{part}"


def is_localisable(value: Any, key: object) -> bool:
    """True for a number, or one in a text with its decimals, that is not there to tell things apart."""
    if is_id_name(key):
        return False
    return is_number(value) or (isinstance(value, str) and DECIMAL.fullmatch(value) is not None)


def alike(text: str, random: Random) -> str:
    """Another text of the same shape: letters for letters, digits for digits; the same where there are none."""
    if not any(letter.isalnum() and letter.isascii() for letter in text):
        return text
    while (new := "".join(_other(letter, random) for letter in text)) == text:
        pass
    return new


def faker(random: Random) -> Any:
    """A Faker of its own for each use: a shared one would be reseeded by another thread."""
    made = _fakers()()
    made.seed_instance(random.getrandbits(64))
    return made


def _other(letter: str, random: Random) -> str:
    for kind in (digits, ascii_lowercase, ascii_uppercase):
        if letter in kind:
            return random.choice(kind.replace("0", ""))  # no number begins with one
    return letter


def _unit(value: Any, key: object) -> int:
    """How many of a number's units a second has; 0: it counts no time."""
    if not isinstance(key, str) or not is_number(value):
        return 0
    if not TIME_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()):
        return 0
    return 1 if int(value) in SECONDS else 1000 if int(value) in MILLISECONDS else 0


def _moment(value: Any, key: object) -> datetime:
    if not isinstance(value, str):
        return datetime.fromtimestamp(value / _unit(value, key), UTC)
    if IMF.fullmatch(value):
        return parsedate_to_datetime(value).astimezone(UTC)
    day = date.fromisoformat(value[:10])
    try:
        told = datetime.fromisoformat(value.replace(",", ".").upper())
    except ValueError:  # the day is good, the hour is not
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return told.replace(tzinfo=told.tzinfo or UTC).astimezone(UTC)


@cache
def _fakers() -> Any:
    from faker.config import DEFAULT_LOCALE
    from faker.factory import Factory

    return lambda: Factory.create(DEFAULT_LOCALE)
