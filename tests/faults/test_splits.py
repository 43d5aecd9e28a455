"""`split_chunks` cut by cut: binary and compressed streams, chance, one run per cut, fewer cuts, and their picture."""

from __future__ import annotations

import gzip
import json
from collections.abc import Hashable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from _said import GET, HEAD, SSE, arrives, document, gzipped, lines, pieces, read, segments, stream
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentfault import Rule
from pytest_agentfault._errors import CassetteError
from pytest_agentfault._payload import decoded, is_frames, is_stream
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault._reply import Reply
from pytest_agentfault._script import Script, encode
from pytest_agentfault.faults._frames import PRELUDE, frame, frames_of, headers_of, is_event, payload_of
from pytest_agentfault.faults._places import INSIDE, PLACES
from pytest_agentfault.faults.split_chunks import SplitChunks
from pytest_agentfault.upstreams._recording import load

WIRES = ("chunks", "segments", "both")
CHAT = stream({"text": "Ren\u00e9 \u20ac \U0001f600\n", "n": 12}, {"text": "b", "at": 1.25}, end="\r\n")
NAMED = Reply.of(200, b'event: a\ndata: {"n": 10}\n\nevent: b\ndata: {}\n\n', SSE)
TOLD = {":message-type": "event", ":event-type": "contentBlockDelta", ":content-type": "application/json"}
FRAMES = Reply.of(
    200,
    frame(TOLD, '{"delta": {"text": "Ren\u00e9"}, "n": 12}'.encode()) + frame(TOLD, b'{"stopReason": "end_turn"}'),
    {"Content-Type": "application/vnd.amazon.eventstream"},
)
SPLIT: dict[str, Reply] = {
    "chat": CHAT,
    "one piece": CHAT.with_data([CHAT.body]),
    "named": NAMED,
    "frames": FRAMES,
    "lines": lines({"a": 1}, {"b": "\u20ac"}),
    "json": document({"a": [1, 22, "\u20ac\n"]}),
    "gzip": gzipped(CHAT),
    "length": NAMED.with_header("Content-Length", str(len(NAMED.body))),
}


def said(fault: Any, reply: Reply) -> Script:
    """What a fault makes the client read."""
    script: Script = fault.garble(encode(fault.alter(GET, reply), GET))
    return script


def test_each_named_place_is_explored_somewhere() -> None:
    """Among these replies none is without prey, so that what follows holds for all of them."""
    found = {
        name.partition("@")[0]
        for reply in SPLIT.values()
        for name, _ in SplitChunks(at="every-boundary", wire="segments").each(GET, reply)
    }
    assert found >= {*PLACES, "inside_framing"} - {"one_byte"}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("at", ["every-boundary", "every-byte"])
@pytest.mark.parametrize("reply", SPLIT.values(), ids=list(SPLIT))
def test_each_cut_is_one_and_strikes(reply: Reply, at: str, wire: str) -> None:
    """One run per cut: what the client reads differs in each, and never in a byte of the text."""
    fault = SplitChunks(at=at, wire=wire)
    assert said(fault, reply) == encode(reply, GET)
    assert fault.parts(GET, reply) == ()
    found = list(fault.each(GET, reply))
    assert len({name for name, _ in found}) == len(found) > 3
    scripts = {said(each, reply) for _, each in found}
    assert encode(reply, GET) not in scripts
    if wire != "both":
        assert len(scripts) == len(found)
    for _, each in found:
        kinds, body, complaint = read(said(each, reply))
        assert (complaint, kinds[0].__name__) == ("", "Response")
        assert body in (reply.body, decoded(reply))
        assert not each.explores
        if each.coding != "undone":
            more = len(pieces(each.alter(GET, reply))) - len(pieces(reply))
            assert more == (wire == "chunks") or wire == "both"
            longer = len(segments(said(each, reply))) - len(segments(encode(reply, GET)))
            assert longer == 1 or wire != "segments"


def test_every_byte_is_every_offset() -> None:
    """Of the body in chunks; in segments of all that is sent."""
    whole = CHAT.with_data([CHAT.body])
    named = [name for name, _ in SplitChunks(at="every-byte").each(GET, whole)]
    assert named == [f"byte@{n}" for n in range(1, len(CHAT.body))]
    sent = encode(whole, GET).sent
    cut = [segments(said(each, whole))[0] for _, each in SplitChunks(at="every-byte", wire="segments").each(GET, whole)]
    assert {len(first) for first in cut} == set(range(1, len(sent)))
    assert all(sent.startswith(first) for first in cut)


