"""
The checks that several faults make of their settings, so that one mistake has one wording.

Every function is silent when the setting is right and raises FaultError when it
is not; a string that holds a template is taken as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .._errors import FaultError, nearest

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2


def check_choice(fault: str, setting: str, value: object, known: tuple[str, ...]) -> None:
    """A setting must be one of these words."""
    if value not in known:
        raise FaultError(f"{fault}: unknown `{setting}`", repr(value), nearest(str(value), known))


def check_count(fault: str, setting: str, value: object, least: int, optional: bool = False) -> None:
    """A setting must be a whole number, this or more."""
    if optional and value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise FaultError(f"{fault}: `{setting}` must be a whole number", repr(value), f"give {least} or more")


def check_flag(fault: str, setting: str, value: object) -> None:
    """A setting must be true or false."""
    if not isinstance(value, bool):
        raise FaultError(f"{fault}: `{setting}` must be true or false", repr(value), "give one of the two, unquoted")


def check_text(fault: str, setting: str, value: object, optional: bool = False) -> None:
    """A setting must be a text."""
    if not isinstance(value, str) and not (optional and value is None):
        raise FaultError(f"{fault}: `{setting}` must be a text", repr(value), "put it in quotes")


def check_line(fault: str, setting: str, value: object, optional: bool = False) -> None:
    """A setting must be a text on one line."""
    check_text(fault, setting, value, optional)
    if isinstance(value, str) and not {"\r", "\n", "\0"}.isdisjoint(value):
        raise FaultError(f"{fault}: `{setting}` cannot hold a line break", repr(value), "put it on one line")


def check_code(fault: str, code: object) -> None:
    """A status code must be a final one (RFC 9110 section 15)."""
    if not isinstance(code, int) or isinstance(code, bool) or not 200 <= code <= 599:
        raise FaultError(f"{fault}: `code` must be a final status code", repr(code), "give a number from 200 to 599")


def check_headers(fault: str, headers: object) -> None:
    """Headers must be a table of texts that can stand in a head."""
    if not isinstance(headers, Mapping):
        raise FaultError(
            f"{fault}: `headers` must be a table of texts", repr(headers), 'write it like { retry-after = "20" }'
        )
    for name, value in headers.items():
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise FaultError(
                f"{fault}: not a header name", repr(name), "use letters, digits and hyphens (RFC 9110 section 5.1)"
            )
        if not isinstance(value, str):
            raise FaultError(f"{fault}: the header {name!r} must be a text", repr(value), "put it in quotes")
        if "\r" in value or "\n" in value or "\0" in value:
            raise FaultError(
                f"{fault}: the header {name!r} cannot hold a line break", repr(value), "put it on one line"
            )


def check_json(fault: str, value: Any) -> None:
    """A JSON body must be a JSON text or something JSON has a form for."""
    from json import dumps

    try:
        dumps(value)
    except (TypeError, ValueError) as error:
        raise FaultError(
            f"{fault}: `json` cannot be written as JSON", str(error), "use texts, numbers, booleans, lists and tables"
        ) from None
