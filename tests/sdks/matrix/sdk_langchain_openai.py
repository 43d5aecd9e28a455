"""langchain-openai: a chat model, invoked and streamed (https://docs.langchain.com/oss/python/integrations/chat/openai)."""

from __future__ import annotations

from typing import Any, Final

from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import OpenAIConnectionError


def model() -> Any:
    """The model, as anybody makes it."""
    return ChatOpenAI(model="gpt-4o", api_key="sk-test")  # type: ignore[arg-type]


def invoke() -> Any:
    """A chat."""
    return model().invoke("Does it work?").content


async def ainvoke() -> Any:
    """A chat, async."""
    return (await model().ainvoke("Does it work?")).content


def stream() -> str:
    """A chat, streamed and put together."""
    return "".join(chunk.content for chunk in model().stream("Does it work?"))


async def astream() -> str:
    """A chat, streamed and put together, async."""
    return "".join([chunk.content async for chunk in model().astream("Does it work?")])


PLAIN: Final = {"429": recovered(2), "reset": recovered()}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(OpenAIConnectionError)}

SDK: Final = Sdk(
    "langchain-openai",
    ("openai", "httpx2"),
    (
        Call("invoke()", invoke, SAID, CASSETTES["openai_chat"][1], PLAIN),
        Call("ainvoke()", ainvoke, SAID, CASSETTES["openai_chat"][1], PLAIN),
        Call("stream()", stream, SAID, CASSETTES["openai_chat_stream"][1], STREAMED),
        Call("astream()", astream, SAID, CASSETTES["openai_chat_stream"][1], STREAMED),
    ),
    scenarios={"429": "openai/rate-limit"},
    own=("langchain_openai", "langchain_core"),
)
