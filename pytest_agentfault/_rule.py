"""
Which requests are struck, and when.

A rule is settings only; what it has counted lives beside it in a `Tally`, so
that one rule can serve many tests. `difference` both decides and explains:
`matches` is `not difference`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from random import Random
from typing import Any, Final

from ._credentials import credential_digest, shown
from ._errors import RuleError, nearest
from ._reply import Reply, Request

UNTIL: Final = ("credential_changes", "waited")
VERBS: Final = ("connect", "mutate", "answer", "alter", "garble")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
WORDS: Final = ("to", "times", "after", "every", "probability", "until", "after_seconds", "for_seconds")
HANDED_OVER: Final = ("random", "memory")  # fields of a fault that the plan fills: no settings


@dataclass(frozen=True, slots=True)
class Rule:
    """Which requests are struck by which faults, and when.

    Args:
        to: `"METHOD url-glob"` (`"POST https://api.openai.com/v1/*"`, `"* *"`; a glob without `?`
            is held against the URL without its query; `*` is any text, but inside a host name it stays
            inside it), or a respx pattern (`respx.patterns.M(...)`).
        faults: what strikes; objects with one of the verbs connect, mutate, answer, alter, garble.
        times: how many requests are struck; None: every one.
        after: how many matching requests pass first.
        every: strike only each n-th matching request.
        probability: the share of matching requests that is struck, 0 to 1, by the plan's seed.
        until: `"credential_changes"`: a request with the credential of the first one struck is struck
            for good, others pass. `"waited"`: once struck, requests are struck again until the reply's
            Retry-After has passed on the clock (in every form there is for one); early calls count for nothing.
        after_seconds: from when on requests are struck: seconds on the clock since the rule was placed.
        for_seconds: for how long from then on; None: for good.
        name: what messages call it; a scenario's name.
        damages: `"nothing"` or `"payload"`: whether a test that passes on a struck reply alone was misled.
        unless: the `to` of other rules: what one of these matches is not this rule's.
        within: a further `to` that a request must match; None: no further one.

    Raises:
        RuleError: a setting has a wrong type or value, or two faults would answer.
    """

    to: Any
    faults: tuple[Any, ...]
    times: int | None = None
    after: int = 0
    every: int = 1
    probability: float = 1.0
    until: str | None = None
    after_seconds: float = 0.0
    for_seconds: float | None = None
    name: str = ""
    damages: str = "nothing"
    unless: tuple[Any, ...] = ()
    within: Any = None

    def __post_init__(self) -> None:
        _check_to(self.to)
        _check_count("times", self.times, 1, optional=True)
        _check_count("after", self.after, 0)
        _check_count("every", self.every, 1)
        number = isinstance(self.probability, int | float) and not isinstance(self.probability, bool)
        if not number or not 0 < self.probability <= 1:
            raise RuleError(
                "`probability` must be a share of the requests", repr(self.probability), "give a number over 0, up to 1"
            )
        if self.until is not None and self.until not in UNTIL:
            raise RuleError("unknown `until`", repr(self.until), nearest(str(self.until), UNTIL))
        _check_seconds("after_seconds", self.after_seconds, "0 or more")
        if self.for_seconds is not None:
            _check_seconds("for_seconds", self.for_seconds, "a number over 0")
        if self.damages not in ("nothing", "payload"):
            raise RuleError("unknown `damages`", repr(self.damages), nearest(str(self.damages), ("nothing", "payload")))
        self._check_faults()

    def _check_faults(self) -> None:
        if not self.faults:
            raise RuleError("a rule strikes with at least one fault", "none", "name a scenario or give faults=")
        for fault in self.faults:
            if not verbs_of(fault):
                raise RuleError(
                    "this is not a fault",
                    f"{fault!r}, which has none of the verbs",
                    f"give it one of the methods {', '.join(VERBS)}",
                )
        answering = [type(f).__name__ for f in self.faults if "answer" in verbs_of(f)]
        if len(answering) > 1:
            raise RuleError(
                "two faults of one rule would answer in the vendor's place",
                " and ".join(answering),
                "put them into two rules, or drop one",
            )

    def difference(self, request: Request) -> str:
        """Why this request is not the rule's: one line; empty when it is."""
        wrong = _difference(self.to, request)
        if not wrong and self.within is not None:
            wrong = _difference(self.within, request)
        if not wrong and self.unless:
            owner = next((other for other in self.unless if not _difference(other, request)), None)
            wrong = (
                f"{request.method} {shown(request.url)} belongs to the rule for {owner}" if owner is not None else ""
            )
        return wrong

    def matches(self, request: Request) -> bool:
        """True when a request is one this rule looks at."""
        return not self.difference(request)

    def may_reach(self, host: str, port: int) -> bool:
        """True when some URL on this host and port can match: whether a door must let it in."""
        globs = [to.split(None, 1)[1] for to in (self.to, self.within) if isinstance(to, str)]
        beginnings = [f"{authority(scheme, host, port)}/" for scheme in DEFAULT_PORTS]
        return any(all(_could_begin(glob, beginning) for glob in globs) for beginning in beginnings)

    def names(self, host: str) -> bool:
        """True when it is meant for this host and not for every one: a glob says so, or a pattern object."""
        return any(not isinstance(to, str) or host in to for to in (self.to, self.within) if to is not None)


class Call(str):
    """A `to` that names a callable, and how a failure is raised there.

    Args:
        target: `package.module:name`, or `package.module:Class.method`.
        raises: makes the exception out of the reply that was lost or is an error; None: `ToolError` for a
            status of 400 or more, `ConnectionResetError`, `ConnectionAbortedError` or `TimeoutError` for a lost one.
    """

    raises: Callable[[Reply], Exception] | None

    def __new__(cls, target: str, raises: Callable[[Reply], Exception] | None = None) -> Call:
        """As a string it is what `to` would be without it."""
        made = super().__new__(cls, f"CALL {target}")
        made.raises = raises
        return made


