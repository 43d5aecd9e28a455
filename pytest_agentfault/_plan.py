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
from dataclasses import dataclass, replace
from random import Random
from threading import Lock
from typing import Any, Final, TypeAlias

from ._errors import FaultError
from ._reply import Head, Refused, Reply, Request
from ._rule import Rule, Tally, credential_digest, verbs_of
from ._script import Next, Script, Send, encode

CONFESSION: Final = "X-Agentfault"
CONNECT: Final = "CONNECT"
MAX_CALLS: Final = 100
PASSED_ON: Final = Script((Next(),))


class Hung(BaseException):
    """The code under test made more calls than its budget: it would have gone on for ever.

    A BaseException, so that a retry loop's `except Exception` cannot swallow it.
    """


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault that changed something in an exchange."""

    rule: Rule
    fault: Any

    @property
    def name(self) -> str:
        """What reports call it: the scenario, or the fault's own class."""
        return self.rule.name or type(self.fault).__name__


@dataclass(frozen=True, slots=True)
class Claim:
    """One request, and the rules that are due for it: they have counted it, so it must have its exchange.

    Args:
        number: its place among the test's requests; 0: it stands in no log, since a door above has asked about it.
        request: as the client sent it.
        due: the rules that will try to strike.
        began: when, on the clock.
    """

    number: int
    request: Request
    due: tuple[tuple[Rule, Tally], ...]
    began: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, what the baseline said, what the client was given, and what struck in between.

    Of a reply that was passed on as it came, the script holds nothing (`PASSED_ON`), and the body no more than
    its first MiB.
    """

    number: int
    request: Request
    baseline: Reply | None
    reply: Reply
    script: Script
    struck: tuple[Strike, ...]
    began: float
    ended: float


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
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        seed: str = "0",
        bind: Bind | None = None,
        now: Callable[[], float] = time.monotonic,
        max_calls: int = MAX_CALLS,
    ) -> None:
        self.rules: list[Rule] = []
        self.tallies: list[Tally] = []
        self.log: list[Exchange] = []
        self.problems: list[BaseException] = []
        self.passed: set[str] = set()  # where connections went that no rule can match
        self.now = now
        self.max_calls = max_calls
        self.hung = False
        self.why_hung = ""  # if it was not for the budget of calls
        self._seed = seed
        self._bind: Bind = bind or (lambda fault, request: fault)
        self._lock = Lock()
        self._begun = 0
        self._latest: dict[tuple[str | bytes, ...], Exchange] = {}
        for rule in rules:
            self.add(rule)

    def add(self, rule: Rule) -> None:
        """Let one more rule strike from now on."""
        with self._lock:
            random = Random(f"{self._seed}/{len(self.rules)}")
            # The tally first: whoever pairs them meanwhile must not find a rule without one.
            self.tallies.append(Tally(random))
            self.rules.append(replace(rule, faults=tuple(_with_random(f, random) for f in rule.faults)))

    def wants(self, host: str, port: int) -> bool:
        """True when a door must let this host in: some rule can match a URL there."""
        wanted = any(rule.may_reach(host, port) for rule in self.rules)
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

    def connect(self, authority: str) -> Refused | None:
        """How a connection attempt fails, if a rule says so: asked before any request exists.

        Args:
            authority: `scheme://host[:port]` as dialled.
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
            self._keep(claim, None, reply, encode(reply, asked), (Strike(rule, fault),))
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
            asked = request
            for rule, fault in _having("mutate", bound):
                before, asked = asked, fault.mutate(asked)
                if asked != before:
                    struck.append(Strike(rule, fault))
            baseline: Reply | None = None
            reply: Reply | None = None
            for rule, fault in _having("answer", bound):
                reply = fault.answer(asked)
                if reply is not None:  # None: not a request this fault has an answer to
                    _forbid_refused(reply, fault)
                    struck.append(Strike(rule, fault))
                    break  # the vendor's place is taken
            if reply is None:
                baseline = reply = yield asked
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
                script = _confess(script, struck)
        finally:
            self._release(claimed, struck)
        self._hold(claimed, struck, reply)
        return self._keep(claim, baseline, reply, script, tuple(struck))

    def lost_baseline(self, request: Request) -> Reply | None:
        """What the baseline said to the very same request last time, if the client never got it whole.

        The retry is the same turn of a conversation: a recording has not moved on to the next one.
        """
        last = self._latest.get((request.method, request.url, request.body))
        damaged = last and (not last.reply.whole or any(s.rule.damages == "payload" for s in last.struck))
        return last.baseline if last and last.struck and damaged else None

    def struck_baseline(self, request: Request) -> Reply | None:
        """What the baseline said to a request of this method and URL last time, if that reply was struck.

        For an upstream that has nothing left to say: what it said, it said in vain.
        """
        last = self._latest.get((request.method, request.url))
        return last.baseline if last and last.struck else None

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
                    tally.unchanged += 1
                    if tally.struck == 0:
                        tally.credential = None

    def _hold(self, claimed: Iterable[tuple[Rule, Tally]], struck: list[Strike], reply: Reply) -> None:
        for rule, tally in claimed:
            if rule.until == "waited" and tally.holds_until is None and any(s.rule is rule for s in struck):
                asked = reply.header("retry-after")
                tally.holds_until = self.now() + (float(asked) if asked.replace(".", "", 1).isdecimal() else 0.0)

    def _keep(
        self,
        claim: Claim,
        baseline: Reply | None,
        reply: Reply,
        script: Script,
        struck: tuple[Strike, ...],
        before: Exchange | None = None,
    ) -> Exchange:
        request = claim.request
        done = Exchange(claim.number, request, baseline, reply, script, struck, claim.began, self.now())
        if not claim.number:
            return done
        asked = (request.method, request.url)
        with self._lock:
            if before is None:
                self.log.append(done)
            else:
                self.log[next(n for n, kept in enumerate(self.log) if kept is before)] = done
            self._latest[asked] = self._latest[*asked, request.body] = done  # looked up at each request: no search
        return done


