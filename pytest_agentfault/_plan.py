"""
What strikes an exchange, and what is kept of it.

Pure: a plan is asked with a request and answers with an exchange. It never
sends, sleeps or patches; `exchange` borrows the caller's I/O the way httpx's
`Auth.auth_flow` does: it yields the request when the baseline must see it and is
sent the reply. `drive` and `adrive` are its two drivers, so that nothing here
exists twice. Safe in threads and tasks: counting is under one lock.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import replace
from random import Random
from threading import Lock
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from ._credentials import credential_digest
from ._errors import CassetteError, FaultError
from ._exchange import Claim, Dialling, Exchange, Scouted, Strike
from ._memory import Memory
from ._reply import Head, Refused, Reply, Request
from ._rule import Rule, Tally, verbs_of
from ._script import Next, Script, encode, with_header_line
from ._waits import seconds_asked

CONFESSION: Final = "X-Agentfault"
CONNECT: Final = "CONNECT"
MAX_CALLS: Final = 100
PASSED_ON: Final = Script((Next(),))


class Hung(BaseException):
    """The code under test made more calls than its budget: it would have gone on for ever.

    A BaseException, so that a retry loop's `except Exception` cannot swallow it.
    """


Flow: TypeAlias = Generator[Request, Reply, Exchange]
Bind: TypeAlias = Callable[[Any, Request], Any]


class Plan:
    """The rules of one test, what they have counted, and the log of its exchanges.

    Args:
        rules: what strikes, in order.
        seed: every random choice of the test follows from it.
        bind: fills a fault's templates for one request (scenarios hand it over); None: nothing to fill.
        now: the clock, in seconds.
        max_calls: how many exchanges a test may have before it counts as hung.
        epoch: the time as the code under test reads it, in seconds since 1970.
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        seed: str = "0",
        bind: Bind | None = None,
        now: Callable[[], float] = time.monotonic,
        max_calls: int = MAX_CALLS,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        self.rules: list[Rule] = []
        self.tallies: list[Tally] = []
        self.log: list[Exchange] = []
        self.scouted: list[Scouted] = []
        self.problems: list[BaseException] = []
        self.passed: set[str] = set()  # where connections went that no rule can match
        self.now = now
        self.epoch = epoch
        self.max_calls = max_calls
        self.hung = False
        self.why_hung = ""  # if it was not for the budget of calls
        self._seed = seed
        self._bind: Bind = bind or (lambda fault, request: fault)
        self._lock = Lock()
        self._memory = Memory(now, epoch)
        self._begun = 0
        self._rewritten: set[Request] = set()  # what no client asked, but a fault made of what it asked
        self._latest: dict[tuple[str | bytes, ...], Exchange] = {}
        for rule in rules:
            self.add(rule)

    def add(self, rule: Rule) -> None:
        """Let one more rule strike from now on."""
        with self._lock:
            random = Random(f"{self._seed}/{len(self.rules)}")
            # The tally first: whoever pairs them meanwhile must not find a rule without one.
            self.tallies.append(Tally(random, self.now()))
            own = {"random": random, "memory": Memory(self.now, self.epoch, self._memory)}
            self.rules.append(replace(rule, faults=tuple(_filled(f, own) for f in rule.faults)))

    def wants(self, host: str, port: int, *, by_name: bool = False) -> bool:
        """True when a door must let this host in: some rule can match a URL there (and names it, if asked for)."""
        wanted = any(rule.may_reach(host, port) and (rule.names(host) or not by_name) for rule in self.rules)
        if not wanted:
            self.passed.add(f"{host}:{port}")
        return wanted

    def check_budget(self) -> None:
        """Raise `Hung` when the budget of calls is spent; doors ask at each new connection."""
        if self.hung or self._begun >= self.max_calls:
            self.hung = True
            raise Hung(
                self.why_hung
                or f"the code under test made more than {self.max_calls} calls, the budget of one test "
                "(ini `fault_budget_calls`)"
            )

    def connect(
        self, authority: str, dialling: Callable[[str], Dialling | None] = lambda authority: None
    ) -> Refused | None:
        """How a connection attempt fails, if a rule says so: asked before any request exists.

        Args:
            authority: `scheme://host[:port]` as dialled.
            dialling: which call it is for, where the door can say; asked only of an attempt that fails.
        """
        asked = Request(CONNECT, authority + "/")
        for rule, tally in self._connecting(authority):
            if not self._claim(rule, tally, asked):
                continue
            refused: Refused | None = None
            try:
                fault = self._bind(next(f for f in rule.faults if "connect" in verbs_of(f)), asked)
                refused = fault.connect(asked)
            finally:
                if refused is None:
                    self._release([(rule, tally)], [])
            if refused is None:
                continue
            reply = Reply((refused,))
            claim = Claim(self._number(), asked, (), self.now())
            script = encode(reply, asked)
            self._keep(claim, None, reply, script, (Strike(rule, fault),), dialling=dialling(authority))
            return refused
        return None

    def _connecting(self, authority: str) -> list[tuple[Rule, Tally]]:
        """The rules that can refuse a connection there."""
        connecting = [pair for pair in zip(self.rules, self.tallies, strict=False) if _is_connecting(pair[0])]
        if not connecting:
            return []
        host, port = _host_and_port(authority)
        return [pair for pair in connecting if pair[0].may_reach(host, port)]

    def claim(self, request: Request) -> Claim:
        """Count a request, and say which rules are due for it."""
        number, began = self._number(), self.now()
        due = tuple(
            (rule, tally)
            for rule, tally in zip(self.rules, self.tallies, strict=False)
            if not _is_connecting(rule) and rule.matches(request) and self._claim(rule, tally, request)
        )
        return Claim(number, request, due, began)

    def passed_on(self, claim: Claim, reply: Reply, before: Exchange | None = None) -> Exchange:
        """Keep what came of a request that no rule touches; in the place of what came `before`, if any."""
        return self._keep(claim, reply, reply, PASSED_ON, (), before)

    def exchange(self, request: Request, claim: Claim | None = None) -> Flow:
        """Yield the request if the baseline must see it; be sent its reply; return the exchange."""
        claim = claim or self.claim(request)
        claimed = claim.due
        struck: list[Strike] = []
        bound: list[tuple[Rule, Any]] = []
        try:
            bound += [(rule, self._bind(fault, request)) for rule, _ in claimed for fault in rule.faults]
            scouting = [pair for pair in bound if getattr(pair[1], "explores", False)]
            bound = [pair for pair in bound if pair not in scouting]
            asked = request
            for rule, fault in _having("mutate", bound):
                before, asked = asked, fault.mutate(asked)
                if asked != before:
                    struck.append(Strike(rule, fault))
                    self._rewritten.add(asked)
            baseline: Reply | None = None
            reply: Reply | None = None
            for rule, fault in _having("answer", bound):
                reply = fault.answer(asked)
                if reply is not None:  # None: not a request this fault has an answer to
                    _forbid_refused(reply, fault)
                    struck.append(Strike(rule, fault))
                    break  # the vendor's place is taken
            if reply is None:
                try:
                    baseline = reply = yield asked
                except CassetteError:
                    reply = _unanswered(bound, asked) if asked != request else None
                    if reply is None:
                        raise
            self.scouted += (Scouted(rule, fault, asked, reply) for rule, fault in scouting)
            for rule, fault in _having("alter", bound):
                before_reply, reply = reply, fault.alter(asked, reply)
                if reply != before_reply:
                    struck.append(Strike(rule, fault))
            # A connection that is kept is never refused: with a rule that refuses, each request dials anew.
            script = encode(reply, asked, keep=not any(map(_is_connecting, self.rules)))
            for rule, fault in _having("garble", bound):
                before_script, script = script, fault.garble(script)
                if script != before_script:
                    struck.append(Strike(rule, fault))
            if struck and isinstance(reply.head, Head):
                told = ", ".join(dict.fromkeys(s.name for s in struck))
                script = with_header_line(script, f"{CONFESSION}: {told}")  # so that nobody takes it for the vendor's
        finally:
            self._release(claimed, struck)
        self._hold(claimed, struck, reply)
        return self._keep(claim, baseline, reply, script, tuple(struck), asked=None if asked == request else asked)

    def lost_baseline(self, request: Request) -> Reply | None:
        """What the baseline said to the very same request last time, if the client never got it whole.

        The retry is the same turn of a conversation: a recording has not moved on to the next one.
        """
        last = self._latest.get((request.method, request.url, request.body))
        damaged = (
            last
            and not _is_of_another(last)
            and (not last.reply.whole or any(s.rule.damages == "payload" for s in last.struck))
        )
        return last.baseline if last and last.struck and damaged else None

    def struck_baseline(self, request: Request) -> Reply | None:
        """What the baseline said to a request of this method and URL last time, if that reply was struck.

        For an upstream that has nothing left to say: what it said, it said in vain, or to the request that a fault
        has now made of another one.
        """
        made = request in self._rewritten
        last = self._latest.get((request.method, request.url, *((request.body,) if made else ())))
        return last.baseline if last and not _is_of_another(last) and (last.struck or made) else None

    def _number(self) -> int:
        with self._lock:
            self._begun += 1
            return self._begun

    def _claim(self, rule: Rule, tally: Tally, request: Request) -> bool:
        """Take one of the rule's strikes; given back by `_release` if nothing is changed by it."""
        with self._lock:
            due = tally.is_due(rule, request, self.now())
            if due:
                tally.struck += 1
                if rule.until == "credential_changes" and tally.credential is None:
                    tally.credential = credential_digest(request)
            return due

    def _release(self, claimed: Iterable[tuple[Rule, Tally]], struck: list[Strike]) -> None:
        with self._lock:
            for rule, tally in claimed:
                if not any(s.rule is rule for s in struck):
                    tally.struck -= 1
                    tally.early = min(tally.early, tally.struck)
                    tally.unchanged += 1
                    if tally.struck == 0:
                        tally.credential = None

    def _hold(self, claimed: Iterable[tuple[Rule, Tally]], struck: list[Strike], reply: Reply) -> None:
        for rule, tally in claimed:
            if rule.until == "waited" and any(s.rule is rule for s in struck):
                tally.hold(self.now(), seconds_asked(reply, self.epoch()))

    def _keep(
        self,
        claim: Claim,
        baseline: Reply | None,
        reply: Reply,
        script: Script,
        struck: tuple[Strike, ...],
        before: Exchange | None = None,
        asked: Request | None = None,
        dialling: Dialling | None = None,
    ) -> Exchange:
        request, times = claim.request, (claim.began, self.now())
        done = Exchange(claim.number, request, baseline, reply, script, struck, *times, asked, self.epoch(), dialling)
        if not claim.number:
            return done
        known = (request.method, request.url)
        with self._lock:
            if before is None:
                self.log.append(done)
            else:
                self.log[next(n for n, kept in enumerate(self.log) if kept is before)] = done
            self._latest[known] = self._latest[*known, request.body] = done  # looked up at each request: no search
        return done


