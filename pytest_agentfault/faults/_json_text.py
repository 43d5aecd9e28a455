"""
The ways JSON text goes wrong when a model or a proxy writes it, one function each.

They work on tokens, not on the parsed value, so that everything else in the
text stays byte for byte. Each gives the text back unchanged where it has
nothing to break; a new way is a new function and one line in BREAKAGES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from json import dumps
from typing import Final

from .._payload import MISSING, parsed

TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}\[\],:]', re.DOTALL)
NAME: Final = re.compile(r'"([A-Za-z_$][\w$]*)"')


def malformed(text: str, how: str) -> str:
    """The text, broken in this way; unchanged where it is not JSON or has nothing to break."""
    return text if parsed(text) is MISSING else BREAKAGES[how](text)


def _truncated(text: str) -> str:
    kept = text.rstrip()
    kept = kept[: len(kept) // 2] if len(kept) > 1 else kept
    return kept if parsed(kept) is MISSING else text


def _trailing_comma(text: str) -> str:
    kept = text.rstrip()
    return f"{kept[:-1].rstrip()},{kept[-1]}" if kept[-1] in "}]" else text


def _single_quotes(text: str) -> str:
    def requoted(found: re.Match[str]) -> str:
        inner = found[0][1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inner}'" if found[0][0] == '"' else found[0]

    return TOKEN.sub(requoted, text)


def _nan(text: str) -> str:
    values = [token for token, is_key in _scalars(text) if not is_key]
    numbers = [token for token in values if token[0][0] in "-0123456789"]
    for token in (numbers or values)[:1]:
        return text[: token.start()] + "NaN" + text[token.end() :]
    return text


def _duplicate_key(text: str) -> str:
    """Repeat the first key, with null, at the end of its object: most parsers believe the last one."""
    first = next((token for token, is_key in _scalars(text) if is_key), None)
    if first is None:
        return text
    depth = 0
    for token in TOKEN.finditer(text, first.end()):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth < 0:
            return f"{text[: token.start()].rstrip()},{first[0]}:null{text[token.start() :]}"
    return text


def _unquoted_key(text: str) -> str:
    for token, is_key in reversed(list(_scalars(text))):
        if is_key and NAME.fullmatch(token[0]):
            text = text[: token.start()] + token[0][1:-1] + text[token.end() :]
    return text


def _double_encoded(text: str) -> str:
    return dumps(text, ensure_ascii=False)


def _markdown_fence(text: str) -> str:
    return f"```json\n{text}\n```"


def _empty(text: str) -> str:
    return ""


def _scalars(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Every scalar token, and whether it is the key of a member."""
    tokens = list(TOKEN.finditer(text))
    for token, following in zip_longest(tokens, tokens[1:]):
        if token[0] not in "{}[],:":
            yield token, following is not None and following[0] == ":"


BREAKAGES: Final[dict[str, Callable[[str], str]]] = {
    "truncated": _truncated,
    "trailing_comma": _trailing_comma,
    "single_quotes": _single_quotes,
    "nan": _nan,
    "duplicate_key": _duplicate_key,
    "unquoted_key": _unquoted_key,
    "double_encoded": _double_encoded,
    "markdown_fence": _markdown_fence,
    "empty": _empty,
}
