"""pydantic-ai: an agent on openai's chat completions (https://ai.pydantic.dev/models/openai/)."""

from __future__ import annotations

from typing import Any, Final

from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, own_loop, recovered, surfaced
from _shapes import SAID
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelConnectionError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def agent() -> Any:
    """The agent, as anybody makes it."""
    return Agent(OpenAIChatModel("gpt-4o", provider=OpenAIProvider(api_key="sk-test")))


def run_sync() -> Any:
    """A run."""
    with own_loop():
        return agent().run_sync("Does it work?").output


async def run() -> Any:
    """A run, async."""
    return (await agent().run("Does it work?")).output


async def stream() -> Any:
    """A run, streamed."""
    async with agent().run_stream("Does it work?") as told:
        return await told.get_output()


PLAIN: Final = {"429": recovered(2), "reset": recovered()}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(ModelConnectionError)}

SDK: Final = Sdk(
    "pydantic-ai-slim",
    ("openai", "httpx2"),
    (
        Call("run_sync()", run_sync, SAID, CASSETTES["openai_chat"][1], PLAIN),
        Call("run()", run, SAID, CASSETTES["openai_chat"][1], PLAIN),
        Call("run_stream()", stream, SAID, CASSETTES["openai_chat_stream"][1], STREAMED),
    ),
    scenarios={"429": "openai/rate-limit"},
    own=("pydantic_ai",),
)
