"""
A model's reply that counts its tokens wrongly, or not at all.

What was said stays as it is: only whoever adds up costs, or stops at a budget, can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .._reply import Reply, Request
from ._llm import Shape, Told, retold
from ._settings import check_choice, check_count

HOWS: Final = ("missing", "enormous")


@dataclass(frozen=True, slots=True)
class Usage:
    """The client gets a model's reply that does not say what it cost, or says that it cost a fortune.

    Args:
        how: `"missing"` (no `usage`, `usageMetadata`, or counts of Ollama's) or `"enormous"`.
        tokens: with `enormous`: how many tokens went in, and how many came out, 1 or more.

    Raises:
        FaultError: a setting has a wrong type or value.
    """

    how: str = "missing"
    tokens: int = 10_000_000

    def __post_init__(self) -> None:
        check_choice("usage", "how", self.how, HOWS)
        check_count("usage", "tokens", self.tokens, 1)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with other counts; the same one where it is no model's, or counts nothing."""
        return retold(request, reply, self._told)

    def _told(self, shape: Shape, told: list[Told]) -> list[Told]:
        key, counts, total = shape.usage
        only_that = []
        for one in told:
            for holder in _holders(one.value):
                table = holder.get(key) if key else holder
                if not isinstance(table, dict) or table.keys().isdisjoint(counts):
                    continue
                if self.how == "enormous":
                    table.update({name: self.tokens for name in counts if name in table})
                    table.update({total: self.tokens * len(counts)} if total in table else {})
                elif key:
                    del holder[key]
                    only_that += [one] if holder.get("choices") == [] else []
                else:
                    for name in counts:
                        table.pop(name, None)
        return [one for one in told if one not in only_that]  # OpenAI sends an event for nothing else


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    """What can hold the counts: a reply, or the one that an event wraps."""
    if isinstance(value, dict):
        yield value
        yield from (value[key] for key in ("response", "message") if isinstance(value.get(key), dict))
