"""
What formats that list what was said have in common: tables in lists, and several choices of one reply.

A choice says its number (`index`); the first need not, and where none does, its place is its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ._llm import Shape, Told


def table_at(holder: Any, key: str) -> dict[str, Any]:
    """The table under a key; an empty one where there is none."""
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def tables_at(holder: Any, key: str) -> list[dict[str, Any]]:
    """The tables in a list; none where there is no such list."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def spoken_by(told: list[Told], key: str, number: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Where the choice of this number stands: place, and what is said of it there."""
    for place, one in enumerate(told):
        for index, choice in _numbered(one.value, key):
            if index == number:
                yield place, choice


def _numbered(value: Any, key: str) -> list[tuple[int, dict[str, Any]]]:
    """The choices in a value, each with its number; the first need not say it."""
    return [
        (choice["index"] if isinstance(choice.get("index"), int) else place, choice)
        for place, choice in enumerate(tables_at(value, key))
    ]


def for_each(key: str, shape: Callable[[int], Shape], told: list[Told]) -> list[Shape]:
    """The format as each choice speaks it."""
    return [shape(n) for n in sorted({n for one in told for n, _ in _numbered(one.value, key)})]


def emptied_of(value: dict[str, Any], key: str, choice: dict[str, Any]) -> bool:
    """Take a choice out of a value that says something of others; True where it says nothing of any."""
    others = [(number, other) for number, other in _numbered(value, key) if other is not choice]
    if others:
        # Its place is no longer the number of one that stood behind it.
        value[key] = [{**other, **({"index": number} if number else {})} for number, other in others]
    return not others
