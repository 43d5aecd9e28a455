"""What `to="CALL ..."` may name: a target that cannot be struck is an error, with the nearest name."""

from __future__ import annotations

from typing import Any

import pytest
from _callables import HERE
from _memory import Leaves, Spy

from pytest_agentfault import Rule
from pytest_agentfault._errors import RuleError
from pytest_agentfault._plan import Plan
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.callable import CallableDoor
from pytest_agentfault.faults.bad_framing import BadFraming
from pytest_agentfault.faults.refuse import Refuse

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
    door = CallableDoor(Plan([Rule(to, (fault,))]), [], clock)
    with pytest.raises(RuleError) as caught, patches.under(door):
        pass
    assert caught.value.what == what
    assert there in caught.value.there
    assert caught.value.do.startswith(f"did you mean {do!r}? known: ") or caught.value.do == do
    assert patches.left_over() == []
    known = caught.value.do.partition("known: ")[2].split(", ")
    assert not {name for name in known if name.startswith("_")} | {"NUMBER", "CALLS"} & set(known), "no tools"
