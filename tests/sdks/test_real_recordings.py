"""
The scenarios over recordings of real services: what was recorded is what a plain client hears in the end.

Each recorded request is sent again as it was, by a caller who does not give up.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from _real import STREAMED, VENDORS, folder, recorded, recordings, said, sent

from pytest_agentfault._payload import events_of, is_json, is_stream
from pytest_agentfault._plan import CONFESSION
from pytest_agentfault._reply import Reply
from pytest_agentfault._run import Faults
from pytest_agentfault.upstreams._recording import Interaction

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    """One context for all clients: making it costs more than the test."""
    return ssl.create_default_context()


def last_place(kept: Sequence[Interaction], wanted: Callable[[Any], bool]) -> int | None:
    """The place of the last reply with a body that is wanted, behind which the same is not asked again.

    A retry is given the next recording of its request where there is one, and in a conversation that is the next
    turn: so it is the last that is struck.
    """
    asked = [(one.request.method, one.request.uri) for one in kept]
    places = (place for place, one in enumerate(kept) if one.reply.body and wanted(one.reply))
    return max((place for place in places if asked[place] not in asked[place + 1 :]), default=None)


def has_fields(reply: Reply) -> bool:
    """Whether there is a field to lose: in JSON, or in the events of a stream."""
    return is_json(reply) or is_stream(reply)


class Patient:
    """A plain caller who asks again, with another credential after a 401, until the reply is not an injected one."""

    def __init__(self, context: ssl.SSLContext, *, content: bool = False) -> None:
        self.http = httpx.Client(verify=context, timeout=60)
        self.content = content
        self.token = "one"

    def hear(self, kept: Interaction) -> tuple[int, bytes]:
        """What the recorded request is answered in the end."""
        for _ in range(5):
            asked = sent(kept)
            asked["headers"] = {**asked["headers"], "authorization": f"Bearer {self.token}"}
            try:
                reply = self.http.request(**asked, content=kept.request.body)
            except httpx.TransportError:
                continue
            if CONFESSION not in reply.headers or self.content:
                return reply.status_code, reply.content
            self.token += "+"
            time.sleep(float(reply.headers.get("retry-after", 1)))
        raise AssertionError("five injected replies to one request")


@recordings(lambda entry: entry["vendor"] in VENDORS)
@pytest.mark.parametrize(
    ("scenario", "harmless"),
    [
        ("any/rate-limit", False),
        ("any/server-error", False),
        ("any/expired-session", False),
        ("any/html-instead", False),
        ("any/connection-reset", False),
        ("any/malformed-json", False),
        ("any/schema-drift", False),
        ("any/stall", False),
        ("any/slow", True),
        ("any/chunk-split", True),
    ],
)
def test_each_recording_is_heard_whole_in_the_end(
    faults: Faults, context: ssl.SSLContext, name: str, scenario: str, harmless: bool
) -> None:
    """Whoever asks again hears every recorded reply, byte for byte, after what struck."""
    kept = recorded(name)
    place = last_place(kept, has_fields if scenario == "any/schema-drift" else bool)
    assert place is not None
    faults.add(scenario, cassette=folder() / name, **({} if harmless else {"after": place}))
    patient = Patient(context, content=harmless)
    for one in kept:
        assert patient.hear(one) == said(one)
    struck = sum(1 for exchange in faults.log if exchange.struck)
    assert struck >= 1
    assert len(faults.log) == len(kept) + (0 if harmless else struck)


@recordings(lambda entry: set(STREAMED) & set(entry["kinds"]))
@pytest.mark.parametrize("client", ["httpx", "requests"])
def test_each_recorded_stream_comes_through_split(
    faults: Faults, context: ssl.SSLContext, name: str, client: str
) -> None:
    """Cut wherever parsers break, a stream of any vendor is the same stream."""
    kept = recorded(name)
    faults.add("any/chunk-split", cassette=folder() / name)
    for one in kept:
        if client == "httpx":
            with httpx.Client(verify=context).stream(**sent(one), content=one.request.body) as answer:
                pieces = list(answer.iter_bytes())
        else:
            reply = requests.request(**sent(one), data=one.request.body, stream=True, timeout=30)
            pieces = list(reply.iter_content(None))
        assert b"".join(pieces) == said(one)[1]
        if is_stream(one.reply) and not one.reply.header("content-encoding"):
            assert len(pieces) > len(events_of(said(one)[1]))


@recordings(lambda entry: set(STREAMED) & set(entry["kinds"]))
@pytest.mark.asyncio
async def test_each_recorded_stream_comes_through_split_async(faults: Faults, name: str) -> None:
    """The same for aiohttp."""
    kept = recorded(name)
    faults.add("any/chunk-split", cassette=folder() / name)
    async with aiohttp.ClientSession() as http:
        for one in kept:
            async with http.request(**sent(one), data=one.request.body) as reply:
                assert await reply.read() == said(one)[1]


@recordings(lambda entry: set(STREAMED) & set(entry["kinds"]))
def test_each_recorded_stream_can_be_cut(faults: Faults, context: ssl.SSLContext, name: str) -> None:
    """A cut stream raises, having given its beginning; the next one is whole."""
    place = last_place(recorded(name), is_stream)
    assert place is not None
    kept = recorded(name)[place]
    faults.add("any/stream-cut", cassette=folder() / name, after=place)
    pieces: list[bytes] = []
    http = httpx.Client(verify=context)
    for one in recorded(name)[:place]:
        assert http.request(**sent(one), content=one.request.body).content == said(one)[1]
    with pytest.raises(httpx.RemoteProtocolError), http.stream(**sent(kept), content=kept.request.body) as answer:
        pieces.extend(answer.iter_bytes())
    assert said(kept)[1].startswith(b"".join(pieces))
    assert http.request(**sent(kept), content=kept.request.body).content == said(kept)[1]
