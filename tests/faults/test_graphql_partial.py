"""The fault `graphql_partial`: a hole in the data, and an error that says where."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import graphql
import pytest
from _said import GET, arrives, document, gzipped, refusal, stream, three
from graphql import GraphQLError

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.graphql_partial import GraphqlPartial

URL = "https://api.test/graphql"
SDL = """
type Query { issue(id: String): Issue  issues: [Issue!]!  matrix: [[Int!]!]  node: Node }
interface Node { id: ID! }
type Issue implements Node { id: ID!  title: String!  assignee: User  reporter: User!
  watchers: [User]  labels: [Label!] }
type User implements Node { id: ID!  name: String!  boss: User }
type Label { name: String! }
"""
QUERY = """query One {
  issue(id: "P-1") { id title assignee { name } reporter { ...Person } watchers { name } labels { name } }
  all: issues { title owner: reporter { name } }
  matrix
  node { id ... on User { boss { name } } }
}
fragment Person on User { name boss { name } }
"""
DATA: dict[str, Any] = {
    "issue": {
        "id": "1",
        "title": "Login fails",
        "assignee": {"name": "Ann"},
        "reporter": {"name": "Bob", "boss": {"name": "Cid"}},
        "watchers": [{"name": "Dan"}, {"name": "Eve"}],
        "labels": [{"name": "bug"}],
    },
    "all": [{"title": "One", "owner": {"name": "Ann"}}, {"title": "Two", "owner": {"name": "Bob"}}],
    "matrix": [[1, 2], [3]],
    "node": {"id": "9", "boss": {"name": "Zoe"}},
}
APOLLO = {"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}


@pytest.fixture
def schema(tmp_path: Path) -> str:
    """The path of a small schema."""
    path = tmp_path / "schema.graphql"
    path.write_text(SDL)
    return str(path)


def posted(query: Any = QUERY, **more: Any) -> Request:
    """A GraphQL request as clients send it."""
    return Request("POST", URL, (), json.dumps({"query": query, **more}).encode())


def struck(fault: GraphqlPartial, request: Request | None = None, value: Any = None) -> Any:
    """What the client reads."""
    return json.loads(arrives(fault.alter(request or posted(), document(value or {"data": DATA}))))


def put(value: Any, path: list[Any], new: Any) -> Any:
    """A copy of the data with another value there."""
    copy = json.loads(json.dumps(value))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return copy


@pytest.mark.parametrize(
    ("field", "path", "line", "column"),
    [
        ("$.data.issue", ["issue"], 2, 3),
        ("$.data.issue.title", ["issue", "title"], 2, 25),
        ("$.data.issue.watchers[1].name", ["issue", "watchers", 1, "name"], 2, 83),
        ("$.data.all[0].owner", ["all", 0, "owner"], 3, 23),
        ("$.data.issue.reporter.boss", ["issue", "reporter", "boss"], 7, 32),
        ("$.data.matrix[0]", ["matrix", 0], 4, 3),
    ],
)
def test_without_a_schema_the_field_itself_is_null(field: str, path: list[Any], line: int, column: int) -> None:
    """The error has the path in the reply and the true place in the query, by alias and through fragments."""
    assert struck(GraphqlPartial(field)) == {
        "data": put(DATA, path, None),
        "errors": [
            {
                "message": "Internal server error",
                "locations": [{"line": line, "column": column}],
                "path": path,
                "extensions": {"code": "INTERNAL_SERVER_ERROR"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("field", "path", "null"),
    [
        ("$.data.issue.assignee", ["issue", "assignee"], ["issue", "assignee"]),
        ("$.data.issue.assignee.name", ["issue", "assignee", "name"], ["issue", "assignee"]),
        ("$.data.issue.title", ["issue", "title"], ["issue"]),
        ("$.data.issue.reporter.name", ["issue", "reporter", "name"], ["issue"]),
        ("$.data.issue.reporter.boss.name", ["issue", "reporter", "boss", "name"], ["issue", "reporter", "boss"]),
        ("$.data.issue.watchers[1].name", ["issue", "watchers", 1, "name"], ["issue", "watchers", 1]),
        ("$.data.issue.labels[0].name", ["issue", "labels", 0, "name"], ["issue", "labels"]),
        ("$.data.matrix[0][1]", ["matrix", 0, 1], ["matrix"]),
        ("$.data.node.id", ["node", "id"], ["node"]),
        ("$.data.node.boss", ["node", "boss"], ["node", "boss"]),
        ("$.data.all[0].owner.name", ["all", 0, "owner", "name"], []),
    ],
)
def test_with_a_schema_null_rises_as_a_server_lets_it_rise(
    field: str, path: list[Any], null: list[Any], schema: str
) -> None:
    """The data is what graphql-core itself makes of a resolver that fails there."""
    reply = struck(GraphqlPartial(field, schema=schema))
    assert reply["data"] == (put(DATA, null, None) if null else None)
    assert [error["path"] for error in reply["errors"]] == [path]
    assert reply == by_a_real_server(path)


def by_a_real_server(failing: list[Any]) -> Any:
    """The reply of graphql-core when the resolver of this field fails."""

    def resolved(source: Any, info: Any, **_: Any) -> Any:
        path = info.path.as_list()
        value = source[path[-1]] if isinstance(source, dict) else None
        if path == failing:
            raise GraphQLError("Internal server error", extensions={"code": "INTERNAL_SERVER_ERROR"})
        return failing_item(value, failing[len(path) :]) if failing[: len(path)] == path else value

    def failing_item(value: Any, rest: list[Any]) -> Any:
        if not isinstance(value, list) or not all(isinstance(key, int) for key in rest):
            return value  # the failing field is further down and fails itself
        return put(value, rest, GraphQLError("Internal server error", extensions={"code": "INTERNAL_SERVER_ERROR"}))

    done = graphql.graphql_sync(
        graphql.build_schema(SDL),
        QUERY,
        root_value=DATA,
        field_resolver=resolved,
        type_resolver=lambda *_: "User",
    )
    return json.loads(json.dumps(done.formatted))


def test_every_match_fails_with_an_error_of_its_own() -> None:
    """One hole each; what another hole has swallowed has none."""
    reply = struck(GraphqlPartial("$.data.all[*].owner"))
    assert [error["path"] for error in reply["errors"]] == [["all", 0, "owner"], ["all", 1, "owner"]]
    assert [item["owner"] for item in reply["data"]["all"]] == [None, None]
    reply = struck(GraphqlPartial("$.data.issue..name"))
    assert len(reply["errors"]) == 6
    reply = struck(GraphqlPartial("$.data..*"))
    assert [error["path"] for error in reply["errors"]] == [["issue"], ["all"], ["matrix"], ["node"]]


def test_the_seed_chooses_a_field_that_is_not_null() -> None:
    """The same seed the same one; never what only names a type."""
    value = {"data": {"a": {"__typename": "A", "b": None, "c": 1}, "d": [{"e": 2}]}}
    request = posted("{ a { __typename b c } d { e } }")
    paths = [struck(GraphqlPartial(random=Random(seed)), request, value)["errors"][0]["path"] for seed in range(30)]
    again = [struck(GraphqlPartial(random=Random(seed)), request, value)["errors"][0]["path"] for seed in range(30)]
    assert paths == again
    assert {tuple(path) for path in paths} == {("a",), ("a", "c"), ("d",), ("d", 0, "e")}


def test_the_vendors_own_error_is_around_the_true_path() -> None:
    """Whatever the vendor adds, and behind the errors that were there already."""
    error = {"type": "FORBIDDEN", "message": "No.", "extensions": {"saml_failure": True}}
    reply = struck(GraphqlPartial("$.data.issue", error), value={"data": DATA, "errors": [{"message": "first"}]})
    assert reply["errors"] == [
        {"message": "first"},
        {
            "message": "No.",
            "locations": [{"line": 2, "column": 3}],
            "path": ["issue"],
            "type": "FORBIDDEN",
            "extensions": {"saml_failure": True},
        },
    ]


@pytest.mark.parametrize(
    ("request_", "locations"),
    [
        (Request("GET", f"{URL}?query={quote('{ issue { id } }')}"), [{"line": 1, "column": 3}]),
        (posted("query A { x } query B { issue { id } }", operationName="B"), [{"line": 1, "column": 25}]),
        (posted("query A { x } query B { issue { id } }"), None),
        (posted("{ other { id } }"), None),
        (posted("{ issue { id }"), None),
        (posted("{ ...F ...Gone } fragment F on Query { issue ...F }"), [{"line": 1, "column": 40}]),
    ],
    ids=["get", "named operation", "unnamed operation", "another field", "broken", "fragments that turn in circles"],
)
def test_where_the_query_does_not_say_there_are_no_locations(request_: Request, locations: Any) -> None:
    """They are optional in the specification; made up they would be wrong."""
    (error,) = struck(GraphqlPartial("$.data.issue"), request_)["errors"]
    assert error.get("locations") == locations


def test_without_graphql_core_there_is_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is not needed for a reply with a hole."""
    monkeypatch.setitem(sys.modules, "graphql", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("pytest_agentfault.faults._graphql_fields.find_spec", lambda name: None)
    assert struck(GraphqlPartial("$.data.issue"))["errors"] == [
        {"message": APOLLO["message"], "path": ["issue"], "extensions": APOLLO["extensions"]}
    ]


@pytest.mark.parametrize(
    ("field", "request_", "reply"),
    [
        ("$.data.issue", GET, document({"data": DATA})),
        ("$.data.issue", posted("cats"), document({"data": DATA})),
        ("$.data.issue", posted(), document({"issue": 1})),
        ("$.data.issue", posted(), document({"data": None, "errors": []})),
        ("$.data.nonesuch", posted(), document({"data": DATA})),
        ("$.data.issue.closed", posted(), document({"data": {"issue": {"closed": None}}})),
        ("$.data", posted(), document({"data": DATA})),
        ("$.extensions", posted(), document({"data": DATA, "extensions": {}})),
        (None, posted(), document({"data": {}})),
        (None, posted(), document([{"data": DATA}])),
        (None, posted(), Reply.of(204)),
        (None, posted(), Reply.of(200, b"<html>")),
        (None, posted(), stream({"data": DATA})),
    ],
)
def test_what_is_no_such_reply_is_not_struck(field: str | None, request_: Request, reply: Reply) -> None:
    """The same reply comes back."""
    fault = GraphqlPartial(field)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


def test_a_compressed_reply_comes_plain_and_with_a_true_length() -> None:
    """As every reply with another body."""
    reply = gzipped(document({"data": DATA})).with_header("Content-Length", "7")
    altered = GraphqlPartial("$.data.issue").alter(posted(), reply)
    assert json.loads(arrives(altered))["data"]["issue"] is None
    assert (altered.header("content-length"), altered.header("content-encoding")) == (str(len(altered.body)), "")


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"field": "a b"},
            three(
                "graphql_partial: `field` must be a JSONPath",
                "'a b' (Parse error at 1:2 near token b (ID))",
                'write it like "$.choices[*].message.content"',
            ),
        ),
        (
            {"error": {"extensions": {}}},
            three(
                "graphql_partial: `error` must be a table with a `message`",
                "{'extensions': {}}",
                'write it like { message = "Forbidden", extensions = { code = "FORBIDDEN" } }',
            ),
        ),
        ({"schema": 3}, three("graphql_partial: `schema` must be a text", "3", "put it in quotes")),
        (
            {"schema": "nonesuch.graphql"},
            three(
                "graphql_partial: `schema` cannot be read",
                "'nonesuch.graphql' ([Errno 2] No such file or directory: 'nonesuch.graphql')",
                "give the path of an SDL file, of an introspection result, or of a cassette that holds one",
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(GraphqlPartial, chosen) == text


def test_a_schema_needs_graphql_core(monkeypatch: pytest.MonkeyPatch, schema: str) -> None:
    """The extra is named."""
    monkeypatch.setattr("pytest_agentfault.faults._graphql.find_spec", lambda name: None)
    assert refusal(GraphqlPartial, {"schema": schema}) == three(
        "graphql_partial: `schema` is read by graphql-core",
        "graphql-core is not installed",
        "pip install 'pytest-agentfault[graphql]'",
    )
