"""The faults of payloads over recordings of real models: struck with other bytes, or the very same reply; and read.

Every recording is struck directly; those of OpenAI, Anthropic, Gemini and Ollama are then read by the real SDK,
which sends the recorded request again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import anthropic
import openai
import pytest
from _real import folder, recorded, recordings
from test_shared_cassettes import REFUSED

from pytest_agentfault._payload import decoded, is_stream
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._run import Faults
from pytest_agentfault._script import encode
from pytest_agentfault.faults._llm import shape_of
from pytest_agentfault.faults.finish import HOWS as ENDS
from pytest_agentfault.faults.finish import Finish
from pytest_agentfault.faults.inject import Inject
from pytest_agentfault.faults.tool_call import HOWS, ToolCall
from pytest_agentfault.faults.usage import Usage

pytestmark = pytest.mark.shared
FAULTS: list[Any] = [
    *(ToolCall(how, random=Random(1)) for how in HOWS),
    *(Finish(how) for how in ENDS),
    Usage("missing"),
    Usage("enormous"),
    Inject(),
]
# How many replies of the recordings each strikes, at least; one tool call alone cannot be merged.
LEAST = {"merged": 1, "looped": 4, "text_instead": 8, "length": 20, "empty": 20, "missing": 15, "enormous": 15}


def interactions(shared: Path) -> Iterator[tuple[str, Request, Reply]]:
    """Every interaction of every recording that can be played."""
    for entry in json.loads((shared / "cassettes" / "INDEX.json").read_text()):
        if entry["file"] in REFUSED:
            continue
        for kept in recorded(entry["file"]):
            body = kept.request.body
            said = body if isinstance(body, bytes) else str(body or "").encode()
            yield entry["file"], Request(kept.request.method, kept.request.uri, (), said), kept.reply


def test_every_recorded_reply_is_struck_or_the_same(shared_dir: Path) -> None:
    """Other bytes and a true length, or not a bit of difference; and the files are as they were."""
    before = {path: sha256(path.read_bytes()).digest() for path in (shared_dir / "cassettes").rglob("*.*")}
    struck: Counter[str] = Counter()
    shapes: Counter[str] = Counter()
    for name, request, reply in interactions(shared_dir):
        shape = shape_of(request, reply)
        shapes[f"{shape.name}{is_stream(reply)}" if shape else "none"] += 1
        for fault in FAULTS:
            altered = fault.alter(request, reply)
            if altered == reply:
                continue
            struck[getattr(fault, "how", "inject")] += 1
            assert decoded(altered) != decoded(reply), (name, fault)
            assert (altered.status, altered.whole) == (reply.status, reply.whole)
            length = altered.header("content-length")
            assert not length or not altered.whole or int(length) == len(altered.body)
            assert encode(altered, request)
            assert (shape is not None) != isinstance(fault, Inject), (name, fault)
            assert is_stream(altered) == is_stream(reply) or fault == Finish("empty"), (name, fault)
    assert set(struck) == {getattr(fault, "how", "inject") for fault in FAULTS}
    assert all(struck[how] >= least for how, least in LEAST.items()), struck
    assert {name for name in shapes if shapes[name]} >= {
        "OpenAI chatFalse", "OpenAI chatTrue", "OpenAI responsesFalse", "Anthropic messagesTrue",
        "GeminiFalse", "GeminiTrue", "OllamaTrue",
    }  # fmt: skip
    assert before == {path: sha256(path.read_bytes()).digest() for path in before}


def body_of(name: str, number: int) -> Any:
    """The recorded request's body."""
    return json.loads(recorded(name)[number].request.body)


CHAT_TOOL = "openai/llm__test_tool_use_chain_of_two_calls.yaml"
CHAT_STREAM = "groq/pydantic-ai__test_tool_use_failed_error_streaming.yaml"
RESPONSE_TOOL = "openai/dd-trace-py__test_multiple_agent_handoffs.yaml"
MESSAGE_STREAM = "anthropic/openinference__test_anthropic_instrumentation_multiple_tool_calling_streaming.yaml"
GEMINI_STREAM = "gemini/pydantic-ai__test_google_model_stream.yaml"
OLLAMA_STREAM = "ollama/openllmetry__test_ollama_async_streaming_chat_legacy.yaml"


def chat_call() -> tuple[str, str, str | None]:
    """The tool call of a recorded chat completion, as the SDK reads it."""
    done: Any = openai.OpenAI(api_key="sk-test").chat.completions.create(**body_of(CHAT_TOOL, 0))
    call = done.choices[0].message.tool_calls[0].function
    return call.name, call.arguments, done.choices[0].finish_reason


def groq_calls() -> tuple[str, str, str | None]:
    """The tool call of a recorded stream of Groq's, which speaks OpenAI's format."""
    asked = body_of(CHAT_STREAM, 1)
    client = openai.OpenAI(api_key="test", base_url="https://api.groq.com/openai/v1")
    name = told = ""
    reason = None
    for chunk in client.chat.completions.create(**{**asked, "stream": True}):
        for choice in chunk.choices:
            reason = choice.finish_reason or reason
            for call in choice.delta.tool_calls or []:
                name += call.function.name or ""
                told += call.function.arguments or ""
    return name, told, reason


def response_call() -> tuple[str, str, str | None]:
    """The function call of a recorded response."""
    done: Any = openai.OpenAI(api_key="sk-test").responses.create(**body_of(RESPONSE_TOOL, 0))
    return done.output[0].name, done.output[0].arguments, done.status


