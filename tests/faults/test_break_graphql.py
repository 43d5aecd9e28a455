"""The fault `break_graphql`, and what is said of a broken query: by a schema from anywhere, in anybody's words."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import graphql
import pytest
from _said import GET, arrives, document, refusal, three

from pytest_agentfault._errors import CassetteError, FaultError
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import Rule, verbs_of
from pytest_agentfault.faults import _graphql_schema
from pytest_agentfault.faults.break_graphql import BreakGraphql
from pytest_agentfault.faults.reject_graphql import RejectGraphql

URL = "https://api.test/graphql"
SDL = """
type Query { issue(id: String!, first: Int, order: Order): Issue  items(filter: Filter): [Issue!]! }
enum Order { ASC DESC }
input Filter { key: String, max: Int }
type Issue { id: ID! title: String assignee: User }
type User { name: String }
"""
QUERY = """\
query One($id: String!, $f: Filter) {
  issue(id: $id, first: 3, order: ASC) {
    title
    assignee { name }
  }
  items(filter: $f) { ... on Issue { id } }
}
"""
BREAKAGES = (
    "unbalanced_brace",
    "unknown_field",
    "wrong_argument_type",
    "missing_selection",
    "wrong_variable_type",
    "string_for_enum",
)
SOURCES = "give the path of an SDL file, of an introspection result, or of a cassette that holds one"
HEALTHY = document({"data": {"issue": {"title": "Login", "assignee": {"name": "Ada"}}, "items": []}})
SCHEMA = graphql.build_schema(SDL)


@pytest.fixture
def schema(tmp_path: Path) -> str:
    """The path of a small schema."""
    path = tmp_path / "schema.graphql"
    path.write_text(SDL)
    return str(path)


def posted(query: str = QUERY, variables: Any = None) -> Request:
    """A GraphQL request as clients send it."""
    body = json.dumps({"query": query, "operationName": "One", "variables": variables or {"id": "P-1"}}).encode()
    headers = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    return Request("POST", URL, headers, body)


def truly_wrong(query: str) -> bool:
    """What graphql-core itself says of a query."""
    try:
        return bool(graphql.validate(SCHEMA, graphql.parse(query)))
    except graphql.GraphQLSyntaxError:
        return True


@pytest.mark.parametrize("breakage", BREAKAGES)
@pytest.mark.parametrize("seed", range(5))
def test_what_goes_out_is_broken_and_all_else_stays(breakage: str, seed: int, schema: str) -> None:
    """Variables, operation, URL and headers are the client's own; the length is right; a server refuses it."""
    asked = posted()
    sent = BreakGraphql(breakage, schema, random=Random(seed)).mutate(asked)
    body = json.loads(sent.body)
    assert body.pop("query") != QUERY
    assert body == {"operationName": "One", "variables": {"id": "P-1"}}
    assert truly_wrong(json.loads(sent.body)["query"])
    assert (sent.method, sent.url, sent.header("content-length")) == ("POST", URL, str(len(sent.body)))
    assert sent == BreakGraphql(breakage, schema, random=Random(seed)).mutate(asked)


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_without_a_schema_it_is_broken_all_the_same(breakage: str) -> None:
    """Whoever gets it is the judge."""
    sent = BreakGraphql(breakage, random=Random(1)).mutate(posted())
    assert truly_wrong(json.loads(sent.body)["query"])


def test_a_query_in_a_url_is_broken_there() -> None:
    """Other parameters stay."""
    sent = BreakGraphql().mutate(Request("GET", f"{URL}?a=%20b&query={quote(QUERY)}&variables="))
    found = parse_qs(urlsplit(sent.url).query, keep_blank_values=True)
    assert (found["a"], found["variables"]) == ([" b"], [""])
    assert truly_wrong(found["query"][0])


