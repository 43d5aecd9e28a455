"""
What a verdict does to a test.

A declared error turns into a pass, a finding into an ordinary failure; anything
else stays as it was, with a note of what struck.
"""

from __future__ import annotations

from typing import Any

import pytest

from ._plan import Hung
from ._run import Run
from ._summary import PROPERTY

NOT_JUDGED = (pytest.skip.Exception, pytest.exit.Exception, KeyboardInterrupt)


def after_error(item: pytest.Item, run: Run, error: BaseException) -> list[str] | None:
    """What is wrong with a test that raised; None: the error itself."""
    is_ours = isinstance(error, Hung) or (isinstance(error, KeyboardInterrupt) and run.plan.why_hung)  # trio's word
    if isinstance(error, NOT_JUDGED) and not is_ours:
        return None
    hung = isinstance(error, Hung) or bool(run.plan.why_hung)  # also where a library has wrapped it
    declared = run.judge_error(error)
    if hung:  # a BaseException of ours must not end the whole session
        return _told(item, run, [run.plan.why_hung or str(error), *getattr(error, "__notes__", ())])
    return _told(item, run, run.judge_declared() if declared else None)


def after_pass(item: pytest.Item, run: Run) -> list[str]:
    """What is wrong with a test that raised nothing."""
    kept: list[Any] = getattr(item, "_excinfo", None) or []  # unittest's runner keeps errors instead of raising them
    if not kept:
        return _told(item, run, run.judge_pass()) or []
    wrong = after_error(item, run, kept[0].value)
    if wrong is not None:
        kept.clear()
    return wrong or []


def conclude(run: Run, wrong: list[str]) -> None:
    """Fail, or skip, a test for what is wrong with it."""
    if wrong and run.may_skip(wrong):
        pytest.skip(wrong[0].replace("\n", ";"))
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _told(item: pytest.Item, run: Run, wrong: list[str] | None) -> list[str] | None:
    """The same, and the outcome goes with the report."""
    if run.outcome is not None and run.placements:
        names = ", ".join(dict.fromkeys(p.name for p in run.placements))
        item.user_properties.append((PROPERTY, f"{run.outcome.value}: {names} ({run.struck} of {run.calls} calls)"))
    return wrong
