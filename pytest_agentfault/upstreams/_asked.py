"""
What every mounted mock needs: whose request this is, and the mock's own errors brought home.

A mock's patches stay where they are, whoever put them there and whenever. For
the length of a test only what they decide with is replaced: it lets the request
through to the socket and notes, for as long as the call lasts, which mock it
came by. From below that very mock is then asked. A request that came by none of
its patches (another client's) is answered by a mock that knows it, and never
turned away by one that does not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from .._reply import How, Lost, Reply
from .._seams import Thrown

# Who raises what stands for a failed connection, besides the standard library's OSError.
CLIENTS: Final = frozenset({"aiohttp", "httpcore", "httpx", "requests", "urllib3"})


@dataclass(slots=True)
class Call:
    """One call of a client that a mock has patched.

    Attributes:
        owner: the mock.
        asked: the client's own request.
        extra: what else the mock was handed.
        thrown: what the mock raised at it from below.
        encoding: the encoding that the mock knows its text to be in, where no header says it.
    """

    owner: Any
    asked: Any = None
    extra: Any = None
    thrown: Exception | None = None
    encoding: str | None = None


_calls: Final[ContextVar[dict[str, Call] | None]] = ContextVar("pytest_agentfault_calls", default=None)


def call_by(tool: str) -> Call | None:
    """The call under way that came by a patch of this tool; None: the client is none of its own."""
    return (_calls.get() or {}).get(tool)


@contextmanager
def let_through(tool: str, owner: Any, asked: Any = None, extra: Any = None) -> Iterator[Call]:
    """The real client runs in this block; what the mock raises from below comes out of it as it is."""
    call = Call(owner, asked, extra)
    token = _calls.set({**(_calls.get() or {}), tool: call})
    try:
        yield call
    except BaseException:
        if call.thrown is None:
            raise
    finally:
        _calls.reset(token)
    if call.thrown is not None:
        raise call.thrown


@contextmanager
def by_nobody() -> Iterator[None]:
    """What a mock's own callback calls is a call of its own."""
    token = _calls.set(None)
    try:
        yield
    finally:
        _calls.reset(token)


def failed(call: Call | None, error: Exception) -> Reply:
    """What becomes of an error that a mock raises: its own client gets it; another one a lost connection."""
    if call is not None:
        call.thrown = error
        raise Thrown(error) from error
    if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in CLIENTS:
        raise error
    silent = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
    return Reply((Lost(How.STALLED if silent else How.RESET),))


def imported_late(module: str, is_installed: bool) -> str | None:
    """What to say of a tool that was not there when its mount was installed: its patches are as they were."""
    if is_installed or module not in sys.modules:
        return None
    return f"{module} (first imported in the test itself: import it where the test's module begins)"


def variables_of(function: Any) -> dict[str, Any]:
    """What a nested function has taken from the one around it, by name."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return found
