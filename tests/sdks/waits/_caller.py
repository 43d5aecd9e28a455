"""
What a client that waits says of itself.

Rule: all of it but the note is asserted by test_sdk_waits.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

Wait = tuple[float, float]
Sync = Callable[[str], AbstractContextManager[Callable[[], Any]]]
Async = Callable[[str], AbstractAsyncContextManager[Callable[[], Any]]]

MINUTE: Final = ((60.0, 60.0),) * 3


@dataclass(frozen=True, slots=True)
class Caller:
    """A client and how it waits when it is refused with a 429 that says `Retry-After: 60`.

    Args:
        name: what the table calls it.
        told: how it is told of its three retries.
        packages: the distributions whose versions the table names, the client's own first.
        module: what must be importable.
        origin: the vendor's, as in `https://api.openai.com`.
        healthy: its good reply, as an interaction of a cassette.
        result: what the call gives then.
        raises: what comes out where the refusals never end, as `module.Class`.
        sync: opens the client on an origin and gives the call.
        asynchronous: the same, where there is one.
        waits: the seconds between its calls, each from least to most; fewer than three: it gives up sooner.
        refusal: the body of the 429.
        note: what a reader should know.
        warns: filters for warnings of its own making, as pytest writes them.
    """

    name: str
    told: str
    packages: tuple[str, ...]
    module: str
    origin: str
    healthy: Mapping[str, Any]
    result: Any
    raises: str
    sync: Sync
    asynchronous: Async | None = None
    waits: tuple[Wait, ...] = MINUTE
    refusal: Mapping[str, Any] = field(default_factory=lambda: {"message": "Too many requests."})
    note: str = ""
    warns: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether it can be imported."""
        return find_spec(self.module.partition(".")[0]) is not None and find_spec(self.module) is not None

    @property
    def ways(self) -> tuple[str, ...]:
        """Its name, and where there is one that of its asynchronous side."""
        return (self.name, f"{self.name}, async") if self.asynchronous else (self.name,)
