"""The faults `tool_call`, `finish` and `usage`: what no SDK tells (for that: tests/sdks/test_model_replies.py)."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from _formats import FORMATS, Format
from _heard import by_httpx_sse
from _models import CHAT, ISSUE, TEXT, TIME, chat, chat_stream, document, generated_values, message
from _payload_table import table
from _said import BODYLESS, HEAD, arrives, gzipped, pieces, refusal, three, unreadable

from pytest_agentfault._payload import events_of, with_payload
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.finish import HOWS as ENDS
from pytest_agentfault.faults.finish import Finish
from pytest_agentfault.faults.tool_call import HOWS, ToolCall
from pytest_agentfault.faults.usage import Usage

EVERY = pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.id)
ASKED = FORMATS[0].request
FAULTS: list[Any] = [
    *(ToolCall(how, random=Random(1)) for how in HOWS),
    *(Finish(how) for how in ENDS),
    Usage("missing"),
    Usage("enormous"),
]
FUNCTION = {"name": "get_time", "arguments": "{}"}
PAST: list[Any] = [{"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": FUNCTION}]}]
NAMED = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault).__name__}-{fault.how}")


@NAMED
@EVERY
def test_a_changed_reply_is_legal_and_kept_in_its_pieces(kind: Format, fault: Any) -> None:
    """A parser that is not ours reads all of it; a stream is still one chunk an event, each of them whole JSON."""
    reply = kind.say(TEXT, [ISSUE, TIME])
    changed = fault.alter(kind.request, reply)
    assert arrives(changed) == changed.body
    assert changed.headers == reply.headers
    if not kind.streamed:
        json.loads(changed.body)
        return
    assert pieces(changed) == events_of(changed.body)
    if kind.name == "Ollama":
        assert all(json.loads(line) for line in changed.body.splitlines())
        return
    for name, data in by_httpx_sse(changed.body):
        value = {} if data == "[DONE]" else json.loads(data)
        assert name == ("message" if kind.name in ("OpenAI chat", "Gemini") else value["type"])


@pytest.mark.parametrize("fault", FAULTS[:-2], ids=lambda fault: f"{type(fault).__name__}-{fault.how}")
def test_what_is_not_meant_stays_byte_for_byte(fault: Any) -> None:
    """A stream's thinking, its pings and its ends are as they came."""
    kind = next(kind for kind in FORMATS if kind.id == "Anthropic messages, streamed")
    reply = kind.say(TEXT, [ISSUE, TIME])
    came, went = events_of(reply.body), events_of(fault.alter(kind.request, reply).body)
    assert went[0] == came[0]
    assert went[-1] == came[-1]
    if getattr(fault, "how", "") != "empty":
        assert went[:6] == came[:6]
        assert b"thinking_delta" in came[3]


@pytest.mark.parametrize("how", [how for how in HOWS if how != "looped"])
@EVERY
def test_a_reply_without_a_call_is_left_alone(kind: Format, how: str) -> None:
    """Where no tool is called, nothing has struck."""
    reply = kind.say(TEXT, [])
    assert ToolCall(how).alter(kind.request, reply) == reply


@EVERY
def test_one_call_cannot_be_merged(kind: Format) -> None:
    """Two become one; one stays one."""
    reply = kind.say(TEXT, [ISSUE])
    assert ToolCall("merged").alter(kind.request, reply) == reply


@EVERY
def test_a_first_turn_cannot_loop(kind: Format) -> None:
    """A conversation without a call has none to make again."""
    reply = kind.say(TEXT, [])
    assert ToolCall("looped").alter(kind.request, reply) == reply


def test_a_loop_goes_on_with_ids_of_its_own() -> None:
    """Turn after turn the same call comes with another id, and what loops already is left alone."""
    turns: list[Any] = list(CHAT["messages"])
    ids = []
    for _ in range(3):
        function = {"name": "get_time", "arguments": '{"zone": "UTC"}'}
        turns.append({"role": "assistant", "tool_calls": [{"id": "call_x", "type": "function", "function": function}]})
        asked = Request("POST", ASKED.url, ASKED.headers, json.dumps({**CHAT, "messages": turns}).encode())
        looped = ToolCall("looped").alter(asked, chat(TEXT, []))
        call = json.loads(looped.body)["choices"][0]["message"]["tool_calls"][0]
        assert call["function"] == function
        ids.append(call["id"])
        assert ToolCall("looped").alter(asked, looped) == looped
    assert len(set(ids)) == 3


