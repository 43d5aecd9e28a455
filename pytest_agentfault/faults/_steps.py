"""
The plain JSONPaths, read and walked without a library: names, indices, `*` and `..`.

Most paths in tests and scenarios are of this kind. jsonpath-ng costs 50 ms to
import and some 10 us for each value it looks at, which a long list or a stream
of a thousand events feels; so it is asked only for what this file does not know
(filters, slices, arithmetic). What both know, both answer alike.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
# What a step looks for (None: everything), and whether also further down.
Step: TypeAlias = tuple[str | int | None, bool]

HOLDERS: Final = (dict, list)
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
QUOTED: Final = r"'(?P<{0}1>(?:[^'\\]|\\.)*)'|\"(?P<{0}2>(?:[^\"\\]|\\.)*)\""
STEP: Final = re.compile(
    rf"(?P<dots>\.\.?)(?:(?P<name>{NAME.pattern})|(?P<all>\*)|{QUOTED.format('q')})"
    rf"|\[(?:(?P<index>\d+)|(?P<items>\*)|{QUOTED.format('b')})\]",
    re.DOTALL,
)


@cache
def steps_of(path: str) -> tuple[Step, ...] | None:
    """The steps of a plain path; None: it is not plain."""
    if not path.startswith("$"):
        return None
    steps: list[Step] = []
    at = 1
    while at < len(path):
        found = STEP.match(path, at)
        if found is None:
            return None
        at = found.end()
        deep = found["dots"] == ".."
        if found["index"] is not None:
            steps.append((int(found["index"]), deep))
        elif found["all"] is not None or found["items"] is not None:
            steps.append((None, deep))
        else:
            quoted = next((found[g] for g in ("q1", "q2", "b1", "b2") if found[g] is not None), None)
            steps.append((found["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.S), deep))
    return tuple(steps)


def walked(steps: tuple[Step, ...], value: Any) -> list[Place]:
    """Where the steps lead in this value, each place once; outer ones before inner ones, items as they stand."""
    reached: list[tuple[Place, Any]] = [((), value)]
    for wanted, deep in steps:
        if deep:
            inside = [pair for at, there in reached for pair in containers(there, at)]
            # One start may lie in another, and what is below both is reached twice.
            reached = inside if len(reached) == 1 else list({place: (place, v) for place, v in inside}.values())
        reached = [pair for at, there in reached for pair in _step(wanted, at, there)]
    return [place for place, _ in reached]


def containers(value: Any, at: Place = ()) -> list[tuple[Place, Any]]:
    """Every object and list in a value, itself first, outer ones before inner ones; nothing of a scalar."""
    found = [(at, value)] if isinstance(value, dict | list) else []
    for place, there in found:  # which grows meanwhile
        pairs = there.items() if isinstance(there, dict) else enumerate(there)
        found += [((*place, key), inner) for key, inner in pairs if inner.__class__ in HOLDERS]
    return found


def path_of(place: Place) -> str:
    """The path of a place; the items of a list are one: `$.issues[*].key`."""
    return "$" + "".join(map(_written, place))


def _step(wanted: str | int | None, at: Place, there: Any) -> list[tuple[Place, Any]]:
    if isinstance(there, dict):
        if wanted is None:
            return [((*at, key), inner) for key, inner in there.items()]
        return [((*at, wanted), there[wanted])] if wanted in there else []
    if isinstance(there, list):
        if wanted is None:
            return [((*at, number), inner) for number, inner in enumerate(there)]
        return [((*at, wanted), there[wanted])] if isinstance(wanted, int) and wanted < len(there) else []
    return []


def _written(key: str | int) -> str:
    if isinstance(key, int):
        return "[*]"
    if NAME.fullmatch(key):
        return f".{key}"
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"
