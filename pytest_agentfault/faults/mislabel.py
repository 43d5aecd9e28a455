"""
A body under a content type that says too little about it, or something else.

Not a byte of the body changes: a client that believes the label over the bytes, or insists on it, fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .._payload import has_body, is_stream
from .._reply import Reply, Request
from ._settings import check_choice, check_line

HOWS: Final = ("without_charset", "without_type", "other_type")
ONLY: Final = ("any", "stream")
NAME: Final = "content-type"


@dataclass(frozen=True, slots=True)
class Mislabel:
    """The client gets the same body, but the content type does not say its charset, is wrong, or is missing.

    Args:
        how: `"without_charset"` (JSON and event streams are UTF-8 without it, `text/*` is anything),
            `"without_type"` (no such header) or `"other_type"`.
        content_type: with `other_type`: what the header says.
        only: `"stream"`: only replies that are event streams; `"any"`: every reply with a body.

    Raises:
        FaultError: a setting has a wrong type or value.

    Source: RFC 9110 section 8.3; RFC 8259 section 8.1; WHATWG HTML section 9.2.5.
    """

    how: str = "without_charset"
    content_type: str = "text/plain"
    only: str = "any"

    def __post_init__(self) -> None:
        check_choice("mislabel", "how", self.how, HOWS)
        check_line("mislabel", "content_type", self.content_type)
        check_choice("mislabel", "only", self.only, ONLY)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply under another label; the same one where it has no body, or that label already."""
        if not has_body(request, reply) or (self.only == "stream" and not is_stream(reply)):
            return reply
        said = reply.header(NAME)
        kind, *parameters = said.split(";")
        kept = [kind, *(text for text in parameters if not text.strip().lower().startswith("charset="))]
        label = {"without_charset": ";".join(kept), "without_type": None, "other_type": self.content_type}[self.how]
        return reply if (label or "") == said else reply.with_header(NAME, label)
