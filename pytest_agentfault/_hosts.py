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
from typing import TYPE_CHECKING, Any, Final

from ._errors import ScenarioError
from ._reply import Request
from ._rule import Rule

if TYPE_CHECKING:
    from .scenario import Scenario

URL: Final = re.compile(r"(?P<scheme>[A-Za-z*]+)://(?P<host>[^/]*)(?P<path>/.*|\*)?")
BASE: Final = re.compile(r"((?:https?|\*)://)?[^\s/@?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class ScenarioRule(Rule):
    """A rule that knows its neighbours in the scenario.

    Args:
        unless: the `to` of the rules before it: what one of these matches is not this rule's.
        also: a further `to` or respx pattern that a request must match; None: no further one.
    """

    unless: tuple[Any, ...] = ()
    also: Any = None

    def difference(self, request: Request) -> str:
        """Why this request is not the rule's: one line; empty when it is."""
        wrong = Rule.difference(self, request)  # slots=True makes a new class, which breaks super()
        if not wrong and self.also is not None:
            wrong = Rule(self.also, self.faults).difference(request)
        for other in self.unless:
            if not wrong and not Rule(other, self.faults).difference(request):
                wrong = f"{request.method} {request.url} belongs to the rule for {other}"
        return wrong

    def within(self, to: Any) -> ScenarioRule:
        """This rule for those of its requests that `to` matches too, on the host that `to` names."""
        if not isinstance(to, str) or not isinstance(self.to, str):
            return replace(self, also=to)
        glob = to.split(None, 1)[-1]
        named = URL.fullmatch(glob)
        if named is None or set(named["host"]) <= {"*"}:
            return replace(self, also=to)
        base = f"{named['scheme']}://{named['host']}"
        return replace(self, to=_on(self.to, base), unless=tuple(_on(x, base) for x in self.unless), also=to)


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