def drive(flow: Flow, send: Callable[[Request], Reply]) -> Exchange:
    """Run an exchange to its end with a blocking `send`."""
    try:
        request = next(flow)
    except StopIteration as stop:
        return _exchange_of(stop)
    try:
        reply = send(request)
    except CassetteError as error:
        return _without(flow, error)
    except BaseException:
        flow.close()
        raise
    return _last(flow, reply)


async def adrive(flow: Flow, send: Callable[[Request], Awaitable[Reply]]) -> Exchange:
    """Run an exchange to its end with an awaitable `send`."""
    try:
        request = next(flow)
    except StopIteration as stop:
        return _exchange_of(stop)
    try:
        reply = await send(request)
    except CassetteError as error:
        return _without(flow, error)
    except BaseException:
        flow.close()
        raise
    return _last(flow, reply)


def _without(flow: Flow, error: CassetteError) -> Exchange:
    """The end of an exchange whose request no recording knows: raises the error, unless a fault has the answer."""
    try:
        flow.throw(error)
    except StopIteration as stop:
        return _exchange_of(stop)
    raise AssertionError("an exchange yields its request at most once")


def _last(flow: Flow, reply: Reply) -> Exchange:
    try:
        flow.send(reply)
    except StopIteration as stop:
        return _exchange_of(stop)
    raise AssertionError("an exchange yields its request at most once")


