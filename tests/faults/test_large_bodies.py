"""Bodies of many MiB: no more of them is held than the recording and what is sent of it."""

from __future__ import annotations

import tracemalloc
from typing import Any

import httpx2
import pytest
from _heard import READERS, meant
from _memory import Says, opened
from _said import GET, SSE, read, segments, stream
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentfault import Rule
from pytest_agentfault._reply import Data, End, Head, Reply
from pytest_agentfault._script import LARGE_BYTES, Next, Script, Send, encode
from pytest_agentfault.faults._wire import Sent, spoken
from pytest_agentfault.faults.rewrite_events import RewriteEvents
from pytest_agentfault.faults.split_chunks import SplitChunks

MIB = 1 << 20
SIZE = 8 * MIB
LARGE = b'data: {"a": "' + b"x" * SIZE + b'"}\n\ndata: [DONE]\n\n'
CHUNKED = (*SSE, ("Transfer-Encoding", "chunked"))


@pytest.mark.parametrize("headers", [SSE, CHUNKED], ids=["length", "chunked"])
def test_a_large_piece_is_a_segment_of_its_own(headers: Any) -> None:
    """It is the very object of the reply, and a real parser reads the same body; a smaller piece is sent as ever."""
    for size, shared in ((LARGE_BYTES, True), (LARGE_BYTES - 1, False)):
        body = b"x" * size
        script = encode(Reply((Head(200, headers), Data(body), End())), GET)
        assert any(segment is body for segment in segments(script)) is shared
        assert read(script)[1:] == (body, "")
        said = spoken(script)
        assert said is not None
        assert said.body == body
        assert (said.body is body) is shared


@pytest.mark.parametrize(
    ("faults", "base"),
    [
        ([SplitChunks(at=[SIZE // 2])], LARGE),
        ([SplitChunks(at=[SIZE // 2], wire="segments")], LARGE),
        ([SplitChunks()], LARGE),
        ([RewriteEvents("large_event", SIZE)], None),
        ([RewriteEvents("large_event", SIZE), SplitChunks(at=["inside_done", SIZE // 2])], None),
    ],
    ids=["chunks", "segments", "named", "made", "made and split"],
)
@pytest.mark.parametrize("headers", [SSE, CHUNKED], ids=["length", "chunked"])
def test_a_large_event_is_delivered_in_twice_its_size(faults: list[Any], base: bytes | None, headers: Any) -> None:
    """Of the memory of Python; the recording, which is kept, is half of it."""
    small = stream({"a": 1}, {"b": 2}).body
    with httpx2.Client(trust_env=False) as client:
        with opened(Rule("* *", (Says(Reply.of(200, small, headers)), SplitChunks(3)))):
            client.get("http://x.test/")
        tracemalloc.start()
        try:
            # Made here, so that it counts.
            reply = Reply.of(200, bytes(bytearray(base)) if base else small, headers)
            tracemalloc.reset_peak()
            with opened(Rule("* *", (Says(reply), *faults))) as door, client.stream("GET", "http://x.test/") as got:
                size = sum(map(len, got.iter_raw()))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size >= SIZE
    assert len(door.plan.log[0].struck) == 1 + len(faults)
    assert peak < 2.2 * SIZE


@pytest.mark.parametrize("reader", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize("named", [b"", b"event: {data:}\n", b": data: {\nid: 1\n"])
def test_a_large_event_says_the_same(reader: Any, named: bytes) -> None:
    """Whatever stands in front of its data, the white space is inside its JSON."""
    base = Reply.of(200, named + b'data: {"b": [1,\ndata: 2]}\n\n', SSE)
    struck = RewriteEvents("large_event", 3000).alter(GET, base)
    assert len(struck.body) >= 3000
    assert meant(reader(struck.body)) == meant(reader(base.body))


PIECES = st.lists(st.sampled_from([b"", b"a", b"\r", b"\n", b"\r\n", b"bcd\r", b"x" * 600]), max_size=8)


@given(PIECES, st.integers(0, 40), st.integers(0, 700))
def test_what_is_sent_is_looked_at_as_if_it_were_joined(pieces: list[bytes], at: int, size: int) -> None:
    """Parts, marks and length, wherever the segments end."""
    script = Script((*map(Send, pieces), Next()))
    sent = Sent(script)
    assert len(sent) == len(script.sent)
    assert sent.part(at, at + size) == script.sent[at : at + size]
    assert sent.until(b"\r\n", at) == script.sent.find(b"\r\n", at)