def test_what_is_cut_already_is_not_cut_again() -> None:
    """A boundary that the vendor's own chunks have is no change."""
    ends = {len(CHAT.body[: n + 4]) for n in range(len(CHAT.body)) if CHAT.body[n : n + 4] == b"\r\n\r\n"}
    found = {each.at[0] for _, each in SplitChunks(at="every-boundary").each(GET, CHAT)}
    again = {each.at[0] for _, each in SplitChunks(at="every-boundary").each(GET, SPLIT["one piece"])}
    assert again - found == ends - {len(CHAT.body)}


@pytest.mark.parametrize("at", ["every-boundary", "every-byte"])
def test_nothing_is_explored_where_nothing_is_read(at: str) -> None:
    """No body, or not of the kind that is asked for."""
    assert list(SplitChunks(at=at).each(HEAD, CHAT)) == []
    assert list(SplitChunks(at=at, only="stream").each(GET, document([1, 22]))) == []
    assert list(SplitChunks(at=["one_byte"]).each(GET, CHAT)) == []
    assert list(SplitChunks(at=at).each(GET, Reply.of(200, b"x"))) == []


def test_a_compressed_stream_is_explored_as_text_and_as_it_is() -> None:
    """Unless one of both is asked for."""
    kept = {name for name, _ in SplitChunks(at="every-boundary", coding="kept").each(GET, SPLIT["gzip"])}
    undone = {name for name, _ in SplitChunks(at="every-boundary", coding="undone").each(GET, SPLIT["gzip"])}
    both = {name for name, _ in SplitChunks(at="every-boundary").each(GET, SPLIT["gzip"])}
    text = {name for name, _ in SplitChunks(at="every-boundary").each(GET, SPLIT["one piece"])}
    assert undone == text
    packed = {name for name in kept if name.startswith("inside_gzip")}
    assert both == undone | packed
    assert len(packed) == 5
    size = len(decoded(SPLIT["gzip"]) or b"")
    assert len(list(SplitChunks(at="every-byte", coding="undone").each(GET, SPLIT["gzip"]))) == size - 1


def test_gzip_is_cut_in_its_compressed_bytes() -> None:
    """Inside the head, the data and the tail of each member, and between members."""
    one, two = gzip.compress(b"data: 1\n\n", mtime=0), gzip.compress(b"data: 2\n\n", mtime=0)
    reply = Reply.of(200, one + two, {"Content-Encoding": "gzip"})
    struck = SplitChunks(at=["inside_gzip"]).alter(GET, reply)
    assert arrives(struck) == reply.body
    assert struck.header("content-encoding") == "gzip"
    sizes = [len(piece) for piece in pieces(struck)]
    middle = (len(one) - 10) // 2
    member = [1, 9, middle, len(one) - 8 - 10 - middle, 4, 4]
    assert sizes == member * 2
    broken = Reply.of(200, one[:12] + b"\xff" + one[13:], {"Content-Encoding": "gzip"})
    assert SplitChunks(at=["inside_gzip"]).alter(GET, broken) == broken
    cut_off = Reply.of(200, one[:-3], {"Content-Encoding": "gzip"})
    assert len(pieces(SplitChunks(at=["inside_gzip"]).alter(GET, cut_off))) == 4


def test_binary_events_are_cut_in_their_prelude_and_checksums() -> None:
    """And between two of them; a stream of them counts as a stream."""
    first = len(frames_of(FRAMES.body)[0])

    def cuts(name: str) -> list[int]:
        return list(SplitChunks(at=[name], only="stream").parts(GET, FRAMES))  # type: ignore[arg-type]

    assert cuts("inside_frame_prelude") == [2, 4, 6, first + 2, first + 4, first + 6]
    end = len(FRAMES.body)
    assert cuts("inside_frame_crc") == [8, 10, first - 4, first - 2, first + 8, first + 10, end - 4, end - 2]
    assert cuts("after_event") == [first]
    assert len(cuts("inside_utf8")) == 1


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (FRAMES.body, 2),
        (FRAMES.body + b"what is this", 3),
        (FRAMES.body[:-1], 2),
        (b"\0" + FRAMES.body, 0),
        (b"data: 1\n\n", 0),
        (b"", 0),
        (FRAMES.body[:8] + b"\0\0\0\0" + FRAMES.body[12:], 0),
    ],
)
def test_frames_are_read_as_far_as_they_add_up(body: bytes, found: int) -> None:
    """Joined they are the body; what is no frame stays in one piece."""
    frames = frames_of(body)
    assert len(frames) == found
    assert b"".join(frames) in (body, b"")


