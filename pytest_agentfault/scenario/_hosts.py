"""
Which of a scenario's rules a request belongs to, and on whose hosts.

A vendor has several APIs with an error format each, so a scenario has a rule for
each, the special before the general: a request belongs to the first `to` of the
file that matches it. Rules with the very same `to` stay independent, which is how
a scenario tells a sequence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from .._errors import ScenarioError
from .._rule import Rule

URL: Final = re.compile(r"(?P<scheme>[A-Za-z*]+)://(?P<host>[^/]*)(?P<path>/.*|\*)?")
BASE: Final = re.compile(r"((?:https?|\*)://)?[^\s/@?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that happens in production: its rules, and where it was seen."""

    name: str
    title: str
    source: str
    confidence: str
    damages: str
    checks: tuple[str, ...]
    rules: tuple[Rule, ...]
    path: Path

    def aimed(self, to: Any) -> tuple[Rule, ...]:
        """Its rules, held against other requests: what `to=` in a marker asks for.

        A single rule takes the new `to`. Several tell APIs of one vendor apart: each keeps its path and strikes only
        what the new `to` matches too; they move to the host it names, unless one of them is for any host already.
        """
        if len(self.rules) == 1:
            return (replace(self.rules[0], to=to),)
        named = URL.fullmatch(_glob(to)) if isinstance(to, str) else None
        if named is None or set(named["host"]) <= {"*"} or any(_is_any_host(rule.to) for rule in self.rules):
            return tuple(replace(rule, within=to) for rule in self.rules)
        base = f"{named['scheme']}://{named['host']}"
        return tuple(
            replace(rule, to=_on(rule.to, base), unless=tuple(_on(x, base) for x in rule.unless), within=to)
            for rule in self.rules
        )


def rehosted(scenario: Scenario, bases: Sequence[str]) -> Scenario:
    """The scenario on these bases: what ini `fault_hosts` asks for.

    A rule for any host is the self-hosted product's own. Where a scenario has such rules, only they take the
    bases; otherwise all do. The path of each rule stays.

    Raises:
        ScenarioError: a base is not a host, or a rule names no host part at all.
    """
    if not bases:
        return scenario
    for base in bases:
        if not BASE.fullmatch(base):
            raise ScenarioError(
                f"`fault_hosts` of {scenario.name.partition('/')[0]!r} holds no host",
                repr(base),
                "write it like jira.example.com or https://git.example.com:8443",
            )
    for rule in scenario.rules:
        if URL.fullmatch(_glob(rule.to)) is None:
            raise ScenarioError(
                f"`fault_hosts` cannot move {scenario.name!r}",
                f"its rule is for {rule.to!r}, which has no host part: it matches every host already",
                "drop that vendor from `fault_hosts`, or use `to=` in the marker",
            )
    own = any(_is_any_host(rule.to) for rule in scenario.rules)
    moved = [
        replace(
            rule,
            to=_on(rule.to, base),
            unless=tuple(other if own and not _is_any_host(other) else _on(other, base) for other in rule.unless),
        )
        for base in bases
        for rule in scenario.rules
        if not own or _is_any_host(rule.to)
    ]
    kept = [rule for rule in scenario.rules if own and not _is_any_host(rule.to)]
    return replace(scenario, rules=(*kept, *moved))


def _glob(to: str) -> str:
    return to.split(None, 1)[-1]


def _is_any_host(to: str) -> bool:
    url = URL.fullmatch(_glob(to))
    return url is not None and set(url["host"]) <= {"*"}


def _on(to: str, base: str) -> str:
    """This `to` with the scheme and authority of a base."""
    method, glob = to.split(None, 1)
    url = URL.fullmatch(glob)
    if url is None:
        return to
    shown = base if "://" in base else f"*://{base}"
    return f"{method} {shown.rstrip('/')}{url['path'] or ''}"
