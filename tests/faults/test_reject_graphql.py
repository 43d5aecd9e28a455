"""The fault `reject_graphql`: a query the vendor will not run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from _said import GET, arrives, refusal, three

from pytest_agentfault._reply import Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.reject_graphql import RejectGraphql

URL = "https://api.test/graphql"
SDL = """
type Query { issue(id: String!, first: Int, open: Boolean): Issue }
type Issue { id: ID! title: String assignee: User }
type User { name: String }
"""
QUERY = 'query One {\n  issue(id: "P-1", first: 3) {\n    title\n    assignee { name }\n  }\n}\n'


@pytest.fixture
def schema(tmp_path: Path) -> str:
    """The path of a small schema."""
    path = tmp_path / "schema.graphql"
    path.write_text(SDL)
    return str(path)


SOURCES = "give the path of an SDL file, of an introspection result, or of a cassette that holds one"


def posted(query: Any, **more: Any) -> Request:
    """A GraphQL request as clients send it."""
    return Request("POST", URL, (), json.dumps({"query": query, **more}).encode())


ASKING = [
    posted(QUERY, variables={}),
    posted("{ viewer { id } }"),
    posted("# why\nmutation($a: ID!) { close(id: $a) { ok } }"),
    posted(" fragment F on User { id } { viewer { ...F } }"),
    Request("GET", f"{URL}?query={quote(QUERY)}"),
]
OTHERS = [
    GET,
    Request("GET", f"{URL}?query=cats"),
    Request("GET", f"{URL}?q={quote(QUERY)}"),
    Request("POST", URL, (), b"not JSON"),
    Request("POST", URL, (), b"[]"),
    Request("PUT", URL, (), json.dumps({"query": QUERY}).encode()),
    posted("query about cats"),
    posted("cats {"),
    posted(3),
    posted(None),
    Request("POST", URL, (), b"{}"),
]


@pytest.mark.parametrize("how", ["reject", "break"])
@pytest.mark.parametrize(("request_", "struck"), [*((r, True) for r in ASKING), *((r, False) for r in OTHERS)])
def test_only_graphql_is_answered(how: str, request_: Request, struck: bool) -> None:
    """Other requests pass, also those that have a field named query."""
    fault = RejectGraphql(how)
    reply = fault.answer(request_)
    assert (reply is not None) == struck
    assert verbs_of(fault) == ("answer",)
    if reply is not None:
        assert json.loads(arrives(reply))["errors"][0]["message"]
        assert (reply.status, reply.headers) == (200, (("Content-Type", "application/json"),))


@pytest.mark.parametrize(
    ("body", "sent"), [('{"errors":  []}', b'{"errors":  []}'), ({"errors": []}, b'{"errors":[]}')]
)
def test_a_rejection_is_the_given_body(body: Any, sent: bytes) -> None:
    """Text verbatim, a table written out, under the given status and headers."""
    reply = RejectGraphql(code=400, headers={"content-type": "application/graphql-response+json"}, json=body).answer(
        posted(QUERY)
    )
    assert reply is not None
    assert (reply.status, reply.body) == (400, sent)
    assert reply.headers == (("content-type", "application/graphql-response+json"),)


def errors(query: str, seed: int = 0, **chosen: Any) -> list[dict[str, Any]]:
    """What the client is told."""
    reply = RejectGraphql("break", **chosen, random=Random(seed)).answer(posted(query))
    assert reply is not None
    told = json.loads(arrives(reply))["errors"]
    assert isinstance(told, list)
    return told


def test_an_unbalanced_brace_has_a_true_location() -> None:
    """Message and place are those of a real parser, and need no schema."""
    assert errors("{ viewer { id } }") == [
        {"message": "Syntax Error: Expected Name, found <EOF>.", "locations": [{"line": 1, "column": 16}]}
    ]


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        (
            "unknown_field",
            {
                "Cannot query field 'issueName' on type 'Query'. Did you mean 'issue'?",
                "Cannot query field 'titleId' on type 'Issue'. Did you mean 'title'?",
            },
        ),
        (
            "wrong_argument_type",
            {"String cannot represent a non string value: true", 'Int cannot represent non-integer value: "3"'},
        ),
        (
            "missing_selection",
            {"Field 'issue' of type 'Issue' must have a selection of subfields. Did you mean 'issue { ... }'?"},
        ),
    ],
)
def test_a_query_broken_by_a_schema_is_judged_by_it(breakage: str, said: set[str], schema: str) -> None:
    """The seed chooses what is broken; messages and locations are graphql-core's own."""
    told = [e for seed in range(20) for e in errors(QUERY, seed, breakage=breakage, schema=schema)]
    assert said <= {e["message"].replace('"', "'") if breakage != "wrong_argument_type" else e["message"] for e in told}
    assert all(e["locations"][0]["line"] in (2, 3, 4) for e in told)
    assert errors(QUERY, 3, breakage=breakage, schema=schema) == errors(QUERY, 3, breakage=breakage, schema=schema)


