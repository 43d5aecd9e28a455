"""A client's bytes become requests, however they are cut; what is not HTTP/1.1 is told apart and named."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentfault import Request, Send
from pytest_agentfault._errors import UnreachableError
from pytest_agentfault._script import Conversation

BASE = "https://api.example"
CONTINUE = Send(b"HTTP/1.1 100 Continue\r\n\r\n")

ASKED = b"GET /a?b=c HTTP/1.1\r\nHost: api.example\r\nX-One: 1\r\n\r\n"
POSTED = b"POST /p HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /u HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
)
AS_REQUESTS = {
    ASKED: Request("GET", f"{BASE}/a?b=c", (("Host", "api.example"), ("X-One", "1"))),
    POSTED: Request("POST", f"{BASE}/p", (("Host", "api.example"), ("Content-Length", "5")), b"hello"),
    CHUNKED: Request("PUT", f"{BASE}/u", (("Host", "api.example"), ("Transfer-Encoding", "chunked")), b"hello world"),
}


def said(pieces: Iterable[bytes], conversation: Conversation | None = None) -> list[Request | Send]:
    """Everything a conversation yields for these pieces."""
    conversation = conversation or Conversation(BASE)
    return [item for piece in pieces for item in conversation.receive(piece)]


@pytest.mark.parametrize("data", AS_REQUESTS)
def test_one_request(data: bytes) -> None:
    """Method, absolute URL, headers as spelled, whole body with its transfer coding undone."""
    assert said([data]) == [AS_REQUESTS[data]]


@pytest.mark.parametrize("data", AS_REQUESTS)
def test_cut_at_every_byte(data: bytes) -> None:
    """A request arrives the same in two pieces, wherever it is cut, and byte by byte."""
    for place in range(1, len(data)):
        assert said([data[:place], data[place:]]) == [AS_REQUESTS[data]]
    assert said(data[n : n + 1] for n in range(len(data))) == [AS_REQUESTS[data]]


def test_pipelined_requests_come_in_order_wherever_they_are_cut() -> None:
    """Several requests on one connection, in one segment or cut anywhere, each come once."""
    data = ASKED + POSTED + CHUNKED + ASKED
    expected = [AS_REQUESTS[d] for d in (ASKED, POSTED, CHUNKED, ASKED)]
    assert said([data]) == expected
    for place in range(1, len(data)):
        assert said([data[:place], data[place:]]) == expected


def test_a_request_is_given_as_soon_as_it_is_complete() -> None:
    """The second of two pipelined requests, half there, does not hold the first one back."""
    conversation = Conversation(BASE)
    assert said([ASKED + POSTED[:-1]], conversation) == [AS_REQUESTS[ASKED]]
    assert said([POSTED[-1:]], conversation) == [AS_REQUESTS[POSTED]]


def test_idle_between_requests_only() -> None:
    """A conversation is idle exactly when nothing of a next request has come."""
    conversation = Conversation(BASE)
    states = [conversation.idle]
    for piece in (POSTED[:10], POSTED[10:-1], POSTED[-1:], ASKED[:1], ASKED[1:]):
        said([piece], conversation)
        states.append(conversation.idle)
    assert states == [True, False, False, True, False, True]
    said([POSTED[:-1]], conversation)  # a whole head and a part of its body at once
    assert not conversation.idle
    said([POSTED[-1:]], conversation)
    assert conversation.idle


EXPECTING = b"POST /p HTTP/1.1\r\nHost: api.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


def test_a_client_that_waits_for_100_continue_gets_it_once() -> None:
    """The interim reply comes when the head is complete and no body yet; not twice, not before."""
    conversation = Conversation(BASE)
    assert said([EXPECTING[:-1]], conversation) == []
    assert said([EXPECTING[-1:]], conversation) == [CONTINUE]
    assert said([b"he"], conversation) == []
    (request,) = said([b"llo"], conversation)
    assert isinstance(request, Request)
    assert (request.body, request.header("expect")) == (b"hello", "100-continue")


def test_a_client_that_does_not_wait_gets_no_interim_reply() -> None:
    """The body came with the head: 100-continue would be read as the reply to the next request."""
    assert [type(item) for item in said([EXPECTING + b"hello"])] == [Request]


def test_100_continue_is_said_again_to_the_next_request() -> None:
    """Each request of a kept connection is asked for its body anew."""
    conversation = Conversation(BASE)
    kinds = [type(i) for i in said([EXPECTING, b"hello", EXPECTING, b"hello"], conversation)]
    assert kinds == [Send, Request, Send, Request]


def test_a_big_upload_in_network_sized_pieces() -> None:
    """5 MB in 64 kB pieces arrive whole, by length and chunked."""
    body = bytes(range(256)) * (5 * 4096)
    pieces = [body[n : n + 65536] for n in range(0, len(body), 65536)]
    length = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    (first,) = said([length, *pieces])
    (second,) = said([chunked, *(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces), b"0\r\n\r\n"])
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert first.body == second.body == body


def test_a_long_head_in_one_piece() -> None:
    """Cookies and query strings of 60 kB are the server's business to refuse, not ours."""
    (request,) = said([b"GET /?%b HTTP/1.1\r\nHost: x\r\nCookie: %b\r\n\r\n" % (b"q" * 30000, b"c" * 30000)])
    assert isinstance(request, Request)
    assert len(request.url) > 30000


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/", f"{BASE}/"),
        ("/a%20b?x=http://y/", f"{BASE}/a%20b?x=http://y/"),
        ("http://other.example:81/a", "http://other.example:81/a"),  # absolute form: a client that talks to a proxy
    ],
)
def test_the_url_is_absolute(target: str, url: str) -> None:
    """What was dialled stands before the path; an absolute target is taken as it is."""
    (request,) = said([f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()])
    assert isinstance(request, Request)
    assert request.url == url


