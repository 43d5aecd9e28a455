"""Every openai scenario against the openai SDK: chat completions and responses, plain and streamed, sync and async."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import openai
import pydantic
import pytest
from _cases import Case, arun, run, sync_and_async
from _cassettes import path_of
from _shapes import ARGUMENTS, SAID, TOOL_CALL

from pytest_agentfault._run import Faults

CHAT: Final[Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Does it work?"}]}
RESPONSE: Final[Any] = {"model": "gpt-4o", "input": "Does it work?"}


class GetIssue(pydantic.BaseModel):
    """The tool the model calls."""

    key: str
    fields: list[str]


TOOLS: Final[Any] = [openai.pydantic_function_tool(GetIssue, name="get_issue")]
RESPONSE_TOOLS: Final[Any] = [{"type": "function", **TOOLS[0]["function"]}]
CALLED: Final = GetIssue.model_validate(ARGUMENTS)


@cache
def client() -> openai.OpenAI:
    """The SDK as anybody makes it, once: making it costs more than a call."""
    return openai.OpenAI(api_key="sk-test")


def aclient() -> openai.AsyncOpenAI:
    """The same, async: one for each event loop."""
    return openai.AsyncOpenAI(api_key="sk-test")


def chat() -> Any:
    """A chat completion."""
    return client().chat.completions.create(**CHAT).choices[0].message.content


async def achat() -> Any:
    """A chat completion, async."""
    return (await aclient().chat.completions.create(**CHAT)).choices[0].message.content


def chat_stream() -> str:
    """A chat completion, streamed and put together."""
    return "".join(
        chunk.choices[0].delta.content or "" for chunk in client().chat.completions.create(**CHAT, stream=True)
    )


async def achat_stream() -> str:
    """A chat completion, streamed and put together, async."""
    chunks = await aclient().chat.completions.create(**CHAT, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


def chat_helper() -> Any:
    """A chat completion by the SDK's own helper for streams."""
    with client().chat.completions.stream(**CHAT) as stream:
        done = stream.get_final_completion().choices[0]
        return done.message.content, done.finish_reason


def response() -> Any:
    """A response."""
    return client().responses.create(**RESPONSE).output_text


async def aresponse() -> Any:
    """A response, async."""
    return (await aclient().responses.create(**RESPONSE)).output_text


def response_stream() -> Any:
    """A response, streamed: its text, and the type of the last event."""
    told = list(client().responses.create(**RESPONSE, stream=True))
    return "".join(event.delta for event in told if event.type == "response.output_text.delta"), told[-1].type


async def aresponse_stream() -> Any:
    """A response, streamed, async."""
    told = [event async for event in await aclient().responses.create(**RESPONSE, stream=True)]
    return "".join(event.delta for event in told if event.type == "response.output_text.delta"), told[-1].type


def response_helper() -> Any:
    """A response by the SDK's own helper for streams."""
    with client().responses.stream(**RESPONSE) as stream:
        return stream.get_final_response().output_text


def tool() -> Any:
    """The arguments of a tool call, as the text they are."""
    calls: Any = client().chat.completions.create(**CHAT, tools=TOOLS).choices[0].message.tool_calls
    return calls[0].function.arguments


def tool_loaded() -> Any:
    """The arguments of a tool call, read as JSON by the caller."""
    return json.loads(tool())


async def atool() -> Any:
    """The arguments of a tool call, async."""
    done: Any = await aclient().chat.completions.create(**CHAT, tools=TOOLS)
    return done.choices[0].message.tool_calls[0].function.arguments


def tool_parsed() -> Any:
    """The arguments of a tool call, parsed by the SDK."""
    calls: Any = client().chat.completions.parse(**CHAT, tools=TOOLS).choices[0].message.tool_calls
    return calls[0].function.parsed_arguments


def tool_stream() -> str:
    """The arguments of a tool call, streamed and put together."""
    chunks: Any = client().chat.completions.create(**CHAT, tools=TOOLS, stream=True)
    return "".join(call.function.arguments for chunk in chunks for call in chunk.choices[0].delta.tool_calls or [])


def tool_helper() -> Any:
    """The arguments of a streamed tool call, parsed by the SDK."""
    with client().chat.completions.stream(**CHAT, tools=TOOLS) as stream:
        calls: Any = stream.get_final_completion().choices[0].message.tool_calls
        return calls[0].function.parsed_arguments


