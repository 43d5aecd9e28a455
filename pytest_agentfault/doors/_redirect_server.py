"""
The server that redirected connections come to: the door `server`, with a port for each host that is asked for.

Rule 1: nothing of it is there before the first connection is redirected; it is
gone with the test.
Rule 2: how a connection fails is decided by whoever redirects it, once; here it
only finds the port where that happens.
Rule 3: it lives on the shared clock, for its clients are in this process. What it
still has to do itself, the clock is told (`rest`), so that it never overtakes it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty
from threading import Lock, Thread, Timer
from typing import TYPE_CHECKING, Final

from .._baseline import Upstream
from .._plan import Plan
from .._reply import Why
from .._rule import authority
from .._script import Reset
from .._seams import passed_by
from ._aim import Place
from ._certificates import Certificates
from ._line import Line
from ._peer import Peer
from ._reactor import READ
from ._redirect_tls import Trust, plain
from .server import BACKLOG, HOST, PATIENCE_SECONDS, ServerDoor

if TYPE_CHECKING:
    from .redirect import SharedClock

ANSWER_SECONDS: Final = 0.05  # real ones that the reactor gets to say that it is done
SILENCE_SECONDS: Final = 0.2  # a client that has said nothing after this may be waiting to be greeted
GREETING_SECONDS: Final = 1.0  # real ones that the real server gets to do so


class RedirectServer(ServerDoor):
    """Serves clients who believe to be elsewhere.

    Args:
        plan: what strikes.
        upstreams: where healthy replies come from, asked in order.
        clock: the clock of the test.
        everyone: when it says True, no host is only passed on.
    """

    def __init__(
        self, plan: Plan, upstreams: Sequence[Upstream], clock: SharedClock, everyone: Callable[[], bool]
    ) -> None:
        certificates = Certificates(Path)  # nobody is told of its authority by file
        super().__init__(plan, upstreams, certificates, clock.now, everyone=everyone, patience=PATIENCE_SECONDS)
        self.clock = clock
        self.trust = Trust(certificates)
        self._ports: dict[tuple[Place, Why | None], int] = {}
        self._held: list[socket.socket] = []
        self._timers: set[Timer] = set()
        self._finding = Lock()

    def start(self, port: int = 0) -> None:
        """Begin, and let the clock know."""
        super().start(port)
        self.clock.accompany(self)

    def stop(self) -> None:
        """Hang up on everybody and listen no more; may be called any number of times."""
        self.clock.leave(self)
        for timer in self._timers:
            timer.cancel()
        super().stop()
        while self._held:
            self._held.pop().close()

    @property
    def own_ports(self) -> set[int]:
        """Where this server listens, or keeps others from listening."""
        return {self.port, *self._ports.values()}

    def place_at(self, port: int) -> Place | None:
        """The place that a client reached who is connected to this port of ours."""
        return next((place for (place, _), known in self._ports.items() if known == port), None)

    def stands_for(self, host: str) -> bool:
        """Whether clients of this host come here, straight or by a proxy; named as certificates have it."""
        asked_for = [place for place, _ in tuple(self._ports)]
        asked_for += [peer.place for peer in tuple(self._peers) if peer.place is not None]
        return any(plain(place.host) == host for place in asked_for)

    def port_for(self, place: Place, why: Why | None) -> int:
        """The port of 127.0.0.1 where a client who wants to go there meets what a rule wants him to.

        Args:
            place: where he wants to.
            why: how the connection fails; None: it does not.
        """
        with self._finding:
            port = self._ports.get((place, why))
            if port is None:
                port = self._ports[place, why] = self._opened(place, why)
            return port

    def _opened(self, place: Place, why: Why | None) -> int:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._held.append(listener)
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        if why is Why.REFUSED:  # bound, so that nobody else takes the port; not listening
            return port
        if why is Why.TIMEOUT:
            listener.listen(0)
            self._fill(port)
            return port
        listener.listen(BACKLOG)
        listener.setblocking(False)
        self.reactor.soon(partial(self.reactor.watch, listener, READ, partial(self._accept_from, listener, place, why)))
        return port

    def _fill(self, port: int) -> None:
        """Fill the queue of a listener who never accepts: the kernel drops what comes then (Linux)."""
        for _ in range(4):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._held.append(filler)
            filler.setblocking(False)
            with passed_by(), suppress(BlockingIOError):
                filler.connect((HOST, port))

    def _accept_from(self, listener: socket.socket, place: Place, why: Why | None, _: int) -> None:
        with suppress(OSError):
            sock, address = listener.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, sock, address[1], place)
            # It was decided when the client connected; what is asked over this connection decides nothing more.
            peer.verdicts = {authority(scheme, place.host, place.port): why for scheme in ("http", "https")}
            self.admit(peer)
            self.reactor.later(SILENCE_SECONDS, partial(self._listen_for_greeting, peer))

    # What is not HTTP.

    def pass_on(self, peer: Peer, first: bytes) -> None:
        """Be a pipe between the client and where it asked for."""
        assert peer.place is not None  # each connection here has one
        self.plan.passed.add(f"{peer.place.host}:{peer.place.port}")
        super().pass_on(peer, first)

    def _listen_for_greeting(self, peer: Peer) -> None:
        if peer.is_silent and peer.place is not None:
            Thread(target=self._ask_for_greeting, args=(peer, peer.place), name="agentfault", daemon=True).start()

    def _ask_for_greeting(self, peer: Peer, place: Place) -> None:
        """In some protocols (MySQL, SMTP) it is the server who speaks first: then the client is passed on to it."""
        # Whatever it is that says no: the network, or a plugin that blocks it.
        with suppress(Exception), self.clock.busy(), passed_by():
            with socket.create_connection((place.host, place.port), GREETING_SECONDS) as there:
                there.settimeout(GREETING_SECONDS)
                greets = bool(there.recv(1))
            if greets:
                self.reactor.soon(partial(self._greet, peer))

    def _greet(self, peer: Peer) -> None:
        if peer.is_silent:
            self.pass_on(peer, b"")

    def onward_tls(self, peer: Peer) -> ssl.SSLContext:
        """With what a real server is asked over TLS: the client's own context, which trusts what the client trusts."""
        own = self.trust.context_of(peer.place.host) if peer.place is not None else None
        return own or super().onward_tls(peer)

    # Time.

    def rest(self) -> float:
        """For how many seconds it will do nothing by itself; 0: it is at work."""
        try:
            return self.reactor.settled(self._is_asking).get(timeout=ANSWER_SECONDS)
        except Empty:
            return 0.0

    def _is_asking(self) -> bool:
        return any(peer.is_answered_elsewhere for peer in self._peers)

    def wake(self) -> None:
        """The clock was moved."""
        self.reactor.ring()

    def stalled(self, peer: Peer) -> None:
        """The script is silent: told of when all that is left is to wait for ever, or real patience ends."""
        self.clock.when_stuck(partial(self.reactor.soon, partial(self._leave_stuck, peer)))
        timer = Timer(PATIENCE_SECONDS, partial(self.reactor.soon, partial(self._lose_patience, peer)))
        timer.daemon = True
        self._timers.add(timer)
        timer.start()

    def _leave_stuck(self, peer: Peer) -> None:
        if peer.is_closed or peer.place is None:
            return
        line = Line(self.plan, self.upstreams, self.clock, peer.place.host, peer.place.port)
        line.is_tls = peer.authority.startswith("https:")
        self._tell(line.would_block())
        peer.is_stalled = False
        peer.perform(Reset())
