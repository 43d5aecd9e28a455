"""google-genai: content generated, plain and streamed (https://ai.google.dev/api/generate-content)."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import httpx2
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID, events, exchange, pieces
from google import genai
from google.genai.errors import ClientError

URL: Final = "https://generativelanguage.googleapis.com/v1/models/gemini-x"
ASKED: Final[Any] = {"model": "gemini-x", "contents": "Does it work?"}


def generated(text: str, reason: str | None) -> dict[str, Any]:
    """A reply, or a piece of one."""
    content = {"parts": [{"text": text}], "role": "model"}
    return {
        "candidates": [{"content": content, "index": 0, **({"finishReason": reason} if reason else {})}],
        "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 9, "totalTokenCount": 13},
        "modelVersion": "gemini-x",
        "responseId": "resp-1",
    }


TOLD: Final = pieces(SAID)
WHOLE: Final = [exchange("POST", f"{URL}:generateContent", generated(SAID, "STOP"), asked=ASKED)]
EVENTS: Final = [
    exchange(
        "POST",
        f"{URL}:streamGenerateContent?alt=sse",
        events(*((None, generated(piece, "STOP" if piece is TOLD[-1] else None)) for piece in TOLD)),
        asked=ASKED,
        kind="text/event-stream",
    )
]


def generate() -> Any:
    """Content."""
    client = genai.Client(api_key="test")  # kept: a client that is collected closes its connections
    return client.models.generate_content(**ASKED).text


async def agenerate() -> Any:
    """Content, async."""
    async with genai.Client(api_key="test").aio as client:
        return (await client.models.generate_content(**ASKED)).text


def stream() -> str:
    """Content, streamed and put together."""
    client = genai.Client(api_key="test")
    return "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**ASKED))


async def astream() -> str:
    """Content, streamed and put together, async."""
    async with genai.Client(api_key="test").aio as client:
        return "".join([chunk.text or "" async for chunk in await client.models.generate_content_stream(**ASKED)])


PLAIN: Final = {"429": surfaced(ClientError), "reset": surfaced((httpx2.RemoteProtocolError, httpx2.ReadError))}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(httpx2.RemoteProtocolError)}
APLAIN: Final = {**PLAIN, "reset": recovered(note="async, over aiohttp, it is sent again; sync it is not")}
ASTREAMED: Final = {**APLAIN, "split": HELD, "cut": surfaced(aiohttp.ClientPayloadError)}

SDK: Final = Sdk(
    "google-genai",
    ("httpx2", "aiohttp"),
    (
        Call("generate_content()", generate, SAID, WHOLE, PLAIN),
        Call("generate_content(), async", agenerate, SAID, WHOLE, APLAIN),
        Call("generate_content_stream()", stream, SAID, EVENTS, STREAMED),
        Call("generate_content_stream(), async", astream, SAID, EVENTS, ASTREAMED),
    ),
    own=("google",),
    warns=("ignore:Inheritance class AiohttpClientSession:DeprecationWarning",),
)
