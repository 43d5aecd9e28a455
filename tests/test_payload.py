"""What a reply says: bytes are believed before headers, and no helper changes more than it is asked to."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault import _payload
from pytest_agentfault._payload import (
    MISSING,
    behind,
    cut_at,
    data_of,
    decoded,
    events_of,
    has_body,
    is_encoded,
    is_event_stream,
    is_json,
    is_ndjson,
    is_stream,
    json_of,
    line_end_of,
    plain,
    up_to,
    with_data_of,
    with_payload,
    written,
)
from pytest_agentfault._reply import Data, Delay, End, Head, How, Lost, Reply, Request

GET = Request("GET", "https://api.test/")
TEXT = b'{"name": "caf\xc3\xa9"}'


def packed(text: bytes, level: int = 9) -> bytes:
    """The text under gzip, the same bytes every time: they are part of test ids."""
    return gzip.compress(text, level, mtime=0)


RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATED = RAW.compress(TEXT) + RAW.flush()


def coded(coding: str, body: bytes) -> Reply:
    """A reply that says this coding."""
    return Reply.of(200, body, {"Content-Encoding": coding, "Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        ("", TEXT, TEXT),
        ("identity", TEXT, TEXT),
        ("gzip", packed(TEXT), TEXT),
        ("x-gzip", packed(TEXT), TEXT),
        ("GZIP", packed(b"a") + packed(b"b"), b"ab"),
        ("gzip", TEXT, TEXT),
        ("gzip", packed(TEXT) + b"padding", TEXT),
        ("gzip", b"\x1f\x8b\xff broken from its first byte", None),
        ("deflate", zlib.compress(TEXT), TEXT),
        ("deflate", RAW_DEFLATED, TEXT),
        ("deflate", TEXT, TEXT),
        ("deflate", b"\xff\xfe\x00", None),
        ("deflate, gzip", packed(zlib.compress(TEXT)), TEXT),
        ("br", TEXT, TEXT),
        ("zstd", TEXT, TEXT),
        ("nonesuch", TEXT, TEXT),
        ("nonesuch", b"\x00\x01", None),
        ("gzip, nonesuch", b"\x00\x01", None),
        ("nonesuch, gzip", packed(b"\x00\x01"), None),
        ("gzip, deflate", zlib.compress(b"\x1f\x8b\xff broken from its first byte"), None),
    ],
)
def test_a_content_coding_is_undone_and_a_lying_one_is_seen_through(
    coding: str, body: bytes, text: bytes | None
) -> None:
    """The text is had wherever the bytes hold it, and None where they cannot be read."""
    assert decoded(coded(coding, body)) == text


@pytest.mark.parametrize(
    ("coding", "modules", "body"),
    [
        ("br", ("brotli", "brotlicffi"), b"\x8b\x00\x80packed"),
        ("zstd", ("compression.zstd", "backports.zstd", "zstandard"), b"\x28\xb5\x2f\xfdpacked"),
    ],
)
def test_codings_outside_the_standard_library_need_their_module(
    monkeypatch: pytest.MonkeyPatch, coding: str, modules: tuple[str, ...], body: bytes
) -> None:
    """Brotli and zstd are undone by the first module that is installed, and are None without one."""
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    assert decoded(coded(coding, body)) is None
    assert plain(coded(coding, body)) is None
    last = ModuleType(modules[-1])
    last.decompress = lambda given: bytearray(given[-6:])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, modules[-1], last)
    assert decoded(coded(coding, body)) == b"packed"


def test_a_compressed_body_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    """What arrived of a gzip body before the connection was lost is text all the same."""
    whole = bytes(range(32, 127)) * 40
    body = packed(whole, level=0)
    cut = Reply((Head(200, (("Content-Encoding", "gzip"),)), Data(body[: len(body) // 2]), Lost(How.CUT)))
    text = decoded(cut)
    assert text
    assert whole.startswith(text)


def test_a_new_payload_has_no_coding_and_a_true_length() -> None:
    """The header section stays but for content-encoding and content-length; the body is one piece."""
    old = Reply.of(200, packed(TEXT), {"X-Kept": "1", "content-length": "7", "Content-Encoding": "gzip", "ETag": "a"})
    new = with_payload(old, b"new")
    assert new.headers == (("X-Kept", "1"), ("ETag", "a"), ("content-length", "3"))
    assert (new.body, new.last) == (b"new", End())
    assert with_payload(old.with_header("content-length", None), b"new").header("content-length", "none") == "none"
    assert is_encoded(old)
    assert not is_encoded(new)
    assert plain(new) is new


def test_a_new_payload_of_a_lost_reply_still_lacks_what_it_lacked() -> None:
    """Four bytes of ten were missing, so four are missing of the new one too."""
    lost = Reply((Head(200, (("Content-Length", "10"),)), Data(b"123456"), Lost(How.RESET)))
    assert with_payload(lost, b"abc").header("content-length") == "7"


EVENTS = b'data: {"a": 1}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("kind", "body", "json_", "sse", "ndjson"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}, False, False),
        ("application/vnd.api+json", b"[1]", [1], False, False),
        ("application/json", b"null", None, False, False),
        ("application/json", b"3", 3, False, False),
        ("text/plain", b"3", MISSING, False, False),
        ("text/plain", b'{"a": 1}', {"a": 1}, False, False),
        ("", b'\xef\xbb\xbf{"a": 1}', {"a": 1}, False, False),
        ("application/json", b"<html></html>", MISSING, False, False),
        ("application/json", b"", MISSING, False, False),
        ("application/json", b"[" * 100_000, MISSING, False, False),
        ("application/json", b'{"a": "\xff"}', MISSING, False, False),
        ("text/event-stream", EVENTS, MISSING, True, False),
        ("text/event-stream", b"data: one and open", MISSING, True, False),
        ("text/event-stream", b": a comment only\n\n", MISSING, True, False),
        ("application/json", EVENTS, MISSING, True, False),
        ("", b"event: x\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", MISSING, True, False),
        ("", b": ping\n\ndata: 1\n\n", MISSING, True, False),
        ("text/plain", b"data: it is, of course", MISSING, False, False),
        ("text/event-stream", b'{"error": 1}', {"error": 1}, False, False),
        ("text/event-stream", b"<html>", MISSING, False, False),
        ("text/event-stream", b"\n \n", MISSING, False, False),
        ("application/x-ndjson", b'{"a": 1}\n{"a": 2}\n', MISSING, False, True),
        ("application/x-ndjson", b'{"a": 1}\n', {"a": 1}, False, True),
        ("application/x-ndjson", b'{"a": 1}\n{"a": ', MISSING, False, True),
        ("application/json", b'{"a": 1}\n{"a": 2}\n', MISSING, False, True),
        ("application/json", b'{"a": 1}\nnot json\n{"a": 2}\n', MISSING, False, False),
        ("application/json", b'{\n"a": 1\n}\n', {"a": 1}, False, False),
    ],
)
def test_what_a_body_is_shows_in_its_bytes(kind: str, body: bytes, json_: Any, sse: bool, ndjson: bool) -> None:
    """JSON, server-sent events and JSON lines are told apart where the content type lies or is missing."""
    reply = Reply.of(200, body, {"Content-Type": kind} if kind else {})
    assert json_of(reply) == json_
    assert is_json(reply) == (json_ is not MISSING)
    assert (is_event_stream(reply), is_ndjson(reply), is_stream(reply)) == (sse, ndjson, sse or ndjson)


@pytest.mark.parametrize(
    ("request_", "reply", "has"),
    [
        (GET, Reply.of(200, b"x"), True),
        (GET, Reply.of(200), False),
        (GET, Reply.of(204, b"x"), False),
        (GET, Reply.of(304, b"x"), False),
        (Request("HEAD", "https://api.test/"), Reply.of(200, b"x"), False),
        (GET, Reply((Lost(How.RESET),)), False),
    ],
)
def test_a_body_is_what_the_client_reads_of_it(request_: Request, reply: Reply, has: bool) -> None:
    """A reply to HEAD, a 204, a 304, an empty and a lost reply have none."""
    assert has_body(request_, reply) is has


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([b"data: a", b":", b"\n", b"\r", b"\r\n", b"x", b"{", b" ", b"\xc3\xa9"])).map(b"".join)
)
def test_events_joined_are_the_body(body: bytes) -> None:
    """Cutting a body into events loses and adds no byte, whatever the body is."""
    events = events_of(body)
    assert b"".join(events) == body
    assert all(events)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"data: 1\n\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"]),
        (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"]),
        (b"\xef\xbb\xbfdata: 1\n\n: ping\n\nevent: x\ndata:2\ndata:  3\ndata\n\n", [b"1", None, b"2\n 3\n"]),
        (b"data: 1\n\n\n\ndata: 2", [b"1", b"2"]),
        (b'{"a": 1}\n{"a": 2}\n', [b'{"a": 1}', b'{"a": 2}']),
    ],
)
def test_events_carry_their_data(body: bytes, data: list[bytes | None]) -> None:
    """All line ends, a byte order mark, comments, several data lines and JSON lines are read as the standard says."""
    assert [data_of(event) for event in events_of(body)] == data


@pytest.mark.parametrize(
    ("event", "data", "new"),
    [
        (b"event: x\ndata: old\nid: 3\n\n", b"new", b"event: x\ndata: new\nid: 3\n\n"),
        (b"data: a\r\ndata: b\r\n\r\n", b"1\n2\n3", b"data: 1\r\ndata: 2\r\ndata: 3\r\n\r\n"),
        (b"data: a\ndata\ndatax: y\n\n", b"new", b"data: new\ndatax: y\n\n"),
        (b"data: open", b"new", b"data: new\n"),
        (b'{"a": 1}\n', b"new", b"new\n"),
    ],
)
def test_an_event_takes_other_data_and_keeps_the_rest(event: bytes, data: bytes, new: bytes) -> None:
    """Names, ids and line ends of the event are as they were."""
    assert with_data_of(event, data) == new


@pytest.mark.parametrize(
    ("body", "end"), [(b"data: 1\r\n\r\n", b"\r\n"), (b"a\rb", b"\r"), (b"a\n", b"\n"), (b"", b"\n")]
)
def test_a_stream_keeps_to_its_own_line_end(body: bytes, end: bytes) -> None:
    """What is put into a stream can be ended as its own lines are."""
    assert line_end_of(body) == end


@pytest.mark.parametrize(
    ("value", "text"), [({"a": "é", "b": [1.5, None]}, '{"a":"é","b":[1.5,null]}'), ("\ud83d", '"\\ud83d"')]
)
def test_json_is_written_compactly_and_can_always_be_encoded(value: Any, text: str) -> None:
    """Half of a surrogate pair, which streams do send, is escaped; nothing else is."""
    assert written(value) == text
    assert json.loads(written(value).encode()) == value


SLOW = Reply((Delay(1), Head(200), Data(b"abc"), Delay(2), Data(b"def"), Delay(3), End()))


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        (0, (Delay(1), Head(200)), (Data(b"abc"), Delay(2), Data(b"def"), Delay(3), End())),
        (2, (Delay(1), Head(200), Data(b"ab")), (Data(b"c"), Delay(2), Data(b"def"), Delay(3), End())),
        (3, (Delay(1), Head(200), Data(b"abc")), (Delay(2), Data(b"def"), Delay(3), End())),
        (4, (Delay(1), Head(200), Data(b"abc"), Delay(2), Data(b"d")), (Data(b"ef"), Delay(3), End())),
        (6, (Delay(1), Head(200), Data(b"abc"), Delay(2), Data(b"def")), (Delay(3), End())),
        (99, (Delay(1), Head(200), Data(b"abc"), Delay(2), Data(b"def"), Delay(3)), (End(),)),
    ],
)
def test_a_reply_is_parted_at_a_byte(place: int, before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
    """What comes before and behind an offset, with its silences and without a byte lost."""
    assert up_to(SLOW, place) == before
    assert behind(SLOW, place) == after


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=5), max_size=5), st.sets(st.integers(-2, 30)))
def test_cutting_adds_boundaries_and_changes_no_byte(pieces: list[bytes], places: set[int]) -> None:
    """Every offset inside the body becomes a boundary, the old ones stay."""
    reply = Reply((Head(200), *(Data(p) for p in pieces), Delay(1), End()))
    cut = cut_at(reply, places)
    total = len(reply.body)
    assert cut.body == reply.body

    def bounds(of: Reply) -> set[int]:
        at, found = 0, set()
        for event in of.events:
            at += len(event.data) if isinstance(event, Data) else 0
            found.add(at)
        return found

    assert bounds(cut) == bounds(reply) | {n for n in places if 0 < n < total}
    assert not any(e.data == b"" for e in cut.events if isinstance(e, Data))


def test_missing_is_not_null() -> None:
    """The JSON value null is a value."""
    assert _payload.parsed("null") is None
    assert _payload.parsed("nul") is MISSING
