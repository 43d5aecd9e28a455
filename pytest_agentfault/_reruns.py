"""
Further runs of a test within its own turn: one per place that was asked for, and those that shrink a failure.

Registered only where a test of the session may need it. Each further run is an
item of its own, with fresh fixtures; it is reported where it was asked for
(a place), and kept silent where it only serves to find something out (shrinking).
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest import python
from _pytest.runner import runtestprotocol

from ._errors import nearest
from ._explore import is_exploring
from ._placing import Placement
from ._shrink import Parts, smallest
from ._stash import PLACED, RUN
from ._summary import PLACE
from ._unittest import CLONED, clone_method, variant_of
from ._variants import Variant

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._run import Run

PART: Final = r"(?:[a-z_]+:)?\d+|[a-z_]+"  # a part as text: a number, a word and a number, or a word
REPLAY: Final = re.compile(rf"(?P<id>.+?)(?:@(?P<parts>(?:{PART})(?:,(?:{PART}))*))?", re.DOTALL)
SECTION: Final = "agentfault: the smallest plan"
CHILD = pytest.StashKey[bool]()  # this item is a further run of another
FAILURE = pytest.StashKey[tuple[type[BaseException], str]]()  # its class, and of a verdict the first line too
NAME: Final = "pytest_agentfault_reruns"
Position = tuple[int, int, int]  # of a fault: which placement, which of its rules, which of that one's faults


@dataclass(frozen=True, slots=True)
class Shrinkable:
    """A fault of several parts that struck in a run that failed."""

    at: Position
    fault: Any
    exchange: Exchange
    parts: Parts


def _placed_on(item: pytest.Item) -> tuple[Placement, ...]:
    placed: tuple[Placement, ...] | None = item.stash.get(PLACED, None)
    return placed or ()


def may_need_reruns(placements: Sequence[Placement]) -> bool:
    """Whether a test with these faults may need further runs."""
    return any(is_exploring(p) or any(hasattr(f, "parts") for r in p.rules for f in r.faults) for p in placements)


def prepare(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Register the hooks where a test needs them, and narrow the session to what --fault-replay names.

    Args:
        config: with the options.
        items: what was collected; what is not replayed is taken out.

    Raises:
        pytest.UsageError: --fault-replay names nothing that is here.
    """
    most, asked = config.option.fault_shrink, config.option.fault_replay
    if most < 0:
        raise pytest.UsageError(f"--fault-shrink: {most} reruns\n  to do: give 0 (none) or more")
    if not asked:
        if any(may_need_reruns(_placed_on(item)) for item in items):
            config.pluginmanager.register(Reruns(most), NAME)
        return
    found = REPLAY.fullmatch(asked)
    assert found is not None  # any text is an id
    test, parts = found["id"], found["parts"]
    kept = [item for item in items if _is_replayed(item, test, parts is not None)]
    if not kept:
        raise pytest.UsageError(
            f"--fault-replay: no such test is here\n  there is: {asked}\n"
            f"  to do: {nearest(test, [item.nodeid for item in items])}"
        )
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
    given = tuple(map(_part, parts.split(","))) if parts else None
    config.pluginmanager.register(Reruns(most, "" if given else test, given), NAME)


def _text(part: Hashable) -> str:
    return ":".join(map(str, part)) if isinstance(part, tuple) else str(part)


def _part(text: str) -> Hashable:
    word, _, number = text.rpartition(":")
    if not number.isdecimal():
        return text
    return (word, int(number)) if word else int(number)


def _is_replayed(item: pytest.Item, test: str, by_parts: bool) -> bool:
    if by_parts:
        return item.nodeid == test
    return test.startswith(item.nodeid.removesuffix("]")) and any(map(is_exploring, _placed_on(item)))