def test_http_1_0_is_understood() -> None:
    """A client of the old version, without a Host header, is answered too."""
    assert said([b"GET / HTTP/1.0\r\n\r\n"]) == [Request("GET", f"{BASE}/")]


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize("cut", range(1, len(PREFACE) + 1))
def test_http_2_is_named(cut: int) -> None:
    """The HTTP/2 preface is recognised however it is cut."""
    with pytest.raises(UnreachableError) as caught:
        said([PREFACE[:cut], PREFACE[cut:]])
    assert str(caught.value) == (
        "a client speaks HTTP/2 to https://api.example\n"
        "  there is: the HTTP/2 connection preface\n"
        "  to do: switch HTTP/2 off in the client (httpx: http2=False); faults speak HTTP/1.1"
    )


def test_http_2_on_a_used_connection_is_not_http_1_1() -> None:
    """Behind a first request the preface is as wrong as anything else."""
    conversation = Conversation(BASE)
    said([ASKED], conversation)
    with pytest.raises(UnreachableError, match="HTTP/2"):
        said([PREFACE], conversation)


def test_a_body_may_look_like_the_preface() -> None:
    """Only the first bytes of a request are held against the HTTP/2 preface."""
    data = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(PREFACE)
    (request,) = said([data, PREFACE])
    assert isinstance(request, Request)
    assert request.body == PREFACE


def test_an_upgrade_is_named() -> None:
    """A websocket handshake fails with its own words."""
    head = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with pytest.raises(UnreachableError) as caught:
        said([head])
    assert str(caught.value) == (
        "a client asks https://api.example for an upgrade\n"
        "  there is: Upgrade: websocket\n"
        "  to do: narrow the rule's `to` so that it leaves this host out; faults speak HTTP/1.1 only"
    )


def test_an_offer_of_h2c_is_ignored() -> None:
    """A server may ignore an upgrade to HTTP/2 in clear text (RFC 9110 section 7.8), and so do we."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert [type(i) for i in said([head])] == [Request]


@pytest.mark.parametrize(
    ("data", "there"),
    [
        (b"\x16\x03\r\n\r\n", "illegal request line: bytearray(b'\\x16\\x03') (b'\\x16\\x03\\r\\n\\r\\n')"),
        (b"HELO me\r\n\r\n", "illegal request line: bytearray(b'HELO me') (b'HELO me\\r\\n\\r\\n')"),
        (
            b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
            "illegal header line: bytearray(b'no colon here') (b'GET / HTTP/1.1\\r\\nno colon here\\r\\n\\r\\n')",
        ),
    ],
)
def test_what_is_not_http_is_named(data: bytes, there: str) -> None:
    """The error says what was heard, and how it began."""
    with pytest.raises(UnreachableError) as caught:
        said([data])
    assert str(caught.value) == (
        "a client on https://api.example does not speak HTTP/1.1\n"
        f"  there is: {there}\n"
        "  to do: narrow the rule's `to` to the hosts that speak HTTP"
    )


def test_a_broken_upload_is_named() -> None:
    """A chunk size that is no number, in the body of a request that began well."""
    with pytest.raises(UnreachableError, match=r"does not speak HTTP/1\.1\n  there is: illegal chunk header"):
        said([CHUNKED[: CHUNKED.index(b"5\r\n")] + b"zz\r\n"])


TOKENS = st.text("abcdefghijkl-", min_size=1, max_size=8)
HEADERS = st.lists(
    st.tuples(TOKENS.map("X-{}".format), st.text('abc=;, 0123/"', max_size=10).map(str.strip)), max_size=4
)


@st.composite
def uploads(draw: st.DrawFn) -> tuple[Request, bytes]:
    """A request, and the bytes by which h11's client side sends it."""
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]))
    path = "/" + draw(st.text("abc/%20?=&", max_size=12))
    pieces = draw(st.lists(st.binary(min_size=1, max_size=30), max_size=4))
    headers = [("Host", "api.example"), *draw(HEADERS)]
    if pieces:
        whole = str(sum(map(len, pieces)))
        headers.append(("Transfer-Encoding", "chunked") if draw(st.booleans()) else ("Content-Length", whole))
    client = h11.Connection(h11.CLIENT)
    events = [h11.Request(method=method, target=path, headers=headers), *(h11.Data(data=p) for p in pieces)]
    data = b"".join(client.send(e) or b"" for e in (*events, h11.EndOfMessage()))
    return Request(method, BASE + path, tuple(headers), b"".join(pieces)), data


@given(st.lists(uploads(), min_size=1, max_size=4), st.lists(st.integers(0, 600), max_size=8))
def test_whatever_a_client_sends_is_read_the_same(asked: list[tuple[Request, bytes]], cuts: list[int]) -> None:
    """Any requests, pipelined, cut at any places, come out as they went in."""
    data = b"".join(sent for _, sent in asked)
    places = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(places) if a < b]
    assert said(pieces) == [request for request, _ in asked]
