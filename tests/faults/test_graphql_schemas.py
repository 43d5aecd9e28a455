"""Where a schema comes from: SDL, introspection, or a recording that holds one."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import graphql
import pytest
import yaml
from _said import refusal
from test_break_graphql import SCHEMA, SDL, SOURCES, URL, WRONG, posted

from pytest_agentfault.faults.break_graphql import BreakGraphql
from pytest_agentfault.faults.reject_graphql import RejectGraphql


def sources() -> dict[str, tuple[str, str]]:
    """Files a schema can come from: name and text."""
    result = {"data": graphql.introspection_from_schema(SCHEMA)}
    text = json.dumps(result)

    def tape(body: Any) -> dict[str, Any]:
        one = {"request": {"uri": URL}, "response": {"status": {"code": 200}, "body": {"string": '{"data": {}}'}}}
        two = {"request": {"uri": URL}, "response": {"status": {"code": 200}, "body": body}}
        return {"version": 1, "interactions": [one, two]}

    return {
        "sdl": ("s.graphql", SDL),
        "introspection": ("s.json", text),
        "introspection without data": ("s.json", json.dumps(result["data"])),
        "cassette": ("t.yaml", yaml.dump(tape({"string": text}))),
        "cassette in JSON": ("t.json", json.dumps(tape({"string": text}))),
        "base64": ("t.yaml", yaml.dump(tape({"base64_string": base64.b64encode(text.encode()).decode()}))),
        "gzip": ("t.yml", yaml.dump(tape({"string": gzip.compress(text.encode())}))),
        "parsed body": ("t.yaml", yaml.dump(tape({"parsed_body": result}))),
    }


@pytest.mark.parametrize("source", sources())
def test_a_schema_comes_from_any_of_these(source: str, tmp_path: Path) -> None:
    """SDL, an introspection result, or a cassette that holds one."""
    name, text = sources()[source]
    path = tmp_path / name
    path.write_text(text)
    fault = RejectGraphql("validate", schema=str(path))
    assert fault.answer(posted()) is None
    reply = fault.answer(posted(WRONG[1]))
    assert reply is not None
    assert b'Cannot query field \\"nope\\"' in reply.body


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("none.yaml", "interactions: []", "no reply to an introspection query in it"),
        ("none.json", '{"data": {"__schema": null}}', "no reply to an introspection query in it"),
        ("odd.yaml", "a: !!python/object:os.system {}", "could not determine a constructor for the tag"),
        ("odd.yaml", "a: [", "while parsing a flow"),
        ("odd.json", '{"data": {"__schema": {"types": []}}}', ""),
        ("odd.graphql", "type Query {", "Syntax Error: Expected Name, found <EOF>."),
        ("odd.graphql", "scalar Query", "Query root type must be"),
    ],
)
@pytest.mark.parametrize("kind", [RejectGraphql, BreakGraphql])
def test_a_file_without_a_schema_is_refused(kind: Any, name: str, text: str, why: str, tmp_path: Path) -> None:
    """When the fault is made, which is at collection; on one line, with the reader's own words."""
    path = tmp_path / name
    path.write_text(text)
    settings = {"how": "validate"} if kind is RejectGraphql else {}
    said = refusal(kind, {**settings, "schema": str(path)})
    fault = "reject_graphql" if kind is RejectGraphql else "break_graphql"
    assert said.startswith(f"{fault}: `schema` cannot be read\n  there is: {str(path)!r} (")
    assert why in said
    assert said.endswith(f"\n  to do: {SOURCES}")
    assert said.count("\n") == 2
