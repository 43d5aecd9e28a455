"""A JWT held against the vendor's clock, which may not be the client's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from .._credentials import bearer_of
from .._errors import FaultError
from .._memory import Memory
from .._reply import Reply, Request
from ._answer import JSON, TEXT, check_said, json_text, said
from ._tokens import claims_of

BODY: Final = {"error": "invalid_token", "error_description": "The access token expired"}
CHALLENGE: Final = 'Bearer error="invalid_token", error_description="The access token expired"'


@dataclass(frozen=True, slots=True)
class ExpireJwt:
    """The client is told that its JWT has expired, or is not good yet, by a clock that runs ahead or behind.

    Args:
        ahead_seconds: how far the vendor's clock is ahead of the client's; negative: behind it.
        leeway_seconds: how much the vendor forgives.
        code: status code, 200 to 599.
        headers: header fields; the bearer challenge is added where neither they nor a body are given.
        json: the body: a text is sent verbatim as JSON, a table or list is written out.
        text: the body as plain text, in place of `json`. Neither: a small JSON body.

    Raises:
        FaultError: a setting has a wrong type or value, or there are two bodies.

    Source: RFC 7519 sections 4.1.4 to 4.1.6 (exp, nbf, iat).
    """

    refuses: ClassVar[bool] = True
    ahead_seconds: float = 0.0
    leeway_seconds: float = 0.0
    code: int = 401
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = "expire_jwt"
        for setting in ("ahead_seconds", "leeway_seconds"):
            value = getattr(self, setting)
            if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e9:
                raise FaultError(f"{name}: `{setting}` must be a number of seconds", repr(value), "give a number")
        check_said(name, self.code, self.headers, self.json, self.text)

    def answer(self, request: Request) -> Reply | None:
        """The refusal, where the token's time is not now."""
        claims = claims_of(bearer_of(request))
        now = self.memory.epoch() + self.ahead_seconds
        ends, begins = _time(claims, "exp"), _time(claims, "nbf") or _time(claims, "iat")
        over = ends is not None and now >= ends + self.leeway_seconds
        early = begins is not None and now < int(begins) - self.leeway_seconds
        if not over and not early:
            return None
        headers = dict(self.headers)
        if self.code == 401 and not headers and self.json is None and self.text is None:
            headers["WWW-Authenticate"] = CHALLENGE
        if self.text is not None:
            return said(self.code, self.text, TEXT, headers)
        return said(self.code, json_text(BODY if self.json is None else self.json), JSON, headers)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
