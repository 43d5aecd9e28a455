"""
The door for what is not HTTP: what a caller of a function, a method or a tool meets under a fault.

Rule: plan, clock, patches and faults are the real ones; only the tools are the test's.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import _tools_of_an_agent as tools
import anyio
import pytest
from _memory import Leaves, Spy

from pytest_agentfault import Call, Reply, Request, Rule, ToolError
from pytest_agentfault._errors import FaultError, RuleError
from pytest_agentfault._plan import Hung, Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.callable import CallableDoor
from pytest_agentfault.faults.bad_framing import BadFraming
from pytest_agentfault.faults.drift import Drift
from pytest_agentfault.faults.html_instead import HtmlInstead
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.malform_json import MalformJson
from pytest_agentfault.faults.refuse import Refuse
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.status import Status

HERE = "_tools_of_an_agent"
FOUND = {"issues": [{"key": "PROJ-1", "summary": "Login fails"}], "total": 1}


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    tools.CALLS.clear()


@dataclass
class Opened:
    """An open door and what it works with."""

    plan: Plan
    clock: Clock


@contextmanager
def opened(name: str, *faults: Any, timed: bool = False, max_calls: int = 100, **settings: Any) -> Iterator[Opened]:
    """The door for one rule on one of the tools."""
    to = name if isinstance(name, Call) else f"CALL {HERE}:{name}"
    clock, patches = Clock(), Spy()
    plan = Plan([Rule(to, faults, **settings)], now=clock.now, max_calls=max_calls)
    if timed:
        clock.install(patches)
    with CallableDoor(plan, [], clock).opened(patches):
        yield Opened(plan, clock)
    assert patches.left_over() == []


def awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Called in a loop of its own."""
    return lambda *args, **kwargs: asyncio.run(function(*args, **kwargs))


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
    assert door.clock.offset >= seconds * 0.99
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


