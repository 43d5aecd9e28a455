"""
Which field of a query a place in its reply comes from, and whether the schema lets it be null.

graphql-core is an extra, imported inside the functions; without it nothing is
known of a query, and a reply's field is then taken to be nullable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeAlias

from .._payload import parsed
from .._reply import Request
from ._graphql_schema import schema_of
from ._steps import Place

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a query, under its name in the reply.

    Args:
        line: where it stands in the query, from 1.
        column: the same, from 1.
        type: what the schema says it is; None: not known.
    """

    line: int
    column: int
    type: Any


def fields_of(query: str, request: Request, schema: str | None) -> dict[Names, Asked]:
    """The fields that a query asks for, by their place in the reply (list items left out)."""
    if find_spec("graphql") is None:
        return {}
    from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, get_operation_ast, parse
    from graphql.utilities import type_from_ast

    try:
        document = parse(query)
    except GraphQLError:
        return {}
    types = schema_of(schema) if schema is not None else None
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    body = parsed(request.body) if request.body else None
    operation = get_operation_ast(document, body.get("operationName") if isinstance(body, dict) else None)
    if not isinstance(operation, OperationDefinitionNode):
        return {}

    def within(holder: Any, selections: Any, at: Names, through: Names) -> Iterator[tuple[Names, Asked]]:
        for chosen in selections.selections:
            if chosen.kind == "field":
                name = (chosen.alias or chosen.name).value
                known = getattr(holder, "fields", {}).get(chosen.name.value)
                where = chosen.loc.source.get_location(chosen.loc.start)
                yield (*at, name), Asked(where.line, where.column, known.type if known else None)
                if chosen.selection_set is not None:
                    yield from within(_named(known), chosen.selection_set, (*at, name), through)
                continue
            spread = chosen.kind == "fragment_spread"
            fragment: Any = fragments.get(chosen.name.value) if spread else chosen
            if fragment is None or (spread and chosen.name.value in through):
                continue
            condition = fragment.type_condition
            narrowed = type_from_ast(types, condition) if types and condition else holder
            deeper = (*through, chosen.name.value) if spread else through
            yield from within(narrowed, fragment.selection_set, at, deeper)

    root = types.get_root_type(operation.operation) if types else None
    found: dict[Names, Asked] = {}
    for names, asked in within(root, operation.selection_set, (), ()):
        found.setdefault(names, asked)
    return found


def nearest_nullable(path: Place, asked: dict[Names, Asked]) -> Place:
    """Where null ends up that arises at this place of `data`; empty: `data` itself is null.

    Source: GraphQL specification (October 2021) section 6.4.4.
    """
    while path and _is_non_null(path, asked):
        path = path[:-1]
    return path


def names_of(path: Place) -> Names:
    """A place without the numbers of list items."""
    return tuple(key for key in path if isinstance(key, str))


def _is_non_null(path: Place, asked: dict[Names, Asked]) -> bool:
    one = asked.get(names_of(path))
    if one is None or one.type is None:
        return False
    from graphql import get_nullable_type, is_list_type, is_non_null_type

    kind = one.type
    depth = len(path) - max(n for n, key in enumerate(path) if isinstance(key, str)) - 1
    for _ in range(depth):  # an item of a list, of a list of lists ...
        kind = get_nullable_type(kind)
        if not is_list_type(kind):
            return False
        kind = kind.of_type
    return bool(is_non_null_type(kind))


def _named(known: Any) -> Any:
    from graphql import get_named_type

    return get_named_type(known.type) if known else None
