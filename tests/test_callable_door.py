"""What an agent calls that is not HTTP, struck where it is called: every kind of function, method and tool."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import _tools_of_an_agent as tools
import pytest
from _callables import HERE, awaited, opened
from _memory import Leaves

from pytest_agentfault import Reply, Request, ToolError
from pytest_agentfault._errors import FaultError
from pytest_agentfault._plan import Hung
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.status import Status

# name of the target -> how the agent reaches it
REACHED: dict[str, Callable[[], Any]] = {
    "search": lambda: tools.search("login"),
    "search_soon": lambda: awaited(tools.search_soon)("login"),
    "search_ten": lambda: tools.search_ten("login"),
    "Desk.find": lambda: tools.desk.find("PROJ-1"),
    "Desk.find_soon": lambda: awaited(tools.desk.find_soon)("PROJ-1"),
    "Desk.opened": lambda: tools.Desk.opened("two"),
    "Desk.shout": lambda: tools.Desk("three").shout("hear"),
    "desk.find": lambda: tools.desk.find("PROJ-1"),
    "structured": lambda: tools.structured.func("login"),  # type: ignore[misc]
    "structured.coroutine": lambda: awaited(tools.structured.coroutine)("login"),  # type: ignore[arg-type]
    "function_tool": lambda: awaited(tools.function_tool.on_invoke_tool)(object(), "login"),
    "server.search": lambda: tools.server._tool_manager._tools["search"].fn("login"),
    "agent.search": lambda: awaited(tools.agent.tools[0].on_invoke_tool)(object(), "login"),
    "mixed.search": lambda: awaited(tools.mixed.tools[1].on_invoke_tool)(object(), "login"),
    "registry.search": lambda: awaited(tools.registry["search"].on_invoke_tool)(object(), "login"),
}


@pytest.mark.parametrize("name", REACHED)
def test_whatever_an_agent_calls_is_struck_and_is_well_again(name: str) -> None:
    """The first call meets the fault in the tool's place, the second the tool; afterwards all is as it was."""
    healthy = REACHED[name]()
    with opened(name, Status(code=429, json={"error": "slow down"}), times=1) as door:
        with pytest.raises(ToolError, match="status 429") as caught:
            REACHED[name]()
        again = REACHED[name]()
    assert (again, REACHED[name]()) == (healthy, healthy)
    assert json.loads(caught.value.body) == {"error": "slow down"}
    assert caught.value.__notes__ == ["pytest-agentfault: Status struck this call"]
    assert [(x.request.method, x.request.url, x.reply.status) for x in door.plan.log] == [
        ("CALL", f"{HERE}:{name}", 429),
        ("CALL", f"{HERE}:{name}", 200),
    ]


def test_both_functions_of_a_tool_are_struck() -> None:
    """LangChain's tools hold one for blocking and one for async callers; both count for the same rule."""
    with opened("structured", Status(code=500)) as door:
        with pytest.raises(ToolError):
            tools.structured.func("login")  # type: ignore[misc]
        with pytest.raises(ToolError):
            asyncio.run(tools.structured.coroutine("login"))  # type: ignore[misc]
    assert door.plan.tallies[0].struck == 2


def test_a_tool_keeps_its_kind_name_and_signature() -> None:
    """Frameworks read the schema of a tool from its function."""
    before = {f: (f.__name__, inspect.signature(f), f.__doc__) for f in (tools.search, tools.search_soon)}
    for function, seen in before.items():
        with opened(function.__name__, Leaves()):
            now = getattr(tools, function.__name__)
            assert now is not function
            assert (now.__name__, inspect.signature(now), now.__doc__) == seen
            assert inspect.iscoroutinefunction(now) == inspect.iscoroutinefunction(function)


def test_an_error_of_the_tool_itself_is_a_healthy_answer() -> None:
    """It comes up as it is, without a note, and is no problem of ours."""
    with opened("broken", Leaves()) as door, pytest.raises(LookupError) as caught:
        tools.broken("login")
    assert not hasattr(caught.value, "__notes__")
    assert (door.plan.problems, door.plan.log) == ([], [])


def test_an_untouched_result_is_the_very_object() -> None:
    """Also one that JSON has no words for."""
    result = tools.search("login")
    with opened("opaque", Leaves(), Slow(seconds=1)):
        assert tools.opaque("login") is not result
        assert callable(tools.opaque("login"))
    with opened("a_kind", Leaves()):
        assert tools.a_kind("login") is tools.Issue


def test_the_budget_of_calls_ends_a_loop() -> None:
    """An agent that calls a tool for ever is stopped by an error that no `except Exception` swallows."""
    with opened("search", Status(code=503), max_calls=3) as door, pytest.raises(Hung):
        while True:
            with pytest.raises(ToolError):
                tools.search("login")
    assert len(door.plan.log) == 3


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault with a mistake in it."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        raise FaultError("wrong", "this", "that")


@pytest.mark.parametrize("name", ["search", "search_soon"])
def test_a_mistake_in_a_fault_is_kept_for_the_end_of_the_test(name: str) -> None:
    """Even where the agent swallows it."""
    with opened(name, Wrong()) as door, pytest.raises(FaultError):
        REACHED[name]()
    assert [str(p).splitlines()[0] for p in door.plan.problems] == ["wrong"]
