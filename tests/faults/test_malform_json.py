"""The fault `malform_json`: JSON that is almost JSON, all of it or a text inside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from _said import (
    EMPTY,
    GET,
    GONE,
    HEAD,
    JSON,
    NO_CONTENT,
    arrives,
    document,
    gzipped,
    lines,
    refusal,
    sent_data,
    stream,
    three,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault._payload import MISSING, parsed
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults._json_text import BREAKAGES, malformed
from pytest_agentfault.faults.malform_json import MalformJson

TEXT = '{"id": 7, "na me": "it\'s \\"x\\"", "tags": [true, null], "_a$1": {}}'
STILL_JSON = ("duplicate_key", "double_encoded", "nan")  # Python's own parser takes these; strict ones do not


@pytest.mark.parametrize(
    ("how", "text", "broken"),
    [
        ("truncated", TEXT, TEXT[: len(TEXT) // 2]),
        ("truncated", "[1, 2]  \n", "[1,"),
        ("truncated", "1234", "1234"),
        ("truncated", '"a"', '"'),
        ("truncated", "7", "7"),
        ("trailing_comma", TEXT, TEXT[:-1] + ",}"),
        ("trailing_comma", "[1\n]\n", "[1,]"),
        ("trailing_comma", "true", "true"),
        (
            "single_quotes",
            TEXT,
            "{'id': 7, 'na me': 'it\\'s \"x\"', 'tags': [true, null], '_a$1': {}}",
        ),
        ("single_quotes", "[1]", "[1]"),
        ("nan", TEXT, TEXT.replace("7", "NaN")),
        ("nan", '{"a": "1", "b": true, "c": -1.5e+3}', '{"a": "1", "b": true, "c": NaN}'),
        ("nan", '{"a": "1"}', '{"a": NaN}'),
        ("nan", "[]", "[]"),
        ("duplicate_key", TEXT, TEXT[:-1] + ',"id":null}'),
        ("duplicate_key", '[{"a": {"b": [{}]} }, {"c": 1}]', '[{"a": {"b": [{}]},"a":null}, {"c": 1}]'),
        ("duplicate_key", '["a", "b"]', '["a", "b"]'),
        ("unquoted_key", TEXT, '{id: 7, "na me": "it\'s \\"x\\"", tags: [true, null], _a$1: {}}'),
        ("unquoted_key", '["a"]', '["a"]'),
        ("double_encoded", TEXT, json.dumps(TEXT)),
        ("markdown_fence", TEXT, f"```json\n{TEXT}\n```"),
        ("empty", TEXT, ""),
        ("truncated", "not JSON at all", "not JSON at all"),
        ("empty", "", ""),
    ],
)
def test_each_way_breaks_a_text_in_one_place(how: str, text: str, broken: str) -> None:
    """The rest of the text stays byte for byte; what has nothing to break, or is not JSON, stays whole."""
    assert malformed(text, how) == broken


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("how", BREAKAGES)
@settings(deadline=None, max_examples=40)
@given(value=VALUES, ascii_=st.booleans())
def test_a_broken_text_is_no_longer_the_same_json(how: str, value: Any, ascii_: bool) -> None:
    """Any value, any breakage: the text is unchanged, or it does not parse, or it is one of the ways that do."""
    text = json.dumps(value, ensure_ascii=ascii_)
    broken = malformed(text, how)
    assert broken == text or parsed(broken) is MISSING or how in STILL_JSON


@pytest.mark.parametrize("how", BREAKAGES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_whole_body_is_broken(how: str, packed: bool) -> None:
    """The message stays well-formed HTTP, with a true length; a compressed one is sent plain."""
    plain = Reply.of(200, TEXT.encode(), (*JSON, ("Content-Length", str(len(TEXT)))))
    reply = gzipped(plain) if packed else plain
    broken = MalformJson(how).alter(GET, reply)
    assert broken.body == arrives(broken) == malformed(TEXT, how).encode() != TEXT.encode()
    assert broken.header("content-length") == str(len(broken.body))
    assert broken.header("content-encoding", "none") == "none"


def test_json_under_a_lying_content_type_is_broken_too() -> None:
    """The bytes are believed."""
    assert MalformJson().alter(GET, Reply.of(200, b"[1, 2]", {"Content-Type": "text/html"})).body == b"[1,"


CALL = '{"city": "Paris"}'
AT = "$.choices[*].message.tool_calls[*].function.arguments"


def completion(*arguments: Any) -> Any:
    """A chat completion with these tool calls."""
    calls = [{"index": n, "function": {"name": "f", "arguments": text}} for n, text in enumerate(arguments)]
    return {"id": "c-1", "choices": [{"message": {"content": None, "tool_calls": calls}}]}


@pytest.mark.parametrize("how", BREAKAGES)
def test_a_text_inside_is_broken_and_the_envelope_stays_valid(how: str) -> None:
    """Every text at the path; whatever is not JSON text there stays as it is."""
    given_ = document(completion(CALL, "[]", "hello", {"city": 1}))
    value = json.loads(MalformJson(how, AT).alter(GET, given_).body)
    assert value == completion(malformed(CALL, how), malformed("[]", how), "hello", {"city": 1})


def test_a_body_that_is_itself_the_text_can_be_named_by_the_root() -> None:
    """A JSON string that holds JSON."""
    assert json.loads(MalformJson("empty", "$").alter(GET, document("{}")).body) == ""


def chunk(**delta: Any) -> Any:
    """A streamed chat completion chunk with this delta."""
    return {"id": "c-1", "choices": [{"index": 0, "delta": delta}]}


def part(arguments: str, index: int = 0) -> Any:
    """A chunk with a piece of a tool call's arguments."""
    return chunk(tool_calls=[{"index": index, "function": {"arguments": arguments}}])


