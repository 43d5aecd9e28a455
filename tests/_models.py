"""
Replies of language models in five wire formats, whole and streamed, and what a real SDK reads in them.

Written by hand in the shapes that the vendors document; the sources are named in
`pytest_agentfault/faults/_llm_lists.py` and `_llm_blocks.py`. A reply says a text, makes tool
calls, or both. What an SDK read is told as one `Heard`, so that a test can say it once for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_agentfault._reply import Data, End, Head, Reply, Request

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


@dataclass(frozen=True, slots=True)
class Heard:
    """What an SDK read: the calls (name and arguments as given), the text, why it ended, the tokens in and out."""

    calls: tuple[tuple[str, Any], ...] = ()
    text: str = ""
    reason: str | None = None
    tokens: tuple[int, int] | None = None
    refusal: str = ""
    ids: tuple[str, ...] = field(default=(), compare=False)


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


def _openai() -> Any:
    import openai

    return openai.OpenAI(api_key="sk-test", max_retries=0)


CHAT: Final[Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": ASKED}],
    "tools": [
        {"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in SCHEMAS.items()
    ],
}


def hear_chat() -> Heard:
    """A chat completion by the openai SDK."""
    done = _openai().chat.completions.create(**CHAT)
    usage = done.usage and (done.usage.prompt_tokens, done.usage.completion_tokens)
    if not done.choices:
        return Heard(tokens=usage)
    said = done.choices[0]
    calls = said.message.tool_calls or []
    return Heard(
        tuple((call.function.name, call.function.arguments) for call in calls),
        said.message.content or "",
        said.finish_reason,
        usage,
        said.message.refusal or "",
        tuple(call.id for call in calls),
    )


def hear_chat_stream() -> Heard:
    """The same, streamed."""
    names: dict[int, str] = {}
    told: dict[int, str] = {}
    ids: dict[int, str] = {}
    text, refusal, reason, usage = "", "", None, None
    for chunk in _openai().chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            reason = choice.finish_reason or reason
            text += choice.delta.content or ""
            refusal += choice.delta.refusal or ""
            for call in choice.delta.tool_calls or []:
                ids.setdefault(call.index, call.id)
                names[call.index] = names.get(call.index, "") + (call.function.name or "")
                told[call.index] = told.get(call.index, "") + (call.function.arguments or "")
    calls = tuple((names[n], told[n]) for n in sorted(names))
    counted = usage and (usage.prompt_tokens, usage.completion_tokens)
    return Heard(calls, text, reason, counted, refusal, tuple(ids[n] for n in sorted(ids)))


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


def _heard_response(done: Any) -> Heard:
    calls = [item for item in done.output if item.type == "function_call"]
    parts = [part for item in done.output if item.type == "message" for part in item.content]
    reason = done.incomplete_details.reason if done.incomplete_details else done.status
    usage = done.usage and (done.usage.input_tokens, done.usage.output_tokens)
    refusal = "".join(part.refusal for part in parts if part.type == "refusal")
    told = tuple((call.name, call.arguments) for call in calls)
    return Heard(told, done.output_text, reason, usage, refusal, tuple(call.call_id for call in calls))


def hear_response() -> Heard:
    """A response by the openai SDK."""
    return _heard_response(_openai().responses.create(**RESPONSE))


def hear_response_stream() -> Heard:
    """The same, streamed: the pieces and the closed items must say what the last event says."""
    told: Any = list(_openai().responses.create(**RESPONSE, stream=True))
    heard = _heard_response(told[-1].response)
    names = {
        e.output_index: e.item.name
        for e in told
        if e.type == "response.output_item.added" and e.item.type == "function_call"
    }
    given: dict[int, str] = dict.fromkeys(names, "")
    text = refusal = ""
    for event in told:
        if event.type == "response.function_call_arguments.delta":
            given[event.output_index] += event.delta
        text += event.delta if event.type == "response.output_text.delta" else ""
        refusal += event.delta if event.type == "response.refusal.delta" else ""
    assert [e.sequence_number for e in told] == list(range(len(told)))
    assert [e.item for e in told if e.type == "response.output_item.done"] == told[-1].response.output
    if heard.reason == "completed":
        assert (tuple((names[n], given[n]) for n in names), text, refusal) == (heard.calls, heard.text, heard.refusal)
    return heard


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


def _anthropic() -> Any:
    import anthropic

    return anthropic.Anthropic(api_key="sk-test", max_retries=0)


MESSAGE: Final[Any] = {
    "model": "claude-x",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": ASKED}],
    "tools": [{"name": name, "input_schema": schema} for name, schema in SCHEMAS.items()],
}


def hear_message() -> Heard:
    """A message by the anthropic SDK."""
    done = _anthropic().messages.create(**MESSAGE)
    calls = [block for block in done.content if block.type == "tool_use"]
    return Heard(
        tuple((block.name, block.input) for block in calls),
        "".join(block.text for block in done.content if block.type == "text"),
        done.stop_reason,
        done.usage and (done.usage.input_tokens, done.usage.output_tokens),
        ids=tuple(block.id for block in calls),
    )


def hear_message_stream() -> Heard:
    """The same, streamed: events as they come, which hang together."""
    told: Any = list(_anthropic().messages.create(**MESSAGE, stream=True))
    assert (told[0].type, told[-1].type) == ("message_start", "message_stop")
    begun = [event.content_block for event in told if event.type == "content_block_start"]
    assert [e.index for e in told if e.type == "content_block_start"] == list(range(len(begun)))
    given = ["" for _ in begun]
    open_ = -1
    for event in told:
        if event.type == "content_block_start":
            open_ = event.index
        elif event.type == "content_block_delta":
            assert event.index == open_
            given[open_] += getattr(event.delta, "text", "") + getattr(event.delta, "partial_json", "")
        elif event.type == "content_block_stop":
            assert event.index == open_
    ended = next(event for event in told if event.type == "message_delta")
    usage = told[0].message.usage and ended.usage and (told[0].message.usage.input_tokens, ended.usage.output_tokens)
    return Heard(
        tuple((b.name, g) for b, g in zip(begun, given, strict=True) if b.type == "tool_use"),
        "".join(g for b, g in zip(begun, given, strict=True) if b.type == "text"),
        ended.delta.stop_reason,
        usage,
        ids=tuple(b.id for b in begun if b.type == "tool_use"),
    )


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


def _gemini() -> tuple[Any, Any]:
    from google import genai

    tools: Any = [
        {"functionDeclarations": [{"name": n, "parametersJsonSchema": s} for n, s in SCHEMAS.items()]},
    ]
    config = {"tools": tools, "automatic_function_calling": {"disable": True}}
    return genai.Client(api_key="test"), {"model": "gemini-2.5-flash", "contents": ASKED, "config": config}


def _heard_generated(told: list[Any]) -> Heard:
    calls: list[tuple[str, Any]] = []
    text, reason, usage = "", None, None
    for one in told:
        usage = one.usage_metadata or usage
        for candidate in one.candidates or []:
            reason = candidate.finish_reason.value if candidate.finish_reason else reason
            for part in (candidate.content and candidate.content.parts) or []:
                text += part.text if part.text and not part.thought else ""
                calls += [(part.function_call.name, part.function_call.args)] if part.function_call else []
    counted = usage and (usage.prompt_token_count, usage.candidates_token_count)
    return Heard(tuple(calls), text, reason, counted)


def hear_generated() -> Heard:
    """Content by google-genai."""
    client, asked = _gemini()
    return _heard_generated([client.models.generate_content(**asked)])


def hear_generated_stream() -> Heard:
    """The same, streamed."""
    client, asked = _gemini()
    return _heard_generated(list(client.models.generate_content_stream(**asked)))


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


def _heard_lines(told: list[Any]) -> Heard:
    calls = [call.function for line in told for call in line.message.tool_calls or []]
    last = told[-1]
    usage = None if last.eval_count is None else (last.prompt_eval_count, last.eval_count)
    return Heard(
        tuple((call.name, dict(call.arguments)) for call in calls),
        "".join(line.message.content or "" for line in told),
        last.done_reason,
        usage,
    )


def hear_ollama() -> Heard:
    """A chat by ollama's SDK."""
    from ollama import Client

    return _heard_lines([Client().chat(**OLLAMA)])


