"""The door `server` before a real server: what no rule touches is passed on as it comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import httpx
import pytest
from _memory import serving
from _server import eventually, served
from _streams import (
    END,
    FIRST,
    HEAD,
    PATIENCE_SECONDS,
    RAW,
    SECOND,
    TOUCHED,
    UNTOUCHED,
    by_httpx,
    by_raw_socket,
    hesitant,
    resets,
    sends,
)

from pytest_agentfault import Rule
from pytest_agentfault.doors.server import ServerDoor
from pytest_agentfault.upstreams.live import Live


@contextmanager
def before(url: str, rule: Rule = UNTOUCHED) -> Iterator[tuple[ServerDoor, str]]:
    """A door that stands for this server, and where it is."""
    with served(rule, upstreams=(Live(nullcontext),)) as door:
        door.base = url
        yield door, f"http://127.0.0.1:{door.port}/"


def test_what_has_come_is_not_held_back() -> None:
    """The client has the first event while the server has not said the second."""
    with hesitant(HEAD, FIRST, then=(SECOND, END)) as (url, seen, waited), before(url) as (door, here):
        assert by_httpx(here, seen.set) == [b"data: 1\n\n", b"data: 2\n\n"]
        eventually(lambda: door.plan.log[0].reply.body == b"data: 1\n\ndata: 2\n\n")
    assert waited == [True]
    assert len(door.plan.log) == 1


def test_what_a_rule_may_touch_is_read_first() -> None:
    """A rule that is due needs the whole reply."""
    server = hesitant(HEAD, FIRST, then=(SECOND, END), seconds=0.1)
    with server as (url, seen, waited), before(url, TOUCHED) as (_, here):
        assert b"".join(by_httpx(here, seen.set)) == b"data: 1\n\ndata: 2\n\n"
    assert waited == [False]


@pytest.mark.parametrize("said", RAW)
def test_bytes_are_passed_on_as_they_are(said: str) -> None:
    """Framing, spelling and mistakes are the server's own."""
    with serving(sends(RAW[said])) as port, before(f"http://127.0.0.1:{port}") as (_, here):
        assert by_raw_socket(here) == RAW[said]


def test_a_reset_comes_when_it_comes() -> None:
    """The client has what was said before the reset, then its own error for one; the log says the same."""
    with hesitant(HEAD, FIRST, ends=resets) as (url, seen, _), before(url) as (door, here):
        with pytest.raises(httpx.ReadError):
            by_httpx(here, seen.set)
        eventually(lambda: not door.plan.log[0].reply.whole)
    assert seen.is_set()
    assert door.plan.log[0].reply.body == b"data: 1\n\n"


def test_a_client_that_goes_away_ends_it() -> None:
    """When the client has gone, the server finds its connection closed, though it has said nothing since."""
    gone = threading.Event()

    def heard(sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_SECONDS)
        if not sock.recv(1):
            gone.set()

    class EnoughError(Exception):
        pass

    def enough() -> None:
        seen.set()
        raise EnoughError

    with hesitant(HEAD, FIRST, ends=heard) as (url, seen, _), before(url) as (door, here):
        with pytest.raises(EnoughError):
            by_httpx(here, enough)
        assert gone.wait(PATIENCE_SECONDS)
        eventually(lambda: door.plan.log[0].reply.body == b"data: 1\n\n")


def test_a_door_that_stops_ends_it() -> None:
    """A stream that never ends holds up no test: it is cut with the door."""
    gone = threading.Event()

    def heard(sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_SECONDS)
        if not sock.recv(1):
            gone.set()

    with hesitant(HEAD, FIRST, ends=heard, seconds=0) as (url, _, _), httpx.Client(trust_env=False) as client:
        with before(url) as (_, here):
            pieces = client.send(client.build_request("GET", here), stream=True).iter_raw()
            assert next(pieces) == b"data: 1\n\n"
        assert gone.wait(PATIENCE_SECONDS)


def test_a_reader_that_is_slow_slows_the_server() -> None:
    """No more of a body is taken from the server than the client reads, but for what the sockets hold."""
    sent, stopped = 0, threading.Event()

    def handle(sock: socket.socket) -> None:
        nonlocal sent
        sock.recv(100_000)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 10**9)
        sock.settimeout(0.2)
        try:
            while sent < 10**9:
                sent += sock.send(bytes(65536))
        except TimeoutError:
            stopped.set()

    server = serving(handle)
    with server as port, before(f"http://127.0.0.1:{port}") as (_, here), httpx.stream("GET", here) as reply:
        pieces = reply.iter_raw()
        assert len(next(pieces)) > 0
        eventually(stopped.is_set)
    assert 0 < sent < 64 * 1024 * 1024


def test_a_connection_is_kept_for_the_next_reply() -> None:
    """The server before which it stands closes each time; the client of the door need not."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with serving(sends(reply)) as port, before(f"http://127.0.0.1:{port}") as (door, here):
        with httpx.Client(trust_env=False) as client:
            streams = set()
            for _ in range(3):
                said = client.get(here)
                streams.add(said.extensions["network_stream"].get_extra_info("client_addr"))
                assert said.content == b"ok"
        assert len(streams) == 1
        eventually(lambda: len(door.plan.log) == 3)
