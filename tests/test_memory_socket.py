"""The socket and the transport that clients hold in their hands: every method they may call."""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import ssl
import sys
from typing import Any

import pytest
from _memory import KEEP, Leaves, Says, opened, says, serving

from pytest_agentfault import Data, Delay, End, Head, How, Lost, Reply, Rule

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = ("api.vendor.example", 443)
EVERYTHING = Rule("* *", (Leaves(),))
SLOW = Rule("* *", (Says(Reply((Head(200, KEEP), Delay(5), Data(b"x"), End()))),))
RESET = Rule("* *", (Says(Reply((Head(200), Data(b"x"), Lost(How.RESET)))),))


def secured(sock: Any) -> Any:
    """The socket under TLS."""
    return ssl.create_default_context().wrap_socket(sock, server_hostname=HOST[0])


CLOSE = (("Connection", "close"),)


def readable(sock: Any) -> bool:
    """What a pool asks the system about an idle connection."""
    return bool(select.select([sock], [], [], 0)[0])


def test_reading_in_every_way() -> None:
    """recv, recv_into, a look ahead and a file see the same bytes; the end is empty, again and again."""
    with opened(says(200, b"hello", headers=CLOSE)), socket.create_connection(HOST) as sock:
        assert sock.send(ASK) == len(ASK)
        assert sock.recv(4, socket.MSG_PEEK) == b"HTTP"
        assert sock.recv(4) == b"HTTP"
        buffer = bytearray(5)
        assert sock.recv_into(buffer) == 5
        assert bytes(buffer) == b"/1.1 "
        assert sock.recv_into(buffer, 3) == 3
        with sock.makefile("rb") as file:
            sock.close()  # the file can still be read
            assert file.read().endswith(b"\r\n\r\nhello")
        assert sock.fileno() == -1


def test_the_end_of_the_stream_stays() -> None:
    """A closed connection reads as empty, however often it is asked."""
    with opened(says(200, headers=CLOSE)), socket.create_connection(HOST) as sock:
        sock.sendall(ASK)
        while sock.recv(1000):
            pass
        assert (sock.recv(1), sock.recv(1)) == (b"", b"")
        assert readable(sock)


def test_a_pool_can_ask_whether_a_connection_is_idle() -> None:
    """Nothing to read before and after a kept reply; something while it is there, and when the test is over."""
    with opened(says(200, b"hello", headers=KEEP)):
        sock: Any = socket.create_connection(HOST)
        before = readable(sock)
        sock.sendall(ASK)
        waiting = readable(sock)
        sock.recv(1000)
        idle = readable(sock)
    assert (before, waiting, idle, readable(sock)) == (False, True, False, True)
    assert sock.recv(10) == b""
    with pytest.raises(BrokenPipeError):
        sock.sendall(ASK)
    sock.close()


def test_a_socket_that_must_not_wait_does_not() -> None:
    """Without patience a silence is EAGAIN; with some, a timeout, and the rest of the wait comes later."""
    with opened(SLOW) as o, socket.create_connection(HOST) as sock:
        sock.sendall(ASK)
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        sock.setblocking(False)
        assert sock.gettimeout() == 0
        with pytest.raises(BlockingIOError) as caught:
            sock.recv(10)
        assert caught.value.errno == errno.EAGAIN
        sock.settimeout(2)
        for _ in range(2):
            with pytest.raises(TimeoutError, match="timed out"):
                sock.recv(10)
        assert sock.recv(10) == b"x"
        assert [s.seconds for s in o.clock.slept] == pytest.approx([2, 2, 1], abs=0.01)


def test_a_reset_connection_stays_reset() -> None:
    """Reading raises, writing is a broken pipe."""
    with opened(RESET), socket.create_connection(("api.vendor.example", 80)) as sock:
        sock.sendall(ASK)
        got = b""
        while b"x" not in got.partition(b"\r\n\r\n")[2]:
            got += sock.recv(1000)
        for _ in range(2):
            with pytest.raises(ConnectionResetError) as caught:
                sock.recv(10)
            assert caught.value.errno == errno.ECONNRESET
        with pytest.raises(BrokenPipeError):
            sock.sendall(ASK)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="CPython 3.13 tells a reset from an end over TLS")
def test_a_reset_under_tls_is_an_end() -> None:
    """CPython before 3.13 reads it as end of file, and so does this."""
    with opened(RESET), secured(socket.create_connection(HOST)) as sock:
        sock.sendall(ASK)
        while sock.recv(1000):
            pass


def test_a_closed_socket_takes_nothing() -> None:
    """Writing to what one has closed oneself."""
    with opened(says(200)):
        sock = socket.create_connection(HOST)
        sock.close()
        with pytest.raises(BrokenPipeError):
            sock.sendall(ASK)


