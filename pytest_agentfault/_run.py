"""
One test under faults, from before its fixtures to its verdict.

Puts plan, clock, upstreams and door together, and takes everything off again:
`stop` may be called at any time and any number of times.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from . import _discover
from ._baseline import Mount
from ._errors import AgentFaultError, UnreachableWarning
from ._exchange import Exchange, Strike
from ._explore import explored, is_exploring
from ._placing import CHECKS, Placement, place
from ._plan import Hung, Plan
from ._rule import Tally
from ._seams import Patches
from ._test_clock import TestClock
from ._verdict import Outcome, out_of_reach, outcome_of_pass, why_never_struck
from ._watchdog import Watchdog, calls_of
from .clock import REAL_MONOTONIC, Clock
from .doors.memory import MemoryDoor
from .scenario import Library, bind
from .upstreams.cassette import Cassette, Recordings
from .upstreams.live import Live

if TYPE_CHECKING:
    from .checks import Finding
    from .doors._certificates import Certificates
    from .doors.server import ServerDoor

UPSTREAMS: Final = "pytest_agentfault.upstreams"
DOORS: Final = "pytest_agentfault.doors"


class Door(Protocol):
    """A way in that is put over this process, for what the door `memory` does not reach."""

    name: str

    def install(self, patches: Patches) -> None:
        """Put it in place; called again when rules have been added."""
        ...

    def hang_up(self) -> None:
        """Close what clients still hold."""
        ...


class Faults:
    """The faults of one test: what the fixture `faults` gives.

    Attributes:
        log: the exchanges so far, oldest first: request, baseline, reply, script, what struck.
        outcome: the outcome of the test in one word, once it is over; None before.
        clock: the clock that faults and the code under test share.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def add(self, *what: Any, **words: Any) -> None:
        """Let more faults strike from now on; the words are those of the marker `fault`.

        Args:
            *what: names of scenarios, or fault objects (with `to=`).
            **words: to, times, after, every, probability, until, after_seconds, for_seconds, raises, cassette,
                checks, waive.

        Raises:
            AgentFaultError: a name or a word is wrong.
        """
        self._run.add(place(what, words, self._run.library, self._run.folder))

    @property
    def log(self) -> list[Exchange]:
        """The exchanges so far, oldest first."""
        return self._run.plan.log

    @property
    def outcome(self) -> str | None:
        """The outcome of the test in one word, once it is over; None before."""
        outcome = self._run.outcome
        return outcome.value if outcome else None

    @property
    def clock(self) -> TestClock:
        """The clock that faults and the code under test share: `now`, `advance(seconds)`, `slept`."""
        self._run.clock.calendar.want_dates()
        return self._run.own_clock