def test_a_frame_says_what_it_was_given() -> None:
    """Names, payload and kind; headers that are no texts are passed over."""
    first = frames_of(FRAMES.body)[0]
    assert headers_of(first) == TOLD
    assert json.loads(payload_of(first)) == {"delta": {"text": "Ren\u00e9"}, "n": 12}
    assert is_event(first)
    assert not is_event(frame({":message-type": "exception"}, b"{}"))
    assert not is_event(first[:-1])
    number = b"\x01n\x04\x00\x00\x00\x07" + b"\x03yes\x00"
    odd = frame({"a": "b"}, b"")
    odd = PRELUDE.pack(len(odd), len(number), 0) + number + b"data" + b"\0\0\0\0"
    assert headers_of(odd) == {}
    assert payload_of(odd) == b"data"


def test_chance_cuts_as_often_as_it_is_told_and_the_same_again() -> None:
    """By the seed of the rule, for the same body at the same places; no more than there is to cut."""

    def cut(seed: str, count: int = 5, wire: str = "both") -> list[list[bytes]]:
        plan = Plan([Rule("* *", (SplitChunks(random_cuts=count, wire=wire),))], seed=seed)
        done = [drive(plan.exchange(GET), lambda _: SPLIT["one piece"]) for _ in range(2)]
        return [pieces(exchange.reply) for exchange in done]

    first, again = cut("1")
    assert first == again == cut("1")[0] != cut("2")[0]
    assert len(first) == 6
    assert len(cut("1", 10_000)[0]) == len(CHAT.body)
    fault = SplitChunks(random_cuts=3, wire="segments", random=Random(1))
    assert fault.garble(encode(NAMED, GET)) == fault.garble(encode(NAMED, GET))
    assert len(fault.parts(GET, NAMED)) == 3
    assert SplitChunks(random_cuts=3).alter(GET, Reply.of(200, b"x")) == Reply.of(200, b"x")


@pytest.mark.parametrize(("every", "sizes"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (3, [3, 2]), (5, [5])])
def test_events_come_so_many_to_a_piece(every: int, sizes: list[int]) -> None:
    """Whatever pieces they came in, in chunks and in segments; what is no stream stays as it is."""
    reply = stream(1, 2, 3, 4)
    events = pieces(reply)
    wanted = [b"".join(events[n : n + every]) for n in range(0, 5, every)]
    for base in (reply, reply.with_data([reply.body[:13], reply.body[13:]])):
        struck = SplitChunks(every_events=every).alter(GET, base)
        assert pieces(struck) == wanted
        assert [piece.count(b"data:") for piece in wanted] == sizes
    script = SplitChunks(every_events=every, wire="segments").garble(encode(reply, GET))
    assert [piece.count(b"data:") for piece in segments(script) if b"data:" in piece] == sizes
    assert SplitChunks(every_events=every).alter(GET, document([1])) == document([1])
    assert pieces(SplitChunks(every_events=1).alter(GET, FRAMES)) == list(frames_of(FRAMES.body))
    assert arrives(SplitChunks(every_events=2).alter(GET, gzipped(reply))) == reply.body


CHOSEN: list[SplitChunks] = [
    SplitChunks(),
    SplitChunks(5),
    SplitChunks(at=["inside_utf8", 3]),
    SplitChunks(random_cuts=4, random=Random(3)),
    SplitChunks(every_events=1),
    SplitChunks(at=["inside_framing", "after_event"], wire="segments"),
    SplitChunks(at_sent=[5, 30], wire="both"),
    SplitChunks(at=["inside_gzip"]),
    SplitChunks(7, coding="undone", wire="segments"),
]


