"""
A limit that is one: a budget that every request uses up and that comes back with time.

Vendors differ in how they count, in what they say on every reply, and in how they
refuse: all of that is settings, so that a vendor is data, in a scenario.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from .._errors import FaultError
from .._memory import Memory
from .._payload import json_of, with_payload, written
from .._reply import Reply, Request
from ._answer import JSON, TEXT, check_said, json_text, said
from ._budget import NAME, SLACK, Budget, Reading, check_readings, filled
from ._paths import check_path, found, places
from ._settings import check_choice, check_count, check_headers, check_text

REFILLS: Final = ("window", "steady")
RETRY_AFTER: Final = {"Retry-After": "{limit.wait.seconds}"}
# What makes a window of the points' own, and what it is nothing without.
OWN_WINDOW: Final = {"points_per_seconds": "points", "points_resets_in_seconds": "points_per_seconds"}


@dataclass(slots=True)
class State:
    """What is left in one test, and who came too early."""

    budgets: dict[str, Budget]
    promised: float = 0.0  # until then a refused client was told to wait
    early: int = 0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The client has so many requests in so much time: every reply says what is left, and then it is refused.

    In `headers`, `spent_headers`, `json`, `text` and `adds`, readings stand in braces: `{limit.requests.limit}`,
    `.remaining`, `.used`; `{limit.requests.reset.FORM}` (until the budget is full) and `{limit.wait.FORM}` (until this
    request would pass), where FORM is seconds, exact, ms, duration (`6m0s`), epoch, epoch_ms, rfc3339, http_date or
    zoned_date (not in GMT);
    and the same of `points`, with `{limit.points.asked}`.

    Args:
        requests: how many requests there are in `per_seconds`; None: they are not counted.
        points: how many tokens or points of cost; None: they are not counted.
        per_seconds: in which time the budget comes back.
        points_per_seconds: in which time points come back, where they have a window of their own; None: `per_seconds`.
        refill: `window`: all at once at the end of `per_seconds`. `steady`: bit by bit (a token bucket).
        left: how many requests are left at the first one; None: all.
        points_left: how many points are left at the first one; None: all.
        resets_in_seconds: when the window that is running ends, from the first request on; None: `per_seconds`.
        points_resets_in_seconds: the same of a window that points have of their own; None: `points_per_seconds`.
        points_each: what a request costs, as far as is known before it was carried out.
        points_asked: JSONPath in the request's JSON to what it asks for (`$.max_tokens`); it wins over `points_each`.
        points_at: JSONPath in the reply's JSON to what it truly cost (`$.usage.total_tokens`).
        headers: header fields of every reply.
        adds: a JSON table that is merged into every JSON reply that is not a refusal, as text.
        code: status code of a refusal, 200 to 599.
        spent_headers: further header fields of a refusal; None: Retry-After, in seconds.
        json: the body of a refusal: a text is sent verbatim as JSON, a table or list is written out.
        text: the body of a refusal as plain text, in place of `json`.
        early_calls: how many calls before the wait is over are let go unpunished; None: any number.
        early_seconds: how long the wait becomes, anew with each further early call.

    Raises:
        FaultError: a setting has a wrong type or value, nothing is counted, or a reading is unknown.

    Source: RFC 6585 section 4; RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers.
    """

    refuses: ClassVar[bool] = True
    requests: int | None = None
    points: int | None = None
    per_seconds: float = 60.0
    points_per_seconds: float | None = None
    refill: str = "window"
    left: int | None = None
    points_left: int | None = None
    resets_in_seconds: float | None = None
    points_resets_in_seconds: float | None = None
    points_each: int = 1
    points_asked: str | None = None
    points_at: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    adds: str | None = None
    code: int = 429
    spent_headers: Mapping[str, str] | None = None
    json: Any = None
    text: str | None = None
    early_calls: int | None = None
    early_seconds: float = 60.0
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = "rate_limit"
        if self.requests is None and self.points is None:
            raise FaultError(f"{name}: nothing is counted", "neither `requests` nor `points`", "give one of them")
        check_count(name, "requests", self.requests, 1, optional=True)
        check_count(name, "points", self.points, 1, optional=True)
        check_count(name, "left", self.left, 0, optional=True)
        check_count(name, "points_left", self.points_left, 0, optional=True)
        check_count(name, "points_each", self.points_each, 0)
        check_count(name, "early_calls", self.early_calls, 0, optional=True)
        for setting in ("per_seconds", "resets_in_seconds", "early_seconds", *OWN_WINDOW):
            _check_seconds(name, setting, getattr(self, setting))
        for setting, needed in OWN_WINDOW.items():
            if getattr(self, setting) is not None and getattr(self, needed) is None:
                raise FaultError(f"{name}: `{setting}` without `{needed}`", "a window of nothing", f"give `{needed}`")
        check_choice(name, "refill", self.refill, REFILLS)
        check_path(name, "points_asked", self.points_asked)
        check_path(name, "points_at", self.points_at)
        check_headers(name, self._spent_headers)
        check_said(name, self.code, self.headers, self.json, self.text)
        _check_table(name, self.adds)
        body = "" if self.json is None else json_text(self.json)
        texts = {"headers": self.headers, "spent_headers": self._spent_headers}
        for setting, table in texts.items():
            for value in table.values():
                check_readings(name, setting, value, self._kinds)
        for setting, text in {"json": body, "text": self.text or "", "adds": self.adds or ""}.items():
            check_readings(name, setting, text, self._kinds)

    def answer(self, request: Request) -> Reply | None:
        """The refusal, when the budget is spent; else the request is counted and passes."""
        memory = self.memory
        with memory.lock:
            state, now = self._state(), memory.now()
            costs = self._costs(request)
            blocked = state.early > (self.early_calls or 0) and self.early_calls is not None and now < state.promised
            if not blocked and all(state.budgets[kind].has(cost) for kind, cost in costs.items()):
                for kind, cost in costs.items():
                    state.budgets[kind].left -= cost
                state.early = 0
                return None
            if now < state.promised:
                state.early += 1
                if self.early_calls is not None and state.early > self.early_calls:
                    state.promised = now + self.early_seconds
            reading = self._reading(state, costs)
            state.promised = max(state.promised, now + reading.spans["wait"])
        headers = {key: filled(value, reading) for key, value in self._spent_headers.items()}
        if self.text is not None:
            return said(self.code, filled(self.text, reading), TEXT, headers)
        return said(self.code, "" if self.json is None else filled(json_text(self.json), reading), JSON, headers)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """What is left, said on every reply."""
        if reply.head is None:
            return reply
        with self.memory.lock:
            state = self._state()
            if reply.status is not None and reply.status < 400:
                self._correct(state, request, reply)
            reading = self._reading(state, self._costs(request))
        for name, value in self.headers.items():
            reply = reply.with_header(name, filled(value, reading))
        return reply if self.adds is None else _added(reply, filled(self.adds, reading))

    @property
    def _kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in ("requests", "points") if getattr(self, kind) is not None)

    @property
    def _spent_headers(self) -> Mapping[str, str]:
        return RETRY_AFTER if self.spent_headers is None else self.spent_headers

    def _state(self) -> State:
        """What is left now; the first request starts the window."""
        now = self.memory.now()
        state = self.memory.kept("rate_limit", lambda: State({kind: self._full(kind, now) for kind in self._kinds}))
        for budget in state.budgets.values():
            budget.move(now)
        return state

    def _full(self, kind: str, now: float) -> Budget:
        limit: int = getattr(self, kind)
        left = self.left if kind == "requests" else self.points_left
        if kind == "requests" or self.points_per_seconds is None:
            seconds, ends = self.per_seconds, self.resets_in_seconds
        else:
            seconds, ends = self.points_per_seconds, self.points_resets_in_seconds
        first = seconds if ends is None else ends
        return Budget(limit, seconds, self.refill == "steady", limit if left is None else left, now, now + first)

    def _costs(self, request: Request) -> dict[str, float]:
        """What a request costs of each kind, as far as is known before it was carried out."""
        costs: dict[str, float] = dict.fromkeys(self._kinds, 1.0)
        if "points" in costs:
            asked = None if self.points_asked is None else _number(self.points_asked, _json(request.body))
            costs["points"] = self.points_each if asked is None else asked
        return costs

    def _correct(self, state: State, request: Request, reply: Reply) -> None:
        """Take what it truly cost instead."""
        if self.points_at is None or "points" not in state.budgets:
            return
        truly = _number(self.points_at, json_of(reply))
        if truly is not None:
            budget = state.budgets["points"]
            budget.left = min(budget.limit, budget.left + self._costs(request)["points"] - truly)

    def _reading(self, state: State, costs: dict[str, float]) -> Reading:
        now = self.memory.now()
        counts, spans = {"points.asked": costs.get("points", 0.0)}, {"wait": 0.0}
        for kind, budget in state.budgets.items():
            left = max(0, int(budget.left + SLACK))  # a vendor counts whole ones
            counts |= {f"{kind}.limit": budget.limit, f"{kind}.remaining": left, f"{kind}.used": budget.limit - left}
            spans[f"{kind}.reset"] = budget.reset
            spans["wait"] = max(spans["wait"], budget.wait(costs[kind]))
        if self.early_calls is not None and state.early > self.early_calls:
            spans["wait"] = max(spans["wait"], state.promised - now)
        return Reading(counts, spans, self.memory.epoch())


