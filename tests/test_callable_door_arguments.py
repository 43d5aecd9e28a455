"""The arguments of a struck call: what rules and faults see of them, and what the tool is called with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import _tools_of_an_agent as tools
import pytest
from _callables import opened
from _memory import Leaves

from pytest_agentfault import Request, ToolError
from pytest_agentfault.faults.status import Status


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    tools.CALLS.clear()


ARGUMENTS: dict[str, tuple[Callable[[], Any], Any]] = {
    "search": (lambda: tools.search("login", limit=3), {"query": "login", "limit": 3}),
    "Desk.find": (lambda: tools.desk.find(key="PROJ-1"), {"key": "PROJ-1"}),
    "variadic": (
        lambda: tools.variadic("a", "b", "c", d="e"),
        {"first": "a", "others": ["b", "c"], "named": {"d": "e"}},
    ),
    "an_issue": (lambda: tools.an_issue(tools.Issue("X")), {"key": {"key": "X"}}),  # type: ignore[arg-type]
    "a_model": (lambda: tools.a_model(tools.Model("X")), {"key": {"key": "X"}}),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_arguments_are_the_body_by_the_names_of_the_parameters(name: str) -> None:
    """Positional or by name, what rules and faults look at is the same; the object of a method is not in it."""
    call, expected = ARGUMENTS[name]
    with opened(name, Leaves()) as door:
        call()
    request = door.plan.log[0].request
    assert json.loads(request.body) == expected
    assert request.header("content-type") == "application/json"


def test_arguments_that_fit_no_signature_are_the_functions_own_error() -> None:
    """The TypeError is the function's; the log holds what was tried, and nothing is a problem of ours."""
    with opened("search", Leaves()) as door, pytest.raises(TypeError, match="unexpected keyword argument 'page'"):
        tools.search("login", page=2)  # type: ignore[call-arg]
    assert door.plan.problems == []
    with opened("search", Status(code=500)) as door, pytest.raises(ToolError):
        tools.search("login", page=2)  # type: ignore[call-arg]
    assert json.loads(door.plan.log[0].request.body) == {"args": ["login"], "kwargs": {"page": 2}}


@dataclass(frozen=True, slots=True)
class Asks:
    """Changes one argument on the way out."""

    name: str
    value: Any

    def mutate(self, request: Request) -> Request:
        """On the way out."""
        return replace(request, body=json.dumps({**json.loads(request.body), self.name: self.value}).encode())


MUTATED: dict[str, tuple[str, Asks, tuple[Any, ...], dict[str, Any], Any]] = {
    "one by name": ("search", Asks("limit", 3), ("login",), {}, ("login", 3)),
    "many": ("variadic", Asks("others", ["x"]), ("a", "b"), {"d": "e"}, ["a", ("x",), {"d": "e"}]),
}


@pytest.mark.parametrize("case", MUTATED)
def test_changed_arguments_are_what_the_tool_is_called_with(case: str) -> None:
    """What the fault left alone is what the caller gave."""
    name, fault, args, kwargs, expected = MUTATED[case]
    with opened(name, fault):
        result = getattr(tools, name)(*args, **kwargs)
    assert (tools.CALLS[0] if tools.CALLS else result) == expected


def test_an_argument_that_a_fault_leaves_alone_is_the_same_object() -> None:
    """Also beside one that it changes."""
    seen = []

    async def invoke(context: Any, text: str) -> None:
        seen.append((context, text))

    held = tools.FunctionTool("held", invoke)
    tools.registry["held"] = held
    try:
        context = object()
        with opened("registry.held", Asks("text", "{}")):
            asyncio.run(held.on_invoke_tool(context, '{"q": 1}'))
    finally:
        del tools.registry["held"]
    assert seen == [(context, "{}")]
