"""openai: chat completions and responses, plain and streamed (https://platform.openai.com/docs/api-reference)."""

from __future__ import annotations

from typing import Any, Final

import openai
from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID

CHAT: Final[Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Does it work?"}]}
RESPONSE: Final[Any] = {"model": "gpt-4o", "input": "Does it work?"}


def chat() -> Any:
    """A chat completion."""
    return openai.OpenAI(api_key="sk-test").chat.completions.create(**CHAT).choices[0].message.content


async def achat() -> Any:
    """A chat completion, async."""
    done = await openai.AsyncOpenAI(api_key="sk-test").chat.completions.create(**CHAT)
    return done.choices[0].message.content


def chat_stream() -> str:
    """A chat completion, streamed and put together."""
    chunks = openai.OpenAI(api_key="sk-test").chat.completions.create(**CHAT, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


async def achat_stream() -> str:
    """A chat completion, streamed and put together, async."""
    chunks = await openai.AsyncOpenAI(api_key="sk-test").chat.completions.create(**CHAT, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


def response() -> Any:
    """A response."""
    return openai.OpenAI(api_key="sk-test").responses.create(**RESPONSE).output_text


def response_stream() -> Any:
    """A response, streamed and put together."""
    told = openai.OpenAI(api_key="sk-test").responses.create(**RESPONSE, stream=True)
    return "".join(event.delta for event in told if event.type == "response.output_text.delta")


PLAIN: Final = {"429": recovered(2), "reset": recovered(1, note="a POST is sent again: the vendor may act twice")}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(openai.APIConnectionError)}

SDK: Final = Sdk(
    "openai",
    ("httpx2",),
    (
        Call("chat", chat, SAID, CASSETTES["openai_chat"][1], PLAIN),
        Call("chat, async", achat, SAID, CASSETTES["openai_chat"][1], PLAIN),
        Call("chat, streamed", chat_stream, SAID, CASSETTES["openai_chat_stream"][1], STREAMED),
        Call("chat, streamed, async", achat_stream, SAID, CASSETTES["openai_chat_stream"][1], STREAMED),
        Call("responses", response, SAID, CASSETTES["openai_response"][1], PLAIN),
        Call("responses, streamed", response_stream, SAID, CASSETTES["openai_response_stream"][1], STREAMED),
    ),
    scenarios={"429": "openai/rate-limit"},
)