def _added(reply: Reply, text: str) -> Reply:
    """The reply with a table merged into its JSON; the same one where it has no JSON table."""
    if reply.status is None or reply.status >= 400:
        return reply
    value = json_of(reply)
    if not isinstance(value, dict) or "errors" in value:
        return reply
    return with_payload(reply, written(_merged(value, json.loads(text))).encode())


def _merged(value: Any, more: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(more, dict):
        return more
    return {**value, **{key: _merged(value.get(key), inner) for key, inner in more.items()}}


def _number(path: str, value: Any) -> float | None:
    """The number where a path leads; None: there is none."""
    if not isinstance(value, dict | list):
        return None
    there = [found(value, place) for place in places(path, value)]
    return next((float(x) for x in there if isinstance(x, int | float) and not isinstance(x, bool)), None)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _check_seconds(fault: str, setting: str, value: Any) -> None:
    if value is None and setting in ("resets_in_seconds", *OWN_WINDOW):
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        raise FaultError(f"{fault}: `{setting}` must be a number of seconds", repr(value), "give a number over 0")


def _check_table(fault: str, text: Any) -> None:
    """`adds` must be a JSON table once its readings stand in it."""
    if text is None:
        return
    check_text(fault, "adds", text)
    if not isinstance(_json(NAME.sub("0", text).encode()), dict):
        raise FaultError(f"{fault}: `adds` must be a JSON table", repr(text)[:80], 'write it like {"extensions": {}}')
