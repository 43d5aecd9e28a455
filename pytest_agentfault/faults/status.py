"""
Any status, in the vendor's own words: the plainest fault, and most of a scenario.

Vendor knowledge does not belong here; it is data, in scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._reply import Reply, Request
from ._answer import JSON, TEXT, check_said, json_text, said
from ._settings import check_line


@dataclass(frozen=True, slots=True)
class Status:
    """The client gets this status with this body, and the vendor has done nothing.

    Args:
        code: status code, 200 to 599.
        headers: header fields; a `content-type` here wins over the one the body brings.
        json: the body: a text is sent verbatim as JSON, a table or list is written out.
        text: the body as plain text, in place of `json`.
        reason: the reason phrase; empty: the standard one.

    Raises:
        FaultError: a setting has a wrong type or value, or there are two bodies.

    Source: RFC 9110 section 15.
    """

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        check_said("status", self.code, self.headers, self.json, self.text)
        check_line("status", "reason", self.reason)

    def answer(self, request: Request) -> Reply:
        """The reply in the vendor's place."""
        if self.json is not None:
            return said(self.code, json_text(self.json), JSON, self.headers, self.reason)
        return said(self.code, self.text or "", TEXT, self.headers, self.reason)
