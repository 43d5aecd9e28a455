"""
The client's GraphQL query on its way out, broken the way models break queries.

What is beneath is the judge: a server that validates says what it says. A recording that answers as if
nothing had been broken has not looked at the query, and its answer is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from .._errors import FaultError
from .._reply import Reply, Request
from ._graphql import BREAKAGES, NEED_SCHEMA, broken, check_core, query_of, with_query
from ._graphql_answer import check_answering, envelope_of, is_refusal, refused
from ._graphql_schema import check_schema
from ._settings import check_choice, check_text

MARK: Final = "\n# broken by break_graphql"  # nobody here can tell such a query from a right one by itself


@dataclass(frozen=True, slots=True)
class BreakGraphql:
    """The vendor is sent a broken query in place of the client's, and the client gets what is said to it.

    A recording or mock that answers with data all the same is overruled: the client then gets what
    graphql-core says, in the envelope of `json`. Other requests pass.

    Args:
        breakage: `"unbalanced_brace"`, `"unknown_field"`, `"wrong_argument_type"`, `"missing_selection"`,
            `"wrong_variable_type"` or `"string_for_enum"`.
        schema: path of an SDL file, an introspection result, or a cassette that holds one; None:
            what is beneath has to find the error, but for an unbalanced brace.
        code: status code of an answer of ours, 200 to 599.
        headers: its header fields; a `content-type` here wins over `application/json`.
        json: its envelope, as text or table; the first of its `errors` is the pattern for each error,
            the last one for a query that cannot be parsed. None: a plain `errors` list.
        wording: whose words: `"graphql-js"`, `"graphql-ruby"` or `"hasura"`.
        syntax_code: its status code for a query that cannot be parsed; None: `code`.
        random: filled in by the rule; which field or argument is broken.

    Raises:
        FaultError: a setting has a wrong type or value, or graphql-core is not installed.

    Source: GraphQL specification (October 2021) sections 2, 5 and 7.1; GraphQL over HTTP.
    """

    breakage: str = "unbalanced_brace"
    schema: str | None = None
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    wording: str = "graphql-js"
    syntax_code: int | None = None
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("break_graphql", "breakage", self.breakage, tuple(BREAKAGES))
        check_text("break_graphql", "schema", self.schema, optional=True)
        check_answering("break_graphql", self.code, self.syntax_code, self.headers, self.json, self.wording)
        envelope_of(self.json, "break_graphql")
        if self.schema is not None:
            self.ready()
            check_schema("break_graphql", self.schema)

    def ready(self) -> None:
        """What reads a query must be installed."""
        check_core("break_graphql asks graphql-core what is wrong with a query")

    def mutate(self, request: Request) -> Request:
        """The request with a broken query; the same one where there is none, or it cannot be broken so."""
        query = query_of(request)
        if query is None:
            return request
        self.ready()
        wrong = broken(query, self.breakage, self.schema, self.random)
        if wrong is None:
            return request
        return with_query(request, wrong + MARK if self.schema is None and self.breakage in NEED_SCHEMA else wrong)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """What was said to the broken query, or what should have been."""
        query = query_of(request)
        if query is None or is_refusal(reply):
            return reply
        answer = self.unanswered(request)
        if answer is None and query.endswith(MARK):
            raise FaultError(
                "break_graphql: what is beneath answered a broken query as if nothing were wrong with it",
                f"breakage = {self.breakage!r} without `schema`, and a reply of {reply.status} without errors",
                "give a `schema`, so that the answer can come from here, or put a server beneath that validates",
            )
        return reply if answer is None else answer

    def unanswered(self, request: Request) -> Reply | None:
        """What is said to this query where no recording knows it; None: nothing is wrong with it, for all we know."""
        query = query_of(request)
        if query is None:
            return None
        return refused(
            query,
            None,
            self.schema,
            code=self.code,
            syntax_code=self.syntax_code,
            headers=self.headers,
            json=self.json,
            wording=self.wording,
        )
