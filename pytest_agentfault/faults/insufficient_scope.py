"""A token that is good, but not for this: for tokens whose scope is known, as this test issued them or as they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .._credentials import bearer_of, digest
from .._memory import Memory
from .._reply import Reply, Request
from ._answer import JSON, TEXT, check_said, json_text, said
from ._settings import check_line
from ._tokens import claims_of, issued_in


@dataclass(frozen=True, slots=True)
class InsufficientScope:
    """The client is told that its token lacks a scope: one that `issue_token` gave out, or a JWT that says so.

    Args:
        scope: the one that is needed.
        code: status code, 200 to 599.
        headers: header fields; without a `www-authenticate` the bearer challenge is added.
        json: the body: a text is sent verbatim as JSON, a table or list is written out.
        text: the body as plain text, in place of `json`.

    Raises:
        FaultError: a setting has a wrong type or value, or there are two bodies.

    Source: RFC 6750 section 3.1 (insufficient_scope).
    """

    refuses: ClassVar[bool] = True
    scope: str
    code: int = 403
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = "insufficient_scope"
        check_line(name, "scope", self.scope)
        check_said(name, self.code, self.headers, self.json, self.text)

    def answer(self, request: Request) -> Reply | None:
        """The refusal, where the token is a new one without that scope."""
        token = bearer_of(request)
        scopes = issued_in(self.memory).scopes.get(digest(token))
        told = claims_of(token).get("scope")
        if scopes is None and isinstance(told, str):
            scopes = frozenset(told.split())
        if scopes is None or self.scope in scopes:
            return None
        headers = dict(self.headers)
        if not any(name.lower() == "www-authenticate" for name in headers):
            headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{self.scope}"'
        if self.text is not None:
            return said(self.code, self.text, TEXT, headers)
        return said(self.code, "" if self.json is None else json_text(self.json), JSON, headers)
