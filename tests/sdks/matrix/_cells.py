"""
What a file `sdk_*.py` of this folder declares: an SDK, its calls, and what each fault comes to.

A cell of the matrix is one call of one SDK under one fault. Rule: whatever a cell says is
asserted by test_sdk_matrix.py, and docs/sdk-matrix.md is printed from the same cells; a new SDK
is one new file beside this one and no other edit.
"""

from __future__ import annotations

import asyncio
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final

import yaml
from _cases import Case
from _cassettes import Plain

FOLDER: Final = Path(__file__).parent
EVERY: Final = "AGENTFAULT_SDKS"  # `all`: an SDK that is not installed fails instead of being skipped
FAULTS: Final = {
    "429": "any/rate-limit",
    "reset": "any/connection-reset",
    "split": "any/chunk-split",
    "cut": "any/stream-cut",
}
BUGS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
CORE: Final = frozenset({"anthropic", "gql", "jira", "openai", "PyGithub", "slack_sdk"})  # the gate has these, always


@dataclass(frozen=True, slots=True)
class Met:
    """What a call comes to under one fault.

    Args:
        outcome: recovered, held, surfaced, crashed or unnoticed.
        retries: how often the SDK itself sent again what had been struck.
        raises: the very class that comes out, or several where Python's version decides.
        result: what the call gives where it is not the healthy result.
        early: whether it came back before the Retry-After it was told had passed.
        note: what a reader of the table should know.
        scenario: what strikes, instead of what the SDK's other calls meet.
    """

    outcome: str
    retries: int = 0
    raises: type[BaseException] | tuple[type[BaseException], ...] | None = None
    result: Any = ...
    early: bool = False
    note: str = ""
    scenario: Any = None

    @property
    def kinds(self) -> tuple[type[BaseException], ...]:
        """The classes that may come out."""
        return self.raises if isinstance(self.raises, tuple) else (self.raises,) if self.raises else ()


def recovered(retries: int = 1, **words: Any) -> Met:
    """The healthy result, after the SDK tried again."""
    return Met("recovered", retries, **words)


def surfaced(raises: Any, retries: int = 0, **words: Any) -> Met:
    """An error of the SDK or of the HTTP library beneath it came out, after so many retries."""
    return Met("surfaced", retries, raises, **words)


def crashed(raises: Any, retries: int = 0, **words: Any) -> Met:
    """Another error came out: nobody who reads the SDK's documentation would catch it."""
    return Met("crashed", retries, raises, **words)


def unnoticed(result: Any, **words: Any) -> Met:
    """A result that is wrong or not whole, and no error."""
    return Met("unnoticed", result=result, **words)


HELD: Final = Met("held")


@dataclass(frozen=True, slots=True)
class Call:
    """One way to use an SDK.

    Args:
        name: what the table calls it.
        run: the code under test, sync or async; it gives the result or raises.
        result: what it gives when all is well.
        replies: the healthy replies, as interactions of a cassette.
        met: what it comes to, by the names of `FAULTS`; a stream has all four, another call the first two.
        words: more for `faults.add`, such as `to`, where not every request is to be struck.
    """

    name: str
    run: Callable[[], Any]
    result: Any
    replies: Sequence[Mapping[str, Any]]
    met: Mapping[str, Met]
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sdk:
    """An SDK as the matrix knows it: what each file of this folder calls `SDK`.

    Args:
        name: its distribution.
        beneath: the distributions of the HTTP libraries it stands on, or modules of the standard library.
        calls: the ways to use it.
        scenarios: the vendor's own, by the names of `FAULTS`; a fault where no scenario is shipped, struck twice.
        own: import packages whose errors count as its own, besides those it and its libraries are named after.
        warns: filters for warnings of its own making, as pytest writes them.
    """

    name: str
    beneath: tuple[str, ...]
    calls: tuple[Call, ...]
    scenarios: Mapping[str, Any] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()

    def is_own(self, kind: type[BaseException]) -> bool:
        """Whether an error is the SDK's, its library's or the system's, rather than a bug's."""
        root = kind.__module__.partition(".")[0]
        return root in {self.name, *self.beneath, *self.own} or not issubclass(kind, BUGS)


@dataclass(frozen=True, slots=True)
class Cell:
    """One call of one SDK under one fault."""

    sdk: Sdk
    call: Call
    fault: str

    @property
    def met(self) -> Met:
        """What it comes to."""
        return self.call.met[self.fault]

    @property
    def name(self) -> str:
        """Its id."""
        return re.sub(r"[^\w/=.()]+", "-", f"{self.sdk.name} {self.call.name} {self.fault}")

    @property
    def scenario(self) -> Any:
        """What strikes: the name of a scenario, or a fault."""
        return self.met.scenario or self.sdk.scenarios.get(self.fault, FAULTS[self.fault])

    @property
    def words(self) -> dict[str, Any]:
        """What `faults.add` is told besides."""
        every: dict[str, Any] = {} if isinstance(self.scenario, str) else {"to": "* *", "times": 2}
        return {**every, **self.call.words, "raises": self.met.raises}

    @property
    def case(self) -> Case:
        """The same, as the other tests of SDKs run it."""
        met = self.met
        result = self.call.result if met.result is ... else met.result
        return Case(self.scenario, self.name, self.call.run, "", met.outcome, (), result, raises=met.raises)

    def record(self, folder: Path) -> Path:
        """Write the cassette beneath it."""
        path = folder / "healthy.yaml"
        told = {"version": 1, "interactions": list(self.call.replies)}
        path.write_text(yaml.dump(told, Dumper=Plain, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path


@dataclass(frozen=True, slots=True)
class Absent:
    """An SDK that is not installed here."""

    name: str
    why: str


def found(folder: Path = FOLDER) -> Iterator[Sdk | Absent]:
    """Every SDK of this folder, in the order of their names."""
    for path in sorted(folder.glob("sdk_*.py")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what an SDK says of itself while it is imported is its own affair
                yield import_module(path.stem).SDK
        except ModuleNotFoundError as error:
            asked = [at.filename for at in extract_tb(error.__traceback__) if not at.filename.startswith("<frozen")]
            if asked[-1] != str(path):
                raise  # installed, and something within it is gone: that is no reason to skip
            yield Absent(path.stem.removeprefix("sdk_"), f"the package `{error.name}` is not installed")


@contextmanager
def own_loop() -> Iterator[None]:
    """An event loop for an SDK whose blocking call runs the thread's own, and leaves it as it is."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.set_event_loop(None)


def all_are_wanted() -> bool:
    """Whether an absent SDK is a failure."""
    return os.environ.get(EVERY) == "all"
