"""AWS's binary event stream is a stream too: faults of streams cut, end, slow and break it message by message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from _memory import Says, opened
from botocore.config import Config
from botocore.exceptions import EventStreamError

from pytest_agentfault import Rule
from pytest_agentfault._reply import Data, Delay, End, Head, How, Lost, Reply, Request
from pytest_agentfault.faults._frames import frame, frames_of, headers_of, payload_of
from pytest_agentfault.faults.end_early import EndEarly
from pytest_agentfault.faults.error_event import ErrorEvent
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.misdeliver_events import MisdeliverEvents
from pytest_agentfault.faults.pace import Pace
from pytest_agentfault.faults.rewrite_events import HOWS, RewriteEvents
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.split_chunks import SplitChunks
from pytest_agentfault.upstreams._recording import load

URL = "https://bedrock-runtime.us-east-1.amazonaws.com"
ASK = Request("POST", f"{URL}/model/x/converse-stream")
FRAMES = (("Content-Type", "application/vnd.amazon.eventstream"),)
BYTES = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff"  # one message without headers and payload
JSON = {":content-type": "application/json", ":message-type": "event"}
TOLD: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    *(("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in ("Ren\u00e9", " is", "\n")),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
]
WHOLE = [frame({":event-type": kind, **JSON}, json.dumps(value).encode()) for kind, value in TOLD]
STREAM = Reply((Head(200, FRAMES), *map(Data, WHOLE), End()))


def test_a_stream_of_frames_is_cut() -> None:
    """Inside its second message, and no length in the head hides that it is chunked."""
    whole = Reply((Head(200, FRAMES), Data(BYTES), Data(BYTES), End()))
    cut = Lose("cut", "in_body", only="stream").alter(ASK, whole)
    assert (cut.body, cut.last) == (BYTES + BYTES[:8], Lost(How.CUT))
    assert not cut.header("content-length")
    between = Lose("reset", "between_events").alter(ASK, whole)
    assert (between.body, between.last) == (BYTES, Lost(How.RESET))


@pytest.mark.parametrize(
    ("kind", "body"), [("application/octet-stream", BYTES), ("application/vnd.amazon.eventstream", b"")]
)
def test_other_bytes_are_no_stream(kind: str, body: bytes) -> None:
    """Bytes of another type, or none at all, are left as they are."""
    reply = Reply.of(200, body, (("Content-Type", kind),))
    assert Lose("cut", "in_body", only="stream").alter(ASK, reply) is reply


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """The real client, which checks each checksum; made once, since it reads 1 MB of definitions."""
    made = botocore.session.get_session().create_client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield made
    made.close()


def heard(client: Any, reply: Reply) -> list[tuple[str, Any]]:
    """What botocore hands up of a stream."""
    with opened(Rule("* *", (Says(reply),))):
        asked = [{"role": "user", "content": [{"text": "Go"}]}]
        events = client.converse_stream(modelId="x", messages=asked)["stream"]
        try:
            return [next(iter(event.items())) for event in events]
        finally:
            events.close()


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (EndEarly(2), TOLD[:2]),
        (EndEarly(), TOLD[:3]),
        (MisdeliverEvents("drop", 1), [TOLD[0], *TOLD[2:]]),
        (MisdeliverEvents("duplicate", 1), [*TOLD[:2], *TOLD[1:]]),
        (MisdeliverEvents("reorder", 1), [TOLD[0], TOLD[2], TOLD[1], *TOLD[3:]]),
        (Pace(10), TOLD),
        (Slow(2, "in_body"), TOLD),
        (SplitChunks(), TOLD),
        (SplitChunks(every_events=4), TOLD),
    ],
    ids=lambda value: repr(value)[:60] if not isinstance(value, list) else "",
)
def test_messages_are_what_is_dropped_delayed_and_cut(client: Any, fault: Any, left: list[Any]) -> None:
    """What arrives is whole messages, as the real client reads them."""
    assert heard(client, STREAM) == TOLD
    altered = fault.alter(ASK, STREAM)
    assert altered != STREAM
    assert heard(client, altered) == left


def test_silence_falls_between_messages() -> None:
    """In the middle of the stream, or before each message."""
    for fault, delays in ((Slow(2, "in_body"), 1), (Pace(10), len(TOLD) - 1)):
        altered = fault.alter(ASK, STREAM)
        assert sum(isinstance(event, Delay) for event in altered.events) == delays
        for event, following in pairwise(altered.events):
            assert not isinstance(following, Delay) or (isinstance(event, Data) and event.data in WHOLE)


@pytest.mark.parametrize(
    ("event", "code"), [("throttlingException", "throttlingException"), (None, "internalServerException")]
)
def test_an_exception_comes_inside_the_stream(client: Any, event: str | None, code: str) -> None:
    """In a message of its own, behind so many events; the client raises it with its message."""
    fault = ErrorEvent(2, event=event, json={"message": "Too many requests"})
    altered = fault.alter(ASK, STREAM)
    assert list(frames_of(altered.body))[:2] == WHOLE[:2]
    last = frames_of(altered.body)[2]
    assert headers_of(last)[":exception-type"] == code
    assert json.loads(payload_of(last)) == {"message": "Too many requests"}
    with pytest.raises(EventStreamError) as caught:
        heard(client, altered)
    assert str(caught.value) == (
        f"An error occurred ({code}) when calling the ConverseStream operation: Too many requests"
    )


@pytest.mark.parametrize("how", HOWS)
def test_binary_messages_are_put_in_one_way_only(how: str) -> None:
    """There is nothing that the format leaves to the server."""
    assert RewriteEvents(how).alter(ASK, STREAM) is STREAM
    assert MisdeliverEvents("unfinished").alter(ASK, STREAM) is STREAM


@pytest.mark.shared
def test_recorded_streams_of_bedrock_are_read(shared_dir: Path) -> None:
    """Every message adds up, and each fault strikes each of them."""
    replies = [x.reply for path in (shared_dir / "cassettes" / "bedrock").iterdir() for x in load(path).interactions]
    streams = [reply for reply in replies if reply.header("content-type") == FRAMES[0][1]]
    assert len(streams) == 5
    for reply in streams:
        frames = frames_of(reply.body)
        assert b"".join(frames) == reply.body
        assert all(headers_of(each)[":message-type"] == "event" and json.loads(payload_of(each)) for each in frames)
        first = headers_of(frames[0])
        assert frame(first, payload_of(frames[0])) == frames[0]
        for fault in (EndEarly(), ErrorEvent(json={"message": "No"}), Slow(1, "in_body"), Pace(5), SplitChunks()):
            assert fault.alter(ASK, reply) != reply
        assert EndEarly(3).alter(ASK, reply).body == b"".join(frames[:3])