def drive(flow: Flow, send: Callable[[Request], Reply]) -> Exchange:
    """Run an exchange to its end with a blocking `send`."""
    try:
        request = next(flow)
    except StopIteration as stop:
        return _exchange_of(stop)
    return _last(flow, _sent(flow, send, request))


async def adrive(flow: Flow, send: Callable[[Request], Awaitable[Reply]]) -> Exchange:
    """Run an exchange to its end with an awaitable `send`."""
    try:
        request = next(flow)
    except StopIteration as stop:
        return _exchange_of(stop)
    try:
        reply = await send(request)
    except BaseException:
        flow.close()
        raise
    return _last(flow, reply)


def _sent(flow: Flow, send: Callable[[Request], Reply], request: Request) -> Reply:
    try:
        return send(request)
    except BaseException:
        flow.close()
        raise


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


def _is_connecting(rule: Rule) -> bool:
    return any("connect" in verbs_of(fault) for fault in rule.faults)


def _with_random(fault: Any, random: Random) -> Any:
    """The fault, its `random` field filled with the rule's own (where it has one)."""
    return replace(fault, random=random) if "random" in getattr(fault, "__dataclass_fields__", ()) else fault


def _forbid_refused(reply: Reply, fault: Any) -> None:
    if isinstance(reply.last, Refused):
        raise FaultError(
            f"{type(fault).__name__}.answer gave Refused()",
            "the request is already on its way, so the connection cannot be refused any more",
            "give the fault the verb `connect` instead, or answer with Lost(...)",
        )


def _confess(script: Script, struck: list[Strike]) -> Script:
    """Name what struck in a header, so that nobody takes an injected reply for the vendor's."""
    names = ", ".join(dict.fromkeys(s.name for s in struck))
    for number, step in enumerate(script.steps):
        data = step.data if isinstance(step, Send) else b""
        place = data.find(b"\r\n")
        if isinstance(step, Send) and data.startswith(b"HTTP/1.") and place > 0:
            line = f"\r\n{CONFESSION}: {names}".encode("latin-1", "replace")
            told = Send(data[:place] + line + data[place:])
            return Script((*script.steps[:number], told, *script.steps[number + 1 :]))
    return script


def _host_and_port(authority: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    parts = urlsplit(authority)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