def test_an_array_of_pieces_is_a_stream_too() -> None:
    """Gemini streams a JSON array where it is not asked for events; it stays one."""
    kind = next(kind for kind in FORMATS if kind.id == "Gemini, streamed")
    values = generated_values(TEXT, [ISSUE, TIME])
    changed = json.loads(ToolCall("merged").alter(kind.request, document(values)).body)
    assert changed[:-2] == values[:-2]
    calls = [
        part["functionCall"]
        for value in changed
        for part in value["candidates"][0]["content"].get("parts", [])
        if "functionCall" in part
    ]
    assert calls == [{"name": "get_issue", "args": {**TIME[1], **ISSUE[1]}}]
    assert changed[-1]["candidates"][0]["finishReason"] == "STOP"


def test_a_name_can_be_given() -> None:
    """The tool that is called instead; by itself it is one that the request does not offer either."""
    named = ToolCall(name="default_api.get_issue").alter(ASKED, chat("", [ISSUE]))
    assert b'"name":"default_api.get_issue"' in named.body
    tools = [{"type": "function", "function": {"name": name}} for name in ("get_issue", "get_issue_v2")]
    asked = Request("POST", ASKED.url, ASKED.headers, json.dumps({**CHAT, "tools": tools}).encode())
    assert b'"name":"get_issue_v2_v2"' in ToolCall().alter(asked, chat("", [ISSUE])).body


@pytest.mark.parametrize(
    ("how", "arguments", "changed"),
    [
        ("missing_key", {"limit": 3, "key": "A-1"}, {"limit": 3}),
        ("extra_key", {}, {"explanation": "as asked"}),
        ("extra_key", {"explanation": "mine"}, {"explanation": "mine", "explanation_v2": "as asked"}),
        ("wrong_type", {"limit": 3, "key": ["A", "B"]}, {"limit": 3, "key": "A"}),
    ],
)
def test_the_tools_own_schema_says_what_is_required(how: str, arguments: Any, changed: Any) -> None:
    """The member that the request's schema requires is struck, wherever it stands; no known name is added."""
    reply = ToolCall(how).alter(ASKED, chat("", [("get_issue", arguments)]))
    call = json.loads(reply.body)["choices"][0]["message"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == changed


def test_a_member_that_is_added_is_none_of_the_tools() -> None:
    """Also where the tool knows it, and the call does not use it."""
    schema = {"type": "object", "properties": {"explanation": {"type": "string"}}}
    tools = [{"type": "function", "function": {"name": "get_issue", "parameters": schema}}]
    asked = Request("POST", ASKED.url, ASKED.headers, json.dumps({**CHAT, "tools": tools}).encode())
    reply = json.loads(ToolCall("extra_key").alter(asked, chat("", [("get_issue", {})])).body)
    call = reply["choices"][0]["message"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"explanation_v2": "as asked"}


@pytest.mark.parametrize("fault", [Finish("length"), Finish("content_filter")], ids=lambda fault: fault.how)
@pytest.mark.parametrize("kind", FORMATS[2:4], ids=lambda kind: kind.id)
def test_an_incomplete_response_ends_in_an_incomplete_item(kind: Format, fault: Finish) -> None:
    """The item that was being said is called so wherever it is told: when it is closed, and in the whole."""
    body = fault.alter(kind.request, kind.say(TEXT, [ISSUE, TIME])).body
    values = [json.loads(data) for _, data in by_httpx_sse(body)] if kind.streamed else [json.loads(body)]
    output = (values[-1]["response"] if kind.streamed else values[-1])["output"]
    assert [item.get("status", "completed") for item in output] == [*["completed"] * (len(output) - 1), "incomplete"]
    closed = [value["item"] for value in values if value.get("type") == "response.output_item.done"]
    assert closed == (output if kind.streamed else [])


def test_who_speaks_is_said_before_what_is_said() -> None:
    """OpenAI says the role in one chunk with the first call; the role stays in front of the new calls."""
    events = events_of(chat_stream("", [ISSUE]).body)
    first, second = (json.loads(event.removeprefix(b"data: ")) for event in events[:2])
    first["choices"][0]["delta"]["tool_calls"] = second["choices"][0]["delta"]["tool_calls"]
    body = b"".join([b"data: " + json.dumps(first).encode() + b"\n\n", *events[2:]])
    said = events_of(ToolCall().alter(ASKED, with_payload(chat_stream("", [ISSUE]), body)).body)
    deltas = [json.loads(event.removeprefix(b"data: "))["choices"][0]["delta"] for event in said[:2]]
    assert (deltas[0]["role"], "tool_calls" in deltas[0]) == ("assistant", False)
    assert deltas[1]["tool_calls"][0]["function"]["name"] == "get_issue_v2"


@pytest.mark.parametrize("text", ["", TEXT], ids=["silent", "text"])
def test_a_call_comes_before_the_end_of_a_stream(text: str) -> None:
    """Where nothing, or a text, was said: the reason stays behind the call."""
    kind = FORMATS[1]
    asked = Request("POST", kind.url, (), json.dumps({**CHAT, "messages": PAST}).encode())
    said = events_of(ToolCall("looped").alter(asked, kind.say(text, [])).body)
    choices = [json.loads(event.removeprefix(b"data: "))["choices"] for event in said[:-1]]
    deltas = [choice["delta"] for choice, *_ in filter(None, choices)]
    assert [list(delta) for delta in deltas if "role" not in delta] == [*[["tool_calls"]] * (len(deltas) - 2), []]
    assert choices[-2][0]["finish_reason"] == "tool_calls"


def test_a_new_group_stands_where_the_old_one_did() -> None:
    """A text that follows a call still follows it, and the numbers follow one another."""
    kind = FORMATS[5]
    values = [json.loads(data) for _, data in by_httpx_sse(kind.say(TEXT, [ISSUE]).body)]
    groups = [[value for value in values if value.get("index") == number] for number in range(3)]
    ordered = [values[0], *groups[0], *({**v, "index": 1} for v in groups[2]), *({**v, "index": 2} for v in groups[1])]
    body = "".join(f"event: {value['type']}\ndata: {json.dumps(value)}\n\n" for value in [*ordered, *values[-2:]])
    said = ToolCall().alter(kind.request, with_payload(kind.say(TEXT, [ISSUE]), body.encode())).body
    begun = [v for v in (json.loads(data) for _, data in by_httpx_sse(said)) if v["type"] == "content_block_start"]
    assert [value["content_block"]["type"] for value in begun] == ["thinking", "tool_use", "text"]
    assert [value["index"] for value in begun] == [0, 1, 2]


@NAMED
@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind.streamed], ids=lambda kind: kind.id)
def test_no_piece_of_a_stream_says_nothing(kind: Format, fault: Any) -> None:
    """What is left empty is gone: no vendor sends a piece without text, call, reason or count."""
    body = fault.alter(kind.request, kind.say(TEXT, [ISSUE, TIME])).body
    for line in body.decode().splitlines():
        if not line.removeprefix("data: ").startswith("{"):
            continue
        value = json.loads(line.removeprefix("data: "))
        if kind.name == "OpenAI chat" and fault.how != "empty":
            assert value.get("usage") or any(
                any(c["delta"].values()) or "role" in c["delta"] or c["finish_reason"] for c in value["choices"]
            )
        if kind.name == "Gemini" and "candidates" in value:
            candidate = value["candidates"][0]
            assert candidate["content"].get("parts") or candidate.get("finishReason")
        if kind.name == "Ollama":
            assert value["done"] or value["message"]["content"] or value["message"].get("tool_calls")


