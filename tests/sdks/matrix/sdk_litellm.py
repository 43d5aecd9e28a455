"""litellm: a completion by openai's route and by anthropic's (https://docs.litellm.ai/docs/completion)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, own_loop, recovered, surfaced, unnoticed
from _shapes import SAID

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else the import fetches a table of prices

import litellm
from litellm.exceptions import MidStreamFallbackError
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

ASKED: Final[Any] = {"messages": [{"role": "user", "content": "Does it work?"}], "api_key": "test"}
GPT: Final[Any] = {"model": "openai/gpt-4o", **ASKED}
CLAUDE: Final[Any] = {"model": "anthropic/claude-x", **ASKED}


@asynccontextmanager
async def logged() -> AsyncIterator[None]:
    """litellm logs each call in a task of its own, which would outlive the loop: let it end."""
    try:
        yield
    finally:
        await asyncio.sleep(1)  # on the clock
        GLOBAL_LOGGING_WORKER.start()  # which binds it to this loop
        await GLOBAL_LOGGING_WORKER.clear_queue()
        await GLOBAL_LOGGING_WORKER.stop()


def gpt() -> Any:
    """A completion."""
    with own_loop():
        return litellm.completion(**GPT).choices[0].message.content


async def agpt() -> Any:
    """A completion, async."""
    async with logged():
        return (await litellm.acompletion(**GPT)).choices[0].message.content


def gpt_stream() -> str:
    """A completion, streamed and put together."""
    with own_loop():
        return "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(**GPT, stream=True))


async def agpt_stream() -> str:
    """A completion, streamed and put together, async."""
    async with logged():
        chunks = await litellm.acompletion(**GPT, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


def claude() -> Any:
    """A completion."""
    with own_loop():
        return litellm.completion(**CLAUDE).choices[0].message.content


async def aclaude() -> Any:
    """A completion, async."""
    async with logged():
        return (await litellm.acompletion(**CLAUDE)).choices[0].message.content


def claude_stream() -> str:
    """A completion, streamed and put together."""
    with own_loop():
        return "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(**CLAUDE, stream=True))


async def aclaude_stream() -> str:
    """A completion, streamed and put together, async."""
    async with logged():
        chunks = await litellm.acompletion(**CLAUDE, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])


CUT_SHORT: Final = "async, its transport over aiohttp swallows the error: a shorter answer"
LIMITED: Final = surfaced(
    litellm.RateLimitError, scenario="anthropic/rate-limit", note="only openai's route is retried"
)
RESET: Final = surfaced(litellm.InternalServerError)
CUT: Final = surfaced(MidStreamFallbackError)
GPT_PLAIN: Final = {"429": recovered(2), "reset": recovered()}
GPT_STREAMED: Final = {**GPT_PLAIN, "split": HELD, "cut": CUT}
GPT_ASTREAMED: Final = {**GPT_STREAMED, "cut": unnoticed("Grüße, 世界! 🌍 It ", note=CUT_SHORT)}
CLAUDE_PLAIN: Final = {"429": LIMITED, "reset": RESET}
CLAUDE_APLAIN: Final = {"429": LIMITED, "reset": recovered()}
CLAUDE_STREAMED: Final = {**CLAUDE_PLAIN, "split": HELD, "cut": CUT}
CLAUDE_ASTREAMED: Final = {**CLAUDE_APLAIN, "split": HELD, "cut": unnoticed("Grüße, 世", note=CUT_SHORT)}
CHAT: Final = CASSETTES["openai_chat"][1]
CHAT_STREAM: Final = CASSETTES["openai_chat_stream"][1]
MESSAGE: Final = CASSETTES["anthropic_message"][1]
MESSAGE_STREAM: Final = CASSETTES["anthropic_message_stream"][1]

SDK: Final = Sdk(
    "litellm",
    ("openai", "httpx", "aiohttp"),
    (
        Call("openai", gpt, SAID, CHAT, GPT_PLAIN),
        Call("openai, async", agpt, SAID, CHAT, GPT_PLAIN),
        Call("openai, streamed", gpt_stream, SAID, CHAT_STREAM, GPT_STREAMED),
        Call("openai, streamed, async", agpt_stream, SAID, CHAT_STREAM, GPT_ASTREAMED),
        Call("anthropic", claude, SAID, MESSAGE, CLAUDE_PLAIN),
        Call("anthropic, async", aclaude, SAID, MESSAGE, CLAUDE_APLAIN),
        Call("anthropic, streamed", claude_stream, SAID, MESSAGE_STREAM, CLAUDE_STREAMED),
        Call("anthropic, streamed, async", aclaude_stream, SAID, MESSAGE_STREAM, CLAUDE_ASTREAMED),
    ),
    scenarios={"429": "openai/rate-limit"},
)
