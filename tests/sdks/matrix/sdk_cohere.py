"""cohere: chat of the API's version 2, plain and streamed (https://docs.cohere.com/reference/chat)."""

from __future__ import annotations

from typing import Any, Final

import cohere
import httpx
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID, events, exchange, pieces

URL: Final = "https://api.cohere.com/v2/chat"
ASKED: Final[Any] = {"model": "command-x", "messages": [{"role": "user", "content": "Does it work?"}]}
USAGE: Final = {
    "billed_units": {"input_tokens": 5, "output_tokens": 9},
    "tokens": {"input_tokens": 71, "output_tokens": 9},
}
DONE: Final = {
    "id": "c14c80c3-18eb-4519-9460-6c92edd8cfb4",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": SAID}]},
    "usage": USAGE,
}
TOLD: Final[list[dict[str, Any]]] = [
    {"id": DONE["id"], "type": "message-start", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    *(
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": piece}}}}
        for piece in pieces(SAID)
    ),
    {"type": "content-end", "index": 0},
    {"type": "message-end", "id": DONE["id"], "delta": {"finish_reason": "COMPLETE", "usage": USAGE}},
]
WHOLE: Final = [exchange("POST", URL, DONE, asked=ASKED)]
EVENTS: Final = [
    exchange("POST", URL, events(*((one["type"], one) for one in TOLD)), asked=ASKED, kind="text/event-stream")
]


def chat() -> Any:
    """A chat."""
    return cohere.ClientV2(api_key="test").chat(**ASKED).message.content[0].text


async def achat() -> Any:
    """A chat, async."""
    return (await cohere.AsyncClientV2(api_key="test").chat(**ASKED)).message.content[0].text


def stream() -> str:
    """A chat, streamed and put together."""
    told = cohere.ClientV2(api_key="test").chat_stream(**ASKED)
    return "".join(event.delta.message.content.text for event in told if event.type == "content-delta")


async def astream() -> str:
    """A chat, streamed and put together, async."""
    told = cohere.AsyncClientV2(api_key="test").chat_stream(**ASKED)
    return "".join([event.delta.message.content.text async for event in told if event.type == "content-delta"])


RESET: Final = surfaced((httpx.RemoteProtocolError, httpx.ReadError))  # sync; over TLS CPython decides which
ARESET: Final = surfaced(httpx.ReadError)
LIMITED: Final = surfaced(cohere.TooManyRequestsError, note="chat() is retried, a stream is not")
STREAMED: Final = {"split": HELD, "cut": surfaced(httpx.RemoteProtocolError)}

SDK: Final = Sdk(
    "cohere",
    ("httpx",),
    (
        Call("chat()", chat, SAID, WHOLE, {"429": recovered(2), "reset": RESET}),
        Call("chat(), async", achat, SAID, WHOLE, {"429": recovered(2), "reset": ARESET}),
        Call("chat_stream()", stream, SAID, EVENTS, {"429": LIMITED, "reset": RESET, **STREAMED}),
        Call("chat_stream(), async", astream, SAID, EVENTS, {"429": LIMITED, "reset": ARESET, **STREAMED}),
    ),
)
