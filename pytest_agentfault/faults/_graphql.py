"""
GraphQL queries broken the way language models break them, and what a server truly says to that.

Messages and locations are graphql-core's own. It is an extra, imported inside
the functions; a new breakage is a new function and one line in BREAKAGES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from .._errors import FaultError
from .._payload import parsed
from .._reply import Request

DOCUMENT: Final = re.compile(r"(?:\s|,|#[^\n]*\n)*(?:\{|(?:query|mutation|subscription|fragment)\b[^{]*\{)")


def query_of(request: Request) -> str | None:
    """The GraphQL document a request carries (POST JSON or GET `?query=`), or None."""
    if request.method == "GET":
        given: Any = parse_qs(urlsplit(request.url).query).get("query", [None])[0]
    elif request.method == "POST":
        body = parsed(request.body)
        given = body.get("query") if isinstance(body, dict) else None
    else:
        given = None
    return given if isinstance(given, str) and DOCUMENT.match(given) else None


def check_core(fault: str, why: str = 'how = "break" asks graphql-core what is wrong with a query') -> None:
    """graphql-core must be installed."""
    if find_spec("graphql") is None:
        raise FaultError(
            f"{fault}: {why}",
            "graphql-core is not installed",
            "pip install 'pytest-agentfault[graphql]'",
        )


def check_schema(fault: str, breakage: str, schema: str | None) -> None:
    """What only a schema can judge needs one, and it must be readable."""
    if schema is None:
        if breakage in NEED_SCHEMA:
            raise FaultError(
                f"{fault}: breakage = {breakage!r} needs a schema to be judged by",
                "no `schema`",
                'give the path of its SDL file as `schema`, or use breakage = "unbalanced_brace"',
            )
        return
    from graphql import GraphQLError

    try:
        schema_at(schema)
    except (OSError, ValueError, TypeError, GraphQLError) as error:
        raise FaultError(
            f"{fault}: `schema` cannot be read",
            f"{schema!r} ({error})".replace("\n", " "),
            "give the path of an SDL file",
        ) from None


def complaints(query: str, breakage: str, schema: str | None, random: Random) -> list[dict[str, Any]]:
    """What a server says to the query broken in this way: message and locations; empty where it cannot be broken."""
    candidates = BREAKAGES[breakage](query)
    random.shuffle(candidates)
    for broken in candidates:
        errors = _errors(broken, schema)
        if errors:
            return [
                {"message": e.message, "locations": [{"line": x.line, "column": x.column} for x in e.locations or ()]}
                for e in errors
            ]
    return []


def _errors(query: str, schema: str | None) -> list[Any]:
    from graphql import GraphQLSyntaxError, parse, validate

    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return [error]
    return validate(schema_at(schema), document) if schema is not None else []


@cache
def schema_at(path: str) -> Any:
    """The schema of an SDL file."""
    from graphql import build_schema

    return build_schema(Path(path).read_text(encoding="utf-8"))


def _unbalanced_brace(query: str) -> list[str]:
    return [query[: query.rstrip().rfind("}")].rstrip()]


def _unknown_field(query: str) -> list[str]:
    """A field a model might believe in: the name of a true one, with an ending."""
    return [
        query[: name.end] + suffix + query[name.end :]
        for node in _nodes(query, "field")
        for name in [node.name.loc]
        for suffix in ("Name", "Id")
    ]


def _wrong_argument_type(query: str) -> list[str]:
    made = []
    for node in _nodes(query, "argument"):
        start, end = node.value.loc.start, node.value.loc.end
        true = query[start:end]
        wrong = (
            f'"{true}"' if node.value.kind in ("int_value", "float_value", "boolean_value", "enum_value") else "true"
        )
        made.append(query[:start] + wrong + query[end:])
    return made


def _missing_selection(query: str) -> list[str]:
    return [
        query[: chosen.loc.start].rstrip() + " " + query[chosen.loc.end :].lstrip()
        for node in _nodes(query, "field")
        for chosen in [node.selection_set]
        if chosen is not None
    ]


def _nodes(query: str, kind: str) -> Iterator[Any]:
    """Every node of this kind; none where the query is already broken."""
    from graphql import GraphQLSyntaxError, Visitor, parse, visit

    nodes: list[Any] = []

    class Collect(Visitor):
        def enter(self, node: Any, *_: Any) -> None:
            if node.kind == kind:
                nodes.append(node)

    try:
        visit(parse(query), Collect())
    except GraphQLSyntaxError:
        return
    yield from nodes


BREAKAGES: Final[dict[str, Callable[[str], list[str]]]] = {
    "unbalanced_brace": _unbalanced_brace,
    "unknown_field": _unknown_field,
    "wrong_argument_type": _wrong_argument_type,
    "missing_selection": _missing_selection,
}
NEED_SCHEMA: Final = ("unknown_field", "wrong_argument_type", "missing_selection")
