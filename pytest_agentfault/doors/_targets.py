"""
From `CALL package.module:name` to the place where a callable is looked up.

A target is replaced where it is looked up, as `unittest.mock.patch` does: in its
module, in its class, or in the object that holds it. Objects of agent frameworks
that hold a function are known by the attribute they hold it in, never by their
class: no framework is imported here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

from .._errors import RuleError, nearest
from .._rule import Rule, verbs_of

CALL: Final = "CALL"
NEED_A_WIRE: Final = frozenset({"connect", "garble"})
WRITTEN: Final = 'write it like to="CALL package.module:function" or to="CALL package.module:Class.method"'

# Where tools of agent frameworks hold their function; checked in this order, all that are there are taken.
HELD_IN: Final = (
    ("func", "coroutine"),  # LangChain: StructuredTool, Tool
    ("on_invoke_tool",),  # openai-agents: FunctionTool
    ("fn",),  # mcp, fastmcp: Tool
    ("function",),  # pydantic-ai: Tool
)


@dataclass(frozen=True, slots=True)
class Target:
    """One callable, and where it is looked up.

    Args:
        name: `package.module:name`, what its calls are known by.
        owner: the module, class or object it is an attribute of.
        attribute: the name it has there.
        found: what is there now, as it is kept there: a function, a classmethod, a staticmethod.
        is_method: whether its first argument is the object it belongs to.
    """

    name: str
    owner: Any
    attribute: str
    found: Any
    is_method: bool = False


def is_call(to: object) -> bool:
    """Whether a `to` names a callable."""
    return isinstance(to, str) and to.split(None, 1)[0].upper() == CALL


def checked(rule: Rule) -> list[Target]:
    """The callables that a rule names.

    Raises:
        RuleError: there is none, or a fault of the rule has nothing to strike there.
    """
    for fault in rule.faults:
        if NEED_A_WIRE.issuperset(verbs_of(fault)):
            raise RuleError(
                f"{type(fault).__name__} cannot strike a call",
                f"to={str(rule.to)!r}: a call has no connection and no bytes on a wire",
                "use `status`, `lose`, `slow`, `drift` or `malform_json`, or name a URL",
            )
    return targets(rule.to)


def targets(to: str) -> list[Target]:
    """What a `to` names: one callable, or each of an object that holds several.

    Raises:
        RuleError: there is none of that name, or it cannot be called like a function.
    """
    name = to.split(None, 1)[1]
    module_name, colon, path = name.partition(":")
    if not colon or not module_name or not path or "*" in name:
        raise RuleError("`to` does not name one callable", repr(str(to)), WRITTEN)
    try:
        owner: Any = import_module(module_name)
    except ImportError as error:
        there = f"{type(error).__name__}: {error}"
        raise RuleError(f"there is no module {module_name} to call into", there, WRITTEN) from error
    *parents, last = path.split(".")
    for part in parents:
        owner = _child(owner, part, name)
    found = _child(owner, last, name)
    held = list(_held(found))
    if not held:
        return [_checked(_target(name, owner, last, found))]
    return [_checked(Target(name, found, attribute, getattr(found, attribute))) for attribute in held]


def _target(name: str, owner: Any, attribute: str, found: Any) -> Target:
    if inspect.isclass(owner):
        kept = inspect.getattr_static(owner, attribute)
        return Target(name, owner, attribute, kept, not isinstance(kept, classmethod | staticmethod))
    return Target(name, owner, attribute, found)


def _checked(target: Target) -> Target:
    function = getattr(target.found, "__func__", target.found)
    if inspect.isclass(function) or not callable(function):
        raise RuleError(
            f"{target.name} is not a function, a method or a tool",
            f"a {type(function).__name__}" if not inspect.isclass(function) else "a class",
            "name what the agent calls: a function, a method (Class.method) or an object that holds a tool's function",
        )
    inner = inspect.unwrap(function)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise RuleError(
            f"{target.name} is a generator", "it has no one result that could be struck", "name what consumes it"
        )
    return target


def _held(found: Any) -> Iterator[str]:
    """The attributes in which an object holds the function of a tool."""
    if inspect.isroutine(found) or inspect.isclass(found) or inspect.ismodule(found) or isinstance(found, partial):
        return
    for attributes in HELD_IN:
        here = [a for a in attributes if callable(getattr(found, a, None))]
        if here:
            yield from here
            return


def _child(owner: Any, part: str, name: str) -> Any:
    """What an object, or the registry of tools in it, has under a name."""
    if hasattr(owner, part):
        return getattr(owner, part)
    tools = _tools(owner)
    if part in tools:
        return tools[part]
    known = [*tools, *(k for k in dir(owner) if not k.startswith("_") and callable(getattr(owner, k, None)))]
    where = getattr(owner, "__name__", type(owner).__name__)
    raise RuleError(f"{where} has no {part}", f"to={f'{CALL} {name}'!r}", nearest(part, known))


def _tools(owner: Any) -> dict[str, Any]:
    """The tools that an object keeps by name: a mapping, mcp's tool manager, or a list of named tools."""
    manager = getattr(owner, "_tool_manager", None)
    kept = owner if isinstance(owner, dict) else getattr(manager, "_tools", None) or getattr(owner, "tools", None)
    if isinstance(kept, dict):
        return {key: tool for key, tool in kept.items() if isinstance(key, str)}
    if isinstance(kept, list | tuple):
        return {tool.name: tool for tool in kept if isinstance(getattr(tool, "name", None), str)}
    return {}
