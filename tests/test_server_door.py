"""The door `server`, as a client on a bare socket sees it."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from _server import (
    ASKED,
    LIMIT,
    OK,
    WELL,
    Vendor,
    certificates,
    connected,
    eventually,
    served,
    told,
    until,
)

from pytest_agentfault import (
    Next,
    Reply,
    Rule,
    Script,
    Send,
    Stall,
)
from pytest_agentfault._errors import UnreachableError
from pytest_agentfault.faults import Status
from pytest_agentfault.testing import performing


def test_a_connection_is_kept() -> None:
    """Requests follow one another on one connection, also when they come in one segment."""
    with served(performing(Script((Send(OK), Next())))) as door, connected(door.port) as sock:
        for _ in range(3):
            sock.sendall(ASKED)
            assert until(sock, b"ok") == OK
        sock.sendall(ASKED * 2)
        assert until(sock, OK + OK) == OK + OK
        assert len(door.plan.log) == 5


def test_100_continue() -> None:
    """A client that waits for it is told to go on; its body is then read."""
    vendor = Vendor(WELL)
    with served(upstreams=(vendor,)) as door, connected(door.port) as sock:
        sock.sendall(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"body")
        assert until(sock, b"true}").startswith(b"HTTP/1.1 200 OK\r\n")
    assert vendor.asked[0].body == b"body"


BODYLESS = {
    "HEAD": (b"HEAD", WELL, b"Content-Length: 12"),
    "204": (b"GET", Reply.of(204), b"204 No Content"),
    "304": (b"GET", Reply.of(304, headers={"Content-Length": "7"}), b"Content-Length: 7"),
}


@pytest.mark.parametrize("case", BODYLESS)
def test_replies_without_a_body_end_with_their_head(case: str) -> None:
    """The next reply follows the blank line at once."""
    method, reply, within = BODYLESS[case]
    with served(upstreams=(Vendor(reply),)) as door, connected(door.port) as sock:
        for _ in range(2):
            sock.sendall(method + ASKED[3:])
            assert within in until(sock, b"\r\n\r\n")


def test_a_reply_larger_than_the_kernel_takes_at_once() -> None:
    """What the client does not read yet waits for it, and nobody else waits."""
    big = Reply.of(200, bytes(8_000_000))
    with served(upstreams=(Vendor(big),)) as door, connected(door.port) as slow, connected(door.port) as other:
        slow.sendall(ASKED)
        eventually(lambda: door.plan.log)
        other.sendall(b"HEAD" + ASKED[3:])
        until(other, b"\r\n\r\n")
        slow.settimeout(LIMIT)
        assert len(until(slow, bytes(1))) > 0
        got = 0
        while got < 7_000_000:
            got += len(slow.recv(1_000_000))


def test_it_listens_on_loopback_only() -> None:
    """127.0.0.1, whatever the machine is called."""
    with served() as door:
        assert door._listener is not None
        assert door._listener.getsockname() == ("127.0.0.1", door.port)


PORTS = {"taken": "Address already in use", "too high": "0-65535"}


@pytest.mark.parametrize("case", PORTS)
def test_a_port_that_cannot_be_had(case: str) -> None:
    """The error names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as other, served() as door:
        port = other.getsockname()[1] if case == "taken" else 99999
        twin = type(door)(door.plan, [], certificates(), time.monotonic)
        with pytest.raises(UnreachableError) as caught:
            twin.start(port)
    assert caught.value.what == f"the server cannot listen on 127.0.0.1:{port}"
    assert PORTS[case] in caught.value.there
    assert caught.value.do == "end what listens there, or take another port (0: any that is free)"


def test_it_is_gone_when_it_is_stopped() -> None:
    """Its port, its connections and its thread; stopping twice does no harm."""
    with served(performing(Script((Stall(),)))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        eventually(lambda: door.plan.log)
        door.stop()
        assert told(sock)[-1] in ("end", "reset")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", door.port), LIMIT)
    assert not door.reactor._thread.is_alive()


WRONG = {
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "a client speaks HTTP/2"),
    "an upgrade": (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "for an upgrade"),
    "no HTTP": (b"hello, is it me?\r\n\r\n", "does not speak HTTP/1.1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_client_that_does_not_speak_http_1(case: str) -> None:
    """It is told so in a reply it can show, and the plan keeps it."""
    said, why = WRONG[case]
    with served() as door, connected(door.port) as sock:
        sock.sendall(said)
        answer = b"".join(piece for piece in told(sock) if isinstance(piece, bytes))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert why in answer.decode()
    assert [why in str(problem) for problem in door.plan.problems] == [True]


def test_the_budget_of_calls_ends_a_loop() -> None:
    """A client that goes on for ever is cut off each time it asks again."""
    with served(Rule("* *", (Status(code=503),)), max_calls=3) as door:
        for _ in range(3):
            with connected(door.port) as sock:
                sock.sendall(ASKED)
                until(sock, b"\r\n\r\n")
        with connected(door.port) as sock:
            sock.sendall(ASKED)
            assert told(sock) == ["reset"]
    assert door.plan.hung


def test_many_clients_at_once() -> None:
    """Every request is counted, and a rule strikes as often as it says."""
    with served(Rule("* *", (Status(code=503, text="}"),), times=7), upstreams=(Vendor(WELL),)) as door:

        def ask() -> None:
            with connected(door.port) as sock:
                for _ in range(20):
                    sock.sendall(ASKED)
                    until(sock, b"}")

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT * 4)
    assert len(door.plan.log) == 320
    assert sum(bool(x.struck) for x in door.plan.log) == 7
