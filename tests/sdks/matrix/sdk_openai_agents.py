"""openai-agents: a run on openai's responses, and one on chat completions (https://openai.github.io/openai-agents-python/)."""

from __future__ import annotations

from typing import Any, Final

import agents
import openai
from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, own_loop, recovered, surfaced
from _shapes import SAID

UNTRACED: Final = agents.RunConfig(tracing_disabled=True)  # else a thread of its own reports every run


def agent() -> Any:
    """The agent, on a client of its own: the shared default one would keep the loop of the first test."""
    client = openai.AsyncOpenAI(api_key="sk-test")
    return agents.Agent("helper", model=agents.OpenAIResponsesModel("gpt-4o", openai_client=client))


def run_sync() -> Any:
    """A run."""
    with own_loop():
        return agents.Runner.run_sync(agent(), "Does it work?", run_config=UNTRACED).final_output


async def run() -> Any:
    """A run, async."""
    return (await agents.Runner.run(agent(), "Does it work?", run_config=UNTRACED)).final_output


async def stream() -> Any:
    """A run, streamed."""
    told = agents.Runner.run_streamed(agent(), "Does it work?", run_config=UNTRACED)
    async for _ in told.stream_events():
        pass
    return told.final_output


PLAIN: Final = {"429": recovered(2), "reset": recovered()}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(openai.APIConnectionError)}

SDK: Final = Sdk(
    "openai-agents",
    ("openai", "httpx2"),
    (
        Call("Runner.run_sync()", run_sync, SAID, CASSETTES["openai_response"][1], PLAIN),
        Call("Runner.run()", run, SAID, CASSETTES["openai_response"][1], PLAIN),
        Call("Runner.run_streamed()", stream, SAID, CASSETTES["openai_response_stream"][1], STREAMED),
    ),
    scenarios={"429": "openai/rate-limit"},
    own=("agents",),
)
