"""The fault `malform_json` before parsers: which of its ways Python's own and a strict one refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import yaml
from _said import GET, JSON, JSON_VALUES
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault._reply import Reply
from pytest_agentfault.faults._json_text import ALL_THERE, BREAKAGES, malformed
from pytest_agentfault.faults.malform_json import MalformJson

TEXT = '{"id": 7, "na me": "it\'s \\"x\\"", "tags": [true, null], "_a$1": {}}'
# Each way, and who refuses such a body: Python's own parser, and a strict one (orjson).
REFUSED = {
    "truncated": (True, True),
    "truncated_at_token": (True, True),
    "trailing_comma": (True, True),
    "single_quotes": (True, True),
    "comment": (True, True),
    "nan": (False, True),
    "infinity": (False, True),
    "leading_zero": (True, True),
    "unsafe_integer": (False, False),
    "duplicate_key": (False, False),
    "unquoted_key": (True, True),
    "bom": (False, True),  # a text of Python's with a BOM is refused, the bytes are not
    "utf16": (False, True),
    "invalid_utf8": (True, True),
    "lone_surrogate": (False, True),
    "control_character": (True, True),
    "deep_nesting": (True, True),
    "two_documents": (True, True),
    "empty": (True, True),
    "null": (False, False),
    "string": (False, False),
    "html": (True, True),
    "double_encoded": (False, False),
    "xssi_prefix": (True, True),
    "markdown_fence": (True, True),
}


def bytes_of(text: str) -> bytes:
    """A broken text as it is sent."""
    return text.encode("utf-8", "surrogateescape")


def refused(parse: Callable[[bytes], Any], body: bytes) -> bool:
    """Whether a parser gives no value for these bytes."""
    try:
        parse(body)
    except (ValueError, RecursionError):
        return True
    return False


@pytest.mark.parametrize("how", BREAKAGES)
def test_who_refuses_it(how: str) -> None:
    """Each way is refused, or taken, by Python's parser and by a strict one, as the class it stands for is."""
    body = MalformJson(how).alter(GET, Reply.of(200, TEXT.encode(), JSON)).body
    assert (refused(json.loads, body), refused(orjson.loads, body)) == REFUSED[how]
    assert len(body) < 300_000


@pytest.mark.parametrize("how", ALL_THERE)
def test_what_damages_nothing_holds_the_whole_value(how: str) -> None:
    """Whoever reads such a text at all reads what was sent: with lenient parsers it is the same value."""
    text = '{"id": 7, "name": "x y", "tags": [true, null]}'
    body = bytes_of(malformed(text, how))
    bare = (
        body.decode(json.detect_encoding(body)).removeprefix(")]}'\n").removeprefix("```json\n").removesuffix("\n```")
    )
    assert yaml.safe_load(re.sub(r"/\*.*?\*/", "", bare)) == json.loads(text)
    assert MalformJson(how).damages == "nothing"


def test_every_other_way_damages_the_payload() -> None:
    """A test that passes on such a reply alone was misled."""
    assert {MalformJson(how).damages for how in BREAKAGES if how not in ALL_THERE} == {"payload"}


@pytest.mark.parametrize("after", range(len(TEXT)))
def test_a_text_is_cut_anywhere(after: int) -> None:
    """Wherever it is cut, nobody reads it."""
    body = MalformJson(after_chars=after).alter(GET, Reply.of(200, TEXT.encode(), JSON)).body
    assert body == TEXT.encode()[:after]
    assert refused(json.loads, body)
    assert refused(orjson.loads, body)


@pytest.mark.parametrize("after", [len(TEXT), len(TEXT) + 9])
def test_a_cut_behind_the_end_is_none(after: int) -> None:
    """The same reply comes back."""
    reply = Reply.of(200, TEXT.encode(), JSON)
    assert MalformJson(after_chars=after).alter(GET, reply) == reply


@pytest.mark.parametrize("how", BREAKAGES)
@settings(deadline=None, max_examples=40)
@given(value=JSON_VALUES, ascii_=st.booleans())
def test_a_broken_text_is_no_longer_the_same_json(how: str, value: Any, ascii_: bool) -> None:
    """Any value, any breakage: the text is unchanged, or it is refused by whom such a text is refused."""
    text = json.dumps(value, ensure_ascii=ascii_)
    broken = bytes_of(malformed(text, how))
    python, strict = REFUSED[how]
    assert broken == text.encode() or refused(json.loads, broken) or not python
    assert broken == text.encode() or refused(orjson.loads, broken) or not strict