@pytest.mark.parametrize("how", ["truncated", "double_encoded", "fenced", "missing_key", "wrong_type"])
def test_no_arguments_cannot_be_broken(how: str) -> None:
    """A value without members is left alone."""
    reply = message("", [("now", {})])
    assert ToolCall(how).alter(FORMATS[4].request, reply) == reply


@pytest.mark.parametrize("how", ["wrong_type", "missing_key", "extra_key"])
def test_arguments_that_are_no_object_are_left_alone(how: str) -> None:
    """What a model has broken already is not repaired."""
    value = json.loads(chat("", [ISSUE]).body)
    value["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = "{oops"
    reply = document(value)
    assert ToolCall(how).alter(ASKED, reply) == reply


@NAMED
@pytest.mark.parametrize(
    "reply",
    [
        *BODYLESS,
        document({"id": "1", "name": "One", "arguments": "{}"}),
        document([{"name": "One"}]),
        document({"choices": "none", "message": 7, "candidates": [None], "output": {}}),
        Reply.of(200, b"<p>choices</p>", {"Content-Type": "text/html"}),
        Reply.of(500, chat(TEXT, [ISSUE]).body, {"Content-Type": "application/json"}),
        unreadable((("Content-Type", "application/json"),)),
    ],
    ids=["no-content", "empty", "lost", "object", "list", "odd", "page", "error", "unreadable"],
)
def test_what_is_no_models_reply_is_left_alone(fault: Any, reply: Reply) -> None:
    """An error, a page, another API's JSON: nothing has struck."""
    assert fault.alter(ASKED, reply) == reply


@NAMED
def test_a_reply_whose_body_nobody_reads_is_left_alone(fault: Any) -> None:
    """HEAD."""
    reply = chat(TEXT, [ISSUE])
    assert fault.alter(Request(HEAD.method, ASKED.url, ASKED.headers, ASKED.body), reply) == reply


@pytest.mark.parametrize("say", [chat, chat_stream])
def test_a_compressed_reply_is_struck_and_comes_plain(say: Any) -> None:
    """The coding is undone, and the length is true."""
    packed = gzipped(say(TEXT, [ISSUE])).with_header("Content-Length", "7")
    changed = ToolCall().alter(ASKED, packed)
    assert b"get_issue_v2" in changed.body
    assert changed.header("content-encoding", "none") == "none"
    assert changed.header("content-length") == str(len(changed.body))


def test_what_the_vendor_calls_itself_is_no_call_of_ours() -> None:
    """Anthropic's server tools are carried out by Anthropic."""
    value = json.loads(message(TEXT, [ISSUE]).body)
    value["content"][-1]["type"] = "server_tool_use"
    reply = document(value)
    assert ToolCall().alter(FORMATS[4].request, reply) == reply


def test_a_call_whose_last_chunk_ends_it_comes_before_the_end() -> None:
    """Some vendors say the whole call and the reason in one chunk; the new one still comes before the reason."""
    events = events_of(chat_stream("", [ISSUE]).body)
    value = json.loads(events[1].removeprefix(b"data: "))
    call = value["choices"][0]["delta"]["tool_calls"][0]
    call["function"]["arguments"] = "{}"
    value["choices"][0]["finish_reason"] = "tool_calls"
    reply = with_payload(chat_stream("", [ISSUE]), b"data: " + json.dumps(value).encode() + b"\n\ndata: [DONE]\n\n")
    said = events_of(ToolCall().alter(ASKED, reply).body)
    choices = [json.loads(event.removeprefix(b"data: "))["choices"][0] for event in said[:-1]]
    assert [choice["finish_reason"] for choice in choices] == [*[None] * (len(choices) - 1), "tool_calls"]
    assert choices[0]["delta"]["tool_calls"][0]["function"]["name"] == "get_issue_v2"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"how": "unkown_name"},
            three(
                "tool_call: unknown `how`",
                "'unkown_name'",
                f"did you mean 'unknown_name'? known: {', '.join(sorted(HOWS))}",
            ),
        ),
        ({"name": "a\nb"}, three("tool_call: `name` cannot hold a line break", "'a\\nb'", "put it on one line")),
        ({"name": 7}, three("tool_call: `name` must be a text", "7", "put it in quotes")),
        (
            {"how": "looped", "name": "x"},
            three(
                "tool_call: `name` is the tool that is called instead",
                "how = 'looped'",
                'set how = "unknown_name", or drop `name`',
            ),
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], text: str) -> None:
    """What is wrong, what is there, what to do."""
    assert refusal(ToolCall, settings) == text


