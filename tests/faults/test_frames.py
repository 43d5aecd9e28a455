"""AWS's binary event stream is a stream too: a fault that only strikes streams cuts it, and a client can tell."""

from __future__ import annotations

import pytest

from pytest_agentfault._reply import Data, End, Head, How, Lost, Reply, Request
from pytest_agentfault.faults.lose import Lose

ASK = Request("POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/x/converse-stream")
FRAMES = (("Content-Type", "application/vnd.amazon.eventstream"),)
BYTES = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff"  # one message without headers and payload


def test_a_stream_of_frames_is_cut() -> None:
    """Half of it arrives, and no length in the head hides that it is chunked."""
    whole = Reply((Head(200, FRAMES), Data(BYTES), Data(BYTES), End()))
    cut = Lose("cut", "in_body", only="stream").alter(ASK, whole)
    assert (cut.body, cut.last) == (BYTES, Lost(How.CUT))
    assert not cut.header("content-length")


@pytest.mark.parametrize(
    ("kind", "body"), [("application/octet-stream", BYTES), ("application/vnd.amazon.eventstream", b"")]
)
def test_other_bytes_are_no_stream(kind: str, body: bytes) -> None:
    """Bytes of another type, or none at all, are left as they are."""
    reply = Reply.of(200, body, (("Content-Type", kind),))
    assert Lose("cut", "in_body", only="stream").alter(ASK, reply) is reply
