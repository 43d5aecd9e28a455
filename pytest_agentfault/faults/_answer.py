"""
A vendor's own answer, built from settings: what the answering faults share.

Kept apart from the faults so that a header given by hand wins in one place, the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from .._errors import FaultError
from .._payload import written
from .._reply import Headers, Reply
from ._settings import check_code, check_headers, check_json, check_text

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"


def json_text(value: Any) -> str:
    """The JSON text of a setting: a text is taken verbatim, anything else is written out."""
    return value if isinstance(value, str) else written(value)


def said(code: int, body: str, content_type: str, headers: Mapping[str, str], reason: str = "") -> Reply:
    """The reply with this body; a header given in `headers` wins over `content_type`."""
    return _said(code, body, content_type, tuple(headers.items()), reason)


@lru_cache(maxsize=256)  # a fault without templates says the same each time
def _said(code: int, body: str, content_type: str, pairs: Headers, reason: str) -> Reply:
    if body and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs = (("Content-Type", content_type), *pairs)
    return Reply.of(code, body.encode(), pairs, reason)


def check_said(fault: str, code: int, headers: Mapping[str, str], json: Any, text: str | None) -> None:
    """The settings of an answer are such that it can be said, and it has one body."""
    check_code(fault, code)
    check_headers(fault, headers)
    check_json(fault, json)
    check_text(fault, "text", text, optional=True)
    if json is not None and text is not None:
        raise FaultError(f"{fault}: one body too many", "both `json` and `text`", "keep one of the two")
