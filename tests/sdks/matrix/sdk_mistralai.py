"""mistralai: chat completions, plain and streamed (https://docs.mistral.ai/api/#tag/chat)."""

from __future__ import annotations

from typing import Any, Final

import httpx2
from _cells import HELD, Call, Sdk, surfaced
from _shapes import SAID, chat, chat_events, exchange, pieces
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

URL: Final = "https://api.mistral.ai/v1/chat/completions"
ASKED: Final[Any] = {"model": "mistral-x", "messages": [{"role": "user", "content": "Does it work?"}]}
WHOLE: Final = [exchange("POST", URL, chat({"role": "assistant", "content": SAID}, "stop"), asked=ASKED)]
EVENTS: Final = [
    exchange("POST", URL, chat_events([{"content": piece} for piece in pieces(SAID)], "stop"), asked=ASKED,
             kind="text/event-stream")
]  # fmt: skip


def complete() -> Any:
    """A chat completion."""
    with Mistral(api_key="test") as client:
        return client.chat.complete(**ASKED).choices[0].message.content


async def acomplete() -> Any:
    """A chat completion, async."""
    async with Mistral(api_key="test") as client:
        return (await client.chat.complete_async(**ASKED)).choices[0].message.content


def stream() -> str:
    """A chat completion, streamed and put together."""
    with Mistral(api_key="test") as client, client.chat.stream(**ASKED) as told:
        return "".join(event.data.choices[0].delta.content or "" for event in told)


async def astream() -> str:
    """A chat completion, streamed and put together, async."""
    async with Mistral(api_key="test") as client:
        told = await client.chat.stream_async(**ASKED)
        return "".join([event.data.choices[0].delta.content or "" async for event in told])


LIMITED: Final = surfaced(SDKError, note="no retries unless a RetryConfig is given")
PLAIN: Final = {"429": LIMITED, "reset": surfaced((httpx2.RemoteProtocolError, httpx2.ReadError))}
APLAIN: Final = {"429": LIMITED, "reset": surfaced(httpx2.ReadError)}
STREAMED: Final = {"split": HELD, "cut": surfaced(httpx2.RemoteProtocolError)}

SDK: Final = Sdk(
    "mistralai",
    ("httpx2",),
    (
        Call("chat.complete()", complete, SAID, WHOLE, PLAIN),
        Call("chat.complete_async()", acomplete, SAID, WHOLE, APLAIN),
        Call("chat.stream()", stream, SAID, EVENTS, {**PLAIN, **STREAMED}),
        Call("chat.stream_async()", astream, SAID, EVENTS, {**APLAIN, **STREAMED}),
    ),
)