class Run:
    """One test under faults.

    Args:
        placements: what the test asked for.
        library: where `faults.add` finds scenarios.
        recordings: the cassettes parsed in this session.
        folder: what a relative cassette path is relative to.
        seed: every random choice of the test follows from it.
        max_calls: the budget of calls.
        max_seconds: the budget of real seconds without a call.
    """

    def __init__(
        self,
        placements: Sequence[Placement],
        library: Library,
        recordings: Recordings,
        folder: Path,
        seed: str,
        max_calls: int,
        max_seconds: float = 30.0,
    ) -> None:
        self.library, self.folder = library, folder
        self.clock = Clock()
        self.own_clock = TestClock(self.clock)
        self.on_clock = False  # the calendar is wanted from the start
        wall = self.clock.wall
        self.plan = Plan(seed=seed, bind=bind(seed, wall), now=self.clock.now, max_calls=max_calls, epoch=wall)
        self.faults = Faults(self)
        self.watchdog = Watchdog(self.plan, lambda: len(self.clock.slept), max_seconds)
        self.outcome: Outcome | None = None
        self.awaited = False  # `faults.add` may come at any time, so every connection is let in from the start
        self._recordings = recordings
        self._patches = Patches()
        self._mounts: list[Mount] = [kind(recordings) for kind in _mounts()]
        self._upstreams: list[Any] = [*self._mounts, Live(self.clock.busy)]
        self._door = MemoryDoor(self.plan, self._upstreams, self.clock, everyone=self._is_recorded)
        self._doors: list[Door] = [
            kind(self.plan, self._upstreams, self.clock, memory=self._door) for kind in _more_doors()
        ]
        self._started = False
        self._servers: list[ServerDoor] = []
        self._placed: list[tuple[Placement, slice]] = []
        self.add(placements)

    def add(self, placements: Sequence[Placement]) -> None:
        """Let more faults strike."""
        for placement in placements:
            start = len(self.plan.rules)
            for rule in placement.rules:
                self.plan.add(rule)
            self._placed.append((placement, slice(start, len(self.plan.rules))))
            if placement.cassette is not None:
                self._upstreams.insert(-1, Cassette(placement.cassette, self._recordings))
        if self._started:
            self._open_more_doors()

    def start(self, wanted: Callable[[str], bool]) -> None:
        """Put clock, mounts and door in place.

        Args:
            wanted: whether the test is known to use the tool of this name (its mark or fixture).
        """
        try:
            self.watchdog.install(self._patches)
            if not wanted("fault_server"):  # its clients live in other processes, and in real time
                self.clock.install(self._patches)
                if self.on_clock or any(p.clock for p in self.placements):
                    self.clock.calendar.want_dates()
                if unreached := out_of_reach():
                    warnings.warn(UnreachableWarning(unreached), stacklevel=2)
            for mount in self._mounts:
                if hasattr(mount, "wants"):  # it can answer where it is what no rule can match
                    mount.wants = lambda host, port: self.awaited or self.plan.wants(host, port)
                mount.install(self._patches, wanted=wanted(mount.tool))
            self._door.install(self._patches)
            self._open_more_doors()
            self._started = True
        except BaseException:
            self.stop()
            raise

    def _open_more_doors(self) -> None:
        for door in self._doors:
            door.install(self._patches)

    def stop(self) -> None:
        """Take everything off again."""
        self._started = False
        for server in self._servers:
            server.stop()
        for door in (self._door, *self._doors):
            door.hang_up()
        self._patches.undo()
        for mount in self._mounts:
            mount.release()

    def serve(self, certificates: Certificates) -> ServerDoor:
        """A server on loopback under this test's plan; it stops with the test.

        Args:
            certificates: what it proves itself with, the session's own.
        """
        from .doors.server import ServerDoor

        server = ServerDoor(self.plan, self._upstreams, certificates, REAL_MONOTONIC, everyone=self._is_recorded)
        server.start()
        self._servers.append(server)
        self._door.own_ports.add(server.port)
        return server

    def _is_recorded(self) -> bool:
        named = len(self._upstreams) > len(self._mounts) + 1  # a cassette of a marker
        return named or self.awaited or any(mount.active for mount in self._mounts)

    def judge_pass(self) -> list[str]:
        """The verdict on a test that raised nothing: what is wrong, each as text."""
        log = self.plan.log
        wrong: list[str] = [str(p) for p in _once(self.plan.problems)]
        missing = self._never_struck()
        if missing or self.struck or not self.explores:  # a run that only found places is judged by their runs
            self.outcome = Outcome.MISSED if missing and not wrong else outcome_of_pass(log)
        if not missing and self.outcome is Outcome.MISSED and any(p.guards for p, _ in self._placed):
            self.outcome = Outcome.HELD  # there was nothing to find fault with
        wrong += missing
        if self.plan.hung:  # a client elsewhere was cut off; nothing was raised here
            self.outcome = Outcome.HUNG
            wrong.append(self._spent())
        for placement, _ in self._placed:
            if placement.raises is not None and placement.must_raise and not is_exploring(placement):
                wrong.append(self._did_not_raise(placement))
        wrong += [str(finding) for finding in self._findings()]
        return wrong

    def judge_error(self, error: BaseException) -> bool:
        """The verdict on a test that raised; True when the error is one it declared."""
        hung = isinstance(error, Hung) or self.plan.hung
        if self.explores and not self.struck and not hung:
            return False  # nothing was done to it yet
        declared = not hung and any(_is_declared(error, p.raises) for p, _ in self._placed)
        if hung:
            self.outcome = Outcome.HUNG
        elif not any(x.struck for x in self.plan.log):
            self.outcome = Outcome.MISSED
            declared = False
        else:
            self.outcome = Outcome.SURFACED if declared else Outcome.CRASHED
        if not declared:
            for note in self._notes():
                error.add_note(note)
        return declared

    def judge_declared(self) -> list[str]:
        """What is wrong although the declared error came out."""
        return [*self._never_struck(), *(str(finding) for finding in self._findings())]

    @property
    def explores(self) -> bool:
        """Whether this run only shows which places there are, each of which gets a run of its own."""
        return any(is_exploring(placement) for placement, _ in self._placed)

    def places(self) -> Iterator[tuple[str, tuple[Placement, ...]]]:
        """The runs that are asked for by faults that explore: a name for each place, and what strikes there."""
        return explored(self.plan, self._placed)

    def place_of(self, strike: Strike) -> tuple[int, int, int] | None:
        """Where a fault that struck stands: which placement, which of its rules, which of that one's faults."""
        number = next(n for n, rule in enumerate(self.plan.rules) if rule is strike.rule)
        for which, (_, part) in enumerate(self._placed):
            if part.start <= number < part.stop:
                kinds = [type(fault) for fault in strike.rule.faults]
                return which, number - part.start, kinds.index(type(strike.fault))
        return None

    @property
    def placements(self) -> list[Placement]:
        """What the test asked for, in order."""
        return [placement for placement, _ in self._placed]

    def may_skip(self, wrong: Sequence[str]) -> bool:
        """Whether what is wrong is only that a pattern swept in what has nothing to strike here."""
        return bool(wrong) and self.outcome is Outcome.MISSED and not any(p.must_strike for p in self.placements)

    @property
    def calls(self) -> int:
        """How many exchanges there were."""
        return len(self.plan.log)

    @property
    def struck(self) -> int:
        """How many exchanges were struck."""
        return sum(1 for x in self.plan.log if x.struck)

    def _pairs(self, part: slice) -> list[tuple[Any, Tally]]:
        return list(zip(self.plan.rules[part], self.plan.tallies[part], strict=True))

    def _never_struck(self) -> list[str]:
        above = next((found for mount in self._mounts if (found := mount.active_above())), "")
        return [
            str(why_never_struck(placement.name, self._pairs(part), self.plan, above))
            for placement, part in self._placed
            if not any(tally.struck or (placement.guards and tally.seen) for _, tally in self._pairs(part))
            and not (is_exploring(placement) and any(self.places()))
        ]

    def _spent(self) -> str:
        return self.plan.why_hung or str(
            AgentFaultError(
                f"the code under test made more than {self.plan.max_calls} calls, the budget of one test",
                f"{self._strikes()}; {calls_of(self.plan)}",
                "let it give up earlier, or raise the ini key `fault_budget_calls`",
            )
        )

    def _did_not_raise(self, placement: Placement) -> str:
        return str(
            AgentFaultError(
                f"{placement.name} did not surface as {_shown(placement.raises)}",
                f"the test passed without raising it; {self._strikes()}",
                "if passing is right here, drop raises=; else let the code under test raise it",
            )
        )

    def _findings(self) -> list[Finding]:
        names = dict.fromkeys(name for placement, _ in self._placed for name in placement.checks)
        return [finding for name in names for finding in _discover.the_thing_in(CHECKS, name)(self.plan.log)]

    def _strikes(self) -> str:
        lines = [
            f"{', '.join(dict.fromkeys(s.name for s in x.struck))} on call {x.number} "
            f"({x.request.method} {x.request.url.partition('?')[0]} -> {x.reply.status or 'no reply'})"
            for x in self.plan.log
            if x.struck
        ]
        shown = "; ".join(lines[:5]) + (f"; and {len(lines) - 5} more" if len(lines) > 5 else "")
        return f"struck: {shown or 'nothing'}; calls in all: {len(self.plan.log)}"

    def _notes(self) -> list[str]:
        notes = [f"pytest-agentfault {self._strikes()}"] if self.struck else self._never_struck()
        return [*notes, *(str(p) for p in _once(self.plan.problems))]


