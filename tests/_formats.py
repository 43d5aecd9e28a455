"""
The wire formats of language models as tests look at them: how each is said, and what its vendor's real SDK reads.

What an SDK read is told as one `Heard`, so that a test can say once for all of them what it expects. Its blocking
client and the one on asyncio are asked by the same words and read by the same function.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
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


def _openai(on_asyncio: bool) -> Any:
    import openai

    return (openai.AsyncOpenAI if on_asyncio else openai.OpenAI)(api_key="sk-test", max_retries=0)


def heard_chat(told: list[Any]) -> Heard:
    """A chat completion."""
    (done,) = told
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


def heard_chunks(told: list[Any]) -> Heard:
    """The same, streamed."""
    names: dict[int, str] = {}
    given: dict[int, str] = {}
    ids: dict[int, str] = {}
    text, refusal, reason, usage = "", "", None, None
    for chunk in told:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            reason = choice.finish_reason or reason
            text += choice.delta.content or ""
            refusal += choice.delta.refusal or ""
            for call in choice.delta.tool_calls or []:
                ids.setdefault(call.index, call.id)
                names[call.index] = names.get(call.index, "") + (call.function.name or "")
                given[call.index] = given.get(call.index, "") + (call.function.arguments or "")
    calls = tuple((names[n], given[n]) for n in sorted(names))
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


def heard_response(told: list[Any]) -> Heard:
    """A response."""
    return _heard_response(*told)


def heard_response_events(told: list[Any]) -> Heard:
    """The same, streamed: the pieces and the closed items must say what the last event says."""
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


def _anthropic(on_asyncio: bool) -> Any:
    import anthropic

    return (anthropic.AsyncAnthropic if on_asyncio else anthropic.Anthropic)(api_key="sk-test", max_retries=0)


def heard_message(told: list[Any]) -> Heard:
    """A message."""
    (done,) = told
    calls = [block for block in done.content if block.type == "tool_use"]
    return Heard(
        tuple((block.name, block.input) for block in calls),
        "".join(block.text for block in done.content if block.type == "text"),
        done.stop_reason,
        done.usage and (done.usage.input_tokens, done.usage.output_tokens),
        ids=tuple(block.id for block in calls),
    )


def heard_message_events(told: list[Any]) -> Heard:
    """The same, streamed: events as they come, which hang together."""
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


def _gemini(on_asyncio: bool) -> Any:
    client = gemini_client()[0]
    return client.aio if on_asyncio else client


def heard_generated(told: list[Any]) -> Heard:
    """Content of Gemini's, whole or streamed."""
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


def _ollama(on_asyncio: bool) -> Any:
    from ollama import AsyncClient, Client

    return AsyncClient() if on_asyncio else Client()


def heard_lines(told: list[Any]) -> Heard:
    """A chat of Ollama's, whole or streamed."""
    calls = [call.function for line in told for call in line.message.tool_calls or []]
    last = told[-1]
    usage = None if last.eval_count is None else (last.prompt_eval_count, last.eval_count)
    return Heard(
        tuple((call.name, dict(call.arguments)) for call in calls),
        "".join(line.message.content or "" for line in told),
        last.done_reason,
        usage,
    )


@dataclass(frozen=True, slots=True)
class Format:
    """One wire format, whole or streamed.

    Args:
        name: of the format.
        streamed: whether it comes in pieces.
        say: the reply that says this text and makes these calls.
        client: the vendor's SDK, blocking or on asyncio.
        ask: a call of it; both kinds take the same words.
        read: what is heard in what the call gave: one thing, or the pieces of a stream.
        url: what is asked.
        asked: with what.
        reasons: the vendor's words.
        values: whether arguments are values, and not text.
        on_asyncio: whether the client on asyncio is asked.
    """

    name: str
    streamed: bool
    say: Callable[[str, Calls], Reply]
    client: Callable[[bool], Any]
    ask: Callable[[Any], Any]
    read: Callable[[list[Any]], Heard]
    url: str
    asked: Any
    reasons: dict[str, str]
    values: bool = False
    on_asyncio: bool = False

    @property
    def id(self) -> str:
        """Its id in a test run."""
        return f"{self.name}{', streamed' if self.streamed else ''}{', asyncio' if self.on_asyncio else ''}"

    def hear(self) -> Heard:
        """What the SDK reads."""
        if self.on_asyncio:
            return asyncio.run(self._ahear())
        client = self.client(False)
        said = self.ask(client)
        return self.read(list(said) if self.streamed else [said])

    async def _ahear(self) -> Heard:
        async with self.client(True) as client:
            said = await self.ask(client)
            return self.read([piece async for piece in said] if self.streamed else [said])

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


