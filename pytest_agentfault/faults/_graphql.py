"""
GraphQL queries broken the way language models break them, and what is truly wrong with a query.

What is found is graphql-core's own. It is an extra, imported inside the
functions; a new breakage is a new function and one line in BREAKAGES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from json import dumps
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from .._errors import FaultError
from .._payload import parsed
from .._reply import Request
from ._graphql_schema import schema_of
from ._graphql_words import Complaint, complaint_of

DOCUMENT: Final = re.compile(r"(?:\s|,|#[^\n]*\n)*(?:\{|(?:query|mutation|subscription|fragment)\b[^{]*\{)")


def query_of(request: Request) -> str | None:
    """The GraphQL document a request carries (POST JSON or GET `?query=`), or None."""
    given = _asked(request).get("query")
    return given if isinstance(given, str) and DOCUMENT.match(given) else None


def variables_of(request: Request) -> dict[str, Any]:
    """The variables a request carries beside its document."""
    given = _asked(request).get("variables")
    if isinstance(given, str):
        given = parsed(given)
    return given if isinstance(given, dict) else {}


def with_query(request: Request, query: str) -> Request:
    """The same request with another document; all else it carries stays."""
    if request.method == "GET":
        parts = urlsplit(request.url)
        pairs = [(k, query if k == "query" else v) for k, v in parse_qsl(parts.query, keep_blank_values=True)]
        return replace(request, url=urlunsplit(parts._replace(query=urlencode(pairs))))
    body = dumps({**parsed(request.body), "query": query}).encode()
    headers = tuple((k, str(len(body)) if k.lower() == "content-length" else v) for k, v in request.headers)
    return replace(request, body=body, headers=headers)


def _asked(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return {key: values[0] for key, values in parse_qs(urlsplit(request.url).query).items()}
    body = parsed(request.body) if request.method == "POST" else None
    return body if isinstance(body, dict) else {}


def check_core(what: str) -> None:
    """graphql-core must be installed, for what is said here."""
    if find_spec("graphql") is None:
        raise FaultError(
            what,
            "graphql-core is not installed",
            "pip install 'pytest-agentfault[graphql]'",
        )


def check_judged(fault: str, breakage: str, schema: str | None) -> None:
    """What only a schema can judge needs one."""
    if schema is None and breakage in NEED_SCHEMA:
        raise FaultError(
            f"{fault}: breakage = {breakage!r} needs a schema to be judged by",
            "no `schema`",
            'give the path of its SDL file as `schema`, or use breakage = "unbalanced_brace"',
        )


def broken(query: str, breakage: str, schema: str | None, random: Random) -> str | None:
    """The query broken in this way; None where it cannot be broken so, or would still be right."""
    candidates = BREAKAGES[breakage](query)
    random.shuffle(candidates)
    if schema is None and breakage in NEED_SCHEMA:
        return next(iter(candidates), None)  # whoever gets it is the judge
    return next((candidate for candidate in candidates if _errors(candidate, {}, schema, False)[0]), None)


def complaints(query: str, variables: dict[str, Any] | None, schema: str | None, wording: str) -> list[Complaint]:
    """What a server says to a query; empty where there is nothing wrong with it.

    Args:
        query: the document.
        variables: what is sent beside it; None: not looked at.
        schema: path of the schema to validate by; None: only the syntax is judged.
        wording: whose words.
    """
    errors, document = _errors(query, variables or {}, schema, variables is not None)
    return [complaint_of(error, document, wording) for error in errors]


def is_unparsable(query: str) -> bool:
    """True when it is not even GraphQL."""
    return _errors(query, {}, None, False)[1] is None


def _errors(query: str, variables: dict[str, Any], schema: str | None, sent: bool) -> tuple[list[Any], Any]:
    """The errors, and the document; None where it cannot be parsed."""
    from graphql import GraphQLSyntaxError, parse, validate

    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return [error], None
    if schema is None:
        return [], document
    errors = list(validate(schema_of(schema), document))
    return errors or (_of_variables(document, variables, schema) if sent else []), document


def _of_variables(document: Any, variables: dict[str, Any], schema: str) -> list[Any]:
    """What is wrong with the values of the variables, where the document has one operation."""
    from graphql.execution.values import get_variable_values

    operations = [node for node in document.definitions if node.kind == "operation_definition"]
    if len(operations) != 1:
        return []
    found = get_variable_values(schema_of(schema), operations[0].variable_definitions or (), variables)
    return list(found) if isinstance(found, list) else []


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


def _wrong_variable_type(query: str) -> list[str]:
    """A variable declared as what it is not: a text for a number or an input, a number for a text."""
    made = []
    for node in _nodes(query, "variable_definition"):
        for named in _inside(node.type, "named_type"):
            start, end = named.loc.start, named.loc.end
            wrong = "String" if query[start:end] not in ("String", "ID") else "Int"
            made.append(query[:start] + wrong + query[end:])
    return made


def _string_for_enum(query: str) -> list[str]:
    return [query[: node.loc.start] + f'"{node.value}"' + query[node.loc.end :] for node in _nodes(query, "enum_value")]


def _nodes(query: str, kind: str) -> Iterator[Any]:
    """Every node of this kind; none where the query is already broken."""
    from graphql import GraphQLSyntaxError, parse

    try:
        yield from _inside(parse(query), kind)
    except GraphQLSyntaxError:
        return


def _inside(tree: Any, kind: str) -> list[Any]:
    from graphql import Visitor, visit

    nodes: list[Any] = []

    class Collect(Visitor):
        def enter(self, node: Any, *_: Any) -> None:
            if node.kind == kind:
                nodes.append(node)

    visit(tree, Collect())
    return nodes


BREAKAGES: Final[dict[str, Callable[[str], list[str]]]] = {
    "unbalanced_brace": _unbalanced_brace,
    "unknown_field": _unknown_field,
    "wrong_argument_type": _wrong_argument_type,
    "missing_selection": _missing_selection,
    "wrong_variable_type": _wrong_variable_type,
    "string_for_enum": _string_for_enum,
}
NEED_SCHEMA: Final = tuple(name for name in BREAKAGES if name != "unbalanced_brace")
