"""ollama: chat with the local server, plain and streamed as lines of JSON (https://docs.ollama.com/api/chat)."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
import ollama
from _cells import HELD, Call, Sdk, surfaced
from _shapes import SAID, exchange, pieces

URL: Final = "http://127.0.0.1:11434/api/chat"
ASKED: Final[Any] = {"model": "llama-x", "messages": [{"role": "user", "content": "Does it work?"}]}


def said(text: str, done: bool) -> dict[str, Any]:
    """A reply, or a line of one."""
    told = {
        "model": "llama-x",
        "created_at": "2025-10-17T23:14:07.414671Z",
        "message": {"role": "assistant", "content": text},
    }
    ended = {"done_reason": "stop", "total_duration": 174560334, "prompt_eval_count": 11, "eval_count": 18}
    return {**told, "done": done, **(ended if done else {})}


LINES: Final = [*(said(piece, False) for piece in pieces(SAID)), said("", True)]
WHOLE: Final = [exchange("POST", URL, said(SAID, True), asked=ASKED)]
STREAM: Final = [
    exchange("POST", URL, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES), asked=ASKED,
             kind="application/x-ndjson")
]  # fmt: skip


def chat() -> Any:
    """A chat."""
    return ollama.Client().chat(**ASKED).message.content


async def achat() -> Any:
    """A chat, async."""
    return (await ollama.AsyncClient().chat(**ASKED)).message.content


def stream() -> str:
    """A chat, streamed and put together."""
    return "".join(line.message.content for line in ollama.Client().chat(**ASKED, stream=True))


async def astream() -> str:
    """A chat, streamed and put together, async."""
    lines = await ollama.AsyncClient().chat(**ASKED, stream=True)
    return "".join([line.message.content async for line in lines])


PLAIN: Final = {"429": surfaced(ollama.ResponseError), "reset": surfaced(httpx.ReadError)}
STREAMED: Final = {**PLAIN, "split": HELD, "cut": surfaced(httpx.RemoteProtocolError)}

SDK: Final = Sdk(
    "ollama",
    ("httpx",),
    (
        Call("chat()", chat, SAID, WHOLE, PLAIN),
        Call("chat(), async", achat, SAID, WHOLE, PLAIN),
        Call("chat(stream=True)", stream, SAID, STREAM, STREAMED),
        Call("chat(stream=True), async", astream, SAID, STREAM, STREAMED),
    ),
)
