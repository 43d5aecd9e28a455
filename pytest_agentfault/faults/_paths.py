"""
Places in a JSON value, named by JSONPath and walked as plain keys.

Plain paths are walked in `_steps.py`. jsonpath-ng costs 50 ms to import, so it
is met only where a setting holds more than that, and only here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from .._errors import FaultError
from ._steps import Place, containers, path_of, steps_of, walked

__all__ = ["Place", "check_path", "found", "objects", "path_of", "places", "put"]


def check_path(fault: str, setting: str, path: object) -> None:
    """A setting must be a JSONPath, or None."""
    if path is None:
        return
    try:
        if not isinstance(path, str):
            raise TypeError("not a text")
        if steps_of(path) is None:
            _compiled(path)
    except Exception as error:  # the parser has several classes of its own
        raise FaultError(
            f"{fault}: `{setting}` must be a JSONPath",
            f"{path!r} ({error})",
            'write it like "$.choices[*].message.content"',
        ) from None


def places(path: str, value: Any) -> list[Place]:
    """Where the path leads in this value, each place once; outer ones before inner ones, items as they stand."""
    steps = steps_of(path)
    if steps is not None:
        return walked(steps, value)
    matches = ((_keys(match), match.value) for match in _compiled(path).find(value))
    led = {place for place, there in matches if found(value, place) == there}  # `len` and the like are no places
    return sorted(led, key=_order)


def objects(value: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every object in a value and where it stands, outer ones first."""
    return (pair for pair in containers(value) if isinstance(pair[1], dict))


def found(value: Any, place: Place) -> Any:
    """What stands there."""
    for key in place:
        value = value[key]
    return value


def put(value: Any, place: Place, new: Any) -> Any:
    """The value with `new` standing there; changed in place, but for the root itself."""
    if not place:
        return new
    found(value, place[:-1])[place[-1]] = new
    return value


@cache
def _compiled(path: str) -> Any:
    from jsonpath_ng.ext.parser import parse

    return parse(path)


def _keys(match: Any) -> Place:
    keys: list[str | int] = []
    while match.context is not None:
        step = match.path
        keys.append(step.fields[0] if hasattr(step, "fields") else _index(step))
        match = match.context
    return tuple(reversed(keys))


def _order(place: Place) -> list[tuple[bool, str | int]]:
    return [(isinstance(key, str), key) for key in place]


def _index(step: Any) -> int:
    """The place in a list: several at once in newer jsonpath-ng, one in older."""
    places: tuple[int, ...] = getattr(step, "indices", ()) or (step.index,)
    return places[0]