def ask_chat(client: Any, **more: Any) -> Any:
    """OpenAI's chat."""
    return client.chat.completions.create(**CHAT, **more)


def ask_chunks(client: Any) -> Any:
    """The same, streamed, with a count of tokens."""
    return ask_chat(client, stream=True, stream_options={"include_usage": True})


def ask_response(client: Any, **more: Any) -> Any:
    """OpenAI's responses."""
    return client.responses.create(**RESPONSE, **more)


def ask_message(client: Any, **more: Any) -> Any:
    """Anthropic's messages."""
    return client.messages.create(**MESSAGE, **more)


def ask_generated(client: Any) -> Any:
    """Gemini's contents."""
    return client.models.generate_content(**gemini_client()[1])


def ask_generated_pieces(client: Any) -> Any:
    """The same, streamed."""
    return client.models.generate_content_stream(**gemini_client()[1])


def ask_ollama(client: Any, **more: Any) -> Any:
    """Ollama's chat."""
    return client.chat(**OLLAMA, **more)


def streaming(ask: Callable[..., Any]) -> Callable[[Any], Any]:
    """The same call, streamed."""
    return partial(ask, stream=True)


MESSAGES: Final = "https://api.anthropic.com/v1/messages"
LLAMA: Final = "http://127.0.0.1:11434/api/chat"
FORMATS: Final = (
    Format("OpenAI chat", False, chat, _openai, ask_chat, heard_chat, f"{OPENAI}/chat/completions", CHAT, CHAT_WORDS),
    Format("OpenAI chat", True, chat_stream, _openai, ask_chunks, heard_chunks, f"{OPENAI}/chat/completions", CHAT,
           CHAT_WORDS),
    Format("OpenAI responses", False, response, _openai, ask_response, heard_response, f"{OPENAI}/responses", RESPONSE,
           RESPONSE_WORDS),
    Format("OpenAI responses", True, response_stream, _openai, streaming(ask_response), heard_response_events,
           f"{OPENAI}/responses", RESPONSE, RESPONSE_WORDS),
    Format("Anthropic messages", False, message, _anthropic, ask_message, heard_message, MESSAGES, MESSAGE,
           MESSAGE_WORDS, values=True),
    Format("Anthropic messages", True, message_stream, _anthropic, streaming(ask_message), heard_message_events,
           MESSAGES, MESSAGE, MESSAGE_WORDS),
    Format("Gemini", False, generated, _gemini, ask_generated, heard_generated, f"{GOOGLE}:generateContent", GEMINI,
           GEMINI_WORDS, values=True),
    Format("Gemini", True, generated_stream, _gemini, ask_generated_pieces, heard_generated,
           f"{GOOGLE}:streamGenerateContent?alt=sse", GEMINI, GEMINI_WORDS, values=True),
    Format("Ollama", False, ollama, _ollama, ask_ollama, heard_lines, LLAMA, OLLAMA, OLLAMA_WORDS, values=True),
    Format("Ollama", True, ollama_stream, _ollama, streaming(ask_ollama), heard_lines, LLAMA, OLLAMA, OLLAMA_WORDS,
           values=True),
)  # fmt: skip
CLIENTS: Final = (*FORMATS, *(replace(kind, on_asyncio=True) for kind in FORMATS if kind.streamed))
