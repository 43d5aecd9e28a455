"""
The answer of a GraphQL server to a query it will not run: the settings that say how a vendor wraps it.

Shared by the faults that give it, so that an envelope is written once and checked in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from .._errors import FaultError
from .._payload import parsed
from .._reply import Reply
from ._answer import JSON, json_text, said
from ._graphql import complaints, is_unparsable
from ._graphql_words import WORDINGS
from ._settings import check_choice, check_code, check_headers, check_json, check_text


def check_answering(fault: str, code: int, syntax_code: int | None, headers: Any, json: Any, wording: str) -> None:
    """The settings of an answer must be right."""
    check_code(fault, code)
    if syntax_code is not None:
        check_code(fault, syntax_code)
    check_headers(fault, headers)
    check_json(fault, json)
    check_text(fault, "wording", wording)
    check_choice(fault, "wording", wording, tuple(WORDINGS))


def refused(
    query: str,
    variables: dict[str, Any] | None,
    schema: str | None,
    *,
    code: int,
    syntax_code: int | None,
    headers: Mapping[str, str],
    json: Any,
    wording: str,
) -> Reply | None:
    """The vendor's answer to this query; None where there is nothing wrong with it."""
    found = complaints(query, variables, schema, wording)
    if not found:
        return None
    unparsable = is_unparsable(query)
    envelope = envelope_of(json)
    patterns = envelope.get("errors") or [{}]
    pattern = patterns[-1] if unparsable else patterns[0]
    envelope["errors"] = [_filled(pattern, complaint) for complaint in found]
    return said(syntax_code if unparsable and syntax_code is not None else code, json_text(envelope), JSON, headers)


def envelope_of(json: Any, fault: str = "", when: str = "") -> dict[str, Any]:
    """The envelope of the errors.

    Raises:
        FaultError: it is none.
    """
    envelope = parsed(json) if isinstance(json, str) else deepcopy(json or {})
    errors = envelope.get("errors", []) if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict) or not isinstance(errors, list) or not all(isinstance(e, dict) for e in errors):
        raise FaultError(
            f"{fault}: {when}`json` is the envelope of the errors",
            repr(json)[:120],
            'give an object, with a pattern for the errors: {"errors": [{"extensions": {...}}]}',
        )
    return envelope


def is_refusal(reply: Reply) -> bool:
    """True when a reply says of a query that it was not run, or not whole."""
    from .._payload import json_of

    value = json_of(reply)
    return reply.status is None or reply.status >= 400 or (isinstance(value, dict) and bool(value.get("errors")))


def _filled(pattern: Mapping[str, Any], complaint: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of one error, in the vendor's frame: what both have of `extensions` is put together."""
    filled = {**pattern, **complaint}
    if "extensions" in pattern and "extensions" in complaint:
        filled["extensions"] = {**complaint["extensions"], **pattern["extensions"]}
    return filled
