"""
The truth of the contract: a real loopback socket that performs a script on whoever connects.

Rule 1: it decides nothing. Each request is answered with the same script, step by
step, each `Send` as a segment of its own.
Rule 2: one thread, bounded waits, gone when the `with` block is left.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cache
from threading import Thread

import pytest
import trustme

from pytest_agentfault import Fin, Next, Refused, Reset, Script, Send, Stall, Wait, Why
from pytest_agentfault._script import Conversation

APART = 0.012  # seconds between two segments, so that a client reads each alone
LIMIT = 5.0  # seconds that any single call on a socket may take
CLOSE_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: the next close sends RST


class WireServer:
    """Listens on loopback and performs `script` after each request, until the block is left."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, apart: float = APART) -> None:
        self.script, self.tls, self.apart = script, tls, apart
        self.problems: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._wake, self._woken = socket.socketpair()
        self._open: dict[socket.socket, Conversation] = {}
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._run, name=f"wire {self.url}", daemon=True)

    def __enter__(self) -> WireServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), "the raw server does not stop"
        for held in (self._listener, self._woken, *self._open):
            held.close()
        if self.problems:
            raise self.problems[0]

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._woken, self._listener, *self._open], [], [])
            if self._woken in ready:
                return
            for sock in ready:
                try:
                    self._accept() if sock is self._listener else self._serve(sock)
                except OSError:  # the client has gone, or refuses our certificate: its business
                    self._drop(sock)
                except Exception as error:
                    self.problems.append(error)
                    self._drop(sock)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.settimeout(LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        self._open[sock] = Conversation(self.url)

    def _serve(self, sock: socket.socket) -> None:
        data = _read(sock)
        if not data:
            self._drop(sock)
            return
        for said in self._open[sock].receive(data):
            if isinstance(said, Send):  # 100-continue
                sock.sendall(said.data)
            else:
                self._perform(sock)

    def _perform(self, sock: socket.socket) -> None:
        for number, step in enumerate(self.script.steps):
            if number and isinstance(step, Send | Fin | Reset):
                time.sleep(self.apart)
            match step:
                case Send(data):
                    sock.sendall(data)
                case Wait(seconds):
                    time.sleep(seconds)
                case Fin():
                    if isinstance(sock, ssl.SSLSocket):
                        sock.settimeout(0)
                        with suppress(OSError):
                            sock.unwrap()  # says close_notify; the client's answer is not awaited
                    with suppress(OSError):
                        sock.shutdown(socket.SHUT_WR)
                    self._drop(sock)
                case Reset():
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_AT_ONCE)
                    self._drop(sock)
                case Stall() | Next():
                    pass

    def _drop(self, sock: socket.socket) -> None:
        if self._open.pop(sock, None):
            sock.close()


def _read(sock: socket.socket) -> bytes:
    data = sock.recv(262144)
    while isinstance(sock, ssl.SSLSocket) and sock.pending():  # decrypted already: select cannot see it
        data += sock.recv(262144)
    return data


@cache
def authority() -> trustme.CA:
    """The one certificate authority of a test run."""
    return trustme.CA()


@cache
def server_context(trusted: bool = True) -> ssl.SSLContext:
    """What a TLS server presents: a certificate of our authority, or of one that no client has heard of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (authority() if trusted else trustme.CA()).issue_cert("127.0.0.1").configure_cert(context)
    return context


@contextmanager
def loopback(script: Script | Refused, scheme: str = "http", apart: float = APART) -> Iterator[str]:
    """A base URL behind which this happens to whoever connects, with so many seconds between two segments."""
    if isinstance(script, Refused):
        with REFUSALS[script.why](scheme) as url:
            yield url
        return
    with WireServer(script, server_context() if scheme == "https" else None, apart) as server:
        yield server.url


@contextmanager
def _nothing_listens(scheme: str) -> Iterator[str]:
    with socket.socket() as bound:  # bound, so that nobody else takes the port; not listening
        bound.bind(("127.0.0.1", 0))
        yield f"{scheme}://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def _no_such_name(scheme: str) -> Iterator[str]:
    """A name without address; the system's resolver is spared, since it would ask the network."""
    real = socket.getaddrinfo

    def resolve(host: str | bytes | None, *args: object, **settings: object) -> object:
        if host in ("nowhere.invalid", b"nowhere.invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **settings)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        yield f"{scheme}://nowhere.invalid"


@contextmanager
def _never_accepts(scheme: str) -> Iterator[str]:
    """A listener whose queue is full: the kernel drops what comes then (Linux)."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(address)
        with socket.socket() as probe:
            probe.settimeout(0.02)
            try:
                probe.connect(address)
            except TimeoutError:
                pass
            else:
                pytest.skip("this system accepts connections beyond a full queue: a connect timeout cannot be had")
        yield f"{scheme}://127.0.0.1:{address[1]}"


@contextmanager
def _not_trusted(scheme: str) -> Iterator[str]:
    with WireServer(Script((Fin(),)), server_context(trusted=False)) as server:
        yield server.url


REFUSALS: dict[Why, Callable[[str], AbstractContextManager[str]]] = {
    Why.REFUSED: _nothing_listens,
    Why.UNRESOLVED: _no_such_name,
    Why.TIMEOUT: _never_accepts,
    Why.UNTRUSTED: _not_trusted,
}