@dataclass(slots=True)
class Tally:
    """What one rule has counted in one test."""

    random: Random
    born: float = 0.0
    seen: int = 0
    struck: int = 0
    early: int = 0  # of the struck ones: those that came before the wait was over
    credential: str | None = None
    holds_until: float | None = None
    unchanged: int = 0

    def is_due(self, rule: Rule, request: Request, now: float) -> bool:
        """Count one matching request, and say whether it is struck."""
        self.seen += 1
        since = now - self.born - rule.after_seconds
        if since < 0 or (rule.for_seconds is not None and since >= rule.for_seconds):
            return False
        if self.holds_until is not None and now < self.holds_until:
            self.early += 1
            return True
        if rule.until == "credential_changes" and self.credential is not None:
            return self.credential == credential_digest(request)
        place = self.seen - rule.after
        if place < 1 or (place - 1) % rule.every:
            return False
        if rule.times is not None and self.struck - self.early >= rule.times:
            return False
        return rule.probability >= 1 or self.random.random() < rule.probability

    def hold(self, now: float, seconds: float) -> None:
        """Strike on for so long, unless it is so already: who comes early does not make it longer."""
        if self.holds_until is None or now >= self.holds_until:
            self.holds_until = now + seconds


def verbs_of(fault: object) -> tuple[str, ...]:
    """The verbs an object has: what makes it a fault."""
    kind: Any = type(fault)
    return _verbs_of_type(kind)


@cache
def _verbs_of_type(kind: Any) -> tuple[str, ...]:
    return tuple(verb for verb in VERBS if callable(getattr(kind, verb, None)))


def settings_of(kind: type) -> dict[str, Any]:
    """The settings of a fault (its fields and their types as text), but for what the plan hands over."""
    return {f.name: f.type for f in fields(kind) if f.name not in HANDED_OVER}


def authority(scheme: str, host: str, port: int) -> str:
    """`scheme://host`, with the port only where it is not the scheme's own."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if DEFAULT_PORTS.get(scheme) == port else f"{scheme}://{name}:{port}"


def _check_to(to: object) -> None:
    if isinstance(to, str):
        parts = to.split()
        if len(parts) == 2 and re.fullmatch(r"\*|[A-Za-z]+(\|[A-Za-z]+)*", parts[0]):
            return
    elif callable(getattr(to, "match", None)):
        return
    raise RuleError(
        "`to` must be a method and a URL pattern, or a respx pattern",
        repr(to),
        'write it like "POST https://api.openai.com/v1/*" (* for any method, * in the URL for any text)',
    )


def _check_count(name: str, value: object, least: int, optional: bool = False) -> None:
    if optional and value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RuleError(f"`{name}` must be a whole number", repr(value), f"give {least} or more")


def _check_seconds(name: str, value: object, give: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value != value or value < 0 or (value == 0 and "over" in give):  # type: ignore[operator]
        raise RuleError(f"`{name}` must be a number of seconds", repr(value), f"give {give}")


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    inside = _stars_inside_host(pattern)
    letters = enumerate(pattern)
    return re.compile(
        "".join(("[^/]*" if n in inside else ".*") if c == "*" else re.escape(c) for n, c in letters), re.DOTALL
    )


@cache
def _stars_inside_host(glob: str) -> frozenset[int]:
    """The places of the stars that end with the host: else `https://*.a.com/*` would reach every other host too."""
    start = glob.find("://") + 3
    end = glob.find("/", start)
    if start < 3 or end < 0 or not glob[start:end].strip("*"):
        return frozenset()  # no host is named: a star is any text, as everywhere
    return frozenset(n for n in range(start, end) if glob[n] == "*")


def _url_matches(glob: str, url: str) -> bool:
    return _glob(glob).fullmatch(url if "?" in glob else url.partition("?")[0]) is not None


@cache
def _could_begin(glob: str, beginning: str) -> bool:
    """Whether some text that matches the glob begins like this (`*` is its only wildcard)."""
    places, inside = {0}, _stars_inside_host(glob)
    for letter in beginning:
        reached: set[int] = set()
        for place in _through_stars(glob, places):
            if place < len(glob) and glob[place] == "*" and (letter != "/" or place not in inside):
                reached.add(place)
            elif place < len(glob) and glob[place] == letter:
                reached.add(place + 1)
        if not reached:
            return False
        places = reached
    return True


def _through_stars(glob: str, places: set[int]) -> set[int]:
    """All places reachable from these without a letter: behind each star there is also none."""
    found = set(places)
    for place in sorted(places):
        while place < len(glob) and glob[place] == "*":
            place += 1
            found.add(place)
    return found


def _difference(to: Any, request: Request) -> str:
    if not isinstance(to, str):
        return _pattern_difference(to, request)
    methods, glob = to.split(None, 1)
    wrong = []
    if methods != "*" and request.method.upper() not in methods.upper().split("|"):
        wrong.append(f"method is {request.method}, not {methods}")
    if not _url_matches(glob, request.url):
        wrong.append(f"URL {shown(request.url)} does not match {glob}")
    return "; ".join(wrong)


def _pattern_difference(pattern: Any, request: Request) -> str:
    import httpx  # respx patterns speak of httpx requests

    asked = httpx.Request(request.method, request.url, headers=list(request.headers), content=request.body)
    return "" if pattern.match(asked) else f"{request.method} {shown(request.url)} does not match {pattern!r}"
