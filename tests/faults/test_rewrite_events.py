"""The fault `rewrite_events`: the same events in other words."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from _heard import READERS, lines_heard, meant
from _said import (
    BODYLESS,
    GET,
    HEAD,
    SSE,
    arrives,
    document,
    gzipped,
    lines,
    pieces,
    refusal,
    stream,
    three,
    unreadable,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._payload import is_event_stream, is_stream, plain
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.rewrite_events import HOWS, OF_LINES, RewriteEvents
from pytest_agentfault.upstreams._recording import load

BOM = b"\xef\xbb\xbf"
IN_JSON = ("multiline_data", "unicode_separators", "large_event")  # the data is the same JSON, and not the same text
CHAT = b'data: {"id": 1, "t": "a \xe2\x82\xac"}\n\ndata: {"id": 2}\n\ndata: [DONE]\n\n'
NAMED = b'event: start\ndata: {"type": "start"}\n\nevent: stop\ndata: {"type":"stop"}\n\n'
STREAMS = {
    "chat": CHAT,
    "named": NAMED,
    "crlf": NAMED.replace(b"\n", b"\r\n"),
    "cr": NAMED.replace(b"\n", b"\r"),
    "bom": BOM + CHAT,
    "comments": b": hello\n\n" + CHAT + b": bye\n\n",
    "ids": b"retry: 10\nid: 3\n" + CHAT + b"id: 4\ndata: x\n\n",
    "multiline": b'data: {\ndata: "a": 1}\n\ndata: one\ndata: two\n\ndata:  spaced\n\n',
    "bare": b'data:{"a":{}}\n\ndata\ndata\n\nevent:b\ndata:[]\n\n',
    "name behind": b"data: {}\nevent: late\n\ndata: 1\n\n",
    "blank in front": b"\n\n" + NAMED,
    "unfinished": NAMED + b"data: {}\nevent: lost",
    "text": "data: caf\u00e9 \u2028 x\n\ndata: \U0001f600\n\n".encode(),
}


def sse(body: bytes) -> Reply:
    """A reply with this stream in one piece."""
    return Reply.of(200, body, SSE)


def rewritten(how: str, reply: Reply, **settings_: Any) -> Reply:
    """The reply in other words."""
    return RewriteEvents(how, **settings_).alter(GET, reply)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("reader", READERS)
def test_the_events_stay_the_same(how: str, name: str, reader: str) -> None:
    """What a reader hears is equal: name and data, and where JSON was put another way, its value."""
    body = STREAMS[name]
    said = rewritten(how, sse(body), size_bytes=500).body
    before, after = READERS[reader](body), READERS[reader](said)
    assert meant(after) == meant(before)
    assert how in IN_JSON or after == before
    assert before


FIELD_LINES = st.sampled_from(
    [
        b"data: x",
        b"data:  y",
        b"data",
        b'data: {"a": [1]}',
        b"data:{}",
        b": c",
        b"event: n",
        b"event",
        b"id: 1",
        b"other: 2",
    ]
)
EVENT = st.builds(
    lambda lines_, blank: b"".join(line + b"\n" for line in lines_) + b"\n" * blank,
    st.lists(FIELD_LINES, min_size=1, max_size=4),
    st.integers(1, 3),
)


@pytest.mark.parametrize("how", HOWS)
@settings(deadline=None, max_examples=60)
@given(
    events=st.lists(EVENT, min_size=1, max_size=4),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    tail=st.sampled_from([b"", b"data: never", b"data: never\n", b": c\n"]),
)
def test_whatever_the_stream_the_events_stay_the_same(how: str, events: list[bytes], end: bytes, tail: bytes) -> None:
    """Any fields in any order, any line ends, finished or not."""
    body = (b"".join(events) + tail).replace(b"\n", end)
    said = rewritten(how, sse(body), size_bytes=300).body
    for reader, hears in READERS.items():
        if reader == "httpx2" and b"\r" in (said[-1:], body[-1:]):
            continue  # 2.16 takes a CR at the very end for two line ends, and an event that never ended for one
        assert meant(hears(said)) == meant(hears(body))


@pytest.mark.parametrize(
    ("how", "body", "said"),
    [
        ("comments", b"data: 1\n\ndata: 2\n\n", b": ping\n\ndata: 1\n\n: ping\n\ndata: 2\n\n"),
        ("comments", b"data: 1\r\n\r\n", b": ping\r\n\r\ndata: 1\r\n\r\n"),
        ("comment_lines", b"data: 1\n\n", b": ping\ndata: 1\n\n"),
        ("empty_events", b"data: 1\n\n", b"event: ping\n\ndata: 1\n\n"),
        ("ids", b"event: a\ndata: 1\n\n", b"id: 7\nevent: a\ndata: 1\n\n"),
        ("retry", b"data: 1\n\n", b"retry: 3000\ndata: 1\n\n"),
        ("crlf", b": a\rdata: 1\n\n", b": a\r\ndata: 1\r\n\r\n"),
        ("cr", b"data: 1\r\n\r\n", b"data: 1\r\r"),
        ("lf", b"data: 1\r\rdata: 2\r\n\r\n", b"data: 1\n\ndata: 2\n\n"),
        ("event_last", b"event: a\nid: 1\ndata: 1\n\n", b"id: 1\ndata: 1\nevent: a\n\n"),
        ("event_first", b"data: 1\nevent: a\n\n", b"event: a\ndata: 1\n\n"),
        ("no_space", b": c\nevent: a\ndata: {}\ndata:  x\n\n", b": c\nevent:a\ndata:{}\ndata:  x\n\n"),
        ("multiline_data", b'data: {"a": [1]}\n\n', b'data: {\ndata: "a": [1]}\n\n'),
        ("multiline_data", b"event: a\r\ndata: [1]\r\n\r\n", b"event: a\r\ndata: [\r\ndata: 1]\r\n\r\n"),
        ("bom", b"data: 1\n\n", BOM + b"data: 1\n\n"),
        ("comments", BOM + b"data: 1\n\n", BOM + b": ping\n\ndata: 1\n\n"),
        (
            "unicode_separators",
            b"data: {}\n\ndata: [1]\n\n",
            'data: {"padding":"\u2028|\u2029|\u0085"}\n\ndata: [1]\n\n'.encode(),
        ),
        ("unicode_separators", b'data: {"a":1}\n\n', 'data: {"padding":"\u2028|\u2029|\u0085","a":1}\n\n'.encode()),
        ("large_event", b"data: {}\n\ndata: [1]\n\ndata: x\n\n", b"data: {}\n\ndata: [        1]\n\ndata: x\n\n"),
    ],
)
def test_each_way_changes_one_thing(how: str, body: bytes, said: bytes) -> None:
    """The rest stays byte for byte, in the line ends of the stream."""
    assert rewritten(how, sse(body), size_bytes=19).body == said


@pytest.mark.parametrize("size", [1_048_576, 3_000_000])
def test_a_large_event_is_as_large_as_asked(size: int) -> None:
    """Counted with its field name and the line ends that close it."""
    said = rewritten("large_event", stream({"n": 1}, {"n": 2}, {"n": 3}), size_bytes=size)
    assert [len(piece) for piece in pieces(said)] == [16, size, 16, 14]
    assert json.loads(pieces(said)[1][6:]) == {"n": 2}


@pytest.mark.parametrize("how", HOWS)
def test_the_message_stays_well_formed(how: str) -> None:
    """One event, one chunk, as before; a promised length is the true one, and a compressed stream is sent plain."""
    for many in (stream({"n": 1}, {"n": 2}), stream({"n": 1}, {"n": 2}, end="\r\n")):
        reply = many.with_data([piece.replace(b"data", b"id: 1\nevent: a\ndata") for piece in pieces(many)])
        said = rewritten(how, reply)
        assert len(pieces(said)) == len(pieces(reply))
        flat = Reply.of(200, reply.body, (*SSE, ("Content-Length", str(len(reply.body)))))
        alone = rewritten(how, flat)
        assert alone.body == said.body == arrives(said) == arrives(alone)
        assert alone.header("content-length") == str(len(alone.body))
        packed = rewritten(how, gzipped(reply))
        assert packed.body == said.body or packed == gzipped(reply)


@pytest.mark.parametrize("how", OF_LINES)
def test_lines_of_json_can_be_put_in_other_words_too(how: str) -> None:
    """Whoever reads line by line hears the same."""
    given_ = lines({"n": 1}, {"n": 2})
    said = rewritten(how, given_, size_bytes=99)
    assert (said == given_) == (how == "lf")
    assert meant(lines_heard(said.body)) == meant(lines_heard(given_.body))


@pytest.mark.parametrize(
    ("how", "request_", "reply"),
    [
        *((how, GET, document({"a": 1})) for how in HOWS),
        *((how, HEAD, stream({"n": 1})) for how in HOWS),
        *((how, GET, lines({"n": 1}, {"n": 2})) for how in HOWS if how not in OF_LINES),
        *(("comments", GET, reply) for reply in BODYLESS),
        ("comments", GET, unreadable(SSE)),
        ("bom", GET, sse(BOM + CHAT)),
        ("lf", GET, sse(CHAT)),
        ("crlf", GET, sse(CHAT.replace(b"\n", b"\r\n"))),
        ("event_first", GET, sse(NAMED)),
        ("event_last", GET, sse(CHAT)),
        ("no_space", GET, gzipped(sse(b"data:1\n\n"))),
        ("multiline_data", GET, sse(b"data: 1\n\ndata: {\ndata: }\n\n")),
        ("unicode_separators", GET, sse(b'data: x\n\ndata: {"padding": 1}\n\n')),
        ("large_event", GET, sse(b"data: x\n\n")),
    ],
)
def test_what_is_no_stream_or_says_it_so_already_is_not_struck(how: str, request_: Request, reply: Reply) -> None:
    """The same reply comes back."""
    fault = RewriteEvents(how)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


def test_a_large_event_stays_as_large_as_it_is() -> None:
    """It is never cut down."""
    assert rewritten("large_event", sse(CHAT), size_bytes=5) == sse(CHAT)


@pytest.mark.shared
def test_the_events_of_real_recordings_stay_the_same(shared_dir: Path) -> None:
    """Every recorded stream, in every other wording: two parsers hear what was recorded."""
    struck: Counter[str] = Counter()
    index = json.loads((shared_dir / "cassettes" / "INDEX.json").read_text())
    for name in sorted({entry["file"] for entry in index}):
        try:
            replies = [x.reply for x in load(shared_dir / "cassettes" / name).interactions]
        except CassetteError:
            continue  # tests/test_shared_cassettes.py says which, and why
        streams = [
            said for reply in replies if is_stream(reply) and (said := plain(reply)) and len(said.body) < 200_000
        ]
        for reply in streams[:2]:
            hears = list(READERS.values()) if is_event_stream(reply) else [lines_heard]
            before = [heard(reply.body) for heard in hears]
            for how in HOWS:
                said = rewritten(how, reply, size_bytes=20_000)
                struck[how] += said != reply
                after = [heard(said.body) for heard in hears]
                assert list(map(meant, after)) == list(map(meant, before)), (name, how)
                assert how in IN_JSON or after == before, (name, how)
    assert {how for how in HOWS if not struck[how]} == {"event_first"}  # which is how every vendor writes


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"how": "comment"},
            three(
                "rewrite_events: unknown `how`",
                "'comment'",
                f"did you mean 'comments'? known: {', '.join(sorted(HOWS))}",
            ),
        ),
        ({"size_bytes": 0}, three("rewrite_events: `size_bytes` must be a whole number", "0", "give 1 or more")),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(RewriteEvents, chosen) == text