def test_what_a_socket_says_of_itself() -> None:
    """Names, options and the certificate of a TLS connection: what libraries ask before they trust it."""
    with opened(says(200)):
        sock = secured(socket.create_connection(HOST))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert (sock.getpeername(), sock.getsockname()[0]) == (HOST, "127.0.0.1")
        assert ("DNS", HOST[0]) in sock.getpeercert()["subjectAltName"]
        assert (sock.getpeercert(binary_form=True), sock.get_unverified_chain()) == (b"", [])
        assert (sock.version(), sock.cipher()[1], sock.selected_alpn_protocol()) == ("TLSv1.3", "TLSv1.3", None)
        sock.shutdown(socket.SHUT_RDWR)
        assert sock.unwrap() is sock
        sock.close()


def test_a_socket_that_has_turned_real_hands_everything_on() -> None:
    """Time limits, descriptor, files and shutdown are those of the real connection."""

    def echo(sock: socket.socket) -> None:
        while data := sock.recv(100):
            sock.sendall(data)

    with serving(echo) as port, opened(EVERYTHING), socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(b"\x00one\n")
        assert sock.recv(5) == b"\x00one\n"
        sock.settimeout(0.01)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(5)
        assert select.select([sock], [], [], 0)[0] == []
        with sock.makefile("rwb") as file:
            file.write(b"two\n")
            file.flush()
            assert file.readline() == b"two\n"
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""


class Collects(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.got = b""
        self.lost: list[Any] = []

    def data_received(self, data: bytes) -> None:
        """More of it."""
        self.got += data

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self.lost.append(exc)


def test_a_transport_answers_as_a_real_one() -> None:
    """What asyncio's users may ask of a transport, and that it is lost once."""

    async def go() -> None:
        transport: Any
        transport, protocol = await asyncio.get_running_loop().create_connection(Collects, *HOST, ssl=True)
        assert transport.get_protocol() is protocol
        assert transport.get_extra_info("peername") == HOST
        assert transport.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert transport.can_write_eof()
        transport.set_write_buffer_limits(high=1)
        transport.writelines([ASK[:5], ASK[5:]])
        transport.write_eof()
        assert (transport.get_write_buffer_size(), transport.is_reading()) == (0, True)
        for _ in range(50):
            await asyncio.sleep(0)
        assert protocol.got.endswith(b"hello")
        transport.close()
        transport.abort()
        await asyncio.sleep(0)
        assert (transport.is_closing(), transport.is_reading(), protocol.lost) == (True, False, [None])
        transport.write(ASK)

    with opened(says(200, b"hello", headers=KEEP)) as o:
        asyncio.run(go())
    assert len(o.plan.log) == 1


def test_a_client_that_has_enough_is_spared() -> None:
    """Between pause and resume nothing is delivered, and nothing is lost."""

    async def go() -> None:
        transport, protocol = await asyncio.get_running_loop().create_connection(Collects, *HOST, ssl=True)
        transport.pause_reading()
        transport.write(ASK)
        for _ in range(50):
            await asyncio.sleep(0)
        assert (protocol.got, transport.is_reading()) == (b"", False)
        transport.resume_reading()
        for _ in range(50):
            await asyncio.sleep(0)
        assert protocol.got.endswith(b"hello")
        transport.close()

    with opened(says(200, b"hello")):
        asyncio.run(go())


def test_a_real_connection_that_cannot_be_made_is_lost_with_its_error() -> None:
    """A database of asyncio that is down."""

    async def go() -> list[Any]:
        transport, protocol = await asyncio.get_running_loop().create_connection(Collects, "127.0.0.1", port)
        transport.write(b"\x00")
        while not protocol.lost:
            await asyncio.sleep(0.001)
        return protocol.lost

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with opened(EVERYTHING):
        (error,) = asyncio.run(asyncio.wait_for(go(), 5))
    assert isinstance(error, ConnectionRefusedError)


def test_a_real_connection_of_asyncio_hands_everything_on() -> None:
    """Pausing, resuming and the end of writing reach the real transport."""

    def count(sock: socket.socket) -> None:
        size = 0
        while data := sock.recv(100_000):
            size += len(data)
        sock.sendall(str(size).encode())

    async def go(port: int) -> bytes:
        transport, protocol = await asyncio.get_running_loop().create_connection(Collects, "127.0.0.1", port)
        transport.write(b"\x00")
        while transport.real is None:  # type: ignore[attr-defined]
            await asyncio.sleep(0.001)
        transport.write(b"x" * 3_000_000)
        transport.pause_reading()
        transport.resume_reading()
        transport.write_eof()
        while not protocol.lost:
            await asyncio.sleep(0.001)
        return protocol.got

    with serving(count) as port, opened(EVERYTHING):
        assert asyncio.run(asyncio.wait_for(go(port), 10)) == b"3000001"
