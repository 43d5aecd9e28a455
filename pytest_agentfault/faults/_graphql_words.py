"""
What a GraphQL server says to a query it will not run, in the words of the software that vendors run.

graphql-core finds what is wrong and where; it speaks as graphql-js does. The
other wordings follow from the same finding. A new one is a function and a line in
WORDINGS; what it has no words for is told in those of graphql-js.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

Complaint = dict[str, Any]

FIELD: Final = re.compile(r"Cannot query field ['\"](\w+)['\"] on type ['\"](\w+)['\"]")
SELECTION: Final = re.compile(r"Field ['\"](\w+)['\"] of type ['\"]([^'\"]+)['\"] must have a selection")
VALUE: Final = re.compile(r"(?:cannot represent|does not exist in|cannot be parsed|is not a valid)")
QUOTED: Final = re.compile(r"'([^'\"]*)'")
SYNTAX: Final = re.compile(r"Syntax Error: Expected (.+), found (.+)\.$", re.DOTALL)


def complaint_of(error: Any, document: Any, wording: str) -> Complaint:
    """Message, locations and whatever else a server of this kind says to one error of graphql-core."""
    said = {
        "message": error.message,
        "locations": [{"line": p.line, "column": p.column} for p in error.locations or ()],
    }
    return WORDINGS[wording](said, error, document)


def _as_graphql_js(said: Complaint, error: Any, document: Any) -> Complaint:
    """Linear, and whatever runs Apollo Server: as graphql-core, which differs from it in its quotes alone."""
    return {**said, "message": QUOTED.sub(r'"\1"', error.message)}


def _as_graphql_ruby(said: Complaint, error: Any, document: Any) -> Complaint:
    """GitHub, Shopify, GitLab: a path of names through the query, and a code with what it is about."""
    if found := SYNTAX.match(error.message):
        place = said["locations"][0]
        expected, there = found[1].strip("'\"").upper(), found[2]
        shown = '(none) ("")' if there == "<EOF>" else there
        return {**said, "message": f"Expected {expected}, actual: {shown} at [{place['line']}, {place['column']}]"}
    path = _path(error, document)
    if found := FIELD.match(error.message):
        name, kind = found.groups()
        about = {"code": "undefinedField", "typeName": kind, "fieldName": name}
        return _with(said, f"Field '{name}' doesn't exist on type '{kind}'", about, path=path)
    if found := SELECTION.match(error.message):
        name, kind = found[1], found[2].strip("[]!")
        about = {"code": "selectionMismatch", "nodeName": f"field '{name}'", "typeName": kind}
        text = f"Field must have selections (field '{name}' returns {kind} but has no selections. Did you mean '{name} "
        return _with(said, text + "{ ... }'?)", about, path=path)
    if VALUE.search(error.message) and (owner := _argument(error, document)):
        field, argument, value, kind = owner
        about = {"code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": argument}
        text = f"Argument '{argument}' on Field '{field}' has an invalid value ({value})."
        return _with(said, f"{text} Expected type '{kind}'." if kind else text, about, path=[*path, argument])
    return _as_graphql_js({**said, "path": path}, error, document)


def _as_hasura(said: Complaint, error: Any, document: Any) -> Complaint:
    """Hasura: no locations, and a path through its own tree of the query."""
    if error.message.startswith("Syntax Error"):
        return {"message": "not a valid graphql query", "extensions": {"path": "$.query", "code": "validation-failed"}}
    inside = "".join(f".selectionSet.{name}" for name in _fields(error, document))
    text, path = error.message, f"${inside}"
    if found := FIELD.match(error.message):
        text = f"field '{found[1]}' not found in type: '{found[2]}'"
    elif found := SELECTION.match(error.message):
        text, path = f"missing selection set for '{found[2].strip('[]!')}'", f"{path}.selectionSet"
    elif owner := _argument(error, document):
        path = f"{path}.args.{owner[1]}"
    return {"message": text, "extensions": {"path": path, "code": "validation-failed"}}


def _with(said: Complaint, message: str, about: Complaint, path: list[str]) -> Complaint:
    return {"message": message, "locations": said["locations"], "path": path, "extensions": about}


def _above(error: Any, document: Any) -> list[Any]:
    """The nodes from the operation down to the one the error is about; the argument or variable among them."""
    if document is None or not error.nodes:
        return []
    wanted = error.nodes[0].loc.start
    nodes: list[Any] = []
    at = document
    while at is not None:
        nodes.append(at)
        inner = (node for key in at.keys for node in _several(getattr(at, key, None)))
        at = next((node for node in inner if node.loc.start <= wanted < node.loc.end), None)
    return nodes


def _several(value: Any) -> list[Any]:
    many = value if isinstance(value, list | tuple) else [value]
    return [node for node in many if hasattr(node, "kind") and node.loc is not None]


def _fields(error: Any, document: Any) -> list[str]:
    return [node.name.value for node in _above(error, document) if node.kind == "field"]


def _path(error: Any, document: Any) -> list[str]:
    """As graphql-ruby counts it: the operation, the fields, and fragments as they are written."""
    path = []
    for node in _above(error, document):
        match node.kind:
            case "operation_definition":
                path.append(" ".join([node.operation.value, *([node.name.value] if node.name else [])]))
            case "fragment_definition":
                path.append(f"fragment {node.name.value}")
            case "inline_fragment":
                path.append(f"... on {node.type_condition.name.value}" if node.type_condition else "...")
            case "field":
                path.append(node.alias.value if node.alias else node.name.value)
    return path


def _argument(error: Any, document: Any) -> tuple[str, str, str, str] | None:
    """Field, argument, value as written, and the type it should have, where the error is about an argument."""
    from graphql import print_ast

    above = _above(error, document)
    argument = next((node for node in reversed(above) if node.kind == "argument"), None)
    field = next((node for node in reversed(above) if node.kind == "field"), None)
    if argument is None or field is None:
        return None
    kind = re.match(r"(\w+) cannot represent", error.message) or re.search(r"['\"](\w+)['\"] enum", error.message)
    return field.name.value, argument.name.value, print_ast(argument.value), kind[1] if kind else ""


WORDINGS: Final[dict[str, Callable[[Complaint, Any, Any], Complaint]]] = {
    "graphql-js": _as_graphql_js,
    "graphql-ruby": _as_graphql_ruby,
    "hasura": _as_hasura,
}