WAY = 'write it like to="CALL package.module:function" or to="CALL package.module:Class.method"'
NAMED = "name what the agent calls: a function, a method (Class.method) or an object that holds a tool's function"
UNUSABLE: dict[str, tuple[str, Any, tuple[str, str, str]]] = {
    "no name": ("CALL tools", Leaves(), ("`to` does not name one callable", "'CALL tools'", WAY)),
    "a glob": ("CALL tools:*", Leaves(), ("`to` does not name one callable", "'CALL tools:*'", WAY)),
    "no module": (
        "CALL no_such_tools:search",
        Leaves(),
        (
            "there is no module no_such_tools to call into",
            "ModuleNotFoundError: No module named 'no_such_tools'",
            WAY,
        ),
    ),
    "a near miss": (f"CALL {HERE}:serch", Leaves(), (f"{HERE} has no serch", f"to='CALL {HERE}:serch'", "search")),
    "a method": (f"CALL {HERE}:Desk.fnd", Leaves(), ("Desk has no fnd", f"to='CALL {HERE}:Desk.fnd'", "find")),
    "a tool": (f"CALL {HERE}:server.serch", Leaves(), ("FastMCP has no serch", "server.serch", "search")),
    "a value": (
        f"CALL {HERE}:NUMBER",
        Leaves(),
        (f"{HERE}:NUMBER is not a function, a method or a tool", "a int", NAMED),
    ),
    "a class": (
        f"CALL {HERE}:Desk",
        Leaves(),
        (f"{HERE}:Desk is not a function, a method or a tool", "a class", NAMED),
    ),
    "a generator": (
        f"CALL {HERE}:pages",
        Leaves(),
        (f"{HERE}:pages is a generator", "it has no one result that could be struck", "name what consumes it"),
    ),
    "an async generator": (
        f"CALL {HERE}:pages_soon",
        Leaves(),
        (f"{HERE}:pages_soon is a generator", "it has no one result that could be struck", "name what consumes it"),
    ),
    "no connection": (
        f"CALL {HERE}:search",
        Refuse(),
        (
            "Refuse cannot strike a call",
            f"to='CALL {HERE}:search': a call has no connection and no bytes on a wire",
            "use `status`, `lose`, `slow`, `drift` or `malform_json`, or name a URL",
        ),
    ),
    "no wire": (
        f"CALL {HERE}:search",
        BadFraming(how="garbage"),
        (
            "BadFraming cannot strike a call",
            f"to='CALL {HERE}:search': a call has no connection and no bytes on a wire",
            "use `status`, `lose`, `slow`, `drift` or `malform_json`, or name a URL",
        ),
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_target_that_cannot_be_struck_is_an_error(case: str) -> None:
    """It says what is wrong, what is there, and the way out: the nearest name where there is one."""
    to, fault, (what, there, do) = UNUSABLE[case]
    clock, patches = Clock(), Spy()
    with pytest.raises(RuleError) as caught, CallableDoor(Plan([Rule(to, (fault,))]), [], clock).opened(patches):
        pass
    assert caught.value.what == what
    assert there in caught.value.there
    assert caught.value.do.startswith(f"did you mean {do!r}? known: ") or caught.value.do == do
    assert patches.left_over() == []


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test project of a user with a tool in it."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.syspath_prepend(pytester.path)
    pytester.makepyfile(
        toolshed="""
        def search(query):
            return {"found": [query]}
        """
    )
    pytester.makeini("[pytest]\naddopts = -p pytest_agentfault.plugin -p no:cacheprovider\nfilterwarnings = error\n")
    return pytester


def test_a_marker_and_the_fixture_name_a_callable(project: pytest.Pytester) -> None:
    """Scenarios and fault objects, from the start of the test or in the middle of it."""
    project.makepyfile(
        """
        import pytest
        import toolshed
        from pytest_agentfault import ToolError
        from pytest_agentfault.faults.status import Status

        @pytest.mark.fault("any/server-error", to="CALL toolshed:search", times=1, raises=ToolError)
        def test_marked():
            toolshed.search("a")

        @pytest.mark.fault("any/slow", to="CALL toolshed:search")
        def test_slow():
            assert toolshed.search("a") == {"found": ["a"]}

        def test_added(faults):
            assert toolshed.search("a") == {"found": ["a"]}
            faults.add(Status(code=500), to="CALL toolshed:search", times=1)
            with pytest.raises(ToolError):
                toolshed.search("a")
            assert toolshed.search("a") == {"found": ["a"]}

        def test_after():
            assert not hasattr(toolshed.search, "__wrapped__")
        """
    )
    result = project.runpytest_inprocess("-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines_random(
        ["surfaced *::test_marked *(1 of 1 calls)", "held *::test_slow *", "recovered *::test_added *(1 of 2 calls)"]
    )


def test_a_wrong_name_is_an_error_of_the_mark(project: pytest.Pytester) -> None:
    """At collection, with file and line, and the nearest name."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.fault("any/server-error", to="CALL toolshed:serch")
        def test_marked():
            pass
        """
    )
    result = project.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: *_mark.py:3: test_marked: @pytest.mark.fault: toolshed has no serch",
            "  there is: to='CALL toolshed:serch'",
            "  to do: did you mean 'search'? known: search",
        ]
    )


def test_a_library_on_libcurl_is_warned_of(project: pytest.Pytester) -> None:
    """It opens its sockets itself; a test that uses the server is not warned."""
    project.makepyfile(pycurl="")
    project.makepyfile(
        """
        import pycurl
        import pytest
        import toolshed
        from pytest_agentfault import UnreachableWarning

        @pytest.mark.fault("any/slow", to="CALL toolshed:search")
        @pytest.mark.filterwarnings("default::pytest_agentfault.UnreachableWarning")
        def test_warned():
            toolshed.search("a")

        @pytest.mark.fault("any/slow", to="CALL toolshed:search")
        def test_through_the_server(fault_server):
            toolshed.search("a")
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*UnreachableWarning: requests through pycurl are not struck",
            "*there is: libcurl opens its sockets itself, where no door of this process reaches",
            "*to do: send them through the fixture `fault_server` (its proxy_url, or url), "
            "or ignore UnreachableWarning where this test does not use it",
        ]
    )
