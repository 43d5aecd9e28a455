"""
Texts that a stream sends piece by piece: which pieces belong together, and how a new text is dealt to them.

Vendors number what they interleave (tool calls, choices, output items); nothing here knows more of them than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ._paths import Place, found

NUMBERS: Final = ("index", "output_index", "item_id")  # what tells interleaved texts of one stream apart


def identity(value: Any, place: Place) -> tuple[Any, ...]:
    """What the pieces of one text have in common: the numbers the vendor gives them, level by level."""
    levels = [found(value, place[:depth]) for depth in range(len(place))]
    return tuple(str(level.get(name)) for level in levels if isinstance(level, dict) for name in NUMBERS)


def dealt(text: str, sizes: list[int]) -> Iterator[str]:
    """The text in pieces of these sizes; what is too much goes to the last piece that is not empty."""
    last = max((n for n, size in enumerate(sizes) if size), default=0)
    for number, size in enumerate(sizes):
        piece, text = (text, "") if number == last else (text[:size], text[size:])
        yield piece
