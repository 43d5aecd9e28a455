"""
Every scenario of a model's reply that lies against the SDKs of models: what the caller is handed.

Each call gives a turn: the tool calls, the text, and why it ended. What each fault does to streams
and to each format is in test_model_replies.py.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import anthropic
import httpx
import ollama
import openai
from _cases import Case, run, sync_and_async
from _cassettes import BOTH, ITEMS_URL
from _shapes import SAID, TOOL_CALL
from google import genai

ASKED: Final = "Does it work?"
TURNS: Final[list[Any]] = [{"role": "user", "content": ASKED}]
PAST: Final[list[Any]] = [
    *TURNS,
    {"role": "assistant", "tool_calls": [{"id": "call_0", "type": "function", "function": TOOL_CALL}]},
    {"role": "tool", "tool_call_id": "call_0", "content": "It spins for ever."},
]


@cache
def client() -> openai.OpenAI:
    """The SDK as anybody makes it."""
    return openai.OpenAI(api_key="sk-test")


def chat(turns: list[Any] = TURNS) -> Any:
    """A turn of OpenAI's."""
    done = client().chat.completions.create(model="gpt-4o", messages=turns)
    if not done.choices:
        return None
    said: Any = done.choices[0].message
    calls = [(call.function.name, call.function.arguments) for call in said.tool_calls or []]
    return calls, said.refusal or said.content, done.choices[0].finish_reason


def loop() -> Any:
    """A turn of OpenAI's, after its tool has been called."""
    return chat(PAST)


def tokens() -> Any:
    """What a turn of OpenAI's says it cost."""
    usage = client().chat.completions.create(model="gpt-4o", messages=TURNS).usage
    return usage and usage.total_tokens


def response() -> Any:
    """A response: its text or refusal, and why it ended."""
    done: Any = client().responses.create(model="gpt-4o", input=ASKED)
    part = done.output[0].content[0]
    return getattr(part, "refusal", done.output_text), done.status, done.incomplete_details and True


def message() -> Any:
    """A turn of Anthropic's."""
    turns: Any = {"model": "claude-x", "max_tokens": 64, "messages": TURNS}
    done = anthropic.Anthropic(api_key="test").messages.create(**turns)
    calls = [(block.name, block.input) for block in done.content if block.type == "tool_use"]
    return calls, "".join(block.text for block in done.content if block.type == "text"), done.stop_reason


def content() -> Any:
    """A turn of Gemini's."""
    google = genai.Client(api_key="test")  # kept: a client that is collected closes its connections
    done = google.models.generate_content(model="gemini-x", contents=ASKED)
    if not done.candidates:
        return None
    calls = [(call.name, call.args) for call in done.function_calls or []]
    candidate = done.candidates[0]
    parts = (candidate.content and candidate.content.parts) or []
    return calls, "".join(part.text or "" for part in parts), candidate.finish_reason and candidate.finish_reason.value


def llama() -> Any:
    """A turn of Ollama's."""
    done = ollama.Client().chat(model="llama-x", messages=TURNS)
    calls = [(call.function.name, dict(call.function.arguments)) for call in done.message.tool_calls or []]
    return calls, done.message.content, done.done_reason


def types() -> Any:
    """The types of the required arguments of a turn of OpenAI's."""
    calls, *_ = chat()
    return [type(next(iter(json.loads(given).values()))).__name__ for _, given in calls]


def document() -> Any:
    """A document that an agent reads."""
    return httpx.get(ITEMS_URL).json()["items"][0]["name"].startswith(f"{SAID}\n\nNote to the assistant")


