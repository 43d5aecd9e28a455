"""
One client's connection to the door `server`: bytes in, requests out, steps performed as raw bytes.

It decides nothing: its owner says what a request is answered with. All of it runs
in the reactor's thread.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from .._errors import UnreachableError
from .._reply import Request, Why
from .._rule import authority
from .._script import Conversation, Fin, Next, Reset, Send, Stall, Step, Wait, speaks_http
from ._aim import Place
from ._drained import Queues
from ._reactor import READ, WRITE, Reactor
from ._tls import HANDSHAKE, Tls

READ_BYTES: Final = 262144
CLOSE_AT_ONCE: Final = struct.pack("ii", 1, 0)  # SO_LINGER of 0 seconds: close sends RST
LOOK_SECONDS: Final = 0.0001  # between two looks at what the client has read
SLOWEST_SECONDS: Final = 0.1  # a client that has not read a segment after this gets the next one all the same
PAUSE_SECONDS: Final = 0.005  # before an end; and between two segments, where the kernel cannot be asked


class Owner(Protocol):
    """What a connection asks of its server."""

    reactor: Reactor
    queues: Queues
    port: int

    def context_for(self, peer: Peer) -> ssl.SSLContext | None:
        """What is presented to a client that begins TLS; None: it gets no answer."""
        ...

    def serve(self, peer: Peer, request: Request) -> None:
        """Answer, now or later, with `perform`."""
        ...

    def pass_on(self, peer: Peer, first: bytes) -> None:
        """The client does not speak HTTP to where it wants to: be a pipe."""
        ...

    def refuse(self, peer: Peer, error: UnreachableError) -> None:
        """Tell a client that does not speak as it must."""
        ...

    def stalled(self, peer: Peer) -> None:
        """The client waits for what the script never sends."""
        ...

    def untold(self, peer: Peer, error: ssl.SSLError) -> None:
        """The client ended the handshake."""
        ...

    def gone(self, peer: Peer) -> None:
        """The connection is no more."""
        ...


class Peer:
    """One connection.

    Args:
        owner: the server.
        sock: the accepted socket, not blocking.
        port: the client's own.
        place: where the client believes to be; None: with us.
    """

    def __init__(self, owner: Owner, sock: socket.socket, port: int, place: Place | None = None) -> None:
        self.owner, self.sock, self.port = owner, sock, port
        self.place = place  # where the client wants to, from the start or once it said CONNECT
        self.verdicts: dict[str, Why | None] = {}  # how the connection to an authority fails; None: it does not
        self.is_closed = False
        self.is_stalled = False
        self.told_done: Callable[[], None] | None = None  # called when all is performed and sent, and at the end
        self.tls: Tls | None = None  # our end of it, where the client began it
        self._conversation: Conversation | None = None
        self._requests: deque[Request] = deque()
        self._steps: deque[Step] = deque()
        self._unsent = b""
        self._is_busy = False
        self._is_waiting = False
        self._is_going = False
        self._is_ended = False  # the client will send no more
        self._own_port = sock.getsockname()[1]
        owner.reactor.watch(sock, READ, self._ready)

    @property
    def is_answered_elsewhere(self) -> bool:
        """Whether another thread is at work on what this client asked."""
        waits = self._steps or self._is_waiting or self._unsent or self.is_stalled or self.is_closed
        return self._is_busy and not waits

    @property
    def is_silent(self) -> bool:
        """Whether the client has said nothing yet."""
        return self._conversation is None and self.tls is None and not self.is_closed

    @property
    def authority(self) -> str:
        """`scheme://host[:port]` as the client sees it."""
        host, port = (self.place.host, self.place.port) if self.place else ("127.0.0.1", self.owner.port)
        return authority("https" if self.tls else "http", host, port)

    def perform(self, *steps: Step) -> None:
        """Do this to the client; what ends with `Next` lets it ask again."""
        self._steps.extend(steps)
        self._go_on()

    def connected(self, place: Place) -> None:
        """From here on the client speaks to that place, or believes so."""
        self.place, self._conversation = place, None

    def let_go(self) -> socket.socket:
        """The socket, for somebody else; this connection ends here."""
        self.owner.reactor.unwatch(self.sock)
        self.is_closed = True
        self.owner.gone(self)
        self._tell_done()
        return self.sock

    def close(self) -> None:
        """Hang up."""
        if not self.is_closed:
            self.let_go().close()

    def _ready(self, mask: int) -> None:
        try:
            if mask & WRITE and not self.is_closed:
                self._flush()
                if not self._unsent:
                    self._watch()
                    self._keep_apart()
                    self._go_on()
            if mask & READ and not self.is_closed:
                self._read()
        except BlockingIOError:
            pass
        except OSError as error:  # the client has gone, or broke TLS: its business
            if isinstance(error, ssl.SSLError):
                self.owner.untold(self, error)
            self.close()

    def _read(self) -> None:
        data = self.sock.recv(READ_BYTES)
        if data and not self.is_stalled and self.tls is None and self._conversation is None and not self._begun(data):
            return
        if self.tls is not None and data:
            try:
                data = self.tls.receive(data)
            finally:
                self._put(self.tls.pending())
            if not data and not self.tls.ended:
                return
            if self.place is not None and self._conversation is None and not speaks_http(data):
                self.owner.pass_on(self, data)
                return
        if data and not self.is_stalled:
            self._take(data)
        if not data or (self.tls is not None and self.tls.ended):
            self._end()

    def _begun(self, first: bytes) -> bool:
        """Look at the first bytes: TLS, HTTP, or something to be passed on; whether they are to be read here."""
        if first[0] == HANDSHAKE:
            context = self.owner.context_for(self)
            self.tls = Tls(context) if context is not None else None
            return context is not None
        if self.place is not None and not speaks_http(first):
            self.owner.pass_on(self, first)
            return False
        return True

    def _end(self) -> None:
        """The client sends no more; what it is still to be told, it is told."""
        self._is_ended = True
        if self.is_closed:
            return
        is_relayed = self.told_done is not None  # such a reply can last for ever, and who has gone shall not hold it
        if (self._is_busy or self._requests) and not self.is_stalled and not is_relayed:
            self._watch()
        else:
            self.close()

    def _take(self, data: bytes) -> None:
        if self._conversation is None:
            self._conversation = Conversation(self.authority)
        try:
            for item in self._conversation.receive(data):
                if isinstance(item, Send):
                    self.perform(item)  # 100-continue
                    continue
                self._requests.append(item)
                if item.method == "CONNECT":
                    break  # what follows is not for this conversation
        except UnreachableError as error:
            self.owner.refuse(self, error)
            return
        self._next()

    def _next(self) -> None:
        if self._requests and not self._is_busy and not self.is_closed:
            self._is_busy = True
            self.owner.serve(self, self._requests.popleft())
        elif self._is_ended and not self._is_busy:
            self.close()

    def _go_on(self) -> None:
        """Perform what is due: one loop for any number of steps and requests, since each may lead back here."""
        if self._is_going:
            return
        self._is_going = True
        try:
            while self._steps and not (self._unsent or self._is_waiting or self.is_closed):
                self._do(self._steps.popleft())
        except Exception:
            self.close()
            raise
        finally:
            self._is_going = False
        self._tell_done()

    def _tell_done(self) -> None:
        if self.told_done is not None and (self.is_closed or not (self._steps or self._unsent or self._is_waiting)):
            self.told_done()

    def _do(self, step: Step) -> None:
        match step:
            case Send(data):
                self._put(self.tls.send(data) if self.tls else data)
                self._keep_apart()
            case Wait(seconds):
                self._wait(seconds)
            case Stall():
                self._stall()
            case Fin():
                self._finish()
            case Reset():
                self._reset()
            case Next():
                self._is_busy = False
                self._next()

    def _keep_apart(self) -> None:
        """Wait, where what was sent could meet with what follows."""
        following = self._steps[0] if self._steps else None
        if not self._unsent and not self.is_closed and isinstance(following, Send | Fin | Reset):
            unread = self._unread()
            if unread:
                self._is_waiting = True
                self._look_again(self.owner.reactor.now() + SLOWEST_SECONDS)
            elif unread is None or isinstance(following, Fin | Reset):
                self._wait(PAUSE_SECONDS)

    def _unread(self) -> int | None:
        return self.owner.queues.unread(self.port, self._own_port)

    def _look_again(self, until: float) -> None:
        self.owner.reactor.later(LOOK_SECONDS, lambda: self._look(until))

    def _look(self, until: float) -> None:
        if self.is_closed:
            return
        if self._unread() and self.owner.reactor.now() < until:
            self._look_again(until)
        elif self._steps and isinstance(self._steps[0], Fin | Reset):
            self._wait(
                PAUSE_SECONDS
            )  # what was read is handed up first: some clients drop it once they know of the end
        else:
            self._waited()

    def _wait(self, seconds: float) -> None:
        self._is_waiting = True
        self.owner.reactor.later(seconds, self._waited)

    def _waited(self) -> None:
        self._is_waiting = False
        self._go_on()

    def _stall(self) -> None:
        self.is_stalled = True
        if self._is_ended:
            self.close()
        else:
            self.owner.stalled(self)

    def _finish(self) -> None:
        with suppress(OSError):
            if self.tls is not None:
                self.sock.send(self.tls.goodbye())
            self.sock.shutdown(socket.SHUT_WR)
        self.close()

    def _reset(self) -> None:
        with suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_AT_ONCE)
        self.close()

    def _put(self, data: bytes) -> None:
        self._unsent += data
        try:
            self._flush()
        except OSError:
            self.close()
        if self._unsent and not self.is_closed:
            self._watch()

    def _flush(self) -> None:
        while self._unsent and not self.is_closed:
            try:
                sent = self.sock.send(self._unsent)
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]

    def _watch(self) -> None:
        events = (0 if self._is_ended else READ) | (WRITE if self._unsent else 0)
        if events:
            self.owner.reactor.watch(self.sock, events, self._ready)
        else:
            self.owner.reactor.unwatch(self.sock)