@pytest.mark.parametrize(
    ("breakage", "asked"),
    [
        *((breakage, asked) for breakage in BREAKAGES for asked in (GET, Request("POST", URL, (), b"not JSON"))),
        ("string_for_enum", posted("{ issue(id: 1) { id } }")),
        ("wrong_variable_type", posted("{ issue(id: 1) { id } }")),
        ("missing_selection", posted("{ __typename }")),
        ("unknown_field", posted("{ issue(")),
    ],
)
def test_what_cannot_be_broken_so_goes_out_as_it_is(breakage: str, asked: Request, schema: str) -> None:
    """And what comes back is not touched."""
    fault = BreakGraphql(breakage)
    assert fault.mutate(asked) is asked
    if asked.body != posted("{ issue(").body:
        assert fault.alter(asked, HEALTHY) is HEALTHY
    assert verbs_of(fault) == ("mutate", "alter")


def through(fault: Any, beneath: Any, asked: Request | None = None) -> Any:
    """One exchange under the fault."""
    return drive(Plan([Rule("* *", (fault,))]).exchange(asked or posted()), beneath)


def judging(request: Request) -> Reply:
    """A server that validates, in words of its own."""
    query = json.loads(request.body)["query"]
    return document({"errors": [{"message": "mine"}]}, 400) if truly_wrong(query) else HEALTHY


@pytest.mark.parametrize("breakage", BREAKAGES)
@pytest.mark.parametrize("given", [True, False], ids=["schema", "no-schema"])
def test_a_server_beneath_says_what_it_says(breakage: str, given: bool, schema: str) -> None:
    """It is asked the broken query, and its answer reaches the client."""
    done = through(BreakGraphql(breakage, schema if given else None), judging)
    assert json.loads(arrives(done.reply)) == {"errors": [{"message": "mine"}]}
    assert done.reply.status == 400
    assert done.struck


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_recording_that_does_not_look_is_overruled(breakage: str, schema: str) -> None:
    """Data for a query that cannot be run was not meant for it: the client gets what is wrong."""
    fault = BreakGraphql(breakage, schema, 422, json={"data": None, "errors": [{"extensions": {"code": "X"}}]})
    done = through(fault, lambda _: HEALTHY)
    told = json.loads(arrives(done.reply))
    assert (done.reply.status, told["data"], told["errors"][0]["extensions"]) == (422, None, {"code": "X"})
    assert told["errors"][0]["locations"][0]["line"] in range(1, 8)


def test_without_a_schema_such_a_recording_is_refused() -> None:
    """Nobody is left who could say what is wrong; an unbalanced brace is wrong for everybody."""
    with pytest.raises(FaultError) as caught:
        through(BreakGraphql("unknown_field"), lambda _: HEALTHY)
    assert str(caught.value) == three(
        "break_graphql: what is beneath answered a broken query as if nothing were wrong with it",
        "breakage = 'unknown_field' without `schema`, and a reply of 200 without errors",
        "give a `schema`, so that the answer can come from here, or put a server beneath that validates",
    )
    assert b"Syntax Error" in through(BreakGraphql(), lambda _: HEALTHY).reply.body


