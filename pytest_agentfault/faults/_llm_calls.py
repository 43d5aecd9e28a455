"""
What models do to the arguments of a tool call, one function each.

Arguments are JSON text in some formats and a value in others. A text is broken as text;
a value has to stay a value, so there the same mistake is in its members. Each gives back
what it was given where it has nothing to break.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from .._payload import written
from .._reply import Request
from ._json_text import malformed
from ._llm import as_value
from ._shapes import Hand, applied

EXTRA: Final = "explanation"
NOT_ASKED: Final = Request("GET", "https://nobody.invalid/")  # a type changes whatever was asked


def truncated(arguments: Any) -> Any:
    """The text ends in its middle; of a value, the last member does, or is gone."""
    if isinstance(arguments, str):
        return malformed(arguments, "truncated")
    if not isinstance(arguments, dict) or not arguments:
        return arguments
    *firsts, (key, last) = arguments.items()
    half = last[: len(last) // 2] if isinstance(last, str) else ""
    return {**dict(firsts), **({key: half} if half else {})}


def double_encoded(arguments: Any) -> Any:
    """The text is JSON text once more; of a value, each member is."""
    if isinstance(arguments, str):
        return malformed(arguments, "double_encoded")
    return {key: written(value) for key, value in arguments.items()} if isinstance(arguments, dict) else arguments


def fenced(arguments: Any) -> Any:
    """The text is in a fence of Markdown; of a value, each member that is text."""
    if isinstance(arguments, str):
        return malformed(arguments, "markdown_fence")
    if not isinstance(arguments, dict):
        return arguments
    return {key: f"```\n{value}\n```" if isinstance(value, str) else value for key, value in arguments.items()}


def wrong_type(arguments: Any, schema: Any, random: Random) -> Any:
    """A required member is of another type."""

    def retyped(members: dict[str, Any]) -> Any:
        return applied("retype", dict(members), (_required(members, schema),), Hand(random.getrandbits(64), NOT_ASKED))

    return _with_members(arguments, retyped)


def missing_key(arguments: Any, schema: Any, random: Random) -> Any:
    """A required member is not there."""

    def without(members: dict[str, Any]) -> Any:
        gone = _required(members, schema)
        return {key: value for key, value in members.items() if key != gone}

    return _with_members(arguments, without)


def extra_key(arguments: Any, schema: Any, random: Random) -> Any:
    """There is a member that the tool does not know."""
    known = schema.get("properties", {}) if isinstance(schema, dict) else {}

    def added(members: dict[str, Any]) -> Any:
        name = EXTRA
        while name in members or name in known:
            name += "_v2"
        return {**members, name: "as asked"}

    return _with_members(arguments, added, empty=True)


def _with_members(arguments: Any, change: Callable[[dict[str, Any]], Any], empty: bool = False) -> Any:
    """The arguments with other members, in the form they had."""
    members = as_value(arguments)
    if not isinstance(members, dict) or not (members or empty):
        return arguments
    changed = change(dict(members))
    return written(changed) if isinstance(arguments, str) else changed


def _required(members: dict[str, Any], schema: Any) -> str:
    """The first member that the tool requires; where nobody says so, the first."""
    required = schema.get("required") if isinstance(schema, dict) else None
    return next((key for key in required or () if key in members), next(iter(members)))


OF_TEXT: Final[dict[str, Callable[[Any], Any]]] = {
    "truncated": truncated,
    "double_encoded": double_encoded,
    "fenced": fenced,
}
OF_MEMBERS: Final[dict[str, Callable[[Any, Any, Random], Any]]] = {
    "wrong_type": wrong_type,
    "extra_key": extra_key,
    "missing_key": missing_key,
}
