"""
The same with a parser of ten lines that waits for whole lines, and an end that is checked.

Lines end in CR LF, LF or CR, and an event ends with an empty line, wherever the
network cuts (https://html.spec.whatwg.org/multipage/server-sent-events.html section 9.2.5).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

import httpx

URL = "https://api.openai.com/v1"


class IncompleteAnswer(Exception):
    """The stream ended before the model had finished."""


def ask(question: str, base: str = URL) -> str:
    """The model's answer, streamed."""
    asked = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": question}]}
    key = {"authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'not-a-secret')}"}
    answer = ""
    with httpx.stream("POST", f"{base}/chat/completions", json=asked, headers=key) as reply:
        for data in events(reply.iter_bytes()):
            if data == "[DONE]":
                return answer
            answer += json.loads(data)["choices"][0]["delta"].get("content") or ""
    raise IncompleteAnswer(answer)


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each event; a character, a line end or an event may lie in two pieces."""
    rest, data = b"", []
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in (whole.removesuffix(b"\r") for whole in lines):
            if line.startswith(b"data:"):
                data.append(line.removeprefix(b"data:").removeprefix(b" ").decode())
            elif not line and data:
                yield "\n".join(data)
                data = []
