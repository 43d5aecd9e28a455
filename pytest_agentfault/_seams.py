"""
What is put over other people's names for the length of one test, and how it is taken off again.

Everything patched is patched through one `Patches`, which undoes all of it in
reverse order, whatever happened in between. Two of the context variables let a
live upstream pass beneath the doors, the third tells the doors beneath which
request a door above them has asked the plan about: nothing else may set them.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from inspect import getattr_static
from typing import Any, Final, Protocol, TypeVar

_ABSENT: Final = object()

passing: Final[ContextVar[bool]] = ContextVar("pytest_agentfault_passing", default=False)
client_tls: Final[ContextVar[ssl.SSLContext | None]] = ContextVar("pytest_agentfault_client_tls", default=None)
asked_above: Final[ContextVar[tuple[str, str] | None]] = ContextVar("pytest_agentfault_asked_above", default=None)


class InProcess(Protocol):
    """What is put over this process and taken off again: a door."""

    def install(self, patches: Patches) -> None:
        """Put it in place."""
        ...

    def hang_up(self) -> None:
        """Close what clients still hold."""
        ...


OneDoor = TypeVar("OneDoor", bound=InProcess)


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
        own = _own(target, name, before)
        self._undo.append(partial(delattr, target, name) if own is _ABSENT else partial(setattr, target, name, own))
        try:
            setattr(target, name, value)
        except BaseException:
            self._undo.pop()  # nothing was put there
            raise
        return before

    def at_last(self, undo: Callable[[], None]) -> None:
        """Do this when everything that comes later is put back."""
        self._undo.append(undo)

    def put_first(self, target: list[Any], item: Any) -> None:
        """Put `item` before all others of a list; what others do to the list meanwhile stays."""

        def take_out() -> None:
            if item in target:
                target.remove(item)

        target.insert(0, item)
        self._undo.append(take_out)

    @contextmanager
    def under(self, door: OneDoor) -> Iterator[OneDoor]:
        """The door, open until the block ends: what clients still hold is hung up, and every name is put back."""
        try:
            door.install(self)
            yield door
        finally:
            door.hang_up()
            self.undo()

    def undo(self) -> None:
        """Put everything back, last one first."""
        while self._undo:
            self._undo.pop()()


def _own(target: Any, name: str, before: Any) -> Any:
    """What the target itself keeps under a name: one it only inherits is taken away again, not copied down into it."""
    kept = getattr(target, "__dict__", None)
    is_slot = hasattr(getattr_static(type(target), name, None), "__set__")
    return before if kept is None or is_slot else kept.get(name, _ABSENT)


@contextmanager
def passed_by() -> Iterator[None]:
    """Within this block, connections of this context go past every door."""
    token = passing.set(True)
    try:
        yield
    finally:
        passing.reset(token)


class PassedOn(Exception):  # noqa: N818  # a word between upstream and door, no error of anybody
    """An upstream that serves a request leaves it to the next one after all."""


class Thrown(Exception):  # noqa: N818
    """What a test's own mock raises at its client, on purpose: no problem of the run.

    Args:
        error: what the mock raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class UsedUp(Exception):  # noqa: N818
    """A mock has answered a request as often as it may.

    Args:
        otherwise: what the mock then does, for a client that is not owed its last reply again.
    """

    def __init__(self, otherwise: Callable[[], Any]) -> None:
        super().__init__()
        self.otherwise = otherwise
