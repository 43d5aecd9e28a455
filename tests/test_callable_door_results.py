"""The result of a struck call: altered, answered, lost or late, in the tool's own kind of value and error."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import _tools_of_an_agent as tools
import anyio
import pytest
from _callables import HERE, opened

from pytest_agentfault import Call, Reply, Request
from pytest_agentfault.faults.drift import Drift
from pytest_agentfault.faults.html_instead import HtmlInstead
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.malform_json import MalformJson
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.status import Status

FOUND = {"issues": [{"key": "PROJ-1", "summary": "Login fails"}], "total": 1}


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    tools.CALLS.clear()


@dataclass(frozen=True, slots=True)
class Body:
    """The result says this instead."""

    body: bytes

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        return reply.with_data([self.body])


ALTERED: dict[str, tuple[str, Any, Any]] = {
    "drift reaches plain data": ("search", Drift(operation="rename", field="$.total"), dict),
    "broken data cannot be returned": ("search", MalformJson(how="truncated"), json.JSONDecodeError),
    "JSON text drifts inside": ("as_text", Drift(operation="remove", field="$.found"), '{"key": "PROJ-1"}'),
    "JSON text is handed on broken": ("as_text", MalformJson(how="single_quotes"), "{'key': 'PROJ-1', 'found': true}"),
    "prose is text": ("in_words", Body(b"Nothing found"), "Nothing found"),
    "a dataclass becomes plain data": ("an_issue", Body(b'{"key": null}'), {"key": None}),
    "a model is validated again": ("a_model", Body(b'{"key": null}'), ValueError),
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_result_is_what_the_caller_gets(case: str) -> None:
    """As the result's own kind would meet it: data, text, or the error of whoever reads it."""
    name, fault, expected = ALTERED[case]
    with opened(name, fault) as door:
        if isinstance(expected, type) and issubclass(expected, Exception):
            with pytest.raises(expected) as caught:
                getattr(tools, name)("PROJ-1")
            assert caught.value.__notes__ == [f"pytest-agentfault: {type(fault).__name__} struck this call"]
        else:
            found = getattr(tools, name)("PROJ-1")
            if isinstance(expected, type):
                assert isinstance(found, expected)
                assert found != FOUND
                assert found["issues"] == FOUND["issues"]
            elif case == "JSON text drifts inside":
                assert json.loads(found) == json.loads(expected)
            else:
                assert found == expected
    assert len(door.plan.log[0].struck) == 1


def test_a_model_that_still_fits_is_a_model() -> None:
    """Altered, and of its own class."""
    with opened("a_model", Body(b'{"key": "PROJ-2"}')):
        found = tools.a_model("PROJ-1")
    assert isinstance(found, tools.Model)
    assert found.key == "PROJ-2"


def test_an_answer_below_400_is_the_result_and_the_tool_is_not_called() -> None:
    """Its JSON where it is JSON, its text otherwise."""
    with opened("search", Status(code=200, json={"issues": []})):
        assert tools.search("login") == {"issues": []}
    with opened("search", HtmlInstead()):
        assert "<html" in tools.search("login")  # type: ignore[comparison-overlap]
    assert tools.CALLS == []


LOST: dict[str, tuple[Lose, type[Exception], float]] = {
    "reset": (Lose(how="reset", where="before_head"), ConnectionResetError, 0),
    "cut": (Lose(how="cut", where="in_body"), ConnectionAbortedError, 0),
    "stall": (Lose(how="stall", where="before_head"), TimeoutError, 60),
}


@pytest.mark.parametrize("runner", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("how", LOST)
def test_a_lost_result_is_an_error_after_the_tool_has_acted(how: str, runner: str) -> None:
    """Reset and cut at once, silence after a minute on the clock; the tool was called."""
    fault, kind, seconds = LOST[how]
    name = "search" if runner == "blocking" else "search_now"
    began = time.monotonic()
    with opened(name, fault, timed=runner != "trio") as door, pytest.raises(kind) as caught:
        if runner == "blocking":
            tools.search("login")
        else:
            anyio.run(tools.search_now, "login", backend=runner)
    assert caught.value.__notes__ == ["pytest-agentfault: Lose struck this call"]
    assert seconds * 0.99 <= door.clock.offset < seconds + 1
    assert time.monotonic() - began < 5
    assert tools.CALLS == [("login", 10)]


@pytest.mark.parametrize("runner", ["blocking", "asyncio"])
def test_a_slow_tool_takes_its_time_on_the_clock(runner: str) -> None:
    """Twenty seconds pass, none is waited."""
    began = time.monotonic()
    with opened("search" if runner == "blocking" else "search_soon", Slow(seconds=20), timed=True) as door:
        found = tools.search("login") if runner == "blocking" else asyncio.run(tools.search_soon("login"))
    assert found == FOUND
    assert door.clock.offset >= 19
    assert time.monotonic() - began < 5


def test_a_time_limit_of_the_caller_ends_a_slow_tool() -> None:
    """`asyncio.wait_for` of ten seconds over a tool that takes twenty."""

    async def patient() -> None:
        await asyncio.wait_for(tools.search_soon("login"), 10)

    with opened("search_soon", Slow(seconds=20), timed=True) as door, pytest.raises(TimeoutError):
        asyncio.run(patient())
    assert 9 <= door.clock.offset < 15


def test_a_rule_may_say_how_a_failure_is_raised() -> None:
    """`Call(target, raises=...)` is given the reply."""

    class Unavailable(Exception):  # noqa: N818 - named as the code under test names it
        pass

    to = Call(f"{HERE}:search", raises=lambda reply: Unavailable(reply.status))
    with opened(to, Status(code=503)), pytest.raises(Unavailable, match="503"):
        tools.search("login")
    with opened(to, Lose(how="reset", where="before_head")), pytest.raises(Unavailable, match="None"):
        tools.search("login")
    assert to == f"CALL {HERE}:search"
