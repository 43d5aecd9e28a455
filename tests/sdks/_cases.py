"""
One line per scenario and SDK: what a real client makes of it.

A case is data that two readers share: the tests, which run it under the real marker and
hold the SDK to every word of it, and docs/sdks.md, which is printed from it. Rule: what
is claimed here is asserted by `met` or `failed`, or by the fixture `as_the_table_says`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from re import sub
from typing import Any

import pytest
from _cassettes import path_of

from pytest_agentfault._run import Faults

Wait = float | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Case:
    """What one call of one SDK comes to under one scenario.

    Args:
        scenario: its name.
        client: what the table calls the SDK and the way it is used.
        call: the code under test; it gives the result or raises.
        cassette: the recording beneath it.
        outcome: the plugin's word for it: recovered, held, surfaced or unnoticed.
        statuses: of the replies in their order; None: lost before its head.
        result: what the call gives; left out where it raises.
        raises: the very class that comes out, or several where Python's version decides.
        says: a part of the error's text.
        facts: what the error holds: paths of attributes, keys and indexes, and their values.
        waits: the seconds asked for, each as a number or as a range.
        words: what the marker says besides.
        note: what a reader of the table should know.
    """

    scenario: str
    client: str
    call: Callable[[], Any]
    cassette: str
    outcome: str
    statuses: tuple[int | None, ...]
    result: Any = None
    raises: type[BaseException] | tuple[type[BaseException], ...] | None = None
    says: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    waits: tuple[Wait, ...] = ()
    words: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """Its id: the scenario as it was asked for, and the client."""
        return sub(r"[^\w/=.()]+", "-", f"{self.asked} {self.client}")

    @property
    def asked(self) -> str:
        """The scenario, and what the marker says besides."""
        return ", ".join([self.scenario, *(f"{word}={value}" for word, value in self.words.items())])

    @property
    def kinds(self) -> tuple[type[BaseException], ...]:
        """The classes that may come out."""
        return self.raises if isinstance(self.raises, tuple) else (self.raises,) if self.raises else ()


def sync_and_async(cases: Iterable[Case]) -> tuple[Any, Any]:
    """Two parametrisations, each case under its marker."""
    params: tuple[list[Any], list[Any]] = ([], [])
    for case in cases:
        mark = pytest.mark.fault(case.scenario, cassette=path_of(case.cassette), raises=case.raises, **case.words)
        params[iscoroutinefunction(case.call)].append(pytest.param(case, id=case.name, marks=mark))
    return pytest.mark.parametrize("case", params[0]), pytest.mark.parametrize("case", params[1])


def run(case: Case) -> None:
    """Run a case; the declared error goes on to the marker."""
    try:
        result = case.call()
    except case.kinds as error:
        failed(case, error)
        raise
    met(case, result)


async def arun(case: Case) -> None:
    """The same, where the call is a coroutine."""
    call: Callable[[], Awaitable[Any]] = case.call
    try:
        result = await call()
    except case.kinds as error:
        failed(case, error)
        raise
    met(case, result)


def met(case: Case, result: Any) -> None:
    """Hold a result to what the case says."""
    assert not case.kinds, f"{case.raises} did not come out"
    assert result == case.result


def failed(case: Case, error: BaseException) -> None:
    """Hold an error to what the case says: its very class, its attributes and its text."""
    assert type(error) in case.kinds
    assert case.says in str(error)
    assert {name: _of(error, name) for name in case.facts} == dict(case.facts)


def _of(error: Any, path: str) -> Any:
    """A thing an error holds: `status_code`, `errors.0.message`, `headers.retry-after`."""
    for part in path.split("."):
        error = getattr(error, part) if hasattr(error, part) else error[int(part) if part.isdigit() else part]
    return error


def as_the_table_says(case: Case, faults: Faults) -> None:
    """Hold a test that is over to its case: the calls made, the waits asked for, the outcome."""
    assert tuple(x.reply.status for x in faults.log) == case.statuses
    waited = [slept.seconds for slept in faults.clock.slept]
    assert len(waited) == len(case.waits), waited
    for seconds, wanted in zip(waited, case.waits, strict=True):
        least, most = wanted if isinstance(wanted, tuple) else (wanted, wanted)
        assert least - 0.2 <= seconds <= most + 1.2, waited  # a loop wakes a little early; aiohttp rounds up
    assert faults.outcome == case.outcome
