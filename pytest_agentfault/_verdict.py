"""
What a run came to: its outcome in one word, and why a fault never struck.

Pure functions of a plan and its log. The words are closed; `outcome_of_pass`
decides among those that a passing test can earn.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import Final

from ._credentials import shown
from ._errors import RuleError
from ._exchange import Exchange
from ._plan import CONNECT, Plan
from ._reply import Request
from ._rule import Rule, Tally

LIBCURL: Final = ("pycurl", "curl_cffi")


class Outcome(Enum):
    """What became of a test under a fault."""

    RECOVERED = "recovered"  # passed, and a clean reply followed
    HELD = "held"  # passed; the fault damages nothing
    SURFACED = "surfaced"  # the declared error came out
    CRASHED = "crashed"  # any other error came out
    UNNOTICED = "unnoticed"  # passed on damaged data that was never fetched clean
    HUNG = "hung"  # the budget of calls was spent
    MISSED = "missed"  # nothing struck


def outcome_of_pass(log: Sequence[Exchange]) -> Outcome:
    """The outcome of a test that passed: recovered, held, unnoticed, or missed."""
    struck = [(place, exchange) for place, exchange in enumerate(log) if exchange.struck]
    if not struck:
        return Outcome.MISSED
    outcomes = {_after(exchange, log[place + 1 :]) for place, exchange in struck}
    for worst_first in (Outcome.UNNOTICED, Outcome.RECOVERED):
        if worst_first in outcomes:
            return worst_first
    return Outcome.HELD


def _after(exchange: Exchange, later: Sequence[Exchange]) -> Outcome:
    harmful = any(strike.rule.damages == "payload" for strike in exchange.struck) or _is_refused_as_well(exchange)
    if not harmful and _is_well(exchange):
        return Outcome.HELD
    if any(_is_same(exchange.request, x.request) and _is_clean(x) for x in later):
        return Outcome.RECOVERED
    return Outcome.UNNOTICED if harmful else Outcome.HELD


def _is_well(exchange: Exchange) -> bool:
    status = exchange.reply.status
    return status is not None and status < 400 and exchange.reply.whole


def _is_refused_as_well(exchange: Exchange) -> bool:
    """True for a refusal with a status that says all is well, as GraphQL has them: who looks at no more takes it so."""
    return (
        exchange.baseline is None
        and _is_well(exchange)
        and any(getattr(strike.fault, "refuses", False) for strike in exchange.struck)
    )


def _is_clean(exchange: Exchange) -> bool:
    damaged = any(s.rule.damages == "payload" for s in exchange.struck)
    return _is_well(exchange) and not damaged and not _is_refused_as_well(exchange)


def _is_same(first: Request, second: Request) -> bool:
    if first.method == CONNECT:  # nothing was asked yet: any request to that host is the same attempt
        return second.url.startswith(first.url)
    return first.method == second.method and first.url.partition("?")[0] == second.url.partition("?")[0]


def why_never_struck(name: str, pairs: Sequence[tuple[Rule, Tally]], plan: Plan, above: str = "") -> RuleError:
    """The error for a planned fault that struck nothing: what was seen, and what nearly matched.

    Args:
        name: the scenario or fault.
        pairs: its rules, with what they counted.
        plan: the plan of the test.
        above: the name of a tool that answers above the door, where one is known.
    """
    matched = sum(tally.seen for _, tally in pairs)
    requests = [x.request for x in plan.log if x.request.method != CONNECT]
    if matched:
        unchanged = sum(tally.unchanged for _, tally in pairs)
        rule = max(pairs, key=lambda pair: pair[1].seen)[0]
        if not plan.log:
            there = f"{matched} matching requests, and no healthy reply for them to strike"
            do = "see the error of the upstream; an `alter` fault needs the reply it alters"
        elif unchanged:
            there = f"{matched} matching requests; in {unchanged} replies the fault found nothing to change"
            do = f"use a fault that applies to such replies (the last was {_shape(plan.log)}), or narrow `to`"
        else:
            there = f"{matched} matching requests, but {_counting(rule)} leaves them out"
            do = "lower `after` or `every`, or let the test make more calls" + _times(rule)
    elif requests:
        seen = "; ".join(dict.fromkeys(f"{r.method} {shown(r.url)}" for r in requests[:8]))
        nearest, rule = _nearest(requests, [rule for rule, _ in pairs])
        there = f"{len(requests)} requests seen ({seen}); the nearest: {rule.difference(nearest)}"
        do = f"correct the rule with to=, as in to={nearest.method + ' ' + nearest.url.partition('?')[0]!r}"
    else:
        passed = ", ".join(sorted(plan.passed)[:8])
        there = "no request came through the door" if not plan.problems else "no request was answered (see above)"
        there += f"; connections to {passed} went past it, where no rule can strike" if passed else ""
        there += f"; {above} answers above it" if above else ""
        do = _ways_out(pairs)
    return RuleError(f"{name} never struck", there, do)


def _shape(log: Sequence[Exchange]) -> str:
    if not log:
        return "not given"
    last = log[-1].reply
    return f"{last.status} {last.header('content-type', 'without content-type')}, {len(last.body)} bytes"


def _counting(rule: Rule) -> str:
    said = {
        "after": rule.after,
        "every": rule.every if rule.every > 1 else 0,
        "probability": rule.probability % 1,
        "after_seconds": rule.after_seconds,
        "for_seconds": rule.for_seconds,
    }
    return ", ".join(f"{word}={value}" for word, value in said.items() if value) or "its counting"


def _times(rule: Rule) -> str:
    return "; or move the clock (`faults.clock.advance`)" if rule.after_seconds else ""


def _nearest(requests: Sequence[Request], rules: Sequence[Rule]) -> tuple[Request, Rule]:
    def likeness(pair: tuple[Request, Rule]) -> float:
        request, rule = pair
        return SequenceMatcher(None, f"{request.method} {request.url}", str(rule.to)).ratio()

    return max(((request, rule) for request in requests for rule in rules), key=likeness)


def out_of_reach() -> str:
    """What to know of the loaded libraries that stand on libcurl, which opens its sockets itself; empty: none is."""
    curl = " and ".join(name for name in LIBCURL if name in sys.modules)
    if not curl:
        return ""
    return str(
        RuleError(
            f"requests through {curl} are not struck",
            "libcurl opens its sockets itself, where no door of this process reaches",
            "send them through the fixture `fault_server` (its proxy_url, or url), or ignore UnreachableWarning "
            "where this test does not use it",
        )
    )


def _ways_out(pairs: Sequence[tuple[Rule, Tally]]) -> str:
    hosts = ", ".join(dict.fromkeys(str(rule.to) for rule, _ in pairs))
    curl = [name for name in LIBCURL if name in sys.modules]
    also = f"; {' and '.join(curl)} cannot be reached in process" if curl else ""
    return (
        f"see that the test really calls out ({hosts}): a mock or a fake client that answers inside the client "
        f"leaves nothing to strike{also}"
    )
