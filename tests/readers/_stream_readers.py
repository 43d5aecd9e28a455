"""
Readers of streams as code has them: SDKs, parsers of server-sent events, and loops written by hand.

Each gives what its user has in hand at the end, event by event; what it raises is its own.
Rule: made once and used for every reply, with its own defaults but for retries and for a limit of time.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pytest_agentfault._reply import Data, End, Head, Reply
from pytest_agentfault.faults._frames import frame

BASE: Final = "http://reader.test"
PATIENCE_SECONDS: Final = 30
# A character of 2, 3 and 4 bytes; and as escapes, of which the last takes two.
TEXTS: Final = ("Ren\u00e9 ", "5 \u20ac, ", "\U0001f600\n", "\u00e9\u20ac\U0001f600", 'a "b"', " end")
ESCAPED: Final = 3  # which of them has its characters escaped
Heard = list[Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """One of them.

    Args:
        name: what the page calls it.
        packages: what it stands on.
        reply: a healthy stream in the shape that it reads, an event a chunk.
        error: the data of the vendor's error event, and its name.
        read: what it makes of the reply that is there now.
    """

    name: str
    packages: tuple[str, ...]
    reply: Reply
    error: tuple[Any, str | None]
    read: Callable[[], Heard]


def _json(number: int, value: Any) -> str:
    return json.dumps(value, ensure_ascii=number == ESCAPED, separators=(",", ":"))


def _stream(*events: str | bytes, kind: str = "text/event-stream; charset=utf-8") -> Reply:
    pieces = [event.encode() if isinstance(event, str) else event for event in events]
    return Reply((Head(200, (("Content-Type", kind),)), *map(Data, pieces), End()))


def _chat(number: int, text: str, reason: str | None = None) -> dict[str, Any]:
    """https://platform.openai.com/docs/api-reference/chat-streaming."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    kind = "chat.completion.chunk"
    return {"id": "chat-1", "object": kind, "created": 1760000000, "model": "m-1", "choices": [choice], "n": number}


CHAT: Final = _stream(*(f"data: {_json(n, _chat(n, t))}\n\n" for n, t in enumerate(TEXTS)), "data: [DONE]\n\n")
PLAIN: Final = _stream(
    *(f"event: delta\ndata: {_json(n, {'text': t, 'at': 1760000000 + n})}\n\n" for n, t in enumerate(TEXTS)),
    "event: done\ndata: [DONE]\n\n",
)
AWS_ERROR: Final = ({"message": "Too many requests"}, "throttlingException")
OPENAI_ERROR: Final = ({"error": {"message": "The server had an error.", "type": "server_error", "code": None}}, None)


