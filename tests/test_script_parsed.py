"""A parser that is not ours reads from a script the reply that it was made from."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentfault import Data, Delay, End, Fin, Head, How, Lost, Reply, Request, Reset, Script, Send, Stall
from pytest_agentfault._reply import Event
from pytest_agentfault._script import encode, is_bodyless

GET = Request("GET", "http://x/")
LENGTH_3 = (("content-length", "3"),)
LENGTH_9 = (("Content-Length", "9"),)
CHUNKED = (("transfer-encoding", "Chunked"),)

NAMES = st.text("ABCdefghijklm-", min_size=1, max_size=6).filter(lambda n: n.strip("-") != "").map("X-{}".format)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=8).filter(
    lambda v: all(c not in "\x85\xa0" and not 0x80 <= ord(c) < 0xA0 for c in v)
)
FRAMING_HEADERS = st.sampled_from([(), LENGTH_3, LENGTH_9, CHUNKED, LENGTH_9 + CHUNKED])
PIECES = st.lists(st.binary(min_size=0, max_size=40), max_size=6)


@st.composite
def whole_replies(draw: st.DrawFn) -> Reply:
    """A reply that ends in good order, with any head, framing headers, pieces and delays."""
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 401, 404, 429, 500, 503, 529]))
    headers = (*draw(st.lists(st.tuples(NAMES, VALUES), max_size=3)), *draw(FRAMING_HEADERS))
    events: list[Event] = [Data(piece) for piece in draw(PIECES)]
    for _ in range(draw(st.integers(0, 2))):
        events.insert(draw(st.integers(0, len(events))), Delay(1))
    return Reply((Head(status, headers, draw(st.sampled_from(["", "Fine"]))), *events, End()))


def read_back(script: Script, method: str) -> tuple[h11.Response, list[bytes], bytes]:
    """What a client's parser makes of a script: the head, the chunks (or one body), and what is left over."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    chunks, chunk, response = [], b"", None
    feed = [s.data for s in script.steps if isinstance(s, Send)]
    while True:
        event = client.next_event()
        match event:
            case h11.NEED_DATA:
                client.receive_data(feed.pop(0) if feed else b"")
            case h11.Response():
                response = event
            case h11.Data():
                chunk += bytes(event.data)
                if event.chunk_end:
                    chunks.append(chunk)
                    chunk = b""
            case h11.EndOfMessage():
                assert response is not None
                return response, [*chunks, *([chunk] if chunk else [])], client.trailing_data[0] + b"".join(feed)
            case _:
                raise AssertionError(f"the parser stopped at {event!r}")


@given(whole_replies(), st.sampled_from(["GET", "POST", "HEAD"]))
def test_a_real_parser_reads_the_same_reply(reply: Reply, method: str) -> None:
    """Status, phrase, headers, body and chunk boundaries survive the wire, and not a byte is left over."""
    request = Request(method, "http://x/")
    response, chunks, left = read_back(encode(reply, request), method)
    assert reply.head is not None
    assert response.status_code == reply.status
    if reply.head.reason:
        assert response.reason == b"Fine"
    mine = [(k.lower(), v) for k, v in reply.headers if k.startswith("X-")]
    assert [
        (k, v) for k, v in ((k.decode(), v.decode("latin-1")) for k, v in response.headers) if k[:2] == "x-"
    ] == mine
    assert left == b""
    if is_bodyless(request, response.status_code):
        assert chunks == []
        return
    assert b"".join(chunks) == reply.body
    if (b"transfer-encoding", b"chunked") in list(response.headers):
        assert chunks == [e.data for e in reply.events if isinstance(e, Data) and e.data]


@given(whole_replies(), st.sampled_from(list(How)))
def test_a_real_parser_sees_every_loss(reply: Reply, how: How) -> None:
    """A reply that is lost is never read as whole, unless every promised byte had arrived."""
    lost = Reply((*reply.events[:-1], Lost(how)))
    script = encode(lost, GET)
    assert script.steps[-1] == {How.RESET: Reset(), How.CUT: Fin(), How.STALLED: Stall()}[how]
    assert reply.head is not None
    promised = {k.lower(): v for k, v in lost.headers}.get("content-length")
    chunked = lost.header("transfer-encoding") or not promised
    if is_bodyless(GET, reply.head.status) or (not chunked and len(lost.body) >= int(promised or 0)):
        return
    with pytest.raises(h11.RemoteProtocolError):
        read_back(script, "GET")


@given(whole_replies())
def test_sent_is_what_the_sends_say(reply: Reply) -> None:
    """`sent` is the bytes of all segments, and `parts` loses none of them."""
    script = encode(reply, GET)
    block, rest = script.parts()
    assert block.endswith(b"\r\n\r\n")
    assert block + b"".join(s.data for s in rest if isinstance(s, Send)) == script.sent