class Reruns:
    """The hooks.

    Args:
        most: how many reruns shrinking one failure may take; 0: none.
        only: the id of the one place that is to be run; empty: all of them.
        parts: what `--fault-replay` strikes with; None: with everything.
    """

    def __init__(self, most: int, only: str = "", parts: Parts | None = None) -> None:
        self._most, self._only, self._parts = most, only, parts
        self._runs: dict[pytest.Item, Run | None] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run an item that may need further runs, and those."""
        placements = _placed_on(item)
        if not isinstance(item, pytest.Function) or not may_need_reruns(placements) or CHILD in item.stash:
            return None
        if self._parts is not None:
            item.stash[PLACED] = _with_parts(placements, self._parts)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        sibling = _clone(item, "sibling", ())  # so that nothing wider than the item ends with it
        self._runs[item] = None
        reports = runtestprotocol(item, log=False, nextitem=sibling)
        run = self._runs.pop(item)
        if run is not None and not run.explores:
            self._shrunk(item, sibling, run, reports)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if run is not None and run.explores and all(report.passed for report in reports):
            self._explore(item, run, nextitem)
        _leave(item, nextitem)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Keep what was run: it is gone after the test."""
        if item in self._runs:
            self._runs[item] = item.stash.get(RUN, None)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """Keep what a failure is: its class, and of a verdict the first line too."""
        report = yield
        if call.excinfo is not None and call.when == "call":
            said = str(call.excinfo.value).partition("\n")[0] if call.excinfo.type is pytest.fail.Exception else ""
            item.stash[FAILURE] = (call.excinfo.type, said)
        return report

    def _explore(self, item: pytest.Function, run: Run, nextitem: pytest.Item | None) -> None:
        """One run per place, reported like any test; each item is made when its turn comes: there may be many."""
        session = item.session
        clones = (clone for clone in _places(item, run) if self._only in ("", clone.nodeid))
        clone = next(clones, None)
        if clone is None:
            near = get_close_matches(self._only, [place.nodeid for place in _places(item, run)], 5, 0)
            session.shouldfail = f"--fault-replay: there is no place {self._only}; {nearest(self._only, near)}"
        turn = session.items.index(item)
        try:
            while clone is not None and not (session.shouldfail or session.shouldstop):
                following = next(clones, None)
                session.testscollected += 1
                session.items[turn] = clone  # a worker of xdist looks there whose report it sends
                item.config.hook.pytest_runtest_protocol(item=clone, nextitem=following or nextitem)
                clone = following
        finally:
            session.items[turn] = item

    def _shrunk(
        self, item: pytest.Function, sibling: pytest.Item, run: Run, reports: Sequence[pytest.TestReport]
    ) -> None:
        """Tell in the report of a failure how little of its fault is enough for it."""
        failed = next((r for r in reports if r.when == "call" and r.failed), None)
        is_watched = item.config.getoption("usepdb", False)  # a debugger would open in each rerun
        if failed is None or not self._most or self._parts is not None or is_watched:
            return
        largest = max(_shrinkable(run), key=lambda found: len(found.parts), default=None)
        if largest is None:
            return
        fails = partial(_fails_alike, item, sibling, largest)
        if fails(()):
            told = "the test fails in the same way without this fault"
        elif not fails(largest.parts):
            told = f"it did not fail again with the {len(largest.parts)} parts of the reply that was struck first"
        else:
            told = self._told(item, largest, failed, fails)
        failed.sections.append((SECTION, told))

    def _told(self, item: pytest.Item, found: Shrinkable, failed: pytest.TestReport, fails: Any) -> str:
        least = smallest(found.parts, fails, self._most)
        fault = found.fault.of(least.parts)
        assert found.exchange.baseline is not None
        picture = fault.picture(found.exchange.request, found.exchange.baseline)
        parts = ",".join(map(_text, least.parts))
        sure = "" if least.is_sure else f"; stopped after {least.runs}, --fault-shrink allows more"
        return "\n".join(
            [
                f"{len(least.parts)} of {len(found.parts)} parts of {type(fault).__name__} are enough"
                f" ({least.runs + 2} reruns{sure})",
                *_line_of(item, failed),
                picture,
                f"reproduce it: pytest --fault-replay '{item.nodeid}@{parts}'",
            ]
        )


def _places(item: pytest.Function, run: Run) -> Iterator[pytest.Function]:
    """The runs per place that a run of this item asks for."""
    for name, placements in run.places():
        clone = _clone(item, name, placements)
        clone.user_properties.append((PLACE, json.dumps([item.nodeid, name])))
        yield clone


