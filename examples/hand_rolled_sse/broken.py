"""
A parser of streams as it is often written by hand: one `read()` is taken for one event.

It works on every developer's machine, because there each event comes in a packet
of its own. Find the bug with `any/chunk-split`; `fixed.py` has the cure.
"""

from __future__ import annotations

import json
import os

import httpx

URL = "https://api.openai.com/v1"


def ask(question: str, base: str = URL) -> str:
    """The model's answer, streamed."""
    asked = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": question}]}
    key = {"authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', 'not-a-secret')}"}
    answer = ""
    with httpx.stream("POST", f"{base}/chat/completions", json=asked, headers=key) as reply:
        for piece in reply.iter_bytes():
            for line in piece.decode("utf-8", "ignore").split("\n"):
                if line.startswith("data: {"):
                    try:
                        choice = json.loads(line.removeprefix("data: "))["choices"][0]
                    except ValueError:
                        continue  # "sometimes there is a broken line"
                    answer += choice["delta"].get("content") or ""
    return answer
