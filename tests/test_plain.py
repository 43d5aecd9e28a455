"""The short way of reading a request reads what h11 reads, and leaves to h11 whatever is not plain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentfault._errors import UnreachableError
from pytest_agentfault._plain import Plain
from pytest_agentfault._reply import Request
from pytest_agentfault._script import Conversation

BASE = "https://api.example"
PLAIN = (
    b"POST /v1/a?b=%20c HTTP/1.1\r\nHost: api.example\r\nX-Two:  a \t b \t\r\ncontent-length: 5\r\nEmpty:\r\n\r\nhello"
)


def by_h11(data: bytes) -> list[object]:
    """What h11 alone makes of these bytes: the requests, and whether it refuses them."""
    conversation = Conversation(BASE)
    found: list[object] = []
    try:
        found += conversation._through_h11(data)
    except UnreachableError:
        found.append("refused")
    return found


def by_all(data: bytes) -> list[object]:
    """The same by a conversation that may take the short way."""
    found: list[object] = []
    try:
        found += Conversation(BASE).receive(data)
    except UnreachableError:
        found.append("refused")
    return found


def test_a_plain_request_is_read_as_h11_reads_it() -> None:
    """Names as spelled, values without the white space around them, the whole body."""
    plain = Plain.begun_by(PLAIN)
    assert plain is not None
    assert plain.take(PLAIN[plain.size :] + b"GET") == b"GET"
    headers = (("Host", "api.example"), ("X-Two", "a \t b"), ("content-length", "5"), ("Empty", ""))
    assert plain.request(BASE) == Request("POST", f"{BASE}/v1/a?b=%20c", headers, b"hello")
    assert by_h11(PLAIN) == [plain.request(BASE)]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:40],
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"/v1", b"https://api.example/v1"),
        PLAIN.replace(b"X-Two", b"Transfer-Encoding"),
        PLAIN.replace(b"X-Two", b"expect"),
        PLAIN.replace(b"X-Two", b"Upgrade"),
        PLAIN.replace(b"X-Two", b"Host"),
        PLAIN.replace(b"Host", b"Ghost"),
        PLAIN.replace(b"X-Two:  a \t b", b"Content-Length: 5"),
        PLAIN.replace(b"length: 5", b"length: 5, 5"),
        PLAIN.replace(b"length: 5", b"length: -5"),
        PLAIN.replace(b"length: 5", b"length:"),
        PLAIN.replace(b"length: 5", b"length: 1234567890123456789"),
        PLAIN.replace(b"Empty:", b" folded"),
        PLAIN.replace(b"Empty:", b"Empty :"),
        PLAIN.replace(b"Empty:", b"Empty: \xe4"),
        PLAIN.replace(b"Empty:", b"Empty: \0"),
        PLAIN.replace(b"\r\n", b"\n"),
    ],
)
def test_what_is_not_plain_is_left_to_h11(data: bytes) -> None:
    """Nothing is refused on the short way: h11 says what becomes of it."""
    assert Plain.begun_by(data) is None
    assert by_all(data) == by_h11(data)


NAMES = st.sampled_from(
    [
        b"Host",
        b"host",
        b"Content-Length",
        b"content-length",
        b"X-A",
        b"Connection",
        b"Transfer-Encoding",
        b"Expect",
        b"X\t",
    ]
)
VALUES = st.sampled_from(
    [b"0", b"1", b"2", b" 2 ", b"+2", b"a b", b"", b"close", b"chunked", b"100-continue", b"\x80", b"a\rb"]
)
LINES = st.lists(st.tuples(NAMES, VALUES).map(lambda pair: pair[0] + b": " + pair[1] + b"\r\n"), max_size=4)
STARTS = st.sampled_from(
    [b"GET / HTTP/1.1\r\n", b"post /a%20b?c=d HTTP/1.1\r\n", b"POST /\xe4 HTTP/1.1\r\n", b"PUT * HTTP/1.1\r\n"]
)


@given(STARTS, LINES, st.sampled_from([b"Host: a\r\n", b""]), st.binary(max_size=3))
def test_both_ways_agree_on_everything(start: bytes, lines: list[bytes], host: bytes, body: bytes) -> None:
    """Whatever stands in the head, the same requests come out, or the same refusal."""
    data = start + host + b"".join(lines) + b"\r\n" + body
    assert by_all(data) == by_h11(data)
