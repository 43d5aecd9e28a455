"""
Every place of a reply, one run each: what a fault that explores found in the run of the test as it is.

Such a fault (`explores`) changes nothing itself; `each` names the places of the
reply it was shown, and gives for each the fault that strikes there. Pure: a plan
and what was placed on it in, placements out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ._errors import RuleError
from ._exchange import Scouted
from ._placing import Placement
from ._plan import Plan
from ._rule import Rule

Placed: TypeAlias = Sequence[tuple[Placement, slice]]


def explores(fault: Any) -> bool:
    """Whether a fault's settings ask for one run per place."""
    return bool(getattr(fault, "explores", False))


def is_exploring(placement: Placement) -> bool:
    """Whether one of its faults asks for one run per place."""
    return any(explores(fault) for rule in placement.rules for fault in rule.faults)


def check_exploring(placement: Placement) -> None:
    """Refuse what would be more runs than anybody means.

    Raises:
        RuleError: a rule has two faults that explore, or one and a choice by chance.
    """
    for rule in placement.rules:
        several = [type(fault).__name__ for fault in rule.faults if explores(fault)]
        if len(several) > 1:
            raise RuleError(
                f"{placement.name}: two faults of one rule ask for a run per place",
                " and ".join(several),
                "let one of them have plain settings",
            )
        if several and rule.probability < 1:
            raise RuleError(
                f"{placement.name}: a run per place leaves nothing to chance",
                f"probability={rule.probability}",
                "drop `probability`",
            )


def explored(plan: Plan, placed: Placed) -> Iterator[tuple[str, tuple[Placement, ...]]]:
    """The runs to make: a name for each place, and what strikes there; nothing twice.

    Args:
        plan: of a run of the test as it is, with its faults that explore.
        placed: the placements of that run, and which of the plan's rules are theirs.
    """
    turns: Counter[int] = Counter()
    names: Counter[str] = Counter()
    seen: set[tuple[object, ...]] = set()
    for scouted in plan.scouted:
        number = next(n for n, rule in enumerate(plan.rules) if rule is scouted.rule)
        turn = turns[number]
        turns[number] += 1
        asked = scouted.request
        again = (number, asked.method, asked.url, asked.body, scouted.reply.status, scouted.reply.body)
        if again in seen:
            continue  # the same question and the same reply: a place of it has had its run
        seen.add(again)
        for name, fault in scouted.fault.each(asked, scouted.reply):
            names[name] += 1
            told = name if names[name] == 1 else f"{name}@{len(seen)}:{asked.method} {_path(asked.url)}"
            yield told, tuple(_only(placed, number, scouted, fault, turn))


def _only(placed: Placed, number: int, scouted: Scouted, fault: Any, turn: int) -> Iterator[Placement]:
    """The placements, of which the one that explores strikes this reply in this place; no other explores."""
    for placement, part in placed:
        if not is_exploring(placement):
            yield placement
        elif part.start <= number < part.stop:
            rules = list(placement.rules)
            rules[number - part.start] = _aimed(rules[number - part.start], fault, turn)
            kept = tuple(rule for rule in rules if not any(map(explores, rule.faults)))
            yield replace(placement, rules=kept, must_raise=False)


def _aimed(rule: Rule, fault: Any, turn: int) -> Rule:
    faults = tuple(fault if explores(other) else other for other in rule.faults)
    return replace(rule, faults=faults, after=rule.after + turn * rule.every, every=1, times=1)


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
