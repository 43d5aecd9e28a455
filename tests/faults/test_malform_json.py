"""The fault `malform_json`: JSON that is almost JSON, all of it or a text inside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from _said import (
    BODYLESS,
    GET,
    HEAD,
    JSON,
    arrives,
    document,
    gzipped,
    lines,
    refusal,
    sent_data,
    stream,
    three,
    unreadable,
)

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults._json_text import BREAKAGES, OF_BYTES, PAGE, malformed
from pytest_agentfault.faults.malform_json import MalformJson

TEXT = '{"id": 7, "na me": "it\'s \\"x\\"", "tags": [true, null], "_a$1": {}}'
OF_TEXTS = [how for how in BREAKAGES if how not in OF_BYTES]
DEEP = 100_000


def bytes_of(text: str) -> bytes:
    """A broken text as it is sent."""
    return text.encode("utf-8", "surrogateescape")


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
        ("truncated_at_token", TEXT, TEXT[: TEXT.index(', "tags"') + 1]),
        ("truncated_at_token", '{"a": "a text that is long", "b": 1}', '{"a": "a text that is long"'),
        ("truncated_at_token", "7", "7"),
        ("trailing_comma", "[ ]", "[ ]"),
        ("comment", TEXT, TEXT.replace("{", "{ /* as asked */ ", 1)),
        ("comment", "7", "7 /* as asked */ "),
        ("infinity", TEXT, TEXT.replace("7", "-Infinity")),
        ("leading_zero", TEXT, TEXT.replace("7", "07")),
        ("leading_zero", "[-1.5]", "[-01.5]"),
        ("leading_zero", '["a"]', '[0"a"]'),
        ("unsafe_integer", TEXT, TEXT.replace("7", "9007199254740993")),
        ("bom", TEXT, "\ufeff" + TEXT),
        ("utf16", "{}", "\udcff\udcfe{\0}\0"),
        ("invalid_utf8", TEXT, TEXT.replace('x\\""', 'x\\"\udce9"')),
        ("invalid_utf8", '{"a": 1}', '{"a\udce9": 1}'),
        ("invalid_utf8", "[1]", "[1]"),
        ("lone_surrogate", TEXT, TEXT.replace('x\\""', 'x\\"\\ud83d"')),
        ("control_character", TEXT, TEXT.replace('x\\""', 'x\\"\t"')),
        ("deep_nesting", TEXT, TEXT.replace("7", "[" * DEEP + "7" + "]" * DEEP)),
        ("deep_nesting", "{}", "[" * DEEP + "{}" + "]" * DEEP),
        ("two_documents", " [1]\n", " [1] [1]"),
        ("two_documents", "1", "1 1"),
        ("null", TEXT, "null"),
        ("string", TEXT, '"ok"'),
        ("html", TEXT, PAGE),
        ("xssi_prefix", TEXT, ")]}'\n" + TEXT),
    ],
    ids=lambda text: text[:24],
)
def test_each_way_breaks_a_text_in_one_place(how: str, text: str, broken: str) -> None:
    """The rest of the text stays byte for byte; what has nothing to break, or is not JSON, stays whole."""
    assert malformed(text, how) == broken


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-32-be"])
def test_a_body_in_another_coding_is_read_and_left_alone_where_nothing_breaks(coding: str) -> None:
    """A body with a BOM or in UTF-16 is JSON to Python, and struck as such."""
    assert MalformJson("single_quotes").alter(GET, (reply := Reply.of(200, "[1]".encode(coding), JSON))) == reply
    assert MalformJson("trailing_comma").alter(GET, reply).body == b"[1,]"
    assert (MalformJson("bom").alter(GET, reply) == reply) == (coding == "utf-8-sig")


@pytest.mark.parametrize("how", BREAKAGES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_whole_body_is_broken(how: str, packed: bool) -> None:
    """The message stays well-formed HTTP, with a true length; a compressed one is sent plain."""
    plain = Reply.of(200, TEXT.encode(), (*JSON, ("Content-Length", str(len(TEXT)))))
    reply = gzipped(plain) if packed else plain
    broken = MalformJson(how).alter(GET, reply)
    assert broken.body == arrives(broken) == bytes_of(malformed(TEXT, how)) != TEXT.encode()
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


@pytest.mark.parametrize("how", OF_TEXTS)
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


@pytest.mark.parametrize("how", OF_TEXTS)
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


def test_a_broken_text_is_dealt_out_in_the_pieces_it_came_in() -> None:
    """Each piece keeps its length; what is too much goes to the last one that held anything."""
    came = ['{"ci', "", 'ty":', ' "Pa', 'ris"}', ""]
    for how, dealt in {
        "single_quotes": ["{'ci", "", "ty':", " 'Pa", "ris'}", ""],
        "double_encoded": ['"{\\"', "", "city", '\\": ', '\\"Paris\\"}"', ""],
        "empty": [""] * 6,
    }.items():
        broken = MalformJson(how, DELTAS).alter(GET, stream(*map(part, came), done=None))
        said = [json.loads(data)["choices"][0]["delta"]["tool_calls"][0] for data in sent_data(broken)]
        assert [call["function"]["arguments"] for call in said] == dealt


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


def test_the_lines_of_a_stream_stay_utf_8() -> None:
    """An event can hold bytes that are none, but it cannot be in UTF-16."""
    assert MalformJson("utf16").alter(GET, stream({"n": 1})) == stream({"n": 1})
    assert MalformJson("invalid_utf8").alter(GET, stream({"n": 1}, done=None)).body == b'data: {"n\xe9": 1}\n\n'


def test_a_text_of_several_lines_is_several_lines_of_data() -> None:
    """The reader of the stream joins them again."""
    assert sent_data(MalformJson("markdown_fence").alter(GET, stream({})))[0] == "```json\n{}\n```"


@pytest.mark.parametrize(
    ("chosen", "request_", "reply"),
    [
        ({}, GET, Reply.of(200, b"<html></html>", {"Content-Type": "text/html"})),
        ({}, GET, Reply.of(200, b"{broken", JSON)),
        ({}, GET, unreadable(JSON)),
        ({}, GET, stream()),
        *(({}, GET, reply) for reply in BODYLESS),
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
                f"did you mean 'truncated'? known: {', '.join(sorted(BREAKAGES))}",
            ),
        ),
        (
            {"how": "nan", "after_chars": 3},
            three(
                "malform_json: `after_chars` says where a text is cut",
                "how = 'nan'",
                'set how = "truncated", or drop `after_chars`',
            ),
        ),
        (
            {"after_chars": -1},
            three("malform_json: `after_chars` must be a whole number", "-1", "give 0 or more"),
        ),
        (
            {"how": "utf16", "at": "$.a"},
            three(
                "malform_json: how = 'utf16' breaks bytes",
                "`at` names a text inside them: '$.a'",
                'drop `at`, or break the text with how = "lone_surrogate"',
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
