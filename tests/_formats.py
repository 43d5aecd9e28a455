"""
The wire formats of language models as tests look at them: how each is said, and what its vendor's real SDK reads.

What an SDK read is told as one `Heard`, so that a test can say once for all of them what it expects.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import _models
from _models import (
    CHAT,
    GEMINI,
    JSON,
    MESSAGE,
    OLLAMA,
    RESPONSE,
    SCHEMAS,
    Calls,
    chat,
    chat_stream,
    generated,
    generated_stream,
    message,
    message_stream,
    ollama,
    ollama_stream,
    response,
    response_stream,
)

from pytest_agentfault._reply import Reply, Request


@dataclass(frozen=True, slots=True)
class Heard:
    """What an SDK read: the calls (name and arguments as given), the text, why it ended, the tokens in and out."""

    calls: tuple[tuple[str, Any], ...] = ()
    text: str = ""
    reason: str | None = None
    tokens: tuple[int, int] | None = None
    refusal: str = ""
    ids: tuple[str, ...] = field(default=(), compare=False)


def _openai() -> Any:
    import openai

    return openai.OpenAI(api_key="sk-test", max_retries=0)


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


def _anthropic() -> Any:
    import anthropic

    return anthropic.Anthropic(api_key="sk-test", max_retries=0)


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


def gemini_client() -> tuple[Any, Any]:
    """A client, and what it asks."""
    from google import genai

    tools: Any = [
        {"functionDeclarations": [{"name": n, "parametersJsonSchema": s} for n, s in SCHEMAS.items()]},
    ]
    config = {"tools": tools, "automatic_function_calling": {"disable": True}}
    return genai.Client(api_key="test"), {"model": "gemini-2.5-flash", "contents": _models.ASKED, "config": config}


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
    client, asked = gemini_client()
    return _heard_generated([client.models.generate_content(**asked)])


def hear_generated_stream() -> Heard:
    """The same, streamed."""
    client, asked = gemini_client()
    return _heard_generated(list(client.models.generate_content_stream(**asked)))


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
