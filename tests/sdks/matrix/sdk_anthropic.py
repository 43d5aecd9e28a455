"""anthropic: messages, plain and streamed (https://docs.anthropic.com/en/api/messages)."""

from __future__ import annotations

from typing import Any, Final

import anthropic
import httpx2
from _cassettes import CASSETTES
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID

ASKED: Final[Any] = {
    "model": "claude-x",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Does it work?"}],
}


def create() -> Any:
    """A message."""
    return anthropic.Anthropic(api_key="test").messages.create(**ASKED).content[0].text


async def acreate() -> Any:
    """A message, async."""
    return (await anthropic.AsyncAnthropic(api_key="test").messages.create(**ASKED)).content[0].text


def stream() -> str:
    """A message, streamed by the SDK's helper."""
    with anthropic.Anthropic(api_key="test").messages.stream(**ASKED) as told:
        return told.get_final_text()


async def astream() -> str:
    """A message, streamed by the SDK's helper, async."""
    async with anthropic.AsyncAnthropic(api_key="test").messages.stream(**ASKED) as told:
        return await told.get_final_text()


def events() -> str:
    """A message, event by event."""
    told = anthropic.Anthropic(api_key="test").messages.create(**ASKED, stream=True)
    return "".join(event.delta.text for event in told if event.type == "content_block_delta")


PLAIN: Final = {"429": recovered(2), "reset": recovered(1, note="a POST is sent again: the vendor may act twice")}
STREAMED: Final = {
    **PLAIN,
    "split": HELD,
    "cut": surfaced(httpx2.RemoteProtocolError, note="raw, none of the SDK's own errors"),
}

SDK: Final = Sdk(
    "anthropic",
    ("httpx2",),
    (
        Call("messages.create()", create, SAID, CASSETTES["anthropic_message"][1], PLAIN),
        Call("messages.create(), async", acreate, SAID, CASSETTES["anthropic_message"][1], PLAIN),
        Call("messages.stream()", stream, SAID, CASSETTES["anthropic_message_stream"][1], STREAMED),
        Call("messages.stream(), async", astream, SAID, CASSETTES["anthropic_message_stream"][1], STREAMED),
        Call("messages.create(stream=True)", events, SAID, CASSETTES["anthropic_message_stream"][1], STREAMED),
    ),
    scenarios={"429": "anthropic/rate-limit"},
)