DELTAS = "$.choices[*].delta.tool_calls[*].function.arguments"


def gathered(reply: Reply) -> dict[int, str]:
    """The arguments of each tool call, as a streaming client adds them up."""
    texts: dict[int, str] = {}
    for data in sent_data(reply):
        for choice in json.loads(data)["choices"] if data != "[DONE]" else ():
            for call in choice["delta"].get("tool_calls", ()):
                texts[call["index"]] = texts.get(call["index"], "") + call["function"]["arguments"]
    return texts


@pytest.mark.parametrize("how", BREAKAGES)
def test_the_pieces_of_a_stream_are_one_text(how: str) -> None:
    """A client that adds up the pieces has the broken text, call by call, and every event is still JSON."""
    pieces = [
        part(""),
        part('{"ci'),
        part("[1,", 1),
        part('ty": "Pa'),
        part(" 2]", 1),
        part('ris"}'),
        chunk(content="é"),
    ]
    reply = stream(chunk(role="assistant"), *pieces)
    broken = MalformJson(how, DELTAS).alter(GET, reply)
    assert gathered(reply) == {0: CALL, 1: "[1, 2]"}
    assert gathered(broken) == {0: malformed(CALL, how), 1: malformed("[1, 2]", how)}
    assert len(sent_data(broken)) == len(sent_data(reply))
    assert arrives(broken) == broken.body


def test_events_that_hold_no_piece_stay_byte_for_byte() -> None:
    """Names, comments and other events are as they were."""
    before = b': ping\n\nevent: a\ndata: {"type":  "start"}\n\n'
    after = b"data: [DONE]\n\n"
    reply = stream(done=None).with_data([before, b'event: delta\ndata: {"partial_json": "{}"}\n\n', after])
    broken = MalformJson("truncated", "$.partial_json").alter(GET, reply)
    assert broken.body == before + b'event: delta\ndata: {"partial_json":"{"}\n\n' + after


@pytest.mark.parametrize(
    ("reply", "broken"),
    [
        (
            stream({"n": 1}, {"n": 2}),
            b'data: {"n": 1}\n\ndata: {"n"\n\ndata: [DONE]\n\n',
        ),
        (lines({"n": 1}, {"n": 2}), b'{"n": 1}\n{"n"\n'),
    ],
)
def test_without_a_path_the_last_event_of_json_is_broken(reply: Reply, broken: bytes) -> None:
    """The terminal event, which is not JSON, stays."""
    assert MalformJson().alter(GET, reply).body == broken


def test_a_text_of_several_lines_is_several_lines_of_data() -> None:
    """The reader of the stream joins them again."""
    assert sent_data(MalformJson("markdown_fence").alter(GET, stream({})))[0] == "```json\n{}\n```"


@pytest.mark.parametrize(
    ("chosen", "request_", "reply"),
    [
        ({}, GET, Reply.of(200, b"<html></html>", {"Content-Type": "text/html"})),
        ({}, GET, Reply.of(200, b"{broken", JSON)),
        ({}, GET, Reply.of(200, b"\x00", (*JSON, ("Content-Encoding", "nonesuch")))),
        ({}, GET, stream()),
        ({}, GET, NO_CONTENT),
        ({}, GET, EMPTY),
        ({}, GET, GONE),
        ({}, HEAD, document({})),
        ({"at": "$.x"}, GET, document({"y": "{}"})),
        ({"at": "$.x"}, GET, document({"x": "plain text"})),
        ({"at": "$.x"}, GET, document({"x": 1})),
        ({"at": "$.x"}, GET, stream({"y": "{}"}, {"x": "hello"}, {"x": 3})),
        ({"how": "single_quotes"}, GET, document([1])),
        ({"how": "single_quotes", "at": "$.x"}, GET, gzipped(document({"x": "[1]"}))),
    ],
)
def test_where_there_is_no_json_to_break_nothing_is_struck(
    chosen: dict[str, Any], request_: Request, reply: Reply
) -> None:
    """The same reply comes back, coding and all."""
    fault = MalformJson(**chosen)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"how": "truncate"},
            three(
                "malform_json: unknown `how`",
                "'truncate'",
                "did you mean 'truncated'? known: double_encoded, duplicate_key, empty, markdown_fence, nan, "
                "single_quotes, trailing_comma, truncated, unquoted_key",
            ),
        ),
        (
            {"at": "$.a["},
            three(
                "malform_json: `at` must be a JSONPath",
                "'$.a[' (Parse error near the end of string!)",
                'write it like "$.choices[*].message.content"',
            ),
        ),
        (
            {"at": 3},
            three(
                "malform_json: `at` must be a JSONPath",
                "3 (not a text)",
                'write it like "$.choices[*].message.content"',
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(MalformJson, chosen) == text