# What the same four mistakes are called, and where they are; `'` stands for either quote.
SAID: dict[str, list[tuple[str, Any, Any]]] = {
    "graphql-js": [
        ("Syntax Error: Expected Name, found <EOF>.", None, None),
        ('Cannot query field "nope" on type "Issue".', None, None),
        ('Field "assignee" of type "User" must have a selection of subfields. Did you mean "assignee { ... }"?', None,
         None),
        ('Int cannot represent non-integer value: "3"', None, None),
    ],
    "graphql-ruby": [
        ('Expected NAME, actual: (none) ("") at [1, 31]', None, None),
        ("Field 'nope' doesn't exist on type 'Issue'", ["query", "issue", "... on Issue", "nope"],
         {"code": "undefinedField", "typeName": "Issue", "fieldName": "nope"}),
        ("Field must have selections (field 'assignee' returns User but has no selections. Did you mean "
         "'assignee { ... }'?)", ["query Two", "issue", "who"],
         {"code": "selectionMismatch", "nodeName": "field 'assignee'", "typeName": "User"}),
        ("Argument 'first' on Field 'issue' has an invalid value (\"3\"). Expected type 'Int'.",
         ["query", "issue", "first"],
         {"code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": "first"}),
    ],
    "hasura": [
        ("not a valid graphql query", None, {"path": "$.query", "code": "validation-failed"}),
        ("field 'nope' not found in type: 'Issue'", None,
         {"path": "$.selectionSet.issue.selectionSet.nope", "code": "validation-failed"}),
        ("missing selection set for 'User'", None,
         {"path": "$.selectionSet.issue.selectionSet.assignee.selectionSet", "code": "validation-failed"}),
        ('Int cannot represent non-integer value: "3"', None,
         {"path": "$.selectionSet.issue.args.first", "code": "validation-failed"}),
    ],
}  # fmt: skip
WRONG = [
    '{ issue(id: "1") { title id } ',
    '{ issue(id: "1") { ... on Issue { nope } } }',
    'query Two { issue(id: "1") { who: assignee } }',
    '{ issue(id: "1", first: "3") { id } }',
]


@pytest.mark.parametrize("wording", SAID)
@pytest.mark.parametrize("number", range(4))
def test_each_says_it_in_its_own_words(wording: str, number: int, schema: str) -> None:
    """Message, path and code; the place, but for Hasura, is where the mistake stands."""
    reply = RejectGraphql("validate", schema=schema, wording=wording).answer(posted(WRONG[number]))
    assert reply is not None
    (told,) = json.loads(arrives(reply))["errors"]
    message, path, extensions = SAID[wording][number]
    assert (told["message"], told.get("path"), told.get("extensions")) == (message, path, extensions)
    columns = (31, 35, 30, 25)
    place = [{"line": 1, "column": columns[number]}]
    assert told.get("locations") == (None if wording == "hasura" else place)


@pytest.mark.parametrize(
    ("query", "variables", "wrong"),
    [
        (QUERY, {"id": "1"}, ""),
        (QUERY, {"id": "1", "f": {"max": 3}}, ""),
        (QUERY, {"id": 1}, "$id"),
        (QUERY, {"id": "1", "f": {"max": "three"}}, "$f"),
        ("{ issue(id: 3) { id } }", {}, "String cannot represent"),
        ("query A { items { id } } query B { items { id } }", {}, ""),
    ],
)
def test_the_clients_own_query_is_judged(query: str, variables: Any, wrong: str, schema: str) -> None:
    """A right one passes untouched, and has not struck; a wrong one, or a wrong value beside it, is answered."""
    done = through(RejectGraphql("validate", schema=schema), judging, posted(query, variables or {"x": 1}))
    assert bool(done.struck) == bool(wrong)
    assert (done.reply == HEALTHY) == (not wrong)
    assert wrong in done.reply.body.decode() or not wrong


