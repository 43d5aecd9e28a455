"""
A GraphQL reply with a hole: one field failed, the others came, and the status says nothing.

Where the null ends up is the schema's to say, and `_graphql_fields.py` asks it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Final

from .._errors import FaultError
from .._payload import has_body, is_stream, parsed, plain, with_payload, written
from .._reply import Reply, Request
from ._choice import drawn
from ._graphql import check_core, query_of
from ._graphql_fields import fields_of, names_of, nearest_nullable
from ._graphql_schema import check_schema
from ._paths import Place, check_path, places, put
from ._settings import check_json, check_text

FAILED: Final = {"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}


@dataclass(frozen=True, slots=True)
class GraphqlPartial:
    """The client's GraphQL query is answered 200 with a field null, and `errors` beside the data that did come.

    Each error has the true `path`, and the true `locations` where graphql-core is installed. Without
    a schema the field itself is null; with one, null rises to the nearest parent that may be null.

    Args:
        field: JSONPath of the field, such as `"$.data.issue.assignee"`; every match fails. None: one
            that is not null, chosen by the seed.
        error: the rest of each error: `message`, and whatever the vendor adds (`extensions`, `type`).
            None: Apollo's `INTERNAL_SERVER_ERROR`.
        schema: path of an SDL file that says what may be null.
        random: filled in by the rule.

    Raises:
        FaultError: a setting has a wrong type or value, or a schema is given and graphql-core is not
            installed.

    Source: GraphQL specification (October 2021) sections 6.4.4 and 7.1.
    """

    damages: ClassVar[str] = "payload"

    field: str | None = None
    error: Mapping[str, Any] | None = None
    schema: str | None = None
    random: Random = dataclasses.field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_path("graphql_partial", "field", self.field)
        check_text("graphql_partial", "schema", self.schema, optional=True)
        error = FAILED if self.error is None else self.error
        if not isinstance(error, Mapping) or not isinstance(error.get("message"), str):
            raise FaultError(
                "graphql_partial: `error` must be a table with a `message`",
                repr(self.error)[:120],
                'write it like { message = "Forbidden", extensions = { code = "FORBIDDEN" } }',
            )
        check_json("graphql_partial", dict(error))
        if self.schema is not None:
            check_core("graphql_partial: `schema` is read by graphql-core")
            check_schema("graphql_partial", self.schema)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with a hole; the same one where it is not GraphQL, or the field is not there."""
        query = query_of(request)
        said = plain(reply) if query is not None and has_body(request, reply) and not is_stream(reply) else None
        value = parsed(said.body) if said is not None else None
        if query is None or said is None or not isinstance(value, dict) or not isinstance(value.get("data"), dict):
            return reply
        asked = fields_of(query, request, self.schema)
        failed = [place for place in self._chosen(value, request) if len(place) > 1 and place[0] == "data"]
        errors = []
        for _, *path in failed:
            if _there(value["data"], tuple(path)) is None:
                continue  # it was null before, or another one's null has swallowed it
            known = asked.get(names_of(tuple(path)))
            where = [{"line": known.line, "column": known.column}] if known else None
            told = deepcopy(dict(FAILED if self.error is None else self.error))
            message = {"message": told.pop("message")}
            errors.append({**message, **({"locations": where} if where else {}), "path": path, **told})
            value = put(value, ("data", *nearest_nullable(tuple(path), asked)), None)
            if value["data"] is None:
                break
        if not errors:
            return reply
        before = value.get("errors")
        value["errors"] = [*(before if isinstance(before, list) else []), *errors]
        return with_payload(said, written(value).encode())

    def _chosen(self, value: Any, request: Request) -> list[Place]:
        if self.field is not None:
            return places(self.field, value)
        place = drawn(value["data"], _can_fail, request, self.random, root=False)
        return [] if place is None else [("data", *place)]


def _can_fail(there: Any, key: Any, request: Request) -> bool:
    return there is not None and key != "__typename"


def _there(value: Any, path: Place) -> Any:
    """What stands there; None where nothing does any more."""
    for key in path:
        if value is None:
            return None
        value = value[key]
    return value