def message_calls() -> tuple[str, str, str | None]:
    """The two tool calls of a recorded stream of Anthropic's: names, inputs, reason."""
    with anthropic.Anthropic(api_key="sk-test").messages.stream(
        **{key: value for key, value in body_of(MESSAGE_STREAM, 0).items() if key != "stream"}
    ) as stream:
        done = stream.get_final_message()
    calls = [block for block in done.content if block.type == "tool_use"]
    return "+".join(call.name for call in calls), json.dumps([call.input for call in calls]), done.stop_reason


RESEARCH = '{"query":"soccer news October 4 2023"}'
NEW_YORK = '[{"location": "New York, NY"}, {"timezone": "America/New_York"}]'
READ: list[tuple[str, str, Callable[[], Any], Any, Any, int]] = [
    (
        "chat-as-it-was",
        CHAT_TOOL,
        chat_call,
        Usage("enormous"),
        ("lookup_population", '{"country":"Crumpet"}', "tool_calls"),
        0,
    ),
    (
        "chat-unknown",
        CHAT_TOOL,
        chat_call,
        ToolCall(),
        ("lookup_population_v2", '{"country":"Crumpet"}', "tool_calls"),
        0,
    ),
    ("chat-missing", CHAT_TOOL, chat_call, ToolCall("missing_key"), ("lookup_population", "{}", "tool_calls"), 0),
    ("chat-length", CHAT_TOOL, chat_call, Finish("length"), ("lookup_population", '{"country"', "length"), 0),
    ("response-unknown", RESPONSE_TOOL, response_call, ToolCall(), ("research_v2", RESEARCH, "completed"), 0),
    (
        "response-length",
        RESPONSE_TOOL,
        response_call,
        Finish(),
        ("research", RESEARCH[: len(RESEARCH) // 2], "incomplete"),
        0,
    ),
    (
        "message-as-it-was",
        MESSAGE_STREAM,
        message_calls,
        Usage("enormous"),
        ("get_weather+get_time", NEW_YORK, "tool_use"),
        0,
    ),
    (
        "message-unknown",
        MESSAGE_STREAM,
        message_calls,
        ToolCall(),
        ("get_weather_v2+get_time_v2", NEW_YORK, "tool_use"),
        0,
    ),
    (
        "message-missing",
        MESSAGE_STREAM,
        message_calls,
        ToolCall("missing_key"),
        ("get_weather+get_time", "[{}, {}]", "tool_use"),
        0,
    ),
]


@pytest.mark.parametrize(
    ("name", "call", "fault", "read", "after"), [pytest.param(*case[1:], id=case[0]) for case in READ]
)
def test_a_real_sdk_reads_the_changed_thing(
    faults: Faults, shared_dir: Path, name: str, call: Callable[[], Any], fault: Any, read: Any, after: int
) -> None:
    """What was recorded, but for what was changed."""
    faults.add(fault, to="POST *", cassette=shared_dir / "cassettes" / name, after=after)
    assert call() == read
    assert [bool(x.struck) for x in faults.log] == [True]


def test_gemini_reads_a_recorded_stream(faults: Faults, shared_dir: Path) -> None:
    """google-genai reads the half, and why there is no more."""
    from google import genai

    faults.add(Finish("length"), to="POST *", cassette=shared_dir / "cassettes" / GEMINI_STREAM)
    client = genai.Client(api_key="test", http_options={"api_version": "v1beta"})
    told: Any = list(
        client.models.generate_content_stream(model="gemini-2.0-flash-exp", contents="What is the capital of France?")
    )
    said = "The capital of France is Paris.\n"
    assert "".join(one.text or "" for one in told) == said[: len(said) // 2]
    assert told[-1].candidates[0].finish_reason.value == "MAX_TOKENS"
    assert faults.log[0].struck


def test_ollama_reads_a_recorded_stream(faults: Faults, shared_dir: Path) -> None:
    """ollama's SDK reads lines to the last, which says nothing of its cost."""
    from ollama import Client

    faults.add(Usage("missing"), to="POST *", cassette=shared_dir / "cassettes" / OLLAMA_STREAM)
    told: Any = list(Client().chat(**body_of(OLLAMA_STREAM, 0) | {"format": ""}))
    assert (told[-1].done, told[-1].eval_count, told[-1].prompt_eval_count) == (True, None, None)
    assert "".join(line.message.content for line in told).startswith("Here's one:")
    assert faults.log[0].struck


@recordings(
    lambda entry: entry["vendor"] in ("openai", "azure-openai", "anthropic", "groq", "mistral", "gemini", "ollama")
)
@pytest.mark.parametrize("how", ["length", "empty"])
def test_a_struck_recording_is_read_again_as_what_it_is(name: str, how: str) -> None:
    """A changed reply is still of its own format."""
    for kept in recorded(name):
        body = kept.request.body
        request = Request(kept.request.method, kept.request.uri, (), body if isinstance(body, bytes) else b"")
        shape, altered = shape_of(request, kept.reply), Finish(how).alter(request, kept.reply)
        if shape is not None and how == "length":
            assert shape_of(request, altered) is shape


def test_the_folder_of_recordings_is_where_it_is_looked_for(shared_dir: Path) -> None:
    """The parametrisation above and the fixture mean the same place."""
    assert folder() == shared_dir / "cassettes"