def _mounts() -> list[Callable[[Recordings], Mount]]:
    """The upstreams that a test brings with it and that are asked from below: those with `install`.

    Where two tools know a request, the one that sits higher in the client answers, as without us.
    """
    found = (_discover.the_thing_in(UPSTREAMS, name) for name in _discover.names(UPSTREAMS))
    return sorted((kind for kind in found if hasattr(kind, "install")), key=lambda kind: getattr(kind, "is_low", False))


def _more_doors() -> list[Callable[..., Door]]:
    """The doors beside the default one that are put over this process: those with `install`."""
    others = (name for name in _discover.names(DOORS) if name != MemoryDoor.name)
    found = (getattr(import_module(f"{DOORS}.{name}"), f"{name.title()}Door") for name in others)
    return [kind for kind in found if hasattr(kind, "install")]


def _once(problems: Sequence[BaseException]) -> list[BaseException]:
    return list({str(p): p for p in problems if not isinstance(p, Hung)}.values())


def _is_declared(error: BaseException, raises: Any) -> bool:
    kinds = raises if isinstance(raises, tuple) else (raises,)
    for kind in kinds:
        if isinstance(kind, type):
            if isinstance(error, kind):
                return True
        elif kind is not None and kind.matches(error):
            return True
    return False


def _shown(raises: Any) -> str:
    kinds = raises if isinstance(raises, tuple) else (raises,)
    return " or ".join(getattr(kind, "__name__", repr(kind)) for kind in kinds)
