"""
A blocking socket that performs scripts: what http.client and httpcore hold in their hands.

It has the methods these libraries call and no file descriptor of its own. Where
a client does not speak HTTP on it at all (a database on a host that `any/*`
reaches), it turns into a real connection and stays out of the way.
"""

from __future__ import annotations

import errno
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any, Final

from .._script import Fin, Next, Reset, Send, Stall, Wait
from .._seams import passed_by
from ._line import Line, Signals

# Over TLS, CPython before 3.13 reads a reset connection as end of file (suppress_ragged_eofs).
RESET_OVER_TLS_IS_EOF: Final = sys.version_info < (3, 13)


class MemorySocket:
    """One end of a connection in memory."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(
        self,
        line: Line,
        signals: Signals,
        timeout_seconds: float | None,
        connect: Callable[..., socket.socket],
        untrusted: bool = False,
    ) -> None:
        self.line = line
        self.untrusted = untrusted
        self._signals = signals
        self._timeout = timeout_seconds
        self._connect = connect
        self._current = memoryview(b"")
        self._ended = False
        self._reset = False
        self._real: socket.socket | None = None
        self._io_refs = 0
        self._closed = False
        self.is_left: Callable[[], bool] = lambda: False  # whether nobody can read on: its event loop is closed

    @property
    def real(self) -> socket.socket | None:
        """The real connection this one has turned into, if it has."""
        return self._real

    def start_tls(self, context: ssl.SSLContext, server_hostname: str | None = None) -> MemorySocket:
        """There is no handshake in memory; the context is kept for a connection that turns real."""
        if self.untrusted:
            raise untrusted_error()
        self.line.tls, self.line.is_tls = context, True
        return self

    def end(self) -> None:
        """Nothing more comes: a pool that asks finds the connection readable, and at its end."""
        self._ended = True

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Take in the client's bytes and answer what is complete of them."""
        piece = bytes(data)
        real = self._real
        if real is None and not self.line.is_http(piece):
            real = self._turn_real()
        if real is not None:
            real.sendall(piece)
            return
        if self._reset or self.line.hung_up or self._closed:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        for request in self.line.requests(piece):
            self.line.answer(request)

    def send(self, data: Any, flags: int = 0) -> int:
        """As `sendall`: memory takes everything at once."""
        self.sendall(data, flags)
        return len(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """The next bytes of the script, at most one segment."""
        if self._real is None and not self._current and not self._ended and self._nobody_spoke():
            self._turn_real()
        if self._real is not None:
            return self._real.recv(size, flags)
        self._fill()
        piece = self._current[:size]
        if not flags & socket.MSG_PEEK:
            self._current = self._current[size:]
        return bytes(piece)

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """As `recv`, into a buffer."""
        piece = self.recv(size or len(buffer), flags)
        memoryview(buffer)[: len(piece)] = piece
        return len(piece)

    read = recv

    def _fill(self) -> None:
        while not self._current and not self._ended:
            if self._reset:
                raise self._reset_error()
            if self.line.hung_up:
                self._ended = True
                return
            step = self.line.next_step(self._timeout)
            match step:
                case Send(data):
                    self._current = memoryview(data)
                case Wait(seconds):
                    self._pass(seconds)
                case Stall():
                    self.line.steps.appendleft(step)
                    self._pass(None)
                case Fin():
                    self._ended = True
                case Reset() if self.line.is_tls and RESET_OVER_TLS_IS_EOF:
                    self._ended = True
                case Reset():
                    self._reset = True
                case Next():
                    pass

    def _pass(self, seconds: float | None) -> None:
        """Let time pass on the clock, but not more than the client grants."""
        limit = self._timeout
        if limit == 0:
            if seconds is not None:
                self.line.steps.appendleft(Wait(seconds))
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        if limit is not None and (seconds is None or seconds > limit):
            self.line.clock.wait(limit)
            if seconds is not None:
                self.line.steps.appendleft(Wait(seconds - limit))
            raise TimeoutError("The read operation timed out" if self.line.is_tls else "timed out")
        if seconds is None:
            raise self.line.would_block()
        self.line.clock.wait(seconds)

    def _reset_error(self) -> ConnectionResetError:
        return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    def _nobody_spoke(self) -> bool:
        return not self.line.steps and self.line.is_untouched

    def _turn_real(self) -> socket.socket:
        """Leave the memory: this connection does not speak HTTP."""
        with passed_by():
            real = self._connect((self.line.host, self.line.port), self._timeout)
            if self.line.tls is not None:
                real = self.line.tls.wrap_socket(real, server_hostname=self.line.host)
        self._real = real
        return real

    def settimeout(self, seconds: float | None) -> None:
        """How long a read may take, in seconds; None: for ever."""
        self._timeout = seconds
        if self._real is not None:
            self._real.settimeout(seconds)

    def gettimeout(self) -> float | None:
        """How long a read may take, in seconds."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """Blocking without a limit, or not at all."""
        self.settimeout(None if flag else 0.0)

    def setsockopt(self, *args: Any) -> None:
        """Taken, and without effect in memory."""

    def getsockopt(self, *args: Any) -> int:
        """No option is set in memory."""
        return 0

    def getpeername(self) -> tuple[str, int]:
        """The host and port that were dialled."""
        return (self.line.host, self.line.port)

    def getsockname(self) -> tuple[str, int]:
        """An address of this machine."""
        return ("127.0.0.1", 0)

    def fileno(self) -> int:
        """A descriptor that is readable exactly when a read would not wait."""
        if self._real is not None:
            return self._real.fileno()
        if self._closed:
            return -1
        over = self._ended or self._reset or self.line.hung_up or self.is_left()
        if self.line.relay is not None and not over and not self._current:
            return self.line.relay.fileno()
        silent = not (over or self._current or self._has_news())
        return self._signals.silent if silent else self._signals.readable

    def _has_news(self) -> bool:
        steps = self.line.steps
        return bool(steps) and not isinstance(steps[0], Stall | Wait | Next)

    def makefile(self, mode: str = "r", buffering: int | None = None, **kwargs: Any) -> Any:
        """A file over this socket, as the standard library makes it."""
        if self._real is not None:
            owner: Any = self._real
            return owner.makefile(mode, buffering, **kwargs)
        make: Any = socket.socket.makefile  # it asks of its `self` no more than this class has
        return make(self, mode, buffering, **kwargs)

    def _decref_socketios(self) -> None:
        self._io_refs -= 1
        if self._closed and self._io_refs <= 0:
            self.close()

    def shutdown(self, how: int) -> None:
        """The client says it is done."""
        if self._real is not None:
            self._real.shutdown(how)

    def close(self) -> None:
        """Close; files made from the socket can still be read, as with a real one."""
        self._closed = True
        if self._io_refs <= 0:
            self.line.end_relay()
        if self._real is not None:
            self._real.close()

    def unwrap(self) -> MemorySocket:
        """There is no TLS to take off."""
        return self

    def getpeercert(self, binary_form: bool = False) -> Any:
        """A certificate that fits the host."""
        if binary_form:
            return b""
        return {"subject": (), "subjectAltName": (("DNS", self.line.host), ("IP Address", self.line.host))}

    def get_unverified_chain(self) -> list[bytes]:
        """No certificates: truststore asks for them and has nothing to verify."""
        return []

    def selected_alpn_protocol(self) -> None:
        """No protocol but HTTP/1.1."""

    def version(self) -> str:
        """As a TLS connection of today says it."""
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        """As a TLS connection of today says it."""
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)

    def __enter__(self) -> MemorySocket:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def untrusted_error() -> ssl.SSLCertVerificationError:
    """What the ssl module raises for a certificate that nobody vouches for."""
    why = "unable to get local issuer certificate"
    text = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why} (_ssl.c:1006)"
    error = ssl.SSLCertVerificationError(1, text)
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    error.verify_code, error.verify_message = 20, why
    return error
