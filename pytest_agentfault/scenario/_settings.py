"""
The settings of a fault, as its annotations say them: one reading of a type for
checking what a TOML file holds and for writing the published JSON Schema.

Rule: only what TOML can say has a place here. A type this file does not know is
taken as it comes, and the fault's own `__post_init__` judges it.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from .._rule import HANDED_OVER

WORDS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "nothing",
}
JSON_TYPES: Final[Mapping[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a fault: its name, its type, and whether it must be given."""

    name: str
    hint: Any
    required: bool


@cache
def settings_of(kind: type) -> Mapping[str, Setting]:
    """The settings a scenario may give to a fault, by name; what the plan hands over is none of them."""
    hints = get_type_hints(kind)
    return {
        f.name: Setting(f.name, hints[f.name], f.default is MISSING and f.default_factory is MISSING)
        for f in fields(kind)
        if f.init and f.name not in HANDED_OVER
    }


def fits(value: object, hint: Any) -> bool:
    """True when a TOML value is of the type of a setting."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint in WORDS:
        return type(value) is hint
    kind = origin or hint
    if _is(kind, Mapping):
        return isinstance(value, dict) and all(fits(v, inner[1]) for v in value.values() if inner)
    if _is(kind, Sequence):
        return isinstance(value, list) and all(fits(v, inner[0]) for v in value if inner)
    return True


def fitted(value: Any, hint: Any) -> Any:
    """The value as the fault wants it: a list becomes a tuple where the setting is one."""
    kinds = [get_origin(each) or each for each in (get_args(hint) if _is_union(hint) else (hint,))]
    return tuple(value) if isinstance(value, list) and tuple in kinds else value


def in_words(hint: Any) -> str:
    """A type as an error message says it."""
    origin, inner = get_origin(hint), get_args(hint)
    if _is_union(hint):
        return " or ".join(dict.fromkeys(in_words(each) for each in inner if each is not type(None)))
    if origin is Literal:
        return "one of " + ", ".join(repr(each) for each in inner)
    if hint in WORDS:
        return WORDS[hint]
    if _is(origin or hint, Mapping):
        return f"a table of {in_words(inner[1])}" if inner else "a table"
    if _is(origin or hint, Sequence):
        return f"a list of {in_words(inner[0])}" if inner else "a list"
    return "any value"


def schema_of(hint: Any) -> dict[str, Any]:
    """A type as JSON Schema."""
    origin, inner = get_origin(hint), get_args(hint)
    if _is_union(hint):
        each = [schema_of(one) for one in inner if one is not type(None)]
        unlike = [schema for n, schema in enumerate(each) if schema not in each[:n]]
        return unlike[0] if len(unlike) == 1 else {"anyOf": unlike}
    if origin is Literal:
        return {"enum": list(inner)}
    if hint in JSON_TYPES:
        return {"type": JSON_TYPES[hint]}
    if _is(origin or hint, Mapping):
        return {"type": "object", "additionalProperties": schema_of(inner[1]) if inner else True}
    if _is(origin or hint, Sequence):
        return {"type": "array", "items": schema_of(inner[0]) if inner else {}}
    return {}


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _is(kind: Any, of: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)