def _shrinkable(run: Run) -> Iterator[Shrinkable]:
    for exchange in run.plan.log:
        for strike in exchange.struck:
            at = run.place_of(strike)
            if at is None or exchange.baseline is None or not hasattr(strike.fault, "parts"):
                continue
            parts = tuple(strike.fault.parts(exchange.request, exchange.baseline))
            if len(parts) > 1:
                yield Shrinkable(at, strike.fault, exchange, parts)


def _fails_alike(item: pytest.Function, sibling: pytest.Item, found: Shrinkable, parts: Parts) -> bool:
    """Whether the test fails in the same way with these parts of the fault alone; without it, for none."""
    placements = _placed_on(item)
    placements = _replaced(placements, found.at, found.fault.of(parts)) if parts else _dropped(placements, found.at)
    clone = _clone(item, "shrinking", placements)
    reports = runtestprotocol(clone, log=False, nextitem=sibling)
    failed = any(report.when == "call" and report.failed for report in reports)
    return failed and clone.stash[FAILURE] == item.stash[FAILURE]


def _line_of(item: pytest.Item, report: pytest.TestReport) -> list[str]:
    """The innermost line of the test's own file that the failure went through."""
    entries = getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", [])
    places = [entry.reprfileloc for entry in entries if getattr(entry, "reprfileloc", None)]
    own = [f"{place.path}:{place.lineno}" for place in places if item.path.name in str(place.path)]
    return [f"the test fails at {own[-1]}"] if own else []


def _replaced(placements: Sequence[Placement], at: Position, fault: Any) -> tuple[Placement, ...]:
    which, number, place = at
    placement = placements[which]
    rule = placement.rules[number]
    faults = (*rule.faults[:place], fault, *rule.faults[place + 1 :])
    rules = (*placement.rules[:number], replace(rule, faults=faults), *placement.rules[number + 1 :])
    return (*placements[:which], replace(placement, rules=rules), *placements[which + 1 :])


def _dropped(placements: Sequence[Placement], at: Position) -> tuple[Placement, ...]:
    return (*placements[: at[0]], *placements[at[0] + 1 :])


def _with_parts(placements: Sequence[Placement], parts: Parts) -> tuple[Placement, ...]:
    """The placements, whose faults of several parts strike with these alone."""
    return tuple(
        replace(
            p,
            rules=tuple(
                replace(r, faults=tuple(f.of(parts) if hasattr(f, "of") else f for f in r.faults)) for r in p.rules
            ),
        )
        for p in placements
    )


def _clone(item: pytest.Function, name: str, placements: Sequence[Placement]) -> pytest.Function:
    """A further run of an item, as an item: under the same marks, with fresh fixtures, and with other faults."""
    if getattr(item.parent, "nofuncargs", False):
        prior = variant_of(item)
        clone = clone_method(item, Variant(f"{prior.name}-{name}" if prior else name, tuple(placements)))
    else:
        callspec = _callspec(item, name)
        clone = type(item).from_parent(
            item.parent,
            name=f"{item.originalname}[{callspec.id}]",
            callspec=callspec,
            fixtureinfo=item._fixtureinfo,
            originalname=item.originalname,
        )
        clone.stash[CLONED] = Variant(name, tuple(placements))
    clone.own_markers[:] = item.own_markers
    clone.keywords.update(item.keywords)
    clone.stash[PLACED] = tuple(placements)
    clone.stash[CHILD] = True
    return clone


def _callspec(item: pytest.Function, name: str) -> Any:
    """The item's parameters, with one more word in the id that is made of them."""
    kind: Any = getattr(python, "CallSpec", None) or python.CallSpec2  # renamed in pytest 9.2
    given = getattr(item, "callspec", None) or kind()
    return replace(given, _idlist=[*given._idlist, name])


def _leave(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End what is wider than the item and not needed by the next, where no further run has done so."""
    last = None if item.session.shouldfail or item.session.shouldstop else nextitem
    call = pytest.CallInfo.from_call(
        lambda: item.session._setupstate.teardown_exact(last),
        when="teardown",
        reraise=(pytest.exit.Exception, KeyboardInterrupt),
    )
    if call.excinfo is not None:
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        item.ihook.pytest_runtest_logreport(report=report)
