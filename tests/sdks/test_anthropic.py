"""Every anthropic scenario against the anthropic SDK: messages, plain and streamed, sync and async."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import anthropic
import pytest
from _cases import Case, arun, run, sync_and_async
from _shapes import SAID

MESSAGE: Final[Any] = {
    "model": "claude-x",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Does it work?"}],
}


@cache
def client() -> anthropic.Anthropic:
    """The SDK as anybody makes it, once: making it costs more than a call."""
    return anthropic.Anthropic(api_key="test")


def aclient() -> anthropic.AsyncAnthropic:
    """The same, async: one for each event loop."""
    return anthropic.AsyncAnthropic(api_key="test")


def message() -> Any:
    """A message."""
    content: Any = client().messages.create(**MESSAGE).content
    return content[0].text


async def amessage() -> Any:
    """A message, async."""
    content: Any = (await aclient().messages.create(**MESSAGE)).content
    return content[0].text


def stream() -> str:
    """A message, streamed and put together."""
    told: Any = client().messages.create(**MESSAGE, stream=True)
    return "".join(event.delta.text for event in told if event.type == "content_block_delta")


async def astream() -> str:
    """A message, streamed and put together, async."""
    told: Any = await aclient().messages.create(**MESSAGE, stream=True)
    return "".join([event.delta.text async for event in told if event.type == "content_block_delta"])


def helper() -> Any:
    """A message by the SDK's own helper for streams: its text, and why it ended."""
    with client().messages.stream(**MESSAGE) as streamed:
        done: Any = streamed.get_final_message()
    return done.content[0].text, done.stop_reason


async def ahelper() -> Any:
    """The same, async."""
    async with aclient().messages.stream(**MESSAGE) as streamed:
        done: Any = await streamed.get_final_message()
    return done.content[0].text, done.stop_reason


BACKOFF: Final = ((0.37, 0.5), (0.75, 1.0))  # the SDK's own: half a second, doubled, less up to a quarter
WAYS: Final = (
    ("messages.create()", message, "anthropic_message", SAID),
    ("messages.create(), async", amessage, "anthropic_message", SAID),
    ("messages.create(stream=True)", stream, "anthropic_message_stream", SAID),
    ("messages.create(stream=True), async", astream, "anthropic_message_stream", SAID),
    ("messages.stream()", helper, "anthropic_message_stream", (SAID, "end_turn")),
    ("messages.stream(), async", ahelper, "anthropic_message_stream", (SAID, "end_turn")),
)

CASES: Final = (
    *(
        Case("anthropic/overloaded", name, call, tape, "recovered", (529, 529, 200), result, waits=BACKOFF)
        for name, call, tape, result in WAYS
    ),
    *(
        Case("anthropic/overloaded", name, call, tape, "surfaced", (529, 529, 529), raises=anthropic.OverloadedError,
             says="overloaded_error", facts={"status_code": 529, "body.error.type": "overloaded_error"}, waits=BACKOFF,
             words={"times": 3}, note="the SDK retries twice")
        for name, call, tape, _ in WAYS
    ),
    *(
        Case("anthropic/rate-limit", name, call, tape, "recovered", (429, 429, 200), result, waits=(23, 23))
        for name, call, tape, result in WAYS
    ),
    *(
        Case("anthropic/rate-limit", name, call, tape, "surfaced", (429, 429, 429), raises=anthropic.RateLimitError,
             says="Number of input tokens has exceeded", facts={"status_code": 429, "body.error.type":
             "rate_limit_error", "response.headers.anthropic-ratelimit-input-tokens-remaining": "0",
             "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}, waits=(23, 23), words={"times": 3})
        for name, call, tape, _ in WAYS
    ),
    *(
        Case("anthropic/stream-error-event", name, call, tape, "surfaced", (200,), raises=anthropic.APIStatusError,
             says="overloaded_error", facts={"status_code": 200, "body.error.type": "overloaded_error"},
             note="not OverloadedError: the class follows the status of the reply, which was 200; not retried")
        for name, call, tape, _ in WAYS[2:]
    ),
    *(
        Case("anthropic/stream-ends-early", name, call, tape, "unnoticed", (200,), result,
             note="only `message_delta` and `message_stop` are missing")
        for name, call, tape, result in WAYS[2:4]
    ),
    *(
        Case("anthropic/stream-ends-early", name, call, tape, "unnoticed", (200,), (SAID, None),
             note="`stop_reason` is None in a message that calls itself final")
        for name, call, tape, _ in WAYS[4:]
    ),
)  # fmt: skip

SYNC, ASYNC = sync_and_async(CASES)


@SYNC
def test_anthropic(case: Case) -> None:
    """The SDK recovers, raises its own error, or notices nothing: as the table says."""
    run(case)


@ASYNC
@pytest.mark.asyncio
async def test_anthropic_async(case: Case) -> None:
    """The same for the async client."""
    await arun(case)
