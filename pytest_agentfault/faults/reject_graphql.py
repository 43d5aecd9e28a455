"""
A GraphQL query the vendor will not run: rejected outright, or broken the way models break queries.

What graphql-core says to a broken query is found in `_graphql.py`; the envelope around it is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from .._errors import FaultError
from .._payload import parsed
from .._reply import Reply, Request
from ._answer import JSON, json_text, said
from ._graphql import BREAKAGES, check_core, check_schema, complaints, query_of
from ._settings import check_choice, check_code, check_headers, check_json, check_text

HOWS: Final = ("reject", "break")
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
            errors are what a server says to that, in the envelope of `json`.
        code: status code, 200 to 599.
        headers: header fields; a `content-type` here wins over `application/json`.
        json: the body, as text or table; with `"break"` the first of its `errors` is the pattern
            for each error. None: a plain `errors` list.
        breakage: `"unbalanced_brace"`, or with a schema `"unknown_field"`, `"wrong_argument_type"`
            or `"missing_selection"`.
        schema: path of an SDL file to validate by.
        random: filled in by the rule; which field or argument is broken.

    Raises:
        FaultError: a setting has a wrong type or value, or graphql-core is not installed.

    Source: GraphQL specification (October 2021) section 7.1; GraphQL over HTTP.
    """

    how: str = "reject"
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    breakage: str = "unbalanced_brace"
    schema: str | None = None
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("reject_graphql", "how", self.how, HOWS)
        check_code("reject_graphql", self.code)
        check_headers("reject_graphql", self.headers)
        check_json("reject_graphql", self.json)
        check_choice("reject_graphql", "breakage", self.breakage, tuple(BREAKAGES))
        check_text("reject_graphql", "schema", self.schema, optional=True)
        if self.how == "break":
            check_core("reject_graphql")
            check_schema("reject_graphql", self.breakage, self.schema)
            self._envelope()

    def answer(self, request: Request) -> Reply | None:
        """The reply in the vendor's place; None for a request that is no GraphQL query."""
        query = query_of(request)
        if query is None:
            return None
        if self.how == "reject":
            return said(self.code, json_text(REJECTED if self.json is None else self.json), JSON, self.headers)
        found = complaints(query, self.breakage, self.schema, self.random)
        if not found:
            return None
        envelope = self._envelope()
        pattern: dict[str, Any] = next(iter(envelope.get("errors") or ()), {})
        envelope["errors"] = [{**pattern, **complaint} for complaint in found]
        return said(self.code, json_text(envelope), JSON, self.headers)

    def _envelope(self) -> dict[str, Any]:
        envelope = parsed(self.json) if isinstance(self.json, str) else deepcopy(self.json or {})
        errors = envelope.get("errors", []) if isinstance(envelope, dict) else None
        if (
            not isinstance(envelope, dict)
            or not isinstance(errors, list)
            or not all(isinstance(e, dict) for e in errors)
        ):
            raise FaultError(
                'reject_graphql: with how = "break" `json` is the envelope of the errors',
                repr(self.json)[:120],
                'give an object, with a pattern for the errors: {"errors": [{"extensions": {...}}]}',
            )
        return envelope
