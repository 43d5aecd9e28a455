"""The fault `split_chunks`: the same bytes in other pieces."""

from __future__ import annotations

from typing import Any

import pytest
from _said import (
    BODYLESS,
    GET,
    HEAD,
    JSON,
    SSE,
    arrives,
    document,
    gzipped,
    pieces,
    read,
    refusal,
    segments,
    stream,
    three,
    unreadable,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault._reply import Data, Delay, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault._script import Next, Script, Send, Stall, encode
from pytest_agentfault.faults._places import PLACES
from pytest_agentfault.faults.split_chunks import SplitChunks

CRLF = stream({"é": "\U0001f600"}, '{"a": "\\u00e9\\n"}', done=None, end="\r\n")


@pytest.mark.parametrize(
    ("at", "body", "cut"),
    [
        (["one_byte"], b"abc", [b"a", b"b", b"c"]),
        (["inside_utf8"], "aé€😀".encode(), [b"a\xc3", b"\xa9\xe2", b"\x82", b"\xac\xf0", b"\x9f", b"\x98", b"\x80"]),
        (["between_cr_lf"], b"a\r\nb\r\n\r\n", [b"a\r", b"\nb\r", b"\n\r", b"\n"]),
        (["inside_blank_line"], b"a\r\n\r\nb\n\nc\r\rd\n", [b"a\r\n", b"\r\nb\n", b"\nc\r", b"\rd\n"]),
        (["after_event"], b"data: 1\n\ndata: 2\n\n", [b"data: 1\n\n", b"data: 2\n\n"]),
        (["after_event"], b'{"a": 1}\n{"a": 2}\n', [b'{"a": 1}\n', b'{"a": 2}\n']),
        (["inside_field_name"], b"data: 1\r\nevent: data: x\n\n", [b"da", b"ta: 1\r\nev", b"ent: data: x\n\n"]),
        (
            ["inside_json_string_escape"],
            b'["\\n \\ud83d\\ude00 \\\\"]',
            [b'["\\', b"n \\", b"ud", b"83d", b"\\", b"ud", b"e00", b" \\", b'\\"]'],
        ),
        (["before_colon"], b"data: 1\r\nevent: data: x\n\n", [b"data", b": 1\r\nevent", b": data: x\n\n"]),
        (
            ["between_event_and_data"],
            b"event: a\ndata: 1\n\nid: 1\r\ndata: 2\r\nevent: b\r\n\r\nevent: c\n\ndata: 3\n\n",
            [
                b"event: a\n",
                b"data: 1\n\nid: 1\r\ndata: 2\r\n",
                b"event: b\r\n\r\nevent: c\n\ndata: 3\n\n",
            ],
        ),
        (["inside_done"], b"data: [DONE] \n\ndata:[DONE]\n\n", [b"data: [DO", b"NE] \n\ndata:[DO", b"NE]\n\n"]),
        (
            ["inside_number"],
            b'{"a": 12, "b":[1, -2.5e3], "c": 7} x123 4a5\n',
            [b'{"a": 1', b'2, "b":[1, -2.', b'5e3], "c": 7} x123 4a5\n'],
        ),
        (
            ["inside_ndjson_line"],
            b'{"a": 1}\n\n{"b": 2}\r\n',
            [b'{"a"', b': 1}\n\n{"b"', b": 2}\r\n"],
        ),
        ([3, 1, 99], b"abcdef", [b"a", b"bc", b"def"]),
        ([2, "between_cr_lf"], b"abc\r\nd", [b"ab", b"c\r", b"\nd"]),
    ],
)
def test_the_cuts_are_where_they_were_aimed(at: list[Any], body: bytes, cut: list[bytes]) -> None:
    """Each named place is where parsers break; offsets past the end cut nothing."""
    reply = Reply.of(200, body, {"Content-Length": str(len(body))})
    struck = SplitChunks(at=at).alter(GET, reply)
    assert pieces(struck) == cut
    assert "Content-Length" not in dict(struck.headers)
    assert arrives(struck) == body


@pytest.mark.parametrize("every", [1, 4, 7])
def test_cuts_come_after_every_so_many_bytes(every: int) -> None:
    """And where the reply was cut before."""
    body = b"0123456789"
    struck = SplitChunks(every).alter(GET, Reply.of(200, body))
    assert pieces(struck) == [body[n : n + every] for n in range(0, 10, every)]


def test_the_default_aims_at_all_weak_places_at_once() -> None:
    """Characters, line ends, field names, escapes and events."""
    struck = SplitChunks().alter(GET, CRLF)
    named = [SplitChunks(at=[name]).alter(GET, CRLF) for name in PLACES if name != "one_byte"]

    def bounds(reply: Reply) -> set[int]:
        found, at = set(), 0
        for piece in pieces(reply):
            at += len(piece)
            found.add(at)
        return found

    assert bounds(struck) == set().union(*(bounds(reply) for reply in named))
    assert all(len(bounds(reply)) > 2 for reply in named if reply != CRLF)
    assert arrives(struck) == CRLF.body


def test_the_default_cuts_a_plain_body_in_its_middle() -> None:
    """A body without a weak place may come in pieces all the same."""
    assert pieces(SplitChunks().alter(GET, document([1]))) == [b"[", b"1]"]


@pytest.mark.parametrize("at", [[], ["after_event"]])
def test_a_compressed_stream_is_sent_plain_to_be_cut_where_it_matters(at: list[Any]) -> None:
    """Only where the places are in its text; by count, its compressed bytes are cut."""
    packed = gzipped(CRLF)
    struck = SplitChunks(at=at).alter(GET, packed)
    assert arrives(struck) == CRLF.body
    assert struck.header("content-encoding", "none") == "none"
    by_count = SplitChunks(5).alter(GET, packed)
    assert (by_count.body, by_count.header("content-encoding")) == (packed.body, "gzip")
    unknown = unreadable(())
    assert pieces(SplitChunks().alter(GET, unknown)) == [b"\x00\x01", b"\x02\x03"]


def test_glue_sends_all_events_as_one() -> None:
    """One chunk, or one segment; what is one already is not struck."""
    fault = SplitChunks(at=["glue"])
    struck = fault.alter(GET, CRLF)
    assert pieces(struck) == [CRLF.body]
    assert fault.alter(GET, struck) == struck
    assert SplitChunks(at=["glue"], wire="segments").alter(GET, CRLF) == CRLF
    chunked = struck.with_header("Transfer-Encoding", "chunked")
    script = SplitChunks(at=["glue"], wire="both").garble(encode(chunked, GET))
    assert segments(script) == [encode(chunked, GET).sent]


BODIES = st.lists(
    st.sampled_from(
        [b"data: ", b"\r\n", b"\n\n", b"\xc3\xa9", b"\\u00e9", b"\\", b"x", b"{}", b"\x80", b"event:", b"\r"]
    ),
    max_size=12,
).map(b"".join)
CHOSEN = st.builds(
    dict,
    every_bytes=st.none() | st.integers(1, 5),
    at=st.lists(st.sampled_from([*PLACES]) | st.integers(1, 40), max_size=3).map(tuple) | st.just(("glue",)),
    wire=st.sampled_from(["chunks", "segments", "both"]),
    random_cuts=st.none() | st.integers(1, 5),
    every_events=st.none() | st.integers(1, 3),
).filter(lambda chosen: chosen["at"] != ("glue",) or len({*chosen.values()} - {None}) == 2)


@settings(deadline=None, max_examples=200)
@given(body=BODIES, chosen=CHOSEN, framing=st.sampled_from(["length", "chunks", "pieces", "pause"]))
def test_no_byte_of_the_body_ever_changes(body: bytes, chosen: dict[str, Any], framing: str) -> None:
    """Any body, any cuts, either level: a real parser reads the same body from a well-formed message."""
    reply = Reply.of(200, body, {"length": {}, "chunks": {"Transfer-Encoding": "chunked"}}.get(framing, SSE))
    if framing == "pieces":
        reply = reply.with_data([body[:3], body[3:9], body[9:]])
    if framing == "pause":
        reply = Reply((*reply.events[:-1], Delay(1), *reply.events[-1:]))
    fault = SplitChunks(**chosen)
    altered = fault.alter(GET, reply)
    script = encode(altered, GET)
    garbled = fault.garble(script)
    kinds, got, complaint = read(garbled)
    assert (got, complaint) == (body, "")
    assert kinds[0].__name__ == "Response"
    assert garbled.sent == script.sent
    assert [s for s in garbled.steps if not isinstance(s, Send)] == [s for s in script.steps if not isinstance(s, Send)]


@pytest.mark.parametrize("reply", [document({"é": 1}), CRLF, CRLF.with_data([CRLF.body])])
def test_segments_are_cut_without_a_chunk_being_cut(reply: Reply) -> None:
    """HTTP says the same in other segments, one of which ends inside a character."""
    fault = SplitChunks(at=["inside_utf8"], wire="segments")
    assert fault.alter(GET, reply) == reply
    whole = encode(reply, GET)
    script = fault.garble(whole)
    assert script.sent == whole.sent
    assert len(segments(script)) > len(segments(whole))
    assert any(segment.endswith(b"\xc3") for segment in segments(script))
    assert verbs_of(fault) == ("alter", "garble")


def test_both_cuts_both() -> None:
    """Chunks are cut, and their framing is cut from their bytes."""
    fault = SplitChunks(3, wire="both")
    struck = fault.alter(GET, Reply.of(200, b"abcdef"))
    assert pieces(struck) == [b"abc", b"def"]
    assert segments(fault.garble(encode(struck, GET)))[1:] == [b"3\r\nabc\r\n", b"3\r\n", b"def\r\n0\r\n\r\n"]


@pytest.mark.parametrize(
    ("chosen", "request_", "reply"),
    [
        *(({}, GET, reply) for reply in BODYLESS),
        ({}, HEAD, document([1])),
        ({}, GET, Reply.of(200, b"x")),
        ({"only": "stream"}, GET, document(["é"])),
        ({"at": ["inside_utf8"]}, GET, document([1])),
        ({"at": ["inside_utf8"]}, GET, gzipped(document([1]))),
        ({"at": [50]}, GET, document([1])),
        ({"every_bytes": 50}, GET, document([1])),
        ({"at": ["glue"]}, GET, document([1])),
        ({"at": ["after_event"]}, GET, stream(1, 2)),
    ],
)
@pytest.mark.parametrize("wire", ["chunks", "segments", "both"])
def test_what_has_nothing_to_cut_is_not_struck(
    chosen: dict[str, Any], wire: str, request_: Request, reply: Reply
) -> None:
    """The same reply and the same script come back."""
    fault = SplitChunks(**chosen, wire=wire)
    assert fault.alter(request_, reply) == reply
    if "after_event" not in chosen.get("at", ()):  # a chunk's framing can still be cut from its bytes
        script = encode(reply, request_)
        assert fault.garble(script) == script


@pytest.mark.parametrize(
    "script",
    [
        Script((Stall(),)),
        Script((Send(b"\x15\x03\x03 garbage"), Next())),
        Script((Send(b"HTTP/1.1 200 OK\r\nno end of head"), Next())),
        Script((Send(b"HTTP/1.1 2OO OK\r\n\r\nbody"), Next())),
        Script((Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody"), Next())),
        Script((Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n"), Next())),
    ],
)
def test_a_script_that_is_not_http_is_left_alone(script: Script) -> None:
    """Another fault was there first."""
    assert SplitChunks(1, wire="segments").garble(script) == script


def test_only_streams_are_cut_where_that_is_asked_for() -> None:
    """At both levels."""
    fault = SplitChunks(1, wire="both", only="stream")
    struck = fault.alter(GET, CRLF)
    assert len(pieces(struck)) == len(CRLF.body)
    assert len(segments(fault.garble(encode(CRLF, GET)))) > len(CRLF.body)
    assert isinstance(struck.events[1], Data)
    assert fault.garble(encode(document([1]), GET)) == encode(document([1]), GET)
    assert document([1]).headers == JSON


KNOWN = (
    "after_event, before_colon, between_cr_lf, between_event_and_data, glue, inside_blank_line, inside_done, "
    "inside_field_name, inside_frame_crc, inside_frame_prelude, inside_framing, inside_gzip, "
    "inside_json_string_escape, inside_ndjson_line, inside_number, inside_utf8, one_byte"
)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"every_bytes": 0},
            three("split_chunks: `every_bytes` must be a whole number", "0", "give 1 or more"),
        ),
        ({"at": [0]}, three("split_chunks: `at` must be a whole number", "0", "give 1 or more")),
        (
            {"at": "inside_utf8"},
            three("split_chunks: `at` must be a list", "'inside_utf8'", 'write it like ["inside_utf8", 100]'),
        ),
        (
            {"at": ["inside_utf"]},
            three(
                "split_chunks: unknown place in `at`",
                "'inside_utf'",
                f"did you mean 'inside_utf8'? known: {KNOWN}",
            ),
        ),
        (
            {"at": ["glue", 3]},
            three(
                "split_chunks: `glue` leaves nothing cut",
                "other cuts beside it",
                'keep at = ["glue"] alone, or drop it',
            ),
        ),
        (
            {"wire": "segment"},
            three(
                "split_chunks: unknown `wire`", "'segment'", "did you mean 'segments'? known: both, chunks, segments"
            ),
        ),
        ({"only": "all"}, three("split_chunks: unknown `only`", "'all'", "known: any, stream")),
        (
            {"coding": "undo"},
            three("split_chunks: unknown `coding`", "'undo'", "did you mean 'undone'? known: fitting, kept, undone"),
        ),
        (
            {"random_cuts": 0},
            three("split_chunks: `random_cuts` must be a whole number", "0", "give 1 or more"),
        ),
        (
            {"every_events": 1.5},
            three("split_chunks: `every_events` must be a whole number", "1.5", "give 1 or more"),
        ),
        (
            {"at": "every-bound"},
            three(
                "split_chunks: unknown `at`",
                "'every-bound'",
                "did you mean 'every-boundary'? known: every-boundary, every-byte",
            ),
        ),
        (
            {"at": "every-byte", "every_bytes": 2},
            three(
                "split_chunks: `every-byte` is one run per cut",
                "`every_bytes` beside it",
                'keep at = "every-byte" alone, or drop it',
            ),
        ),
        (
            {"at": ["every-byte"]},
            three("split_chunks: `every-byte` is one run per cut", "it is in a list", 'write at = "every-byte"'),
        ),
        (
            {"at_sent": 7, "wire": "segments"},
            three("split_chunks: `at_sent` must be a list", "7", "write it like [17, 100]"),
        ),
        (
            {"at_sent": [0], "wire": "segments"},
            three("split_chunks: `at_sent` must be a whole number", "0", "give 1 or more"),
        ),
        (
            {"at_sent": [3]},
            three("split_chunks: `at_sent` is cut in segments", "wire = 'chunks'", 'set wire = "segments" or "both"'),
        ),
        (
            {"at": ["inside_framing"]},
            three(
                "split_chunks: `inside_framing` is cut in segments",
                "wire = 'chunks'",
                'set wire = "segments" or "both"',
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(SplitChunks, chosen) == text
