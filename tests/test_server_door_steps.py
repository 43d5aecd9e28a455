"""The steps of a script on the wire of the door `server`: every segment, wait and end, as a bare socket reads it."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest
from _server import (
    ASKED,
    LIMIT,
    OK,
    Vendor,
    connected,
    eventually,
    served,
    told,
    until,
)

from pytest_agentfault import (
    Data,
    End,
    Fin,
    Head,
    Next,
    Reply,
    Reset,
    Script,
    Send,
    Stall,
    Wait,
)
from pytest_agentfault._errors import WouldBlockForeverError
from pytest_agentfault.doors._drained import Queues
from pytest_agentfault.testing import performing

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
STEPS = {
    "segments stay apart": (
        (Send(CHUNKED + b"2\r"), Send(b"\nhe"), Send(b"\r\n0\r\n"), Send(b"\r\n"), Fin()),
        [CHUNKED + b"2\r", b"\nhe", b"\r\n0\r\n", b"\r\n", "end"],
    ),
    "one-byte segments": (
        (*(Send(OK[n : n + 1]) for n in range(9)), Fin()),
        [*(OK[n : n + 1] for n in range(9)), "end"],
    ),
    "chunks in one segment": ((Send(CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), Fin()), None),
    "reset before the head": ((Reset(),), ["reset"]),
    "reset in the body": ((Send(OK[:-1]), Reset()), [OK[:-1], "reset"]),
    "cut in the body": ((Send(OK[:-1]), Fin()), [OK[:-1], "end"]),
    "excess body": ((Send(OK + b"excess"), Fin()), [OK + b"excess", "end"]),
    "bad chunk size": ((Send(CHUNKED), Send(b"zz\r\nno\r\n"), Fin()), [CHUNKED, b"zz\r\nno\r\n", "end"]),
    "garbage": ((Send(b"\x00\x01 not HTTP"), Fin()), [b"\x00\x01 not HTTP", "end"]),
    "slow bytes": ((Send(OK[:5]), Wait(0.01), Send(OK[5:]), Fin()), [OK[:5], OK[5:], "end"]),
}


@pytest.mark.parametrize("case", STEPS)
def test_each_step_arrives_as_it_was_said(case: str) -> None:
    """Segments are read one by one, and the end is the end that was meant."""
    steps, expected = STEPS[case]
    with served(performing(Script(steps))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert told(sock) == (expected or [steps[0].data, "end"])


@pytest.mark.parametrize("case", STEPS)
def test_each_step_arrives_where_the_kernel_tells_nothing(case: str) -> None:
    """Between segments is a pause then, which a busy client may sleep through; bytes and end are the same."""
    steps, expected = STEPS[case]
    with served(performing(Script(steps))) as door, connected(door.port) as sock:
        door.queues.close()
        sock.sendall(ASKED)
        *got, end = told(sock)
        *meant, its_end = expected or [steps[0].data, "end"]
        assert (b"".join(got), end) == (b"".join(meant), its_end)


def test_a_script_of_any_length() -> None:
    """Thousands of segments, and hundreds of requests at once, are as well as one."""
    steps = (*(Send(b"%d\n" % n) for n in range(3000)), Fin())
    with served(performing(Script(steps))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        *got_each, end = told(sock)
        assert (b"".join(got_each), end) == (b"".join(b"%d\n" % n for n in range(3000)), "end")
        assert len(got_each) > 2000  # each alone, but for those that a busy machine let meet
    with served(performing(Script((Send(OK), Next())))) as door, connected(door.port) as sock:
        sock.sendall(ASKED * 500)
        got = b""
        while len(got) < 500 * len(OK):
            got += sock.recv(65536)
        assert got == OK * 500
        assert door.plan.problems == []


def test_a_wait_is_a_wait() -> None:
    """Time is real."""
    with served(performing(Script((Wait(0.05), Send(OK), Next())))) as door, connected(door.port) as sock:
        began = time.monotonic()
        sock.sendall(ASKED)
        until(sock, OK)
        assert 0.05 <= time.monotonic() - began < LIMIT


def test_a_kept_connection_is_closed_under_the_client() -> None:
    """The reply is whole, and the connection is gone before the next request."""
    with served(performing(Script((Send(OK), Fin())))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert told(sock) == [OK, "end"]


def test_silence_lasts_until_the_client_goes() -> None:
    """A stalled client gets nothing, and is forgotten once it hangs up."""
    with served(performing(Script((Stall(),)))) as door:
        with connected(door.port) as sock:
            sock.sendall(ASKED)
            eventually(lambda: door.plan.log)
            sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                sock.recv(1)
        eventually(lambda: not door._peers)
    assert door.plan.problems == []


def test_a_client_that_waits_for_ever_is_told_of() -> None:
    """After its patience the server resets, and the plan knows what the client lacks."""
    with served(performing(Script((Stall(),))), patience=0.02) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert told(sock) == ["reset"]
    (problem,) = door.plan.problems
    assert isinstance(problem, WouldBlockForeverError)
    assert str(problem) == (
        f"a client waits for ever on http://127.0.0.1:{door.port}\n"
        "  there is: the script is silent, and the client has borne it for 0.02 seconds\n"
        "  to do: give the client a read timeout, as it needs one in production too"
    )


def test_the_kernel_is_asked_for_what_a_client_has_read() -> None:
    """On Linux the queue of a loopback socket is known to the byte; elsewhere nothing is."""
    queues = Queues()
    with socket.create_server(("127.0.0.1", 0)) as listener, connected(listener.getsockname()[1]) as client:
        server, _ = listener.accept()
        ports = (client.getsockname()[1], listener.getsockname()[1])
        with server:
            server.sendall(b"hello")
            if queues.unread(*ports) is not None:
                eventually(lambda: queues.unread(*ports) == 5)
                client.recv(3)
                assert queues.unread(*ports) == 2
        assert queues.unread(1, ports[1]) in (0, None)
    queues.close()
    assert queues.unread(*ports) is None


def test_a_chunked_stream_keeps_its_boundaries() -> None:
    """One `Data` is one HTTP chunk and one segment, the last one with the end behind it."""
    reply = Reply((Head(200), Data(b"a"), Data(b"bc"), End()))
    with served(upstreams=(Vendor(reply),)) as door, connected(door.port) as sock, suppress(TimeoutError):
        sock.sendall(ASKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert told(sock)[1:] == [b"1\r\na\r\n", b"2\r\nbc\r\n0\r\n\r\n", "end"]