def test_the_errors_come_in_the_vendors_envelope(schema: str) -> None:
    """The first error given is the pattern of each; the rest of the envelope stays."""
    envelope = {"data": None, "errors": [{"message": "", "extensions": {"code": "X"}}]}
    for given in (envelope, json.dumps(envelope)):
        fault = RejectGraphql("break", code=400, json=given, breakage="unknown_field", schema=schema, random=Random(1))
        reply = fault.answer(posted(QUERY))
        assert reply is not None
        told = json.loads(reply.body)
        assert (reply.status, told["data"]) == (400, None)
        assert told["errors"][0]["extensions"] == {"code": "X"}
        assert told["errors"][0]["message"].startswith("Cannot query field")
    assert envelope["errors"] == [{"message": "", "extensions": {"code": "X"}}]


@pytest.mark.parametrize(
    ("query", "breakage"),
    [
        ("{ __typename }", "missing_selection"),
        ("{ __typename }", "wrong_argument_type"),
        ("{ broken(", "unknown_field"),
    ],
)
def test_a_query_that_cannot_be_broken_so_is_not_struck(query: str, breakage: str, schema: str) -> None:
    """It has no such part; it goes to the vendor."""
    assert RejectGraphql("break", breakage=breakage, schema=schema).answer(posted(query)) is None


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"how": "rejected"},
            three(
                "reject_graphql: unknown `how`", "'rejected'", "did you mean 'reject'? known: break, reject, validate"
            ),
        ),
        (
            {"code": 99},
            three("reject_graphql: `code` must be a final status code", "99", "give a number from 200 to 599"),
        ),
        (
            {"headers": None},
            three("reject_graphql: `headers` must be a table of texts", "None", 'write it like { retry-after = "20" }'),
        ),
        (
            {"json": {1j}},
            three(
                "reject_graphql: `json` cannot be written as JSON",
                "Object of type set is not JSON serializable",
                "use texts, numbers, booleans, lists and tables",
            ),
        ),
        (
            {"breakage": "brace"},
            three(
                "reject_graphql: unknown `breakage`",
                "'brace'",
                "known: missing_selection, string_for_enum, unbalanced_brace, unknown_field, wrong_argument_type, "
                "wrong_variable_type",
            ),
        ),
        ({"schema": 3}, three("reject_graphql: `schema` must be a text", "3", "put it in quotes")),
        (
            {"how": "break", "breakage": "unknown_field"},
            three(
                "reject_graphql: breakage = 'unknown_field' needs a schema to be judged by",
                "no `schema`",
                'give the path of its SDL file as `schema`, or use breakage = "unbalanced_brace"',
            ),
        ),
        (
            {"how": "break", "schema": "no/such.graphql"},
            three(
                "reject_graphql: `schema` cannot be read",
                "'no/such.graphql' ([Errno 2] No such file or directory: 'no/such.graphql')",
                SOURCES,
            ),
        ),
        *(
            (
                {"how": "break", "json": wrong},
                three(
                    'reject_graphql: with how = "break" `json` is the envelope of the errors',
                    repr(wrong),
                    'give an object, with a pattern for the errors: {"errors": [{"extensions": {...}}]}',
                ),
            )
            for wrong in ("not JSON", [1], {"errors": {}}, {"errors": ["x"]})
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(RejectGraphql, chosen) == text


def test_a_schema_that_is_none_is_refused(tmp_path: Path) -> None:
    """On one line, with the reader's own words."""
    path = tmp_path / "broken.graphql"
    path.write_text("type Query {")
    text = refusal(RejectGraphql, {"how": "break", "schema": str(path)})
    assert text.startswith(
        f"reject_graphql: `schema` cannot be read\n  there is: {str(path)!r} (Syntax Error: Expected"
    )
    assert text.endswith(f"\n  to do: {SOURCES}")
    assert text.count("\n") == 2


def test_without_graphql_core_a_query_cannot_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install; a plain rejection needs nothing."""
    monkeypatch.setitem(sys.modules, "graphql", None)
    assert refusal(RejectGraphql, {"how": "break", "breakage": "unknown_field", "schema": "x.graphql"}) == NO_CORE
    for verb in (RejectGraphql("break").ready, lambda: RejectGraphql("break").answer(posted(QUERY))):
        assert refusal(verb, {}) == NO_CORE
    assert RejectGraphql().answer(posted(QUERY)) is not None


NO_CORE = three(
    'reject_graphql: how = "break" asks graphql-core what is wrong with a query',
    "graphql-core is not installed",
    "pip install 'pytest-agentfault[graphql]'",
)
