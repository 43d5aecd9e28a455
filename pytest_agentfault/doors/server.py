"""
The door for whoever is not in this process: a real HTTP/1.1 server on loopback.

It reads with the conversation that every door has, and writes the steps of the
script as raw bytes, each `Send` as a segment of its own. One port speaks HTTP,
HTTPS and proxy (CONNECT, with TLS opened by a certificate per host), since the
first byte tells them apart.

Rule 1: it listens on 127.0.0.1 and nowhere else, and is gone when it is stopped.
Rule 2: what a client does wrong is told to the client and kept in the plan; it
never ends the server.
Rule 3: it lives in real time, as its clients do.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread
from typing import Final

from .._baseline import Relay, Upstream
from .._errors import AgentFaultError, UnreachableError, UpstreamError, WouldBlockForeverError
from .._exchange import Claim, Exchange
from .._plan import Flow, Hung, Plan
from .._reply import Reply, Request, Why
from .._rule import authority
from .._script import Next, Reset, Send, Stall, encode
from .._seams import PassedOn, client_tls
from ._aim import Place, aimed, check_base, origin, place_of, scheme_of
from ._asking import Following, ask
from ._certificates import Certificates, check_kind
from ._drained import Queues
from ._peer import Peer
from ._pump import pump
from ._reactor import READ, Reactor
from ._tls import is_not_accepted
from ._tls_tunnel import TlsTunnel
from ._tunnel import Tunnel

HOST: Final = "127.0.0.1"
LOOPBACK: Final = (HOST, "localhost", "[::1]")
BACKLOG: Final = 256
PATIENCE_SECONDS: Final = 60.0
NO_CONNECTION: Final = (Why.REFUSED, Why.UNRESOLVED, Why.TIMEOUT)
ESTABLISHED: Final = b"HTTP/1.1 200 Connection Established\r\n\r\n"
NOBODY_THERE: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ServerDoor:
    """Lets in whoever connects to a port of 127.0.0.1.

    Args:
        plan: what strikes.
        upstreams: where healthy replies come from, asked in order.
        certificates: what it proves itself with where a client speaks TLS.
        now: the real monotonic clock, in seconds.
        everyone: when it says True, no host is only passed on (a cassette beneath answers them all).
        tell: told of each exchange, and of each thing that went wrong.
        patience: seconds after which a client that a script keeps waiting is told of and cut off; None: never.
    """

    name = "server"

    def __init__(
        self,
        plan: Plan,
        upstreams: Sequence[Upstream],
        certificates: Certificates,
        now: Callable[[], float],
        *,
        everyone: Callable[[], bool] = lambda: False,
        tell: Callable[[Exchange | BaseException], None] = lambda said: None,
        patience: float | None = PATIENCE_SECONDS,
    ) -> None:
        self.plan, self.upstreams, self.certificates = plan, upstreams, certificates
        self.everyone, self._tell, self._patience = everyone, tell, patience
        self.port = 0
        self.queues: Queues
        self.reactor: Reactor
        self._now = now
        self._base: str | None = None
        self._kind = "trusted"
        self._peers: set[Peer] = set()
        self._tunnels: set[Tunnel] = set()
        self._listener: socket.socket | None = None
        self._live_tls: ssl.SSLContext | None = None

    @property
    def base(self) -> str | None:
        """What the server stands for: requests that come straight are meant for this base URL; None: for itself."""
        return self._base

    @base.setter
    def base(self, base: str | None) -> None:
        self._base = None if base is None else check_base(base)

    @property
    def certificate(self) -> str:
        """What TLS clients are shown from now on: trusted, untrusted, expired or wrong_name."""
        return self._kind

    @certificate.setter
    def certificate(self, kind: str) -> None:
        self._kind = check_kind(kind)

    @contextmanager
    def opened(self, port: int = 0) -> Iterator[ServerDoor]:
        """The server, running until the block ends."""
        self.start(port)
        try:
            yield self
        finally:
            self.stop()

    def start(self, port: int = 0) -> None:
        """Listen on a port of 127.0.0.1; 0: one that is free.

        Raises:
            UnreachableError: the port cannot be had.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            listener.close()
            raise UnreachableError(
                f"the server cannot listen on {HOST}:{port}",
                str(error),
                "end what listens there, or take another port (0: any that is free)",
            ) from error
        listener.setblocking(False)
        self.queues, self.reactor = Queues(), Reactor("agentfault server", self._now, self._went_wrong)
        self._listener, self.port = listener, listener.getsockname()[1]
        self.reactor.watch(listener, READ, self._accept)
        self.reactor.start()

    def stop(self) -> None:
        """Hang up on everybody and listen no more; may be called any number of times."""
        if self._listener is None:
            return
        self.reactor.stop()
        for peer in list(self._peers):
            peer.close()
        for tunnel in list(self._tunnels):
            tunnel.close()
        self._listener.close()
        self.queues.close()

    def _accept(self, _: int) -> None:
        assert self._listener is not None  # it is watched
        with suppress(OSError):
            sock, address = self._listener.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.admit(Peer(self, sock, address[1]))

    def admit(self, peer: Peer) -> None:
        """Take care of this connection."""
        self._peers.add(peer)

    def gone(self, peer: Peer) -> None:
        """The connection is no more."""
        self._peers.discard(peer)

    # What a connection asks for.

    def context_for(self, peer: Peer) -> ssl.SSLContext | None:
        """What is presented to a client that begins TLS; None: it gets no answer."""
        host, port = (peer.place.host, peer.place.port) if peer.place is not None else (HOST, self.port)
        straight = peer.place is None and self._base is not None
        meant = origin(self._base) if straight and self._base else authority("https", host, port)
        try:
            refused = self._verdict(peer, meant)
            if refused in NO_CONNECTION:
                self._fail_to_connect(peer, refused)
                return None
            return self.certificates.context(host, "untrusted" if refused is Why.UNTRUSTED else self._kind)
        except (AgentFaultError, Hung) as error:
            self._went_wrong(error)
            peer.close()
            return None

    def serve(self, peer: Peer, request: Request) -> None:
        """Answer one request, now or later."""
        try:
            if request.method == "CONNECT":
                self._connect(peer, request)
                return
            if peer.place is None:  # else it says where by its connection, and any path is the vendor's own
                request = aimed(request, peer.authority, self._base)
            self.plan.check_budget()  # a client in another process cannot be told otherwise
            refused = self._verdict(peer, origin(request.url))
            if refused in NO_CONNECTION:
                self._fail_to_connect(peer, refused)
                return
            self._exchange(peer, request)
        except Hung:
            peer.perform(Reset())
        except Exception as error:
            self._say_wrong(peer, request, error)

    def refuse(self, peer: Peer, error: UnreachableError) -> None:
        """Tell a client that does not speak HTTP/1.1."""
        self._say_wrong(peer, Request("GET", peer.authority), error, status=400)

    def untold(self, peer: Peer, error: ssl.SSLError) -> None:
        """The client ended the handshake; not, as it seems, because a rule or the test wanted it to."""
        meant_to = self._kind != "trusted" or Why.UNTRUSTED in peer.verdicts.values()
        if is_not_accepted(error) and not meant_to:
            self._went_wrong(
                UnreachableError(
                    f"a client does not accept the certificate for {peer.authority}",
                    str(error.reason),
                    "start it with the server's environment (`env`), or let it trust the authority's file",
                )
            )

    def stalled(self, peer: Peer) -> None:
        """The script is silent; a client that bears it too long holds up the test."""
        if self._patience is not None:
            self.reactor.later(self._patience, partial(self._lose_patience, peer))

    def _lose_patience(self, peer: Peer) -> None:
        if peer.is_closed:
            return
        self._went_wrong(
            WouldBlockForeverError(
                f"a client waits for ever on {peer.authority}",
                f"the script is silent, and the client has borne it for {self._patience:g} seconds",
                "give the client a read timeout, as it needs one in production too",
            )
        )
        peer.is_stalled = False
        peer.perform(Reset())

    def pass_on(self, peer: Peer, first: bytes) -> None:
        """Be a pipe between the client and where it asked for."""
        assert peer.place is not None  # only after CONNECT
        self._pipe(peer, peer.place, first)

    def _pipe(self, peer: Peer, place: Place, first: bytes = b"", greeting: bytes = b"", sorry: bytes = b"") -> None:
        tls, done = peer.tls, self._tunnels.discard
        tunnel = TlsTunnel(peer.let_go(), tls, self.onward_tls(peer), done) if tls else Tunnel(peer.let_go(), done)
        self._tunnels.add(tunnel)
        said = (place.host, place.port, first, greeting, sorry)
        Thread(target=tunnel.run, args=said, name="agentfault tunnel", daemon=True).start()

    # How it is answered.

    def _verdict(self, peer: Peer, meant: str) -> Why | None:
        """How a connection to there fails; asked once per connection."""
        if meant not in peer.verdicts:
            refused = self.plan.connect(meant)
            peer.verdicts[meant] = refused.why if refused is not None else None
            if refused is not None:
                self._tell(next(x for x in reversed(self.plan.log) if x.reply.last is refused))
        return peer.verdicts[meant]

    def _fail_to_connect(self, peer: Peer, why: Why | None) -> None:
        """The connection exists already: a reset at once, or silence, is the nearest to one that never came to be."""
        peer.perform(Stall() if why is Why.TIMEOUT else Reset())

    def _connect(self, peer: Peer, request: Request) -> None:
        place = place_of(request.url.removeprefix(peer.authority).removeprefix("/"))
        if not self.everyone() and not self.plan.wants(place.host, place.port):
            self._pipe(peer, place, greeting=ESTABLISHED, sorry=NOBODY_THERE)
            return
        self.plan.check_budget()
        refused = self._verdict(peer, authority(scheme_of(place), place.host, place.port))
        if refused in NO_CONNECTION:
            self._fail_to_connect(peer, refused)
            return
        self.certificates.context(place.host)  # a host that can have none is told of here, where it can be
        peer.connected(place)
        peer.perform(Send(ESTABLISHED), Next())

    def _exchange(self, peer: Peer, request: Request) -> None:
        claim = self.plan.claim(request)
        flow = self.plan.exchange(request, claim)
        try:
            asked = next(flow)
        except StopIteration as stop:
            self._perform(peer, stop.value)
            return
        try:
            upstream = self._serving(asked)
        except BaseException:
            flow.close()
            raise
        if hasattr(upstream, "asend"):  # it waits for somebody else, and nobody shall wait for it
            run = partial(self._ask_aside, peer, flow, upstream, asked)
            if not claim.due and hasattr(upstream, "relay"):
                flow.close()
                run = partial(self._relay_aside, peer, claim, upstream.relay)
            Thread(target=run, name="agentfault", daemon=True).start()
        else:
            self._perform(peer, self._finished(flow, upstream, asked))

    def _ask_aside(self, peer: Peer, flow: Flow, upstream: Upstream, asked: Request) -> None:
        client_tls.set(self.onward_tls(peer))  # of this thread's own context
        try:
            done = self._finished(flow, upstream, asked)
        except BaseException as error:
            self.reactor.soon(partial(self._say_wrong, peer, asked, error))
        else:
            self.reactor.soon(partial(self._perform, peer, done))

    def _relay_aside(self, peer: Peer, claim: Claim, relay: Callable[[Request], Relay]) -> None:
        client_tls.set(self.onward_tls(peer))
        try:
            coming = relay(claim.request)
        except BaseException as error:
            self.reactor.soon(partial(self._say_wrong, peer, claim.request, error))
        else:  # from here on the client may have a part of it: no reply of ours can follow
            pump(peer, coming, Following(self.plan, claim), self._tell)

    def onward_tls(self, peer: Peer) -> ssl.SSLContext:
        """With what a real server is asked over TLS, in this client's stead."""
        if self._live_tls is None:
            self._live_tls = ssl.create_default_context()
        return self._live_tls

    def _finished(self, flow: Flow, upstream: Upstream, asked: Request) -> Exchange:
        try:
            reply = self._healthy(upstream, asked)
        except BaseException:
            flow.close()
            raise
        try:
            flow.send(reply)
        except StopIteration as stop:
            done: Exchange = stop.value
            return done
        raise AssertionError("an exchange yields its request at most once")

    def _healthy(self, upstream: Upstream, asked: Request) -> Reply:
        """The reply of this upstream, or of the next one where it passes the request on."""
        for other in (upstream, *self._others(upstream, asked)):
            try:
                return ask(self.plan, other, asked)
            except PassedOn:
                continue
        raise self._nobody(asked)

    def _others(self, upstream: Upstream, asked: Request) -> Iterator[Upstream]:
        behind = self.upstreams[list(self.upstreams).index(upstream) + 1 :]
        return (other for other in behind if other.serves(asked))

    def _serving(self, request: Request) -> Upstream:
        """The upstream that answers; for the server itself, none that would come back here."""
        own = request.url.startswith(
            tuple(f"{s}://{host}:{self.port}/" for s in ("http", "https") for host in LOOPBACK)
        )
        for upstream in self.upstreams:
            if upstream.serves(request) and not (own and hasattr(upstream, "asend")):
                return upstream
        raise self._nobody(request)

    def _nobody(self, request: Request) -> UpstreamError:
        return UpstreamError(
            f"nobody answers {request.method} {request.url}",
            "the request names no vendor, and the server stands for none",
            f"ask http://{HOST}:{self.port}/https://VENDOR/..., use the server as a proxy, "
            "or say what it stands for (upstream)",
        )

    def _perform(self, peer: Peer, done: Exchange) -> None:
        self._tell(done)
        peer.perform(*done.script.steps)

    def _say_wrong(self, peer: Peer, request: Request, error: BaseException, status: int = 502) -> None:
        self._went_wrong(error)
        headers = {"Content-Type": "text/plain; charset=utf-8", "X-Should-Retry": "false"}
        reply = Reply.of(status, f"{error}\n".encode(), headers)
        peer.perform(*encode(reply, request, keep=False).steps)

    def _went_wrong(self, error: BaseException) -> None:
        self.plan.problems.append(error)
        self._tell(error)
