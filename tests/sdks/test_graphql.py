"""Broken and wrong queries of gql over each of its transports: judged by a server that validates, or by a schema."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import gql
import graphql
import pytest
import vcr
from _cassettes import ISSUES, LINEAR, QUERY
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport, HTTPXTransport
from gql.transport.requests import RequestsHTTPTransport

from pytest_agentfault._run import Faults
from pytest_agentfault.faults import BreakGraphql, RejectGraphql

SDL: Final = str(Path(__file__).parents[2] / "examples" / "reference_server" / "linear.graphql")
SCHEMA: Final = graphql.build_schema(Path(SDL).read_text(encoding="utf-8"))
CASSETTE: Final = "cassettes/linear.yaml"
SEARCH: Final = """
query Search($filter: IssueFilter, $first: Int) {
  issues(filter: $filter, first: $first) { nodes { id state { name } } }
}
"""
ENVELOPE: Final = {"errors": [{"extensions": {"code": "GRAPHQL_VALIDATION_FAILED", "userError": True}}]}


def by_httpx(url: str, query: str, variables: Any = None) -> Any:
    """By gql over httpx2."""
    client = gql.Client(transport=HTTPXTransport(url))
    return client.execute(gql.GraphQLRequest(query, variable_values=variables))


def by_requests(url: str, query: str, variables: Any = None) -> Any:
    """By gql over requests."""
    client = gql.Client(transport=RequestsHTTPTransport(url))
    return client.execute(gql.GraphQLRequest(query, variable_values=variables))


async def by_httpx_async(url: str, query: str, variables: Any = None) -> Any:
    """By gql over httpx2, async."""
    async with gql.Client(transport=HTTPXAsyncTransport(url)) as session:
        return await session.execute(gql.GraphQLRequest(query, variable_values=variables))


async def by_aiohttp(url: str, query: str, variables: Any = None) -> Any:
    """By gql over aiohttp."""
    async with gql.Client(transport=AIOHTTPTransport(url, ssl=True)) as session:
        return await session.execute(gql.GraphQLRequest(query, variable_values=variables))


SYNC = pytest.mark.parametrize("call", [by_httpx, by_requests])
ASYNC = pytest.mark.parametrize("call", [by_httpx_async, by_aiohttp])
BREAKAGES: Final = {
    "unbalanced_brace": "Syntax Error: Expected Name, found <EOF>.",
    "unknown_field": "Cannot query field ",
    "wrong_argument_type": "cannot represent",
    "missing_selection": "must have a selection of subfields",
    "wrong_variable_type": "used in position expecting type",
}


@contextmanager
def validating(answers: list[Any]) -> Iterator[str]:
    """A server with Linear's schema, which validates and runs what it is asked."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            root = {"issues": lambda info, **told: ISSUES["data"]["issues"]}
            done = graphql.graphql_sync(SCHEMA, asked["query"], root, variable_values=asked.get("variables"))
            answers.append(done.formatted)
            body = json.dumps(done.formatted).encode()
            self.send_response(200 if done.data else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/graphql"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@SYNC
@pytest.mark.parametrize("breakage", ["unbalanced_brace", "unknown_field", "wrong_argument_type", "missing_selection"])
def test_a_server_that_validates_is_sent_the_broken_query(faults: Faults, call: Any, breakage: str) -> None:
    """Its own words reach the client, whose next query is its own again."""
    faults.add(BreakGraphql(breakage), to="POST http://127.0.0.1:*", times=1)
    answers: list[Any] = []
    with validating(answers) as url:
        with pytest.raises(TransportQueryError) as caught:
            call(url, QUERY)
        assert caught.value.errors == answers[0]["errors"]
        assert call(url, QUERY) == ISSUES["data"]
    assert [bool(x.struck) for x in faults.log] == [True, False]


@SYNC
@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_recording_is_overruled(faults: Faults, call: Any, breakage: str) -> None:
    """It would have answered anything; the client gets what is wrong, and where, in the vendor's envelope."""
    _overrule(faults, breakage)
    query = SEARCH if breakage == "wrong_variable_type" else QUERY
    with pytest.raises(TransportQueryError) as caught:
        call(LINEAR, query)
    _check(caught.value, breakage)
    assert call(LINEAR, query) == ISSUES["data"]


@ASYNC
@pytest.mark.asyncio
@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_a_recording_is_overruled_async(faults: Faults, call: Any, breakage: str) -> None:
    """The same for the async transports."""
    _overrule(faults, breakage)
    query = SEARCH if breakage == "wrong_variable_type" else QUERY
    with pytest.raises(TransportQueryError) as caught:
        await call(LINEAR, query)
    _check(caught.value, breakage)
    assert await call(LINEAR, query) == ISSUES["data"]


def _overrule(faults: Faults, breakage: str) -> None:
    faults.add(BreakGraphql(breakage, SDL, 400, json=ENVELOPE), to=f"POST {LINEAR}", times=1, cassette=CASSETTE)


def _check(error: TransportQueryError, breakage: str) -> None:
    (told,) = error.errors or ()
    assert BREAKAGES[breakage] in told["message"]
    assert told["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert told["locations"][0]["line"] >= 1


@SYNC
@pytest.mark.parametrize(
    ("query", "variables", "says"),
    [
        ("{ issues { nodes { titel } } }", None, 'Cannot query field "titel" on type "Issue".'),
        (SEARCH, {"first": "three"}, 'Variable "$first" has invalid value'),
        ("{ issues { nodes } }", None, 'Field "nodes" of type'),
    ],
)
def test_the_clients_own_mistake_is_found(faults: Faults, call: Any, query: str, variables: Any, says: str) -> None:
    """No other fault is needed: the recording would have answered, the vendor would not."""
    faults.add(RejectGraphql("validate", 400, json=ENVELOPE, schema=SDL), to=f"POST {LINEAR}", cassette=CASSETTE)
    with pytest.raises(TransportQueryError) as caught:
        call(LINEAR, query, variables)
    assert says in str(caught.value)
    assert caught.value.errors
    assert [x.baseline for x in faults.log] == [None]


@pytest.mark.fault_matrix("graphql/*", cassette=CASSETTE)
@pytest.mark.parametrize("call", [by_httpx])
def test_a_refusal_by_the_drafts_reaches_the_client(request: pytest.FixtureRequest, call: Any) -> None:
    """422 for what does not validate, 400 for what cannot be parsed: gql has its own error for both."""
    if "graphql/" in request.node.name:
        with pytest.raises(TransportQueryError):
            call(LINEAR, QUERY)


@SYNC
@pytest.mark.fault(RejectGraphql("validate", 400, schema=SDL), to=f"POST {LINEAR}", cassette=CASSETTE)
def test_a_guard_that_finds_nothing_is_content(faults: Faults, call: Any) -> None:
    """Every query was right, so the recording answered each, and nothing had to strike."""
    assert call(LINEAR, QUERY) == ISSUES["data"]
    assert [bool(x.struck) for x in faults.log] == [False]


@SYNC
@pytest.mark.parametrize("breakage", ["unbalanced_brace", "unknown_field"])
def test_a_recording_that_matches_by_body_is_not_missed(faults: Faults, call: Any, breakage: str) -> None:
    """It has no such query, so the answer is ours; the client's own is then found in it."""
    faults.add(BreakGraphql(breakage, SDL, 400, json=ENVELOPE), to=f"POST {LINEAR}", times=1)
    player = vcr.VCR(match_on=["method", "uri", "query_in_body"], record_mode="none")
    player.register_matcher("query_in_body", _same_query)
    with player.use_cassette(str(Path(__file__).parent / CASSETTE)):
        with pytest.raises(TransportQueryError) as caught:
            call(LINEAR, QUERY)
        _check(caught.value, breakage)
        assert call(LINEAR, QUERY) == ISSUES["data"]
    assert [x.baseline is None for x in faults.log] == [True, False]


def _same_query(one: Any, other: Any) -> None:
    asked, recorded = ("".join(json.loads(each.body)["query"].split()) for each in (one, other))
    assert asked.removeprefix("query") == recorded.removeprefix("query")
