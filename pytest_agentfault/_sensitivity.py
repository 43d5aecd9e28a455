"""
Which fields the code under test needs: the table at the end of a run over every field.

Pure functions of what each changed field came to. A field is needed if some
change of it made a difference; of the others nothing can be said but that no
change did: a test that passes does not tell what was read and what was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

# Worst first: what goes on with wrong data is worse than what stops.
WORDS: Final = ("unnoticed", "hung", "crashed", "surfaced", "recovered", "held", "missed")
PASSED_BY: Final = frozenset({"unnoticed", "held", "missed"})  # the test passed as if nothing had been
LOSSES: Final = ("remove", "rename", "null")
WIDEST: Final = 40


@dataclass(frozen=True, slots=True)
class Row:
    """What became of the changes of one field.

    Args:
        field: its JSONPath.
        needed: whether some change made a difference.
        lost: the worst that came of its loss (removed, renamed or null); empty: that was not tried.
        outcomes: each outcome that came, worst first, and the operations it came of, sorted.
    """

    field: str
    needed: bool
    lost: str
    outcomes: tuple[tuple[str, tuple[str, ...]], ...]


def rows_of(results: Iterable[tuple[str, str, str]]) -> list[Row]:
    """The rows for these runs, each a (field, operation, outcome): needed fields first, worst first, then by name."""
    by_field: dict[str, dict[str, set[str]]] = {}
    for field, operation, word in results:
        by_field.setdefault(field, {}).setdefault(word, set()).add(operation)
    return sorted((_row(field, said) for field, said in by_field.items()), key=_order)


def table_of(results: Iterable[tuple[str, str, str]], width: int = 100) -> str:
    """The table of these runs, no line wider than `width` columns; empty where there were none."""
    tried = list(results)
    rows = rows_of(tried)
    if not rows:
        return ""
    needed = [row for row in rows if row.needed]
    others = [row.field for row in rows if not row.needed]
    said = [f"the code needs {len(needed)} of {_many(len(rows), 'field')} ({_many(len(tried), 'change')} tried)"]
    if needed:
        columns = [
            min(WIDEST, width * 2 // 5, max(len("needed"), *(len(row.field) for row in needed))),
            len("unnoticed"),
        ]
        said += _line(("needed", "lost", "what came of each change"), columns, width)
        for row in needed:
            told = "; ".join(f"{word}: {', '.join(operations)}" for word, operations in row.outcomes)
            said += _line((row.field, row.lost or "-", told), columns, width)
    if others:
        # Wrapped by field, since a name may have blanks and hyphens in it.
        line = "no change of these made a difference:"
        for number, field in enumerate(others, 1):
            told = f" {_short(field, width - 4)}{',' if number < len(others) else ''}"
            if len(line) + len(told) > width:
                said.append(line)
                line = " "
            line += told
        said.append(line)
    return "\n".join(said)


def _row(field: str, said: dict[str, set[str]]) -> Row:
    words = sorted(said, key=_badness)
    lost = next((word for word in words if said[word].intersection(LOSSES)), "")
    needed = not PASSED_BY.issuperset(words)
    return Row(field, needed, lost, tuple((word, tuple(sorted(said[word]))) for word in words))


def _order(row: Row) -> tuple[bool, int, int, str]:
    return not row.needed, _badness(row.lost), _badness(row.outcomes[0][0]), row.field


def _badness(word: str) -> int:
    return WORDS.index(word) if word in WORDS else len(WORDS)


def _line(cells: Sequence[str], columns: Sequence[int], width: int) -> list[str]:
    """One row; what the last column has no room for goes on below it."""
    head = "  ".join(_short(cell, size).ljust(size) for cell, size in zip(cells, columns, strict=False))
    indent = " " * (len(head) + 2)
    told = wrap(cells[-1], max(width - len(indent), 20), break_on_hyphens=False) or [""]
    return [f"{head}  {told[0]}".rstrip(), *(indent + line for line in told[1:])]


def _short(text: str, size: int) -> str:
    """The text in so many columns; a long path keeps its beginning and, rather, its end."""
    if len(text) <= size:
        return text
    front = (size - 3) // 3
    return f"{text[:front]}...{text[len(text) - (size - 3 - front) :]}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
