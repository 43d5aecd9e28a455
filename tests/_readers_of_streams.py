"""Two readers of a stream, for tests of runs per place."""

from __future__ import annotations

# A client that takes each read for a whole event, and one that reads lines; both over a stream of two events.
READERS = """
import json

import httpx
import pytest
from pytest_agentfault.faults.split_chunks import SplitChunks

STREAM = b'data: {"text": "caf\\xc3\\xa9"}\\n\\ndata: {"text": "!"}\\n\\n'

def reply(request):
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=STREAM)

def opened():
    return httpx.Client(transport=httpx.MockTransport(reply)).stream("GET", "https://api.example/stream")

def lines():
    with opened() as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])["text"]

def reads():
    with opened() as response:
        for piece in response.iter_bytes():
            yield from (json.loads(event[6:])["text"] for event in piece.decode().split("\\n\\n") if event)
"""
