"""
OpenAI chat completions, whole and streamed, with a scripted model behind them.

Shapes: https://platform.openai.com/docs/api-reference/chat/object and
https://platform.openai.com/docs/api-reference/chat-streaming/streaming; rate
limit headers: https://platform.openai.com/docs/guides/rate-limits.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .wire import MOMENT, Answer, Asked, answer_json

HEADERS = {
    "openai-version": "2020-10-01",
    "openai-processing-ms": "312",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "6ms",
    "x-request-id": "req_reference0000000000000000000001",
}

# What the model asks for first, by the issue it reads about: (tool, arguments).
WISHES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "PROJ-1": [("find_linear_issues", {"text": "Safari login", "limit": 3})],
    "PROJ-2": [
        ("find_similar_jira_issues", {"text": "invoice"}),
        ("current_sprint", {"board": 7}),
        ("service_desks", {}),
    ],
}
LAST_WORDS = {
    "PROJ-1": "Login fails on Safari 17: the session cookie is refused. Known as ENG-42 (“In Progress”) – no new work.",
    "PROJ-2": "Invoices show “Â£” for “£” – like PROJ-7. Fits Sprint 12; tell Billing. Cost: 3 500 €: urgent. 🔥",
}
GREETING = "Grüße aus Zürich – naïve parsers lose “this” part: 你好, 👋🏽 done."


def answer(asked: Asked) -> Answer | None:
    """`POST /v1/chat/completions`."""
    if (asked.method, asked.path) != ("POST", "/v1/chat/completions"):
        return None
    if not asked.headers.get("authorization", "").startswith("Bearer "):
        return answer_json(
            {
                "error": {
                    "message": "You didn't provide an API key.",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": None,
                }
            },
            401,
            headers={"WWW-Authenticate": 'Bearer realm="OpenAI API"'},
        )
    message, finish = _say(asked.json)
    asked_for = asked.json
    if asked_for.get("stream"):
        pieces = _streamed(message, finish, asked_for["model"])
        return Answer(pieces, headers={"Content-Type": "text/event-stream; charset=utf-8", **HEADERS}, streamed=True)
    return answer_json(_whole(message, finish, asked_for["model"]), headers=HEADERS)


def _say(asked: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The scripted model: first its wishes, and with their results in hand its last words."""
    messages = asked["messages"]
    named = re.search(r"\bPROJ-\d+\b", " ".join(m["content"] or "" for m in messages if m["role"] == "user"))
    key = named.group() if named else ""
    if key not in WISHES:
        return {"role": "assistant", "content": GREETING, "refusal": None}, "stop"
    if messages[-1]["role"] == "tool":
        return {"role": "assistant", "content": LAST_WORDS[key], "refusal": None}, "stop"
    calls = [
        {
            "id": f"call_reference{key[-1]}{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for number, (name, arguments) in enumerate(WISHES[key])
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls, "refusal": None}, "tool_calls"


def _whole(message: dict[str, Any], finish: str, model: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-reference",
        "object": "chat.completion",
        "created": MOMENT,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {"prompt_tokens": 210, "completion_tokens": 40, "total_tokens": 250},
        "service_tier": "default",
        "system_fingerprint": "fp_reference",
    }


def _streamed(message: dict[str, Any], finish: str, model: str) -> tuple[bytes, ...]:
    """The message in deltas: the first one carries the role, the last one only why it ended."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if "tool_calls" in message else ""}]
    for index, call in enumerate(message.get("tool_calls", ())):
        opening = {"name": call["function"]["name"], "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, **call, "function": opening}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in _pieces(call["function"]["arguments"], 6)
        ]
    deltas += [{"content": piece} for piece in _pieces(message["content"] or "", 9)]
    chunks = [_chunk(delta, None, model) for delta in deltas] + [_chunk({}, finish, model)]
    return (
        *(b"data: " + json.dumps(c, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n" for c in chunks),
        b"data: [DONE]\n\n",
    )


def _chunk(delta: dict[str, Any], finish: str | None, model: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-reference",
        "object": "chat.completion.chunk",
        "created": MOMENT,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_reference",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }


def _pieces(text: str, size: int) -> list[str]:
    return [text[place : place + size] for place in range(0, len(text), size)]
