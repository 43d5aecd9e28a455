"""The picture of cuts that a failure report shows: only what is cut, short, and byte for byte."""

from __future__ import annotations

import pytest
from _said import GET, SSE, lines, stream

from pytest_agentfault._reply import Reply
from pytest_agentfault.faults._frames import frame
from pytest_agentfault.faults.split_chunks import SplitChunks

CHAT = stream({"text": "Ren\u00e9"}, {"text": "b"}, end="\r\n")
NAMED = Reply.of(200, b'event: a\ndata: {"n": 10}\n\nevent: b\ndata: {}\n\n', SSE)
TOLD = {":message-type": "event", ":event-type": "contentBlockDelta", ":content-type": "application/json"}
FRAMES = Reply.of(
    200,
    frame(TOLD, '{"delta": {"text": "Ren\u00e9"}, "n": 12}'.encode()) + frame(TOLD, b'{"stopReason": "end_turn"}'),
    {"Content-Type": "application/vnd.amazon.eventstream"},
)


def drawn(text: str) -> str:
    """A picture as it is written here: without the margin, and its first line empty."""
    return "\n".join(line[4:] for line in text.split("\n")[1:-1])


@pytest.mark.parametrize(
    ("fault", "reply", "text"),
    [
        (
            SplitChunks(at=["inside_utf8"]),
            stream("caf\u00e9", '"\u2026 \u65e5"'),
            r"""
    event 1 of 3, cut behind byte 10 (inside_utf8) of 44:
      data: caf\xc3|\xa9\n\n
                   ^
    event 2 of 3, cut behind byte 21 (inside_utf8), 22 (inside_utf8), 25 (inside_utf8), 26 (inside_utf8) of 44:
      data: "\xe2|\x80|\xa6 \xe6|\x97|\xa5"\n\n
                 ^    ^         ^    ^
    """,
        ),
        (
            SplitChunks(at=["after_event"]),
            NAMED,
            r"""
    event 1 of 2, cut behind byte 26 (after_event) of 45:
      event: a\ndata: {"n": 10}\n\n|event: b\ndata: {}\n\n
                                   ^
    """,
        ),
        (
            SplitChunks(at=[20, 21, 60]),
            Reply.of(200, b"<p>" + b"x" * 100, {"Content-Type": "text/html"}),
            """
    the body, cut behind byte 20, 21, 60 of 103:
      <p>xxxxxxxxxxxxxxxxx|x|...xxxxxxxxxxxxxxxxxxxxxxxxxxxx|xxxxxxxxxxxxxxxxxxxxxxxxxxxx...
                          ^ ^                               ^
    """,
        ),
        (
            SplitChunks(1),
            lines({"a": "\\"}, *range(10)),
            r"""
    line 1 of 11, cut behind byte 1, 2, 3, 4 and 7 more of 32:
      {|"|a|"|: "\\\\"}\n
       ^ ^ ^ ^
    """,
        ),
        (
            SplitChunks(at=["inside_frame_prelude"]),
            FRAMES,
            r"""
    message 1 of 2, cut behind byte 2 (inside_frame_prelude), 4 (inside_frame_prelude), 6 (inside_frame_prelude) of 269:
      \x00\x00|\x00\x8c|\x00\x00|\x00W\xe4;F\xad\r:message-type\x07\x00\x05event...
              ^        ^        ^
    """,
        ),
    ],
    ids=["characters", "between events", "long", "many", "binary"],
)
def test_a_picture_shows_the_cuts_and_no_more(fault: SplitChunks, reply: Reply, text: str) -> None:
    """The event, the offset, its name, and the bytes around it with a bar and a caret."""
    found = fault.picture(GET, reply)
    assert found.startswith(drawn(text))
    assert found == drawn(text) or fault.every_bytes or reply is FRAMES


def test_a_picture_of_many_cuts_stays_short() -> None:
    """So many events, so many cuts of each, and how many more there are."""
    found = SplitChunks(1).picture(GET, stream(*("x" * 500 for _ in range(40))))
    assert len(found) < 1500
    assert found.endswith("more cuts in 37 more of them")
    found = SplitChunks(at=["inside_framing"], wire="segments").picture(GET, CHAT)
    assert "all that is sent, cut behind byte" in found
    assert SplitChunks(at="every-byte").picture(GET, CHAT) == ""
