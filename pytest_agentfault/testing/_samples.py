"""
Requests and replies to try a fault on: one of each kind that the shipped faults tell apart.

Rule: invented here, in the vendors' documented shapes, and no more of them than a
fault needs to find what it strikes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from json import dumps
from typing import Any, Final

from .._payload import events_of
from .._reply import Reply, Request

URL: Final = "https://api.example.com/v1/things"
JSON: Final = {"Content-Type": "application/json"}
CREDENTIAL: Final = ("Authorization", "Bearer one")
STREAM: Final = {"Content-Type": "text/event-stream"}
LABELLED: Final = {"Content-Type": "text/event-stream; charset=utf-8"}
# One body that is a GraphQL request, a chat request and a plain object at once.
ASKED: Final[dict[str, Any]] = {
    "query": "query One($key: String!) { issue(key: $key) { id summary } }",
    "variables": {"key": "PROJ-1", "after": "p1"},
    "model": "m-1",
    "messages": [
        {"role": "user", "content": "hello"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_0", "type": "function", "function": {"name": "list_all", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": "[]"},
    ],
    "stream": True,
}
CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"key": "PROJ-1"}'}}
OTHER: Final = {"id": "call_2", "type": "function", "function": {"name": "tell", "arguments": '{"text": "One, two"}'}}
CHAT: Final[dict[str, Any]] = {
    "id": "chat-1",
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Login fails \u2013 on Safari", "tool_calls": [CALL, OTHER]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4},
}
RESPONSE: Final[dict[str, Any]] = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "output": [{"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": '{"key": "PROJ-1"}'}],
}
MESSAGE: Final[dict[str, Any]] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "text", "text": "Login fails on Safari"},
        {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"key": "PROJ-1"}},
        {"type": "tool_use", "id": "toolu_2", "name": "tell", "input": {"text": "One, two"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 9, "output_tokens": 4},
}
CANDIDATES: Final[dict[str, Any]] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Login fails on Safari"},
                    {"functionCall": {"name": "look_up", "args": {"key": "PROJ-1"}}},
                    {"functionCall": {"name": "tell", "args": {"text": "One, two"}}},
                ],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13},
}
LINE: Final[dict[str, Any]] = {
    "model": "m-1",
    "message": {
        "role": "assistant",
        "content": "Login fails on Safari",
        "tool_calls": [
            {"function": {"name": "look_up", "arguments": {"key": "PROJ-1"}}},
            {"function": {"name": "tell", "arguments": {"text": "One, two"}}},
        ],
    },
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 9,
    "eval_count": 4,
}
THING: Final[dict[str, Any]] = {
    "id": "10001",
    "key": "PROJ-1",
    "total": 2,
    "price": "12.50",
    "created": "2026-01-08T10:00:00Z",
    "nextCursor": "p2",
    "items": [{"name": "one", "done": True}, {"name": "two \u20ac", "done": False}],
    "data": {"issue": {"id": "10001", "summary": "Login fails on Safari"}},
}


def _delta(delta: dict[str, Any]) -> bytes:
    return b"data: " + dumps({"id": "chat-1", "choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def _arguments(text: str) -> bytes:
    return _delta({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})


def _named(kind: str, **told: Any) -> bytes:
    return f"event: {kind}\ndata: {dumps({'type': kind, **told})}\n\n".encode()


CHAT_EVENTS: Final = (
    _delta({"role": "assistant", "content": "Login "})
    + _delta({"content": "fails \u2013 "})
    + 'data: {"choices": [{"index": 0, "delta": {"content": "5 \u20ac\\n"}}]}\n\n'.encode()
    + _arguments('{"key": ')
    + _arguments('"PROJ-1"}')
    + b"data: [DONE]\n\n"
)
MESSAGE_EVENTS: Final = (
    _named("message_start", message={"id": "msg_1", "role": "assistant", "content": [], "usage": {"input_tokens": 9}})
    + _named("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + _named("content_block_delta", index=0, delta={"type": "text_delta", "text": "Login "})
    + _named("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"key": "PROJ-1"}'})
    + _named("content_block_stop", index=0)
    + _named("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 4})
    + _named("message_stop")
)
RESPONSE_EVENTS: Final = (
    _named("response.created", response={"id": "resp_1", "output": []})
    + _named("response.function_call_arguments.delta", output_index=0, delta='{"key": "PROJ-1"}')
    + _named("response.function_call_arguments.done", output_index=0, arguments='{"key": "PROJ-1"}')
    + _named("response.output_item.done", output_index=0, item=RESPONSE["output"][0])
    + _named("response.completed", response=RESPONSE)
)
PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Lamps \u2013 Example Shop</title></head>
<body>
<main id="offers">
<h1>Lamps</h1>
<p class="intro">All prices in \u20ac, tax included.</p>
<table class="prices">
<tr><th>Lamp</th><th>Price</th></tr>
<tr><td><a class="name" href="/lamps/1">Desk lamp</a></td><td class="price">1,249.50</td></tr>
<tr><td><a class="name" href="/lamps/2">N\u00e4chtliche</a></td><td class="price">89.00</td></tr>
</table>
</main>
</body>
</html>
"""

REQUESTS: Final = (
    Request(
        "POST", URL, (("Content-Type", "application/json"), ("Authorization", "Bearer one")), dumps(ASKED).encode()
    ),
    Request("GET", URL, (("Authorization", "Bearer one"),)),
    # In a session, and with a JWT: {"alg":"none"} . {"exp":0,"iat":0,"scope":"read"}
    Request(
        "POST",
        URL,
        (
            ("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjAsImlhdCI6MCwic2NvcGUiOiJyZWFkIn0.x"),
            ("Cookie", "JSESSIONID=1"),
            ("Mcp-Session-Id", "1"),
        ),
        b"{}",
    ),
)
REPLIES: Final = (
    Reply.of(200, dumps(CHAT, ensure_ascii=False).encode(), JSON),
    Reply.of(200, dumps(THING, ensure_ascii=False).encode(), JSON),
    Reply.of(200, CHAT_EVENTS, STREAM),
    Reply.of(200, MESSAGE_EVENTS, STREAM).with_data(events_of(MESSAGE_EVENTS)),  # one chunk an event
    Reply.of(200, dumps(RESPONSE).encode(), JSON),
    Reply.of(200, RESPONSE_EVENTS, LABELLED),
    Reply.of(200, PAGE.encode(), {"Content-Type": "text/html; charset=utf-8"}),
    Reply.of(200, dumps(MESSAGE).encode(), JSON),
    Reply.of(200, dumps(CANDIDATES).encode(), JSON),
    Reply.of(200, dumps(LINE).encode(), JSON),
)


def pairs(request: Request | None = None, reply: Reply | None = None) -> Iterator[tuple[Request, Reply]]:
    """What to try a fault on: what is given, and samples in place of what is not."""
    return product((request,) if request else REQUESTS, (reply,) if reply else REPLIES)