def response_tool() -> Any:
    """The arguments of a function call."""
    output: Any = client().responses.create(**RESPONSE, tools=RESPONSE_TOOLS).output
    return output[0].arguments


def response_tool_parsed() -> Any:
    """The arguments of a function call, parsed by the SDK."""
    output: Any = client().responses.parse(**RESPONSE, tools=TOOLS).output
    return output[0].parsed_arguments


def response_tool_stream() -> Any:
    """The arguments of a streamed function call, as its last event tells them."""
    told: Any = list(client().responses.create(**RESPONSE, tools=RESPONSE_TOOLS, stream=True))
    return told[-1].response.output[0].arguments


def response_tool_helper() -> Any:
    """The arguments of a streamed function call, parsed by the SDK."""
    with client().responses.stream(**RESPONSE, tools=TOOLS) as stream:
        output: Any = stream.get_final_response().output
        return output[0].parsed_arguments


BACKOFF: Final = ((0.37, 0.5), (0.75, 1.0))  # the SDK's own: half a second, doubled, less up to a quarter
CUT: Final = TOOL_CALL["arguments"][: len(TOOL_CALL["arguments"]) // 2]
CUT_SAID: Final = "Grüße, 世界! 🌍 It "  # what came before the last events
WAYS: Final = (
    ("chat", chat, "openai_chat", SAID),
    ("chat, async", achat, "openai_chat", SAID),
    ("chat, stream=True", chat_stream, "openai_chat_stream", SAID),
    ("chat, stream=True, async", achat_stream, "openai_chat_stream", SAID),
    ("responses", response, "openai_response", SAID),
    ("responses, async", aresponse, "openai_response", SAID),
    ("responses, stream=True", response_stream, "openai_response_stream", (SAID, "response.completed")),
)
STREAMS: Final = (
    *WAYS[2:4],
    ("chat.completions.stream()", chat_helper, "openai_chat_stream", (SAID, "stop")),
    WAYS[6],
    ("responses, stream=True, async", aresponse_stream, "openai_response_stream", (SAID, "response.completed")),
    ("responses.stream()", response_helper, "openai_response_stream", SAID),
)
UNREAD: Final = "the SDK leaves `arguments` the text it is"
UNPARSED: Final[dict[str, Any]] = {
    "outcome": "surfaced",
    "statuses": (200,),
    "raises": pydantic.ValidationError,
    "says": "Invalid JSON: EOF while parsing",
    "note": "pydantic's own error, not one of the SDK's",
}

CASES: Final = (
    *(
        Case("openai/rate-limit", name, call, tape, "recovered", (429, 429, 200), result, waits=(19, 19))
        for name, call, tape, result in WAYS
    ),
    *(
        Case("openai/rate-limit", name, call, tape, "surfaced", (429, 429, 429), raises=openai.RateLimitError,
             says="on tokens per min (TPM)", facts={"status_code": 429, "code": "rate_limit_exceeded", "type": "tokens",
             "response.headers.x-ratelimit-reset-tokens": "18.642s"}, waits=(19, 19), words={"times": 3},
             note="the SDK retries twice")
        for name, call, tape, _ in WAYS[:2]
    ),
    *(
        Case("openai/quota-exhausted", name, call, tape, "surfaced", (429, 429, 429), raises=openai.RateLimitError,
             says="You exceeded your current quota", facts={"status_code": 429, "code": "insufficient_quota",
             "type": "insufficient_quota"}, waits=BACKOFF, note="retried, though no wait can help")
        for name, call, tape, _ in WAYS
    ),
    *(
        Case("openai/server-error", name, call, tape, "recovered", (500, 500, 200), result, waits=BACKOFF)
        for name, call, tape, result in WAYS
    ),
    *(
        Case("openai/server-error", name, call, tape, "surfaced", (500, 500, 500), raises=openai.InternalServerError,
             says="The server had an error processing your request", facts={"status_code": 500, "type": "server_error",
             "request_id": "req_35c852d7d417877c0fbb3134de873c76"}, waits=BACKOFF, words={"times": 3})
        for name, call, tape, _ in WAYS[:2]
    ),
    *(
        Case("openai/stream-cut", name, call, tape, "surfaced", (200,), raises=openai.APIConnectionError,
             says="Connection error.", facts={"__cause__.__class__.__name__": "RemoteProtocolError"},
             note="not retried: the stream had begun")
        for name, call, tape, _ in STREAMS
    ),
    *(
        Case("openai/stream-ends-early", name, call, tape, "unnoticed", (200,), result, note=note)
        for (name, call, tape, _), result, note in (
            (STREAMS[0], CUT_SAID, "a shorter answer, and no word that it is one"),
            (STREAMS[1], CUT_SAID, "a shorter answer, and no word that it is one"),
            (STREAMS[2], (CUT_SAID, None), "a shorter answer, and `finish_reason` is None"),
            (STREAMS[3], (SAID, "response.output_text.done"), "only `response.completed` is missing"),
            (STREAMS[4], (SAID, "response.output_text.done"), "only `response.completed` is missing"),
        )
    ),
    Case("openai/stream-ends-early", *STREAMS[5][:3], "surfaced", (200,), raises=RuntimeError,
         says="Didn't receive a `response.completed` event.", note="a RuntimeError, none of the SDK's errors"),
    *(
        Case("openai/stream-chunk-split", name, call, tape, "held", (200,), result)
        for name, call, tape, result in STREAMS
    ),
    *(
        Case("openai/stream-error-event", name, call, tape, "surfaced", (200,), raises=openai.APIError,
             says="The server had an error while processing your request.", facts={"type": "server_error"},
             note="an APIError without a status")
        for name, call, tape, _ in STREAMS[:3]
    ),
    *(
        Case("openai/stream-error-event", *way[:3], "unnoticed", (200,), ("", "error"),
             note="an event of type `error` like any other: nothing is raised")
        for way in STREAMS[3:5]
    ),
    Case("openai/stream-error-event", *STREAMS[5][:3], "surfaced", (200,), raises=RuntimeError,
         says="Didn't receive a `response.completed` event.", note="what the vendor said of the error is lost"),
    Case("openai/malformed-tool-arguments", "chat", tool, "openai_tool", "unnoticed", (200,), CUT, note=UNREAD),
    Case("openai/malformed-tool-arguments", "chat, async", atool, "openai_tool", "unnoticed", (200,), CUT, note=UNREAD),
    Case("openai/malformed-tool-arguments", "chat, json.loads by the caller", tool_loaded, "openai_tool", "surfaced",
         (200,), raises=json.JSONDecodeError, says="Unterminated string"),
    Case("openai/malformed-tool-arguments", "chat.completions.parse()", tool_parsed, "openai_tool", **UNPARSED),
    Case("openai/malformed-tool-arguments", "chat, stream=True", tool_stream, "openai_tool_stream", "unnoticed", (200,),
         CUT, note=UNREAD),
    Case("openai/malformed-tool-arguments", "chat.completions.stream()", tool_helper, "openai_tool_stream", **UNPARSED),
    Case("openai/malformed-tool-arguments", "responses", response_tool, "openai_response_tool", "unnoticed", (200,),
         CUT, note=UNREAD),
    Case("openai/malformed-tool-arguments", "responses.parse()", response_tool_parsed, "openai_response_tool",
         **UNPARSED),
    Case("openai/malformed-tool-arguments", "responses, stream=True", response_tool_stream,
         "openai_response_tool_stream", "unnoticed", (200,), CUT, note=UNREAD),
    Case("openai/malformed-tool-arguments", "responses.stream()", response_tool_helper, "openai_response_tool_stream",
         **UNPARSED),
)  # fmt: skip

SYNC, ASYNC = sync_and_async(CASES)


@SYNC
def test_openai(case: Case) -> None:
    """The SDK recovers, raises its own error, or notices nothing: as the table says."""
    run(case)


@ASYNC
@pytest.mark.asyncio
async def test_openai_async(case: Case) -> None:
    """The same for the async client."""
    await arun(case)


@pytest.mark.parametrize(
    ("call", "tape", "wanted"),
    [
        *((call, tape, result) for _, call, tape, result in STREAMS if not call.__name__.startswith("a")),
        (tool_parsed, "openai_tool", CALLED),
        (tool_helper, "openai_tool_stream", CALLED),
        (response_tool_parsed, "openai_response_tool", CALLED),
        (response_tool_helper, "openai_response_tool_stream", CALLED),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_second_call_is_well(faults: Faults, call: Any, tape: str, wanted: Any) -> None:
    """Whoever asks again after a wrong key hears what was recorded: the recordings are whole."""
    faults.add("any/expired-session", cassette=path_of(tape), times=1, until=None)
    with pytest.raises(openai.AuthenticationError):
        call()
    assert call() == wanted
    assert [x.reply.status for x in faults.log] == [401, 200]
