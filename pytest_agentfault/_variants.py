"""
One test, several runs: as it is, and once per scenario.

The baseline keeps the bare id of the test, and every variant plays the
baseline's recording: also where a recording is named after the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import pytest

from ._errors import AgentFaultError, RuleError
from ._placing import Placement, place

if TYPE_CHECKING:
    from .scenario import Library


@dataclass(frozen=True, slots=True)
class Variant:
    """One run of a test under one scenario."""

    name: str
    placements: tuple[Placement, ...]


def variants(
    marks: Sequence[pytest.Mark], asked: Sequence[str], library: Library, definition: pytest.Function
) -> list[Variant]:
    """The variants that the marks of a test and the option --fault ask for; a wrong pattern is a collection error."""
    found: dict[str, Variant] = {}
    folder = definition.path.parent
    wrong = ""
    try:
        for mark in marks:
            if not mark.args or not all(isinstance(pattern, str) for pattern in mark.args):
                raise RuleError(
                    "fault_matrix takes names or patterns of scenarios",
                    repr(mark.args),
                    'write it like @pytest.mark.fault_matrix("openai/*", "jira/rate-limit")',
                )
            for pattern in mark.args:
                _select(found, pattern, dict(mark.kwargs), library, folder)
        for pattern in asked:
            _select(found, pattern, {}, library, folder)
    except AgentFaultError as error:
        path, line, _ = definition.location
        wrong = f"{path}:{(line or 0) + 1}: {definition.name}: {error}"
    if wrong:
        pytest.fail(wrong, pytrace=False)
    return list(found.values())


def _select(found: dict[str, Variant], pattern: str, words: dict[str, Any], library: Library, folder: Any) -> None:
    # A name spelled out must strike; what a pattern sweeps in may have nothing to strike here.
    certain = not set(pattern) & set("*?[")
    for name in library.select(pattern):
        placed = place((name,), words, library, folder, certain=certain)
        if words.get("raises") is not None:
            placed = tuple(_may_surface(p) for p in placed)
        found.setdefault(name, Variant(name, placed))


def _may_surface(placement: Placement) -> Placement:
    """In a matrix `raises` says how a fault may surface; some faults are recovered from."""
    from dataclasses import replace

    return replace(placement, must_raise=False)


@contextmanager
def bare_name(item: Any, names: Sequence[str]) -> Iterator[None]:
    """Let the item bear its baseline's name for a moment."""
    full = item.name
    item.name = reduce(_without, names, full)
    try:
        yield
    finally:
        item.name = full


def _without(name: str, part: str) -> str:
    """`test[a-any/slow]` without `any/slow` is `test[a]`; `test[any/slow]` is `test`."""
    head, bracket, inner = name.partition("[")
    kept = [p for p in _split_ids(inner.removesuffix("]"), part) if p]
    return f"{head}{bracket}{'-'.join(kept)}]" if kept else head


def _split_ids(ids: str, part: str) -> list[str]:
    before, _, after = ids.partition(part)
    return [before.rstrip("-"), after.lstrip("-")]
