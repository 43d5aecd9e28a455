"""
Linear's GraphQL endpoint over the excerpt in `linear.graphql`; graphql-core validates and runs.

Error envelope and codes: https://linear.app/developers/graphql and
https://linear.app/developers/rate-limiting (complexity and request budgets, resets
in epoch milliseconds).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphql import GraphQLError, build_schema, execute_sync, parse, validate

from .wire import MOMENT, Answer, Asked, answer_json

SCHEMA = build_schema(Path(__file__).with_name("linear.graphql").read_text("utf-8"))
JSON = "application/json; charset=utf-8"
RESET = str((MOMENT + 3600) * 1000)
HEADERS = {
    "x-complexity": "12",
    "x-ratelimit-complexity-limit": "3000000",
    "x-ratelimit-complexity-remaining": "2999988",
    "x-ratelimit-complexity-reset": RESET,
    "x-ratelimit-requests-limit": "2500",
    "x-ratelimit-requests-remaining": "2499",
    "x-ratelimit-requests-reset": RESET,
}
KNOWN: list[dict[str, Any]] = [
    {
        "id": "00000000-0000-4000-8000-000000000042",
        "identifier": "ENG-42",
        "title": "Safari login loops: SameSite cookie",
        "url": "https://linear.app/example/issue/ENG-42/safari-login-loops-samesite-cookie",
        "state": {"id": "00000000-0000-4000-8000-000000000101", "name": "In Progress", "type": "started"},
    }
]


def answer(asked: Asked) -> Answer | None:
    """`POST /graphql`."""
    if (asked.method, asked.path) != ("POST", "/graphql"):
        return None
    if not asked.headers.get("authorization"):
        return answer_json(_refusal("Authentication required, not authenticated", "AUTHENTICATION_ERROR"), 401, JSON)
    try:
        document = parse(asked.json["query"])
    except GraphQLError as problem:
        return answer_json(_told([problem], "GRAPHQL_PARSE_FAILED"), 400, JSON, HEADERS)
    if problems := validate(SCHEMA, document):
        return answer_json(_told(problems, "GRAPHQL_VALIDATION_FAILED"), 400, JSON, HEADERS)
    done = execute_sync(SCHEMA, document, _Root(), variable_values=asked.json.get("variables"))
    if done.errors:
        return answer_json(_told(done.errors, "INPUT_ERROR"), 400, JSON, HEADERS)
    return answer_json({"data": done.data}, 200, JSON, HEADERS)


class _Root:
    """The resolvers, by the names of the root fields (GraphQL's camelCase)."""

    def issues(self, info: object, filter: dict[str, Any] | None = None, first: int = 50) -> dict[str, Any]:  # noqa: A002
        title: dict[str, str] = (filter or {}).get("title", {})
        wanted = title.get("containsIgnoreCase", "").lower()
        return {"nodes": [i for i in KNOWN if wanted.split(" ")[0] in i["title"].lower()][:first]}

    def commentCreate(self, info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        return {"success": True, "comment": {"id": "00000000-0000-4000-8000-000000000201", "body": input["body"]}}


def _told(problems: list[GraphQLError], code: str) -> dict[str, Any]:
    extensions = {"http": {"status": 400, "headers": {}}, "code": code, "type": "graphql error", "userError": True}
    return {"errors": [{**p.formatted, "extensions": extensions} for p in problems]}


def _refusal(message: str, code: str) -> dict[str, Any]:
    extensions = {"type": "authentication error", "code": code, "statusCode": 401, "userError": True}
    return {"errors": [{"message": message, "extensions": extensions}]}
