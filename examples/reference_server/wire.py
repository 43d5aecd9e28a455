"""
What a vendor module is asked and what it answers.

Rule: a vendor module is one function `answer(asked) -> Answer | None`, and
gives the same bytes for the same request: no clock, no random, no counter. The
cassettes are then the same bytes whenever they are recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOMENT = 1767225600  # 2026-01-01T00:00:00Z: the one moment at which everything here happens


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, its vendor's prefix already taken off the path."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; an empty table when there is none."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply; more than one piece, or `streamed`, goes out in HTTP chunks, one for each piece."""

    pieces: tuple[bytes, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


def answer_json(
    value: Any, status: int = 200, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Answer:
    """A whole JSON reply."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer((body,), status, {"Content-Type": content_type, **(headers or {})})
