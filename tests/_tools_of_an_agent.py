"""What agents call that is not HTTP: functions, methods, and objects of frameworks that hold a function.

Rule: the objects have the shape of the frameworks' own, named beside each; the frameworks are not needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

CALLS: list[Any] = []


def search(query: str, *, limit: int = 10) -> dict[str, Any]:
    """Finds issues."""
    CALLS.append((query, limit))
    return {"issues": [{"key": "PROJ-1", "summary": "Login fails"}], "total": 1}


async def search_soon(query: str, limit: int = 10) -> dict[str, Any]:
    """Finds issues, later."""
    await asyncio.sleep(0)
    return search(query, limit=limit)


async def search_now(query: str, limit: int = 10) -> dict[str, Any]:
    """Finds issues, on any event loop."""
    return search(query, limit=limit)


def as_text(query: str) -> str:
    """A tool whose result is JSON text for the model."""
    return '{"key": "PROJ-1", "found": true}'


def in_words(query: str) -> str:
    """A tool whose result is prose."""
    return "Login fails on Safari"


def broken(query: str) -> str:
    """A tool that fails by itself."""
    raise LookupError(query)


def variadic(first: str, *others: str, **named: str) -> list[Any]:
    """Any arguments."""
    return [first, others, named]


def a_kind(query: str) -> type:
    """A result that is a class, of things with fields."""
    return Issue


def opaque(query: str) -> object:
    """A result that JSON has no words for."""
    return search


def pages(query: str) -> Iterator[int]:
    """No tool, but a generator."""
    yield 1


async def pages_soon(query: str) -> AsyncIterator[int]:
    """No tool either."""
    yield 1


search_ten = partial(search, limit=10)
NUMBER = 5


class Desk:
    """A client of a ticket system."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, key: str) -> dict[str, str]:
        """By key."""
        return {"desk": self.name, "key": key}

    async def find_soon(self, key: str) -> dict[str, str]:
        """By key, later."""
        return self.find(key)

    @classmethod
    def opened(cls, name: str) -> str:
        """A way to make one."""
        return f"{cls.__name__} {name}"

    @staticmethod
    def shout(text: str) -> str:
        """Louder."""
        return text.upper()


@dataclass
class Issue:
    """A result with fields."""

    key: str


class Model:
    """A result as pydantic makes them."""

    def __init__(self, key: str) -> None:
        self.key = key

    def model_dump(self, mode: str = "python") -> dict[str, str]:
        """As plain data."""
        return {"key": self.key}

    @classmethod
    def model_validate(cls, data: Any) -> Model:
        """From plain data, checked."""
        if not isinstance(data, dict) or not isinstance(data.get("key"), str):
            raise ValueError("key: a string is required")
        return cls(data["key"])


class Sealed:
    """Takes no attributes."""

    __slots__ = ()

    def find(self, key: str) -> str:
        """By key."""
        return key


def an_issue(key: str) -> Issue:
    """A dataclass."""
    return Issue(key)


def a_model(key: str) -> Model:
    """A model."""
    return Model(key)


@dataclass
class StructuredTool:
    """As in langchain_core.tools."""

    name: str
    func: Callable[..., Any] | None
    coroutine: Callable[..., Any] | None


@dataclass
class FunctionTool:
    """As in agents (openai-agents)."""

    name: str
    on_invoke_tool: Callable[[Any, str], Any]


@dataclass
class McpTool:
    """As in mcp.server.fastmcp.tools."""

    name: str
    fn: Callable[..., Any]


@dataclass
class Manager:
    """As in mcp.server.fastmcp.tools."""

    _tools: dict[str, McpTool] = field(default_factory=dict)


class FastMCP:
    """As in mcp.server.fastmcp."""

    def __init__(self, *tools: McpTool) -> None:
        self._tool_manager = Manager({tool.name: tool for tool in tools})


@dataclass
class Agent:
    """As in agents (openai-agents)."""

    tools: list[FunctionTool]


async def invoke(context: Any, text: str) -> Any:
    """What the SDK calls with JSON text."""
    return search(text)


structured = StructuredTool("search", search, search_soon)
function_tool = FunctionTool("search", invoke)
server = FastMCP(McpTool("search", search))
agent = Agent([FunctionTool("search", invoke)])
mixed = Agent([invoke, FunctionTool("search", invoke)])  # type: ignore[list-item]  # a bare function among named tools
registry = {"search": FunctionTool("search", invoke)}
desk = Desk("one")
sealed = Sealed()
