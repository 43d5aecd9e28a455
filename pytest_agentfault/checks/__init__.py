"""The checks: one per file, each a pure function of the log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found wrong: what, where, and what to do."""

    what: str
    where: str
    do: str

    def __str__(self) -> str:
        return f"{self.what}\n  there is: {self.where}\n  to do: {self.do}"