def _exchange_of(stop: StopIteration) -> Exchange:
    done = stop.value
    assert isinstance(done, Exchange)
    return done


def _having(verb: str, bound: list[tuple[Rule, Any]]) -> list[tuple[Rule, Any]]:
    return [(rule, fault) for rule, fault in bound if verb in verbs_of(fault)]


def _is_of_another(done: Exchange) -> bool:
    """True when the baseline's reply was to another request than the client's, which a fault had made of it."""
    return done.asked is not None and not any(getattr(s.fault, "same_answer", False) for s in done.struck)


def _unanswered(bound: list[tuple[Rule, Any]], asked: Request) -> Reply | None:
    """What is said to a changed request that no recording knows, by the fault that changed it."""
    able = (fault for _, fault in bound if hasattr(fault, "unanswered"))
    return next((reply for fault in able if (reply := fault.unanswered(asked)) is not None), None)


def _is_connecting(rule: Rule) -> bool:
    return any("connect" in verbs_of(fault) for fault in rule.faults)


def _filled(fault: Any, own: dict[str, Any]) -> Any:
    """The fault, its fields `random` and `memory` filled with the rule's own (where it has them)."""
    given = {name: value for name, value in own.items() if name in getattr(fault, "__dataclass_fields__", ())}
    return replace(fault, **given) if given else fault


def _forbid_refused(reply: Reply, fault: Any) -> None:
    if isinstance(reply.last, Refused):
        raise FaultError(
            f"{type(fault).__name__}.answer gave Refused()",
            "the request is already on its way, so the connection cannot be refused any more",
            "give the fault the verb `connect` instead, or answer with Lost(...)",
        )


def _host_and_port(authority: str) -> tuple[str, int]:
    parts = urlsplit(authority)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