def test_a_query_that_cannot_be_parsed_has_a_status_and_a_pattern_of_its_own(schema: str) -> None:
    """As Apollo tells the two apart by code, and the draft by status."""
    patterns = [{"extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}, {"extensions": {"code": "GRAPHQL_PARSE_FAILED"}}]
    fault = RejectGraphql("validate", 422, json={"errors": patterns}, schema=schema, syntax_code=400)
    for query, status, code in ((WRONG[0], 400, "PARSE"), (WRONG[1], 422, "VALIDATION")):
        reply = fault.answer(posted(query))
        assert reply is not None
        assert reply.status == status
        assert json.loads(reply.body)["errors"][0]["extensions"] == {"code": f"GRAPHQL_{code}_FAILED"}
    assert RejectGraphql("validate").answer(posted("{ whatever }")) is None  # no schema: only the syntax is judged


def test_what_vendor_and_wording_say_of_an_error_is_put_together(schema: str) -> None:
    """The frame wins where both say something."""
    fault = RejectGraphql("validate", json={"errors": [{"extensions": {"code": "C", "problems": None}}]}, schema=schema,
                          wording="graphql-ruby")  # fmt: skip
    reply = fault.answer(posted(WRONG[1]))
    assert reply is not None
    told = json.loads(reply.body)["errors"][0]["extensions"]
    assert told == {"code": "C", "typeName": "Issue", "fieldName": "nope", "problems": None}


def test_a_missing_file_is_refused() -> None:
    """By its name."""
    assert refusal(BreakGraphql, {"schema": "no/such.graphql"}) == three(
        "break_graphql: `schema` cannot be read",
        "'no/such.graphql' ([Errno 2] No such file or directory: 'no/such.graphql')",
        SOURCES,
    )


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"breakage": "brace"},
            three("break_graphql: unknown `breakage`", "'brace'", f"known: {', '.join(sorted(BREAKAGES))}"),
        ),
        (
            {"wording": "ruby"},
            three("break_graphql: unknown `wording`", "'ruby'", "known: graphql-js, graphql-ruby, hasura"),
        ),
        ({"wording": 1}, three("break_graphql: `wording` must be a text", "1", "put it in quotes")),
        ({"schema": 1}, three("break_graphql: `schema` must be a text", "1", "put it in quotes")),
        (
            {"syntax_code": 99},
            three("break_graphql: `code` must be a final status code", "99", "give a number from 200 to 599"),
        ),
        (
            {"json": [1]},
            three(
                "break_graphql: `json` is the envelope of the errors",
                "[1]",
                'give an object, with a pattern for the errors: {"errors": [{"extensions": {...}}]}',
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(BreakGraphql, chosen) == text


def test_without_graphql_core_it_is_made_but_not_placed(monkeypatch: pytest.MonkeyPatch, schema: str) -> None:
    """Scenarios can be listed without it; where one is used, the error says what to install."""
    monkeypatch.setattr("pytest_agentfault.faults._graphql.find_spec", lambda name: None)
    missing = three(
        "break_graphql asks graphql-core what is wrong with a query",
        "graphql-core is not installed",
        "pip install 'pytest-agentfault[graphql]'",
    )
    assert refusal(BreakGraphql().ready, {}) == missing
    assert refusal(BreakGraphql, {"schema": schema}) == missing


@pytest.mark.shared
@pytest.mark.parametrize("name", ["issues", "teams"])
def test_real_recordings_are_overruled(shared_dir: Path, name: str, schema: str) -> None:
    """Linear's own replies, to queries that were never asked so: errors in place of the data, and then the data."""
    from pytest_agentfault.upstreams.cassette import Cassette

    beneath = Cassette(shared_dir / "cassettes" / "normalized" / "linear" / f"linearavel__{name}.yaml")
    asked = Request("POST", "https://api.linear.app/graphql", (), json.dumps({"query": "{ issue { id } }"}).encode())
    plan = Plan([Rule("* *", (BreakGraphql(),), times=1)])
    done = drive(plan.exchange(asked), beneath.send)
    assert b"Syntax Error: Expected Name, found <EOF>." in done.reply.body
    assert name.encode() in (done.baseline or done.reply).body
    assert _graphql_schema.schema_of(schema)


@pytest.mark.parametrize("breakage", ["unbalanced_brace", "unknown_field"])
def test_where_no_recording_knows_the_broken_query_the_answer_is_ours(breakage: str, schema: str) -> None:
    """With nothing to say, and for a query that is not broken, the error of the recording stays."""

    def unknown(request: Request) -> Reply:
        raise CassetteError("no recording", "another query", "record it")

    done = through(BreakGraphql(breakage, schema, 400), unknown)
    assert (done.reply.status, done.baseline, bool(done.struck)) == (400, None, True)
    for fault, asked in ((BreakGraphql("unknown_field"), posted()), (BreakGraphql(breakage, schema), GET)):
        plan = Plan([Rule("* *", (fault,), times=1)])
        with pytest.raises(CassetteError):
            drive(plan.exchange(asked), unknown)
        assert (plan.log, plan.tallies[0].struck) == ([], 0 if asked is GET else 1)