def _messages() -> Reply:
    """https://docs.anthropic.com/en/api/messages-streaming."""
    used = {"input_tokens": 25, "output_tokens": 12}
    begun = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": [], "usage": used}
    told = [
        {"type": "message_start", "message": {**begun, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in TEXTS),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": used},
        {"type": "message_stop"},
    ]
    return _stream(*(f"event: {e['type']}\ndata: {_json(n - 2, e)}\n\n" for n, e in enumerate(told)))


def _generated(number: int, text: str) -> dict[str, Any]:
    """https://ai.google.dev/api/generate-content."""
    content = {"parts": [{"text": text}], "role": "model"}
    ended = {"finishReason": "STOP"} if number == len(TEXTS) - 1 else {}
    return {"candidates": [{"content": content, "index": 0, **ended}], "usageMetadata": {"promptTokenCount": 14}}


def _line(number: int, text: str, done: bool) -> dict[str, Any]:
    """https://docs.ollama.com/api/chat."""
    told = {"model": "m-1", "created_at": "2025-10-17T23:14:07Z", "message": {"role": "assistant", "content": text}}
    return {**told, "done": done, "eval_count": 10 + number}


def _frames() -> Reply:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html."""
    told: list[tuple[str, Any]] = [("messageStart", {"role": "assistant"})]
    told += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in TEXTS]
    told += [("contentBlockStop", {"contentBlockIndex": 0}), ("messageStop", {"stopReason": "end_turn"})]
    told += [("metadata", {"usage": {"inputTokens": 14, "outputTokens": 12, "totalTokens": 26}})]
    kinds = {":content-type": "application/json", ":message-type": "event"}
    made = (frame({":event-type": k, **kinds}, _json(n - 1, value).encode()) for n, (k, value) in enumerate(told))
    return _stream(*made, kind="application/vnd.amazon.eventstream")


def _data_of_lines(lines: Any) -> Heard:
    """What a loop over lines makes of them, as such loops are written."""
    heard: Heard = []
    for line in lines:
        text = line.decode() if isinstance(line, bytes) else line
        if text.startswith("data: "):
            if text.strip() == "data: [DONE]":
                break
            heard.append(_meant(text[6:]))
    return heard


def _meant(data: str) -> Any:
    value = json.loads(data)
    return value["choices"][0]["delta"]["content"] if "choices" in value else value["text"]


def _told(name: str, data: str) -> tuple[str, Any]:
    """An event without its padding, which is no part of what was meant."""
    value = json.loads(data) if data[:1] == "{" else data
    return name, value.get("text", value) if isinstance(value, dict) else value


def _by_naive(client: Any) -> Heard:
    heard: Heard = []
    with client.stream("GET", BASE) as response:
        for piece in response.iter_bytes():
            text = piece.decode()
            if text.strip() == "data: [DONE]":
                break
            heard.append(_meant(text.strip().removeprefix("data: ")))
    return heard


def _by_requests() -> Heard:
    import requests

    with requests.get(BASE, stream=True, timeout=PATIENCE_SECONDS) as response:
        return _data_of_lines(response.iter_lines())


def _by_aiohttp() -> Heard:
    import aiohttp

    async def go() -> Heard:
        limit = aiohttp.ClientTimeout(sock_read=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(BASE) as response:
            return _data_of_lines([line async for line in response.content])

    return asyncio.run(go())


def _by_sseclient() -> Heard:
    import requests
    import sseclient

    with requests.get(BASE, stream=True, timeout=PATIENCE_SECONDS) as response:
        return [_told(event.event, event.data) for event in sseclient.SSEClient(response).events()]


def _by_httpx_sse(client: Any) -> Heard:
    import httpx_sse

    with httpx_sse.connect_sse(client, "GET", BASE) as source:
        return [_told(event.event, event.data) for event in source.iter_sse()]


def _by_httpx2(client: Any) -> Heard:
    import httpx2

    with client.stream("GET", BASE) as response:
        return [_told(event.event, event.data) for event in httpx2.EventSource(response)]


def _by_openai(client: Any) -> Heard:
    asked = client.chat.completions.create(model="m-1", messages=[{"role": "user", "content": "Go"}], stream=True)
    with asked as chunks:
        return [chunk.choices[0].delta.content for chunk in chunks]


def _by_anthropic(client: Any) -> Heard:
    asked = [{"role": "user", "content": "Go"}]
    with client.messages.create(model="m-1", max_tokens=99, messages=asked, stream=True) as events:
        return [(event.type, getattr(getattr(event, "delta", None), "text", None)) for event in events]


def _by_genai(client: Any) -> Heard:
    return [chunk.text for chunk in client.models.generate_content_stream(model="m-1", contents="Go")]


def _by_ollama(client: Any) -> Heard:
    said = client.chat(model="m-1", messages=[{"role": "user", "content": "Go"}], stream=True)
    return [(part.message.content, part.done) for part in said]


def _by_botocore(client: Any) -> Heard:
    asked = [{"role": "user", "content": [{"text": "Go"}]}]
    events = client.converse_stream(modelId="m-1", messages=asked)["stream"]
    try:
        return list(events)
    finally:
        events.close()


@contextmanager
def readers() -> Iterator[list[Reader]]:
    """All of them; closed when the block ends."""
    import anthropic
    import botocore.session
    import httpx
    import httpx2
    import ollama
    import openai
    from botocore.config import Config

    with warnings.catch_warnings():  # of a class of theirs
        warnings.simplefilter("ignore", DeprecationWarning)
        from google import genai

    key = {"api_key": "test"}
    once = Config(retries={"total_max_attempts": 1})
    secrets = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    with ExitStack() as stack:
        by_httpx = stack.enter_context(httpx.Client(timeout=PATIENCE_SECONDS))
        by_httpx2 = stack.enter_context(httpx2.Client(timeout=PATIENCE_SECONDS))
        by_openai = stack.enter_context(openai.OpenAI(**key, base_url=BASE, max_retries=0))
        by_anthropic = stack.enter_context(anthropic.Anthropic(**key, base_url=BASE, max_retries=0))
        by_genai = genai.Client(**key, http_options={"base_url": BASE, "timeout": PATIENCE_SECONDS * 1000})
        stack.callback(by_genai.close)
        by_ollama = ollama.Client(BASE, timeout=PATIENCE_SECONDS)
        stack.callback(by_ollama._client.close)
        bedrock = botocore.session.get_session().create_client(
            "bedrock-runtime", endpoint_url=BASE, config=once, **secrets
        )
        stack.callback(bedrock.close)
        anthropic_error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        generated = (f"data: {_json(n, _generated(n, t))}\r\n\r\n" for n, t in enumerate(TEXTS))
        google_error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
        lines = (_json(n, _line(n, t, n == len(TEXTS) - 1)) + "\n" for n, t in enumerate(TEXTS))
        yield [
            Reader("openai", ("openai", "httpx2"), CHAT, OPENAI_ERROR, lambda: _by_openai(by_openai)),
            Reader(
                "anthropic", ("anthropic", "httpx2"), _messages(), (anthropic_error, "error"),
                lambda: _by_anthropic(by_anthropic),
            ),
            Reader(
                "google-genai", ("google-genai", "httpx2"), _stream(*generated, kind="text/event-stream"),
                (google_error, None), lambda: _by_genai(by_genai),
            ),
            Reader(
                "ollama", ("ollama", "httpx"), _stream(*lines, kind="application/x-ndjson"),
                ({"error": "model runner has unexpectedly stopped"}, None), lambda: _by_ollama(by_ollama),
            ),
            Reader("botocore", ("botocore", "urllib3"), _frames(), AWS_ERROR, lambda: _by_botocore(bedrock)),
            Reader("httpx-sse", ("httpx-sse", "httpx"), PLAIN, OPENAI_ERROR, lambda: _by_httpx_sse(by_httpx)),
            Reader("httpx2", ("httpx2",), PLAIN, OPENAI_ERROR, lambda: _by_httpx2(by_httpx2)),
            Reader("sseclient-py", ("sseclient-py", "requests"), PLAIN, OPENAI_ERROR, _by_sseclient),
            Reader("aiohttp lines", ("aiohttp",), CHAT, OPENAI_ERROR, _by_aiohttp),
            Reader("requests.iter_lines", ("requests", "urllib3"), CHAT, OPENAI_ERROR, _by_requests),
            Reader("naive", ("httpx",), CHAT, OPENAI_ERROR, lambda: _by_naive(by_httpx)),
        ]  # fmt: skip