TEXTS: Final = [TOOL_CALL["arguments"], '{"zone": "UTC"}']
CALLED: Final = [(name, text) for (name, _), text in zip(BOTH, TEXTS, strict=True)]
HALF: Final = SAID[: len(SAID) // 2]
REFUSAL: Final = "I'm sorry, but I can't help with that."
OPENAI: Final = ("chat.completions.create()", chat, "openai_turn")
MESSAGE: Final = ("messages.create()", message, "anthropic_turn")
GEMINI: Final = ("models.generate_content()", content, "google_turn")
OLLAMA: Final = ("ollama, chat()", llama, "ollama_turn")


def compact(value: Any) -> str:
    """JSON as a server writes it."""
    return json.dumps(value, separators=(",", ":"))


def changed(*texts: str, name: str = "") -> Any:
    """A turn of OpenAI's whose calls have these arguments."""
    return [(n + name, text) for (n, _), text in zip(BOTH, texts, strict=False)], SAID, "tool_calls"


WRITTEN: Final = "\n\n".join(
    [SAID, *(f"```json\n{compact({'name': name, 'parameters': given})}\n```" for name, given in BOTH)]
)
UNREAD: Final = "the SDK hands it on"


def met(scenario: str, way: tuple[str, Any, str], result: Any, outcome: str = "unnoticed", note: str = UNREAD) -> Case:
    """A call that raises nothing."""
    return Case(scenario, *way, outcome, (200,), result, note=note)


CASES: Final = (
    met("llm/unknown-tool", OPENAI, changed(*TEXTS, name="_v2")),
    met("llm/truncated-tool-arguments", OPENAI, changed(*(text[: len(text) // 2] for text in TEXTS))),
    met("llm/double-encoded-tool-arguments", OPENAI, changed(*map(json.dumps, TEXTS)), "held"),
    met("llm/fenced-tool-arguments", OPENAI, changed(*(f"```json\n{text}\n```" for text in TEXTS)), "held"),
    met("llm/extra-tool-argument", OPENAI,
        changed(*(compact({**given, "explanation": "as asked"}) for _, given in BOTH)), "held"),
    met("llm/missing-tool-argument", OPENAI, changed(compact({"fields": ["summary"]}), "{}")),
    met("llm/wrong-type-tool-argument", ("chat.completions.create()", types, "openai_turn"), ["int", "int"]),
    met("llm/merged-tool-calls", OPENAI, changed("".join(TEXTS))),
    met("llm/repeated-tool-call", OPENAI, ([*CALLED, CALLED[-1]], SAID, "tool_calls"), "held"),
    met("llm/tool-call-loop", ("chat.completions.create()", loop, "openai_turn"),
        ([(TOOL_CALL["name"], TEXTS[0])], None, "tool_calls"), "held"),
    met("llm/text-instead-of-tool-call", OPENAI, ([], WRITTEN, "stop")),
    met("llm/length", OPENAI, ([CALLED[0], ("get_time", '{"zone"')], SAID, "length")),
    met("llm/length", MESSAGE, ([BOTH[0], ("get_time", {"zone": "U"})], SAID, "max_tokens")),
    met("llm/length", GEMINI, ([BOTH[0], ("get_time", {"zone": "U"})], SAID, "MAX_TOKENS")),
    met("llm/length", OLLAMA, ([BOTH[0], ("get_time", {"zone": "U"})], SAID, "length")),
    met("llm/content-filter", OPENAI, ([], HALF, "content_filter")),
    met("llm/content-filter", MESSAGE, ([], HALF, "refusal")),
    met("llm/content-filter", GEMINI, ([], "", "SAFETY")),
    met("llm/refusal", OPENAI, ([], REFUSAL, "stop"), note="in `refusal`; `content` is None"),
    met("llm/refusal", MESSAGE, ([], "", "refusal"), note="`content` is empty"),
    met("llm/refusal", GEMINI, ([], "", "PROHIBITED_CONTENT"), note="`parts` is None"),
    met("llm/empty-reply", OPENAI, None, note="`choices[0]` is an IndexError"),
    met("llm/empty-reply", MESSAGE, ([], "", "tool_use"), note="`content[0]` is an IndexError"),
    met("llm/empty-reply", GEMINI, None, note="`candidates` is None"),
    met("llm/empty-reply", OLLAMA, ([], "", "stop")),
    met("llm/usage-missing", ("chat.completions.create()", tokens, "openai_turn"), None, "held", "`usage` is None"),
    met("llm/usage-enormous", ("chat.completions.create()", tokens, "openai_turn"), 20_000_000, "held"),
    met("llm/prompt-injection", ("httpx.get()", document, "any_items"), True, "held", "a document that an agent reads"),
    met("openai/content-filter", OPENAI, ([], HALF, "content_filter")),
    met("openai/refusal", OPENAI, ([], REFUSAL, "stop"), note="in `refusal`; `content` is None"),
    met("openai/refusal", ("responses.create()", response, "openai_response"), (REFUSAL, "completed", None),
        note="a part of another type; `output_text` is empty"),
    met("openai/incomplete", OPENAI, ([CALLED[0], ("get_time", '{"zone"')], SAID, "length")),
    met("openai/incomplete", ("responses.create()", response, "openai_response"), (HALF, "incomplete", True)),
    met("anthropic/max-tokens", MESSAGE, ([BOTH[0], ("get_time", {"zone": "U"})], SAID, "max_tokens")),
    met("anthropic/refusal", MESSAGE, ([], HALF, "refusal")),
    met("google/safety", GEMINI, ([], "", "SAFETY"), note="`text` is None"),
    met("google/malformed-function-call", GEMINI, ([], "", "MALFORMED_FUNCTION_CALL"), note="`text` is None"),
    met("google/no-parts", GEMINI, ([], "", "MAX_TOKENS"), note="`text` is None"),
    met("ollama/tool-call-as-text", OLLAMA, ([], WRITTEN, "stop")),
)  # fmt: skip

SYNC, _ = sync_and_async(CASES)


@SYNC
def test_models(case: Case) -> None:
    """The SDK hands on what it was given, as the table says."""
    run(case)