@pytest.mark.parametrize("reply", SPLIT.values(), ids=list(SPLIT))
@pytest.mark.parametrize("fault", CHOSEN, ids=range(len(CHOSEN)))
def test_all_parts_of_a_fault_are_the_fault(fault: SplitChunks, reply: Reply) -> None:
    """Of all of them it cuts the same, of half of them less, and of none nothing."""
    parts = fault.parts(GET, reply)
    assert len(set(parts)) == len(parts)
    assert bool(parts) == (said(fault, reply) != encode(reply, GET))
    assert said(fault.of(parts), reply) == said(fault, reply)
    half = fault.of(parts[::2])
    assert set(half.parts(GET, reply)) == set(parts[::2]) or fault.wire == "both"
    if fault.as_text is False or "gzip" not in dict(reply.headers).values():
        assert said(fault.of(()), reply) == encode(reply, GET)


@pytest.mark.parametrize("wire", WIRES)
def test_what_is_glued_is_one_part(wire: str) -> None:
    """It cannot be made smaller."""
    fault = SplitChunks(at=["glue"], wire=wire)
    parts: tuple[Hashable, ...] = fault.parts(GET, CHAT)
    assert parts == ("glued",)
    assert fault.of(parts) == fault
    assert fault.picture(GET, CHAT) == f"{len(CHAT.body)} bytes of the body, joined into fewer pieces"
    assert SplitChunks(every_events=1).parts(GET, CHAT) == ()
    assert SplitChunks(every_events=2).parts(GET, CHAT) == ("glued",)
    assert SplitChunks(at=["glue"]).parts(GET, NAMED) == ()


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


BODIES = st.lists(
    st.sampled_from(
        [
            "data: ",
            "\r\n",
            "\n\n",
            "\u00e9",
            "\U0001f600",
            "\\u00e9",
            "12",
            '{"a": 1}\n',
            "[DONE]",
            "event: a\n",
            "\r",
            ":",
        ]
    ),
    min_size=1,
    max_size=12,
).map(lambda parts: "".join(parts).encode())


@settings(deadline=None, max_examples=150)
@given(
    body=BODIES,
    cuts=st.lists(st.integers(1, 40)),
    at=st.sampled_from(["every-boundary", "every-byte"]),
    wire=st.sampled_from(WIRES),
    coded=st.booleans(),
)
def test_each_of_anything_strikes(body: bytes, cuts: list[int], at: str, wire: str, coded: bool) -> None:
    """Whatever the body, however it came in pieces: no run of its own is in vain, and no two are the same."""
    bounds = [0, *sorted({n for n in cuts if n < len(body)}), len(body)]
    reply = Reply.of(200, b"", SSE).with_data([body[a:b] for a, b in pairwise(bounds)])
    reply = gzipped(reply) if coded else reply
    found = list(SplitChunks(at=at, wire=wire).each(GET, reply))
    assert len({name for name, _ in found}) == len(found)
    for _, each in found:
        script = said(each, reply)
        assert script != encode(reply, GET)
        _, got, complaint = read(script)
        assert complaint == ""
        assert got in (reply.body, body)
    fault = SplitChunks(at=list(INSIDE), wire=wire)
    assert bool(fault.parts(GET, reply)) == (said(fault, reply) != encode(reply, GET))
    assert said(fault.of(fault.parts(GET, reply)), reply) == said(fault, reply)
    assert fault.picture(GET, reply).count("|") >= bool(fault.parts(GET, reply))


@pytest.mark.shared
@pytest.mark.parametrize("wire", WIRES)
def test_each_cut_of_recorded_streams_strikes(shared_dir: Path, wire: str) -> None:
    """Server-sent events, lines and binary events of real vendors: no run of its own is in vain."""
    folder = shared_dir / "cassettes"
    explored, kinds = 0, set()
    for name in sorted({entry["file"] for entry in json.loads((folder / "INDEX.json").read_text())}):
        try:
            recorded = [x.reply for x in load(folder / name).interactions]
        except CassetteError:
            continue
        for reply in [r for r in recorded if is_stream(r) or is_frames(r)][:1]:
            if len(reply.body) > 12_000:
                continue
            whole = encode(reply, GET)
            names = set()
            for place, each in SplitChunks(at="every-boundary", wire=wire, only="stream").each(GET, reply):
                script = each.garble(encode(each.alter(GET, reply), GET))
                assert script != whole
                names.add(place)
                kinds.add(place.partition("@")[0])
                explored += 1
                if explored % 50 == 0:
                    assert read(script)[1:] in ((reply.body, ""), (decoded(reply), ""))
    assert explored > 1000
    assert kinds >= {"inside_utf8", "after_event", "inside_done", "inside_number", "inside_frame_crc"}
