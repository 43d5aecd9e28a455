"""A long JSON reply that drifts: against reading it and writing it, the least that can be done."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps, loads
from random import Random
from time import perf_counter
from typing import Any

from pytest_agentfault import Reply, Request
from pytest_agentfault.faults.drift import Drift

from ._timing import Round, Table, in_turns, ratio

LIMIT = 3.0
ASKED = Request("GET", "https://jira.example/rest/api/2/search")
JSON = {"Content-Type": "application/json"}
KINDS = {
    "a field of chance": Drift("remove"),
    "one path, 4,000 items": Drift("remove", "$.issues[*].fields.summary"),
    "any depth, 8,000 fields": Drift("null", "$..name"),
    "a type of chance": Drift("retype"),
    "a new word, 4,000 items": Drift("new_enum_value", "$.issues[*].fields.priority.name"),
}


def tables(quick: bool) -> Sequence[Table]:
    """`Drift.alter` over a reply of 2 MB, in the shape of an issue search."""
    text = dumps(_found(40 if quick else 4_200), ensure_ascii=False, separators=(",", ":")).encode()
    reply = Reply.of(200, text, JSON)

    def least() -> float:
        began = perf_counter()
        dumps(loads(text))
        return perf_counter() - began

    def drifting(fault: Drift) -> Round:
        def once() -> float:
            fresh = Drift(fault.operation, fault.field, Random(7))
            began = perf_counter()
            drifted = fresh.alter(ASKED, reply)
            taken = perf_counter() - began
            assert drifted != reply
            return taken

        return once

    ways = {"least": least, **{name: drifting(fault) for name, fault in KINDS.items()}}
    times = in_turns(ways, 2 if quick else 15)
    return [
        Table(
            "Drift of a long reply",
            f"`Drift.alter` over a JSON reply of {len(text) / 1e6:.1f} MB, against one `json.loads` and one "
            "`json.dumps` of it: reading and writing it is part of every drift. The garbage collector is off.",
            "drift",
            "loads + dumps",
            [ratio(name, times[name], times["least"], LIMIT) for name in KINDS],
        )
    ]


def _found(count: int) -> Any:
    return {"startAt": 0, "total": count, "issues": [_issue(number) for number in range(count)]}


def _issue(number: int) -> Any:
    return {
        "id": str(10_000 + number),
        "key": f"PROJ-{number}",
        "self": f"https://jira.example/rest/api/2/issue/{10_000 + number}",
        "fields": {
            "summary": f"Login fails on Safari \u2013 {'x' * 200}",
            "status": {"name": "In Progress", "id": "3"},
            "priority": {"name": "High", "id": "2"},
            "labels": ["safari", "login"],
            "updated": "2026-01-01T10:00:00.000+0000",
            "points": 3.5,
        },
    }
