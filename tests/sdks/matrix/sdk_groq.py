"""groq: chat completions, plain and streamed (https://console.groq.com/docs/api-reference#chat-create)."""

from __future__ import annotations

from typing import Any, Final

import groq
import httpx
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID, chat, chat_events, exchange, pieces

URL: Final = "https://api.groq.com/openai/v1/chat/completions"
ASKED: Final[Any] = {"model": "llama-x", "messages": [{"role": "user", "content": "Does it work?"}]}
WHOLE: Final = [exchange("POST", URL, chat({"role": "assistant", "content": SAID}, "stop"), asked=ASKED)]
EVENTS: Final = [
    exchange("POST", URL, chat_events([{"content": piece} for piece in pieces(SAID)], "stop"), asked=ASKED,
             kind="text/event-stream")
]  # fmt: skip


def create() -> Any:
    """A chat completion."""
    return groq.Groq(api_key="test").chat.completions.create(**ASKED).choices[0].message.content


async def acreate() -> Any:
    """A chat completion, async."""
    return (await groq.AsyncGroq(api_key="test").chat.completions.create(**ASKED)).choices[0].message.content


def stream() -> str:
    """A chat completion, streamed and put together."""
    chunks = groq.Groq(api_key="test").chat.completions.create(**ASKED, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


async def astream() -> str:
    """A chat completion, streamed and put together, async."""
    chunks = await groq.AsyncGroq(api_key="test").chat.completions.create(**ASKED, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


PLAIN: Final = {"429": recovered(2), "reset": recovered()}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(httpx.RemoteProtocolError)}

SDK: Final = Sdk(
    "groq",
    ("httpx",),
    (
        Call("chat", create, SAID, WHOLE, PLAIN),
        Call("chat, async", acreate, SAID, WHOLE, PLAIN),
        Call("chat, streamed", stream, SAID, EVENTS, STREAMED),
        Call("chat, streamed, async", astream, SAID, EVENTS, STREAMED),
    ),
)