def hear_ollama_stream() -> Heard:
    """The same, streamed."""
    from ollama import Client

    return _heard_lines(list(Client().chat(**OLLAMA, stream=True)))


# --- all --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Format:
    """One wire format, whole or streamed.

    Args:
        name: of the format.
        streamed: whether it comes in pieces.
        say: the reply that says this text and makes these calls.
        hear: what the vendor's SDK reads.
        url: what is asked.
        asked: with what.
        reasons: the vendor's words.
        values: whether arguments are values, and not text.
    """

    name: str
    streamed: bool
    say: Callable[[str, Calls], Reply]
    hear: Callable[[], Heard]
    url: str
    asked: Any
    reasons: dict[str, str]
    values: bool = False

    @property
    def id(self) -> str:
        """Its id in a test run."""
        return f"{self.name}{', streamed' if self.streamed else ''}"

    @property
    def request(self) -> Request:
        """The request, as far as a fault reads it."""
        return Request("POST", self.url, JSON, json.dumps(self.asked).encode())


OPENAI: Final = "https://api.openai.com/v1"
GOOGLE: Final = "https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash"
GEMINI: Final[Any] = {
    "contents": [{"role": "user", "parts": [{"text": ASKED}]}],
    "tools": [{"functionDeclarations": [{"name": n, "parametersJsonSchema": s} for n, s in SCHEMAS.items()]}],
}
CHAT_WORDS: Final = {"stop": "stop", "calls": "tool_calls", "length": "length", "content_filter": "content_filter"}
RESPONSE_WORDS: Final = {
    "stop": "completed",
    "calls": "completed",
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
MESSAGE_WORDS: Final = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}
GEMINI_WORDS: Final = {"stop": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
OLLAMA_WORDS: Final = {"stop": "stop", "calls": "stop", "length": "length"}
FORMATS: Final = (
    Format("OpenAI chat", False, chat, hear_chat, f"{OPENAI}/chat/completions", CHAT, CHAT_WORDS),
    Format("OpenAI chat", True, chat_stream, hear_chat_stream, f"{OPENAI}/chat/completions", CHAT, CHAT_WORDS),
    Format("OpenAI responses", False, response, hear_response, f"{OPENAI}/responses", RESPONSE, RESPONSE_WORDS),
    Format("OpenAI responses", True, response_stream, hear_response_stream, f"{OPENAI}/responses", RESPONSE,
           RESPONSE_WORDS),
    Format("Anthropic messages", False, message, hear_message, "https://api.anthropic.com/v1/messages", MESSAGE,
           MESSAGE_WORDS, values=True),
    Format("Anthropic messages", True, message_stream, hear_message_stream, "https://api.anthropic.com/v1/messages",
           MESSAGE, MESSAGE_WORDS),
    Format("Gemini", False, generated, hear_generated, f"{GOOGLE}:generateContent", GEMINI, GEMINI_WORDS, values=True),
    Format("Gemini", True, generated_stream, hear_generated_stream, f"{GOOGLE}:streamGenerateContent?alt=sse", GEMINI,
           GEMINI_WORDS, values=True),
    Format("Ollama", False, ollama, hear_ollama, "http://127.0.0.1:11434/api/chat", OLLAMA, OLLAMA_WORDS, values=True),
    Format("Ollama", True, ollama_stream, hear_ollama_stream, "http://127.0.0.1:11434/api/chat", OLLAMA, OLLAMA_WORDS,
           values=True),
)  # fmt: skip
