"""
A token endpoint that works, with what real ones do to their clients: refresh tokens that are good once, scopes that
shrink.

That it is slow, or that its reply is lost after the rotation, is another fault beside this one in the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .._credentials import digest
from .._memory import Memory
from .._reply import Reply, Request
from ._answer import JSON, json_text, said
from ._settings import check_choice, check_code, check_count, check_flag, check_headers, check_json, check_line
from ._tokens import Issued, grant_of, issued_in, jwt, opaque

FORMS: Final = ("opaque", "jwt")
INVALID: Final = {"error": "invalid_grant", "error_description": "The refresh token is invalid or expired"}
NO_STORE: Final = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class IssueToken:
    """The client that asks for a token gets a new one; a refresh token that was used before is refused.

    Args:
        scope: what the token may do, told in the reply; None: the reply does not say.
        expires_in: for how long it says the token is good, in seconds.
        form: `opaque`, or `jwt` with the claims iat, exp and scope.
        rotates: whether a refresh token is good once and a new one comes with each reply.
        reuse_revokes: whether a refresh token that comes a second time ends all that followed from it.
        headers: header fields of every reply; None: Cache-Control: no-store.
        adds: further fields of the reply, as a table; what stands in it wins.
        invalid_code: status code of the refusal, 200 to 599.
        invalid_json: its body: a text is sent verbatim as JSON; None: `invalid_grant`.

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: RFC 6749 sections 5.1, 5.2 and 6; RFC 9700 section 4.14.2.
    """

    scope: str | None = None
    expires_in: int = 3600
    form: str = "opaque"
    rotates: bool = True
    reuse_revokes: bool = False
    headers: Mapping[str, str] | None = None
    adds: Mapping[str, Any] = field(default_factory=dict)
    invalid_code: int = 400
    invalid_json: Any = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = "issue_token"
        check_line(name, "scope", self.scope, optional=True)
        check_count(name, "expires_in", self.expires_in, 0)
        check_choice(name, "form", self.form, FORMS)
        check_flag(name, "rotates", self.rotates)
        check_flag(name, "reuse_revokes", self.reuse_revokes)
        check_headers(name, NO_STORE if self.headers is None else self.headers)
        check_json(name, self.adds)
        check_code(name, self.invalid_code)
        check_json(name, self.invalid_json)

    def answer(self, request: Request) -> Reply | None:
        """In the place of the token endpoint."""
        if request.method != "POST":
            return None
        headers = NO_STORE if self.headers is None else self.headers
        refresh = grant_of(request).get("refresh_token", "")
        with self.memory.test.lock:
            issued = issued_in(self.memory)
            used = bool(refresh) and digest(refresh) in issued.spent
            if used and self.reuse_revokes:
                issued.revoked = True
            if used or (refresh and issued.revoked):
                body = json_text(INVALID if self.invalid_json is None else self.invalid_json)
                return said(self.invalid_code, body, JSON, headers)
            if refresh and self.rotates:
                issued.spent.add(digest(refresh))
            return said(200, json_text(self._pair(issued)), JSON, headers)

    def _pair(self, issued: Issued) -> dict[str, Any]:
        issued.count += 1
        now = int(self.memory.epoch())
        told = {} if self.scope is None else {"scope": self.scope}
        claims = {"sub": "test", "iat": now, "exp": now + self.expires_in, "jti": str(issued.count), **told}
        access = jwt(claims) if self.form == "jwt" else opaque("access", issued.count)
        issued.scopes[digest(access)] = None if self.scope is None else frozenset(self.scope.split())
        pair = {"access_token": access, "token_type": "Bearer", "expires_in": self.expires_in, **told}
        if self.rotates:
            pair["refresh_token"] = opaque("refresh", issued.count)
        return {**pair, **self.adds}
