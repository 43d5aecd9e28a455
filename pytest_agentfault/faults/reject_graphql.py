"""
A GraphQL query the vendor will not run: rejected outright, broken the way models break queries, or wrong by itself.

What is wrong with a query is found in `_graphql.py`, the words are in `_graphql_words.py`; the envelope is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar, Final

from .._reply import Reply, Request
from ._answer import JSON, json_text, said
from ._graphql import BREAKAGES, broken, check_core, check_judged, query_of, variables_of
from ._graphql_answer import check_answering, envelope_of, refused
from ._graphql_schema import check_schema
from ._settings import check_choice, check_text

HOWS: Final = ("reject", "break", "validate")
REJECTED: Final = {
    "errors": [
        {"message": "The query failed validation", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}},
    ]
}


@dataclass(frozen=True, slots=True)
class RejectGraphql:
    """The client's GraphQL query comes back with errors instead of data; other requests pass.

    Args:
        how: `"reject"`: the body is `json`, verbatim. `"break"`: the query is broken, and the
            errors are what a server says to that, in the envelope of `json`. `"validate"`: the
            client's own query is judged; a right one passes, a wrong one is answered in that way.
        code: status code, 200 to 599.
        headers: header fields; a `content-type` here wins over `application/json`.
        json: the body, as text or table; but for `"reject"` the first of its `errors` is the pattern
            for each error, and the last one for a query that cannot be parsed. None: a plain
            `errors` list.
        breakage: `"unbalanced_brace"`, or with a schema `"unknown_field"`, `"wrong_argument_type"`,
            `"missing_selection"`, `"wrong_variable_type"` or `"string_for_enum"`.
        schema: path of an SDL file, an introspection result, or a cassette that holds one, to
            validate by; None: only the syntax is judged.
        wording: whose words: `"graphql-js"`, `"graphql-ruby"` or `"hasura"`.
        syntax_code: status code for a query that cannot be parsed; None: `code`.
        random: filled in by the rule; which field or argument is broken.

    Raises:
        FaultError: a setting has a wrong type or value, or graphql-core is not installed.

    Source: GraphQL specification (October 2021) section 7.1; GraphQL over HTTP.
    """

    refuses: ClassVar[bool] = True
    how: str = "reject"
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    breakage: str = "unbalanced_brace"
    schema: str | None = None
    wording: str = "graphql-js"
    syntax_code: int | None = None
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("reject_graphql", "how", self.how, HOWS)
        check_answering("reject_graphql", self.code, self.syntax_code, self.headers, self.json, self.wording)
        check_choice("reject_graphql", "breakage", self.breakage, tuple(BREAKAGES))
        check_text("reject_graphql", "schema", self.schema, optional=True)
        if self.how != "reject":
            envelope_of(self.json, "reject_graphql", f'with how = "{self.how}" ')
        if self.how == "break":
            check_judged("reject_graphql", self.breakage, self.schema)
        if self.schema is not None and self.how != "reject":
            self.ready()
            check_schema("reject_graphql", self.schema)

    @property
    def guards(self) -> bool:
        """True when a test in which it strikes nothing is as it should be: every query was right."""
        return self.how == "validate"

    def ready(self) -> None:
        """What judges a query must be installed."""
        if self.how != "reject":
            check_core(f'reject_graphql: how = "{self.how}" asks graphql-core what is wrong with a query')

    def answer(self, request: Request) -> Reply | None:
        """The reply in the vendor's place; None for a request that is no GraphQL query, or has nothing wrong."""
        query = query_of(request)
        if query is None:
            return None
        if self.how == "reject":
            return said(self.code, json_text(REJECTED if self.json is None else self.json), JSON, self.headers)
        self.ready()
        judged: str | None = query
        if self.how == "break":
            judged = broken(query, self.breakage, self.schema, self.random)
        if judged is None:
            return None
        return refused(
            judged,
            variables_of(request) if self.how == "validate" else None,
            self.schema,
            code=self.code,
            syntax_code=self.syntax_code,
            headers=self.headers,
            json=self.json,
            wording=self.wording,
        )