def test_it_only_alters() -> None:
    """The vendor has acted."""
    assert verbs_of(ToolCall()) == verbs_of(Finish()) == verbs_of(Usage()) == ("alter",)


@pytest.mark.parametrize(
    ("make", "settings", "text"),
    [
        (
            Finish,
            {"how": "lenght"},
            three("finish: unknown `how`", "'lenght'", f"did you mean 'length'? known: {', '.join(sorted(ENDS))}"),
        ),
        (
            Finish,
            {"how": "empty", "reason": "STOP"},
            three(
                "finish: an empty reply has no place for a reason",
                "reason = 'STOP'",
                "drop `reason`, or set another `how`",
            ),
        ),
        (Finish, {"text": None}, three("finish: `text` must be a text", "None", "put it in quotes")),
        (Usage, {"how": "huge"}, three("usage: unknown `how`", "'huge'", "known: enormous, missing")),
        (Usage, {"tokens": 0}, three("usage: `tokens` must be a whole number", "0", "give 1 or more")),
    ],
)
def test_wrong_settings_of_the_others_are_refused(make: Any, settings: dict[str, Any], text: str) -> None:
    """What is wrong, what is there, what to do."""
    assert refusal(make, settings) == text


def test_the_page_shows_what_there_is() -> None:
    """docs/llm-payloads.md holds the table that the faults make; `python tests/_payload_table.py` prints it."""
    page = Path(__file__).parents[2] / "docs" / "llm-payloads.md"
    assert table() in page.read_text(encoding="utf-8"), f"print it again:\n{table()}"
    assert {cell for row in table().splitlines()[2:] for cell in row.split(" | ")[1:]} > {"yes", "the text", "- |"}
