"""
The ways JSON text goes wrong when a model, a proxy or a hand writes it, one function each.

They work on tokens, not on the parsed value, so that everything else in the
text stays byte for byte. Each gives the text back unchanged where it has
nothing to break; a new way is a new function and one line in BREAKAGES, and a
word on it in the other two tables where it belongs there. Bytes that are no
UTF-8 stand in a text as Python's surrogate escapes.
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
DIGIT: Final = re.compile(r"-?(?=\d)")
DEPTH: Final = 100_000  # more than the parsers of CPython 3.11 to 3.14 and orjson (1024) go down
UNSAFE_INTEGER: Final = str(2**53 + 1)  # RFC 8259 section 6: an IEEE 754 double has no such number
PAGE: Final = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>"


def malformed(text: str, how: str, after_chars: int | None = None) -> str:
    """The text, broken in this way; unchanged where it is not JSON or has nothing to break."""
    if parsed(text) is MISSING:
        return text
    return BREAKAGES[how](text) if after_chars is None else _cut(text, after_chars)


def _truncated(text: str) -> str:
    kept = text.rstrip()
    return _cut(text, len(kept) // 2 if len(kept) > 1 else 1)


def _cut(text: str, place: int) -> str:
    return text[:place] if parsed(text[:place]) is MISSING else text


def _truncated_at_token(text: str) -> str:
    """Cut behind the token that is nearest to the middle, so that no token is half there."""
    ends = (token.end() for token in TOKEN.finditer(text))
    return _cut(text, min(ends, key=lambda end: abs(end - len(text) // 2)))


def _trailing_comma(text: str) -> str:
    kept = text.rstrip()
    return f"{kept[:-1].rstrip()},{kept[-1]}" if kept[-1] in "}]" and kept[:-1].rstrip()[-1] not in "{[" else text


def _single_quotes(text: str) -> str:
    def requoted(found: re.Match[str]) -> str:
        inner = found[0][1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inner}'" if found[0][0] == '"' else found[0]

    return TOKEN.sub(requoted, text)


def _comment(text: str) -> str:
    first = next(TOKEN.finditer(text), None)
    if first is None:  # a number that is none in JSON, such as inf: there is no token to comment
        return f"{text} /* as asked */"
    return f"{text[: first.end()]} /* as asked */ {text[first.end() :]}"


def _number(text: str, new: Callable[[str], str]) -> str:
    """Write the first number in another way; where there is none, the first value."""
    values = [token for token, is_key in _scalars(text) if not is_key]
    numbers = [token for token in values if token[0][0] in "-0123456789"]
    for token in (numbers or values)[:1]:
        return text[: token.start()] + new(token[0]) + text[token.end() :]
    return text


def _leading_zero(number: str) -> str:
    return DIGIT.sub(lambda sign: f"{sign[0]}0", number, count=1) if number[0] in "-0123456789" else f"0{number}"


def _string(text: str, new: str) -> str:
    """Put this at the end of the first text: a value, or else a key."""
    texts = sorted((is_key, token.end() - 1) for token, is_key in _scalars(text) if token[0][0] == '"')
    return text[: texts[0][1]] + new + text[texts[0][1] :] if texts else text


def _deep_nesting(text: str) -> str:
    """Wrap the first value in lists; where there is none, all of the text."""
    first = next((token for token, is_key in _scalars(text) if not is_key), None)
    start, end = first.span() if first else (0, len(text))
    return f"{text[:start]}{'[' * DEPTH}{text[start:end]}{']' * DEPTH}{text[end:]}"


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
    made, at = [], 0
    for token, is_key in _scalars(text):
        if is_key and NAME.fullmatch(token[0]):
            made += [text[at : token.start()], token[0][1:-1]]
            at = token.end()
    return "".join(made) + text[at:]


def _scalars(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Every scalar token, and whether it is the key of a member."""
    tokens = list(TOKEN.finditer(text))
    for token, following in zip_longest(tokens, tokens[1:]):
        if token[0] not in "{}[],:":
            yield token, following is not None and following[0] == ":"


BREAKAGES: Final[dict[str, Callable[[str], str]]] = {
    "truncated": _truncated,
    "truncated_at_token": _truncated_at_token,
    "trailing_comma": _trailing_comma,
    "single_quotes": _single_quotes,
    "comment": _comment,
    "nan": lambda text: _number(text, lambda _: "NaN"),
    "infinity": lambda text: _number(text, lambda _: "-Infinity"),
    "leading_zero": lambda text: _number(text, _leading_zero),
    "unsafe_integer": lambda text: _number(text, lambda _: UNSAFE_INTEGER),
    "duplicate_key": _duplicate_key,
    "unquoted_key": _unquoted_key,
    "bom": lambda text: "\ufeff" + text,
    "utf16": lambda text: f"\ufeff{text}".encode("utf-16-le", "surrogatepass").decode("utf-8", "surrogateescape"),
    "invalid_utf8": lambda text: _string(text, "\udce9"),  # an e acute in Latin-1
    "lone_surrogate": lambda text: _string(text, "\\ud83d"),  # half of an emoji
    "control_character": lambda text: _string(text, "\t"),
    "deep_nesting": _deep_nesting,
    "two_documents": lambda text: f"{text.rstrip()} {text.strip()}",
    "empty": lambda text: "",
    "null": lambda text: "null",
    "string": lambda text: '"ok"',
    "html": lambda text: PAGE,
    "double_encoded": lambda text: dumps(text, ensure_ascii=False),
    "xssi_prefix": lambda text: f")]}}'\n{text}",
    "markdown_fence": lambda text: f"```json\n{text}\n```",
}
OF_BYTES: Final = ("utf16", "invalid_utf8")  # no text inside a text can be broken in these ways
ALL_THERE: Final = (  # whoever reads such a text at all reads the value that was sent
    "trailing_comma",
    "single_quotes",
    "comment",
    "unquoted_key",
    "bom",
    "utf16",
    "xssi_prefix",
    "markdown_fence",
)
