"""
Replies of language models in five wire formats, whole and streamed, and how they are asked for.

Written by hand in the shapes that the vendors document; the sources are named in
`_llm_chat.py`, `_llm_lists.py` and `_llm_blocks.py` of `pytest_agentfault/faults`. A reply says a text, makes tool
calls, or both. What SDKs make of them is in `_formats.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from pytest_agentfault._reply import Data, End, Head, Reply

ASKED: Final = "What is PROJ-1 about, and what time is it?"
TEXT: Final = "Let me look — that takes 5 s 🌍."
ISSUE: Final = ("get_issue", {"key": "PROJ-1", "fields": ["summary", "état"], "limit": 3})
TIME: Final = ("get_time", {"zone": "Europe/Berlin"})
SCHEMAS: Final[dict[str, Any]] = {
    "get_issue": {
        "type": "object",
        "properties": {
            "limit": {"type": "integer"},
            "key": {"type": "string"},
            "fields": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["key"],
    },
    "get_time": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
}
SSE: Final = (("Content-Type", "text/event-stream; charset=utf-8"),)
JSON: Final = (("Content-Type", "application/json"),)
NDJSON: Final = (("Content-Type", "application/x-ndjson"),)
IN, OUT = 12, 9
Calls = Sequence[tuple[str, Any]]


def pieces(text: str, size: int = 9) -> list[str]:
    """A text as it is streamed."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def events(values: Sequence[Any], named: bool = False) -> list[bytes]:
    """Server-sent events; the last may be a text."""
    said = []
    for value in values:
        data = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        name = f"event: {value['type']}\n" if named else ""
        said.append(f"{name}data: {data}\n\n".encode())
    return said


def streamed(said: Sequence[bytes], headers: Any = SSE) -> Reply:
    """A reply of one HTTP chunk an event."""
    return Reply((Head(200, headers), *(Data(one) for one in said), End()))


def document(value: Any) -> Reply:
    """A whole JSON reply."""
    return Reply.of(200, json.dumps(value, ensure_ascii=False).encode(), JSON)


# --- OpenAI chat ------------------------------------------------------------------------------------------------------


def _chat_call(number: int, name: str, arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"id": f"call_a{number}", "type": "function", "function": function}


def chat(text: str, calls: Calls) -> Reply:
    """A chat completion."""
    made = [_chat_call(n, *call) for n, call in enumerate(calls)]
    message = {"role": "assistant", "content": text or None, "refusal": None, **({"tool_calls": made} if made else {})}
    return document(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1760000000,
            "model": "gpt-4o-2024-08-06",
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": "tool_calls" if calls else "stop",
                }
            ],
            "usage": {"prompt_tokens": IN, "completion_tokens": OUT, "total_tokens": IN + OUT},
        }
    )


