"""
The shapes of vendors' replies, from which the small recordings are put together.

Rule: a shape follows the vendor's page that its recording names in `_cassettes`.
"""

from __future__ import annotations

import json
from typing import Any, Final

SAID: Final = "Grüße, 世界! 🌍 It works."  # characters of two, three and four bytes: something to cut into
ARGUMENTS: Final = {"key": "PROJ-1", "fields": ["summary"]}

JSON_TYPE: Final = "application/json"


def exchange(
    method: str, url: str, said: Any, *, asked: Any = None, status: int = 200, kind: str = JSON_TYPE
) -> dict[str, Any]:
    """One interaction in vcrpy's form; a value is said as JSON, a text as it is."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return {
        "request": {
            "method": method,
            "uri": url,
            "body": None if asked is None else json.dumps(asked),
            "headers": {} if asked is None else {"Content-Type": [JSON_TYPE]},
        },
        "response": {
            "status": {"code": status, "message": {200: "OK", 201: "Created"}[status]},
            "headers": {"Content-Type": [kind]} if text else {},
            "body": {"string": text},
        },
    }


def events(*said: tuple[str | None, Any]) -> str:
    """Server-sent events: name or None, and data."""
    made = []
    for name, data in said:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        made.append((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
    return "".join(made)


def pieces(text: str, size: int = 8) -> list[str]:
    """A text as a model streams it: in tokens of some characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


# --- openai ---------------------------------------------------------------------------------------------------------

TOOL_CALL: Final = {"name": "get_issue", "arguments": json.dumps(ARGUMENTS)}
USAGE: Final = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}


def chat(message: dict[str, Any], reason: str) -> dict[str, Any]:
    """A chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": USAGE,
        "system_fingerprint": "fp_1",
    }


def chat_events(deltas: list[dict[str, Any]], reason: str) -> str:
    """The same as a stream of chunks, with `[DONE]`."""

    def chunk(delta: dict[str, Any], finished: str | None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1760000000,
            "model": "gpt-4o-2024-08-06",
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finished}],
        }

    said = [chunk(delta, None) for delta in deltas] + [chunk({}, reason)]
    return events(*((None, one) for one in said), (None, "[DONE]"))


def tool_deltas() -> list[dict[str, Any]]:
    """A tool call as it is streamed: its name, then its arguments piece by piece."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_issue", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces(TOOL_CALL["arguments"])]
    return [{"role": "assistant", "content": None, "tool_calls": [first]}, *({"tool_calls": [one]} for one in more)]


def response(output: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    """An object of the Responses API."""
    done = status == "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "gpt-4o-2024-08-06",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 21,
        }
        if done
        else None,
        "user": None,
        "metadata": {},
    }


def message_item(text: str, status: str = "completed") -> dict[str, Any]:
    """A message in the output of a response."""
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def call_item(arguments: str, status: str = "completed") -> dict[str, Any]:
    """A function call in the output of a response."""
    name = TOOL_CALL["name"]
    return {
        "id": "fc_1",
        "type": "function_call",
        "status": status,
        "call_id": "call_1",
        "name": name,
        "arguments": arguments,
    }


def response_events(begun: dict[str, Any], middle: list[dict[str, Any]], done: dict[str, Any]) -> str:
    """The stream of one output item, from `response.created` to `response.completed`."""
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": response([], "in_progress")},
        {"type": "response.in_progress", "response": response([], "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        *middle,
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": response([done])},
    ]
    return events(*((one["type"], {**one, "sequence_number": number}) for number, one in enumerate(told)))


def text_middle() -> list[dict[str, Any]]:
    """What a streamed text says between its item's two ends."""
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    return [
        {"type": "response.content_part.added", **where, "part": part},
        *({"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []} for piece in pieces(SAID)),
        {"type": "response.output_text.done", **where, "text": SAID, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": {**part, "text": SAID}},
    ]


def call_middle() -> list[dict[str, Any]]:
    """What a streamed function call says between its item's two ends."""
    where = {"item_id": "fc_1", "output_index": 0}
    arguments = TOOL_CALL["arguments"]
    kind = "response.function_call_arguments"
    return [
        *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(arguments)),
        {"type": f"{kind}.done", **where, "name": TOOL_CALL["name"], "arguments": arguments},
    ]


# --- anthropic ------------------------------------------------------------------------------------------------------


def message(content: list[dict[str, Any]], reason: str | None, tokens: int = 9) -> dict[str, Any]:
    """An anthropic message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": tokens},
    }


def message_events() -> str:
    """The same as a stream, with a ping as the vendor sends it."""
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": message([], None, 1)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces(SAID)
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 9},
        },
        {"type": "message_stop"},
    ]
    return events(*((one["type"], one) for one in told))
