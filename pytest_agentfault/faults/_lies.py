"""
Values that are plausible and wrong, one function for each way.

Rule: the reply keeps its shape and its types to the last field, so that no
parser, model or schema can notice; only what the values mean is no longer true.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, Final

from .._reply import Request
from ._choice import drawn
from ._cursors import is_cursor, promises
from ._paths import Place, found, objects, places
from ._steps import containers
from ._values import DECIMAL, earlier, is_date, is_id_name, is_number

COUNTS: Final = re.compile(
    r"(?:total|count|size|length|matches|hits)(?:_?(?:count|results?|items|size|hits))?|num_?\w+", re.IGNORECASE
)
LONG: Final = 24  # a text with more letters is prose: nobody swaps it by mistake


def stale(value: Any, path: str | None, days: int) -> list[tuple[Any, Any, Any]]:
    """Every date, or those at the path, as many days before: what changes, as (holder, key, new)."""
    if path is None:
        every = [holder for _, holder in containers(value)]
        spots = [(there, key) for there in every for key in (there if isinstance(there, dict) else range(len(there)))]
    else:
        spots = _spots(value, path)
    moved = ((holder, key, earlier(holder[key], key, days)) for holder, key in spots)
    return [(holder, key, new) for holder, key, new in moved if new is not None]


def transposed(value: Any, path: str | None, random: Random, request: Request) -> list[tuple[Any, Any, Any]]:
    """Two neighbouring digits change places: of one number the seed chooses, or of all at the path."""
    if path is not None:
        spots = _spots(value, path)
    else:
        place = drawn(value, _has_digits, request, random, root=False)
        spots = [] if place is None else [(found(value, place[:-1]), place[-1])]
    return [(holder, key, _slipped(holder[key], random)) for holder, key in spots if _places_to_slip(holder[key])]


def swapped(value: Any, path: str | None, other: str | None, random: Random) -> list[tuple[Any, Any, Any]]:
    """Two fields of an object have each other's value: two of a kind the seed chooses, or those at the paths."""
    if path is None:
        pairs = [(fields, key) for _, fields in objects(value) for key in fields if _partners(fields, key)]
        spots = [random.choice(pairs)] if pairs else []
    else:
        spots = _spots(value, path)
    made: list[tuple[Any, Any, Any]] = []
    others = _spots(value, other) if other is not None else []
    for number, (holder, key) in enumerate(spots):
        partners = others[number : number + 1]
        if other is None and isinstance(holder, dict):
            partners = [(holder, name) for name in _partners(holder, key)]
        if not partners:
            continue
        where, name = random.choice(partners)
        if holder[key] != where[name]:
            made += [(holder, key, where[name]), (where, name, holder[key])]
    return made


def emptied(value: Any, path: str | None, random: Random, request: Request) -> list[tuple[Any, Any, Any]]:
    """A list has nothing in it, and what counts it beside it says 0: no error, no result."""
    if path is not None:
        spots = _spots(value, path)
    else:
        place = drawn(value, lambda there, key, _: isinstance(there, list) and bool(there), request, random, root=False)
        spots = [] if place is None else [(found(value, place[:-1]), place[-1])]
    made: list[tuple[Any, Any, Any]] = []
    for holder, key in spots:
        if not isinstance(holder[key], list) or not holder[key]:
            continue
        made.append((holder, key, []))
        for name, there in holder.items() if isinstance(holder, dict) else ():
            if is_number(there) and COUNTS.fullmatch(name):
                made.append((holder, name, 0))
            elif is_cursor(there, name):
                made.append((holder, name, None))
        made += [(holder, name, new) for name, new in promises(holder, more=False).items() if holder[name] != new]
    return made


def _spots(value: Any, path: str) -> list[tuple[Any, Any]]:
    led: list[Place] = [place for place in places(path, value) if place]
    return [(found(value, place[:-1]), place[-1]) for place in led]


def _has_digits(there: Any, key: Any, request: Request) -> bool:
    counted = is_number(there) or (isinstance(there, str) and (DECIMAL.fullmatch(there) or there.isdecimal()))
    return bool(counted) and not is_id_name(key) and not is_date(there, key) and bool(_places_to_slip(there))


def _places_to_slip(value: Any) -> list[int]:
    """Where two unlike digits stand side by side; no number then begins with 0."""
    text = str(value) if is_number(value) else value
    if not isinstance(text, str) or (is_number(value) and not re.fullmatch(r"-?\d+(\.\d+)?", text)):
        return []
    return [
        at
        for at in range(len(text) - 1)
        if text[at : at + 2].isdecimal()
        and text[at] != text[at + 1]
        and (text[at + 1] != "0" or (at > 0 and (text[at - 1].isdecimal() or text[at - 1] == ".")))
    ]


def _slipped(value: Any, random: Random) -> Any:
    text = str(value)
    at = random.choice(_places_to_slip(value))
    return type(value)(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def _kind(value: Any, key: Any) -> str:
    """What a field is taken for; empty: for nothing that is ever mistaken for another."""
    if is_id_name(key) or not value or isinstance(value, bool):
        return ""
    if is_date(value, key):
        return f"date {type(value).__name__}"
    if is_number(value):
        return "number"
    if isinstance(value, str) and len(value) <= LONG and "://" not in value:
        return "text"
    return ""


def _partners(holder: dict[str, Any], key: str) -> list[str]:
    kind = _kind(holder[key], key)
    if not kind:
        return []
    return [k for k, v in holder.items() if k != key and v != holder[key] and _kind(v, k) == kind]