def chat_stream(text: str, calls: Calls) -> Reply:
    """The same in chunks; the last counts the tokens, as `include_usage` asks."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if text else None, "refusal": None}]
    deltas += [{"content": piece} for piece in pieces(text)]
    for number, call in enumerate(calls):
        made = _chat_call(number, *call)
        told = made["function"]["arguments"]
        first = {"index": number, **made, "function": {"name": call[0], "arguments": ""}}
        deltas.append({"tool_calls": [first]})
        deltas += [{"tool_calls": [{"index": number, "function": {"arguments": p}}]} for p in pieces(told)]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1760000000, "model": "gpt-4o-2024-08-06"}
    reason = "tool_calls" if calls else "stop"
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": ended}], "usage": None}
        for delta, ended in [*((delta, None) for delta in deltas), ({}, reason)]
    ]
    usage = {"prompt_tokens": IN, "completion_tokens": OUT, "total_tokens": IN + OUT}
    return streamed(events([*chunks, {**head, "choices": [], "usage": usage}, "[DONE]"]))


CHAT: Final[Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": ASKED}],
    "tools": [
        {"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in SCHEMAS.items()
    ],
}


# --- OpenAI responses -------------------------------------------------------------------------------------------------


def _response(items: Sequence[Any], status: str = "completed") -> dict[str, Any]:
    usage = {
        "input_tokens": IN,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": OUT,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": IN + OUT,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": "gpt-4o-2024-08-06",
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if status == "completed" else None,
    }


def _items(text: str, calls: Calls) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [{"id": "rs_1", "type": "reasoning", "summary": []}]
    if text:
        part = {"type": "output_text", "text": text, "annotations": []}
        items.append({"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]})
    for number, (name, arguments) in enumerate(calls):
        items.append(
            {
                "id": f"fc_a{number}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_a{number}",
                "name": name,
                "arguments": json.dumps(arguments, ensure_ascii=False),
            }
        )
    return items


def response(text: str, calls: Calls) -> Reply:
    """A response."""
    return document(_response(_items(text, calls)))


def response_stream(text: str, calls: Calls) -> Reply:
    """The same as events."""
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response([], "in_progress")},
        {"type": "response.in_progress", "response": _response([], "in_progress")},
    ]
    items = _items(text, calls)
    for number, item in enumerate(items):
        where = {"item_id": item["id"], "output_index": number}
        begun = {**item, "status": "in_progress"}
        if item["type"] == "message":
            part = item["content"][0]
            at = {**where, "content_index": 0}
            middle = [
                {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
                *({"type": "response.output_text.delta", **at, "delta": p, "logprobs": []} for p in pieces(text)),
                {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
                {"type": "response.content_part.done", **at, "part": part},
            ]
            begun["content"] = []
        elif item["type"] == "function_call":
            kind, given = "response.function_call_arguments", item["arguments"]
            middle = [
                *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(given)),
                {"type": f"{kind}.done", **where, "name": item["name"], "arguments": given},
            ]
            begun["arguments"] = ""
        else:
            middle, begun = [], item
        told += [
            {"type": "response.output_item.added", "output_index": number, "item": begun},
            *middle,
            {"type": "response.output_item.done", "output_index": number, "item": item},
        ]
    told.append({"type": "response.completed", "response": _response(items)})
    return streamed(events([{**one, "sequence_number": n} for n, one in enumerate(told)], named=True))


RESPONSE: Final[Any] = {
    "model": "gpt-4o",
    "input": ASKED,
    "tools": [
        {"type": "function", "name": name, "parameters": schema, "strict": False} for name, schema in SCHEMAS.items()
    ],
}


# --- Anthropic messages -----------------------------------------------------------------------------------------------


def _message(content: list[dict[str, Any]], reason: str | None, out: int) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": IN, "output_tokens": out},
    }


def _blocks(text: str, calls: Calls) -> list[dict[str, Any]]:
    said = [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]
    said += [{"type": "text", "text": text}] if text else []
    made = [{"type": "tool_use", "id": f"toolu_a{n}", "name": c[0], "input": c[1]} for n, c in enumerate(calls)]
    return [*said, *made]


def message(text: str, calls: Calls) -> Reply:
    """An Anthropic message."""
    return document(_message(_blocks(text, calls), "tool_use" if calls else "end_turn", OUT))


def message_stream(text: str, calls: Calls) -> Reply:
    """The same as events, with a ping as the vendor sends it."""
    told: list[dict[str, Any]] = [{"type": "message_start", "message": _message([], None, 1)}]
    for number, block in enumerate(_blocks(text, calls)):
        if block["type"] == "text":
            begun = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces(text)]
        elif block["type"] == "thinking":
            begun = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": "Hm."},
                {"type": "signature_delta", "signature": "c2ln"},
            ]
        else:
            begun = {**block, "input": {}}
            given = json.dumps(block["input"], ensure_ascii=False)
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(given)]]
        told.append({"type": "content_block_start", "index": number, "content_block": begun})
        told += [{"type": "ping"}] if not number else []
        told += [{"type": "content_block_delta", "index": number, "delta": delta} for delta in deltas]
        told.append({"type": "content_block_stop", "index": number})
    ended = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    told += [{"type": "message_delta", "delta": ended, "usage": {"output_tokens": OUT}}, {"type": "message_stop"}]
    return streamed(events(told, named=True))


MESSAGE: Final[Any] = {
    "model": "claude-x",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": ASKED}],
    "tools": [{"name": name, "input_schema": schema} for name, schema in SCHEMAS.items()],
}


# --- Gemini -----------------------------------------------------------------------------------------------------------


def _generated(parts: list[Any], reason: str | None) -> dict[str, Any]:
    return {
        "candidates": [
            {"content": {"parts": parts, "role": "model"}, "index": 0, **({"finishReason": reason} if reason else {})}
        ],
        "usageMetadata": {"promptTokenCount": IN, "candidatesTokenCount": OUT, "totalTokenCount": IN + OUT},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp-1",
    }


def _call_parts(calls: Calls) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"functionCall": {"name": name, "args": args}} for name, args in calls]
    if parts:
        parts[0]["thoughtSignature"] = "c2lnbmF0dXJl"
    return parts


def generated(text: str, calls: Calls) -> Reply:
    """Content of Gemini's."""
    thought = [{"text": "Hm.", "thought": True}]
    return document(_generated([*thought, *([{"text": text}] if text else []), *_call_parts(calls)], "STOP"))


def generated_values(text: str, calls: Calls) -> list[dict[str, Any]]:
    """The same in pieces."""
    told = [[{"text": "Hm.", "thought": True}], *([{"text": piece}] for piece in pieces(text))]
    told += [[part] for part in _call_parts(calls)]
    return [_generated(parts, "STOP" if number == len(told) else None) for number, parts in enumerate(told, 1)]


def generated_stream(text: str, calls: Calls) -> Reply:
    """The same as events."""
    return streamed(events(generated_values(text, calls)))


# --- Ollama -----------------------------------------------------------------------------------------------------------


def _line(text: str, calls: Calls, done: bool) -> dict[str, Any]:
    made = [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls]
    ended = {"done_reason": "stop", "total_duration": 174560334, "prompt_eval_count": IN, "eval_count": OUT}
    return {
        "model": "llama3.2",
        "created_at": "2025-10-17T23:14:07.414671Z",
        "message": {"role": "assistant", "content": text, **({"tool_calls": made} if made else {})},
        "done": done,
        **(ended if done else {}),
    }


def ollama(text: str, calls: Calls) -> Reply:
    """A chat of Ollama's."""
    return document(_line(text, calls, True))


def ollama_stream(text: str, calls: Calls) -> Reply:
    """The same as lines."""
    told = [*(_line(piece, [], False) for piece in pieces(text)), *(_line("", [call], False) for call in calls)]
    said = [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in [*told, _line("", [], True)]]
    return streamed(said, NDJSON)


OLLAMA: Final[Any] = {**CHAT, "model": "llama3.2"}


GEMINI: Final[Any] = {
    "contents": [{"role": "user", "parts": [{"text": ASKED}]}],
    "tools": [{"functionDeclarations": [{"name": n, "parametersJsonSchema": s} for n, s in SCHEMAS.items()]}],
}
