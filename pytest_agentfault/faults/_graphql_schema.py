"""
The schema that a query is judged by: from SDL, from an introspection result, or from a recording that holds one.

Rule: a recording is only looked through for the reply to an introspection query, wherever it stands; how
recordings are played is the upstreams' business.
"""

from __future__ import annotations

import gzip
import zlib
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from .._errors import FaultError
from .._payload import MISSING, parsed

NAME: Final = "__schema"
RECORDED: Final = (".yaml", ".yml")


def check_schema(fault: str, schema: str | None) -> None:
    """A schema that is named must be readable."""
    if schema is None:
        return
    from graphql import GraphQLError

    try:
        schema_of(schema)
    except (OSError, ValueError, TypeError, GraphQLError) as error:
        raise FaultError(
            f"{fault}: `schema` cannot be read",
            f"{schema!r} ({error})".replace("\n", " "),
            "give the path of an SDL file, of an introspection result, or of a cassette that holds one",
        ) from None


@cache
def schema_of(path: str) -> Any:
    """The schema of a file; read once."""
    from graphql import assert_valid_schema, build_client_schema, build_schema

    text = Path(path).read_text(encoding="utf-8")
    held = parsed(text)
    if held is MISSING and not path.endswith(RECORDED):
        made = build_schema(text)
        assert_valid_schema(made)
        return made
    if held is MISSING:
        held = _from_yaml(text)
    found = next(_introspections(held), None)
    if found is None:
        raise ValueError("no reply to an introspection query in it")
    made = build_client_schema(found)
    assert_valid_schema(made)
    return made


def _from_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe one
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _introspections(value: Any) -> Iterator[Any]:
    """Every introspection result in a value: as it is, or as the text of a recorded body."""
    match value:
        case {"__schema": dict()}:
            yield value
        case dict():
            for key, inner in value.items():
                yield from _introspections(_bytes_of(inner) if key == "base64_string" else inner)
        case list():
            for inner in value:
                yield from _introspections(inner)
        case str() | bytes():
            text = _unzipped(value) if isinstance(value, bytes) else value.encode("utf-8", "replace")
            if NAME.encode() in text:
                held = parsed(text)
                if held is not MISSING and not isinstance(held, str):
                    yield from _introspections(held)


def _bytes_of(value: Any) -> Any:
    try:
        return b64decode(value)
    except (TypeError, ValueError):
        return value


def _unzipped(body: bytes) -> bytes:
    try:
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError, zlib.error):
        return body
