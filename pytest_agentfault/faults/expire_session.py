"""
A session that has run out: the reply, and for which requests.

That one credential stays dead until it changes is the rule's `until`; that each lives for a while is this file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from .._credentials import credential_digest
from .._errors import FaultError
from .._memory import Memory
from .._reply import Reply, Request
from ._answer import JSON, TEXT, check_said, json_text, said
from ._settings import check_line

CHALLENGE: Final = 'Bearer error="invalid_token", error_description="The access token expired"'
BODY: Final = {"error": "invalid_token", "error_description": "The access token expired"}


@dataclass(frozen=True, slots=True)
class ExpireSession:
    """The client is told that its session or token is no longer valid.

    Args:
        code: status code, 200 to 599.
        headers: header fields; without a `www-authenticate` the bearer challenge is added.
        json: the body: a text is sent verbatim as JSON, a table or list is written out.
        text: the body as plain text, in place of `json`. Neither: a small JSON body.
        only_with: the header that the session is in (`cookie`): requests without it pass.
        lives_seconds: for how long each credential is good, from its first use on; None: it is dead already.

    Raises:
        FaultError: a setting has a wrong type or value, or there are two bodies.

    Source: RFC 6750 section 3 and 3.1 (invalid_token); RFC 9110 section 11.6.1.
    """

    refuses: ClassVar[bool] = True
    code: int = 401
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    only_with: str | None = None
    lives_seconds: float | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_said("expire_session", self.code, self.headers, self.json, self.text)
        check_line("expire_session", "only_with", self.only_with, optional=True)
        lives = self.lives_seconds
        if lives is not None and (not isinstance(lives, int | float) or isinstance(lives, bool) or not 0 < lives < 1e9):
            raise FaultError(
                "expire_session: `lives_seconds` must be a number of seconds", repr(lives), "give a number over 0"
            )

    def answer(self, request: Request) -> Reply | None:
        """The reply in the vendor's place; None: this request is in no session, or in one that is alive."""
        if self.only_with is not None and not request.header(self.only_with):
            return None
        if self.lives_seconds is not None and self._age(request) < self.lives_seconds:
            return None
        headers = dict(self.headers)
        if self.code == 401 and not any(name.lower() == "www-authenticate" for name in headers):
            headers = {"WWW-Authenticate": CHALLENGE, **headers}
        if self.text is not None:
            return said(self.code, self.text, TEXT, headers)
        return said(self.code, json_text(BODY if self.json is None else self.json), JSON, headers)

    def _age(self, request: Request) -> float:
        """Seconds since the first use of the credential."""
        now = self.memory.now()
        return now - self.memory.kept(("first use", credential_digest(request)), lambda: now)
