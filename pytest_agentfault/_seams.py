"""
What is put over other people's names for the length of one test, and how it is taken off again.

Everything patched is patched through one `Patches`, which undoes all of it in
reverse order, whatever happened in between. The two context variables let a
live upstream pass beneath the doors: nothing else may set them.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

_ABSENT: Final = object()

passing: Final[ContextVar[bool]] = ContextVar("pytest_agentfault_passing", default=False)
client_tls: Final[ContextVar[ssl.SSLContext | None]] = ContextVar("pytest_agentfault_client_tls", default=None)


class Patches:
    """Names replaced for a while."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def set(self, target: Any, name: str, value: Any) -> Any:
        """Put `value` over `target.name`; the name's value until now is returned.

        Raises:
            AttributeError: the target has no such name: a seam has moved.
        """
        before = getattr(target, name)
        # A name inherited by a class is taken away again, not copied down into it.
        own = target.__dict__.get(name, _ABSENT) if isinstance(target, type) else before
        self._undo.append(partial(delattr, target, name) if own is _ABSENT else partial(setattr, target, name, own))
        setattr(target, name, value)
        return before

    def put_first(self, target: list[Any], item: Any) -> None:
        """Put `item` before all others of a list; what others do to the list meanwhile stays."""

        def take_out() -> None:
            if item in target:
                target.remove(item)

        target.insert(0, item)
        self._undo.append(take_out)

    def undo(self) -> None:
        """Put everything back, last one first."""
        while self._undo:
            self._undo.pop()()


@contextmanager
def passed_by() -> Iterator[None]:
    """Within this block, connections of this context go past every door."""
    token = passing.set(True)
    try:
        yield
    finally:
        passing.reset(token)
