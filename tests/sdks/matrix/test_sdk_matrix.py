"""Every SDK of this folder, call by call and fault by fault, with its own retry loop: as its file declares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final

import pytest
from _cases import arun, run
from _cells import CORE, EVERY, FAULTS, Absent, Cell, Sdk, all_are_wanted, found

from pytest_agentfault._exchange import Exchange
from pytest_agentfault._run import Faults
from pytest_agentfault.checks.retry_after_honoured import retry_after_honoured

FOUND: Final = tuple(found())
CELLS: Final = [
    Cell(sdk, call, fault) for sdk in FOUND if isinstance(sdk, Sdk) for call in sdk.calls for fault in call.met
]


def params(*, awaited: bool) -> list[Any]:
    """The cells whose call is a coroutine, or those whose is not."""
    return [
        pytest.param(cell, id=cell.name, marks=[pytest.mark.filterwarnings(line) for line in cell.sdk.warns])
        for cell in CELLS
        if iscoroutinefunction(cell.call.run) is awaited
    ]


@pytest.fixture
def struck(cell: Cell, faults: Faults, tmp_path: Path) -> Iterator[Cell]:
    """The cell, its fault in place; held to all that it says once its test is over."""
    faults.add(cell.scenario, cassette=cell.record(tmp_path), **cell.words)
    yield cell
    seen = (outcome(cell, faults), retries(faults.log), bool(retry_after_honoured(faults.log)))
    said = (cell.met.outcome, cell.met.retries, cell.met.early)
    assert seen == said, "outcome, retries, and whether it came back early"


def outcome(cell: Cell, faults: Faults) -> str | None:
    """The plugin's word; it is not told which of the declared errors are a bug's, nor which results are wrong."""
    if faults.outcome == "surfaced" and not all(cell.sdk.is_own(kind) for kind in cell.met.kinds):
        return "crashed"
    return "unnoticed" if faults.outcome == "held" and cell.met.result is not ... else faults.outcome


def retries(log: list[Exchange]) -> int:
    """How often what was struck first was sent again."""
    asked = [(x.request.method, x.request.url, x.request.body) for x in log]
    return next((asked.count(one) - 1 for one, x in zip(asked, log, strict=True) if x.struck), 0)


@pytest.mark.parametrize("cell", params(awaited=False))
def test_sdk(struck: Cell) -> None:
    """The call comes to what its file says."""
    run(struck.case)


@pytest.mark.asyncio
@pytest.mark.parametrize("cell", params(awaited=True))
async def test_async_sdk(struck: Cell) -> None:
    """The call comes to what its file says."""
    await arun(struck.case)


@pytest.mark.parametrize("sdk", FOUND, ids=[sdk.name for sdk in FOUND])
def test_it_is_installed(sdk: Sdk | Absent) -> None:
    """An SDK that is not is skipped, or where all are wanted a failure."""
    if isinstance(sdk, Absent) and not all_are_wanted():
        pytest.skip(f"{sdk.name}: {sdk.why}; `make sdks` has it")
    assert isinstance(sdk, Sdk), f"{sdk.why}, and {EVERY}=all wants every SDK"


def test_the_core_is_here() -> None:
    """Whatever else is absent, the six that the gate runs are installed."""
    assert {sdk.name for sdk in FOUND if isinstance(sdk, Sdk)} >= CORE


def test_a_crash_is_told_from_an_error() -> None:
    """What an SDK raises on purpose has surfaced; a bug's error is a crash."""
    for cell in CELLS:
        for kind in cell.met.kinds:
            assert (cell.met.outcome == "surfaced") is cell.sdk.is_own(kind), cell.name


def test_each_call_meets_what_it_can() -> None:
    """A stream meets every fault, any other call those that are no stream's; no id stands twice."""
    for sdk in FOUND:
        for call in sdk.calls if isinstance(sdk, Sdk) else ():
            assert tuple(call.met) in (tuple(FAULTS), tuple(FAULTS)[:2]), f"{sdk.name}, {call.name}"
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_only_what_is_not_installed_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK that its file cannot import is absent; one that cannot import its own parts is an error."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "sdk_none.py").write_text("import not_here_at_all\n", encoding="utf-8")
    assert list(found(tmp_path)) == [Absent("none", "the package `not_here_at_all` is not installed")]
    (tmp_path / "half_here.py").write_text("import not_here_at_all\n", encoding="utf-8")
    (tmp_path / "sdk_none.py").write_text("import half_here\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "sdk_none", raising=False)
    invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="not_here_at_all"):
        list(found(tmp_path))


def test_an_absent_sdk_fails_where_all_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make sdks` skips nothing; the gate says what it skips."""
    absent = Absent("none", "the package `none` is not installed")
    monkeypatch.delenv(EVERY, raising=False)
    with pytest.raises(pytest.skip.Exception, match="none: the package `none` is not installed; `make sdks` has it"):
        test_it_is_installed(absent)
    monkeypatch.setenv(EVERY, "all")
    with pytest.raises(AssertionError, match="`none` is not installed, and AGENTFAULT_SDKS=all wants every SDK"):
        test_it_is_installed(absent)
