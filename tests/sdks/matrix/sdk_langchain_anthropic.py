"""langchain-anthropic: a chat model, invoked and streamed (https://docs.langchain.com/oss/python/integrations/chat/anthropic)."""

from __future__ import annotations

from typing import Any, Final

import httpx2
from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID
from langchain_anthropic import ChatAnthropic


def model() -> Any:
    """The model, as anybody makes it."""
    return ChatAnthropic(model="claude-x", api_key="test")  # type: ignore[arg-type,call-arg]


def invoke() -> Any:
    """A chat."""
    return model().invoke("Does it work?").content


async def ainvoke() -> Any:
    """A chat, async."""
    return (await model().ainvoke("Does it work?")).content


def stream() -> str:
    """A chat, streamed and put together."""
    return "".join(chunk.text for chunk in model().stream("Does it work?"))


async def astream() -> str:
    """A chat, streamed and put together, async."""
    return "".join([chunk.text async for chunk in model().astream("Does it work?")])


PLAIN: Final = {"429": recovered(2), "reset": recovered()}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(httpx2.RemoteProtocolError)}

SDK: Final = Sdk(
    "langchain-anthropic",
    ("anthropic", "httpx2"),
    (
        Call("invoke()", invoke, SAID, CASSETTES["anthropic_message"][1], PLAIN),
        Call("ainvoke()", ainvoke, SAID, CASSETTES["anthropic_message"][1], PLAIN),
        Call("stream()", stream, SAID, CASSETTES["anthropic_message_stream"][1], STREAMED),
        Call("astream()", astream, SAID, CASSETTES["anthropic_message_stream"][1], STREAMED),
    ),
    scenarios={"429": "anthropic/rate-limit"},
    own=("langchain_anthropic", "langchain_core"),
)
