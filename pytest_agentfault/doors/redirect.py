"""
The door for clients that want real sockets: trio, uvloop, tornado, and whoever connects a `socket.socket` by hand.

The door `memory` has already led them here: a name that a rule can match has been
given an address of its own. When a socket is connected to such an address (or to
one that a rule names), the connection goes to a server of this test on loopback
instead, which performs the scripts as real bytes: what the client meets is its own
transport, its own TLS and its own errors. How a connection fails is real, too: a
port where nobody listens, a queue that is full.

Rule 1: no port, no thread and no certificate before a connection is redirected,
and none after the test.
Rule 2: a connection that no rule can match is made exactly as without us.
Rule 3: what libraries do by ways of their own is in `_redirect_clients.py`.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from .._baseline import Upstream
from .._plan import Plan
from .._reply import Why
from .._seams import Patches, passing
from ._aim import Place
from ._clients import follow
from ._line import Clock
from ._redirect_clients import SEAMS

if TYPE_CHECKING:
    from .._reply import Refused
    from ._redirect_server import RedirectServer
    from ._redirect_tls import Trust

HERE: Final = "127.0.0.1"
HERE_BY_IPV6: Final = "::ffff:127.0.0.1"  # RFC 4291 section 2.5.5.2: the same address, for a socket of IPv6


class Names(Protocol):
    """What this door asks of the door `memory`, by which names are looked up."""

    own_ports: set[int]
    everyone: Callable[[], bool]

    def wants(self, host: object, port: object) -> bool:
        """Whether a connection to this host and port is for us."""
        ...

    def is_proxy(self, host: str) -> bool:
        """Whether the environment sends clients to this host first."""
        ...

    def address(self, host: str) -> str:
        """The address that leads back to a name."""
        ...

    def host_behind(self, address: str) -> str:
        """The name that an address was given out for, or the address."""
        ...

    def looked_up(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any] | None:
        """What a look-up says of a name that is for us; None: it is not."""
        ...

    def verdict(self, host: str, port: int, look_up: bool = False) -> Refused | None:
        """How this connection fails, asked once per attempt."""
        ...


class SharedClock(Clock, Protocol):
    """What this door asks of the clock besides."""

    def accompany(self, other: Any) -> None:
        """From now on the clock jumps no further than to what this does next."""
        ...

    def leave(self, other: Any) -> None:
        """No more."""
        ...

    def jump(self, seconds: float, who: str, news: Callable[[float], bool], *, listens: bool = True) -> float:
        """Move on to what comes first; for how many real seconds the loop should now listen."""
        ...


class RedirectDoor:
    """Leads real sockets to a server of this test.

    Args:
        plan: what strikes.
        upstreams: where healthy replies come from, asked in order.
        clock: the clock of the test.
        memory: the door that names are looked up through.
    """

    name = "redirect"

    def __init__(self, plan: Plan, upstreams: Sequence[Upstream], clock: SharedClock, *, memory: Names) -> None:
        self.plan, self.upstreams, self.clock, self.memory = plan, upstreams, clock, memory
        self._server: RedirectServer | None = None
        self.is_open = False
        self._starting = Lock()

    def install(self, patches: Patches) -> None:
        """Put the door before the process's real connections."""
        if self.is_open:
            return  # rules that have been added need nothing more
        self.is_open = True
        from ._redirect_tls import trusting_objects, trusting_sockets

        for name in ("connect", "connect_ex"):
            patches.set(socket.socket, name, self._connecting(getattr(socket.socket, name)))
        patches.set(socket, "gethostbyname", self._looking_up(socket.gethostbyname))
        if os.name == "nt":  # there a pair of sockets is made by connecting them
            patches.set(socket, "socketpair", _past_every_door(socket.socketpair))
        patches.set(ssl.SSLContext, "wrap_bio", trusting_objects(ssl.SSLContext.wrap_bio, self._trust_by_name))
        patches.set(ssl.SSLContext, "wrap_socket", trusting_sockets(ssl.SSLContext.wrap_socket, self._trust_by_port))
        follow(SEAMS, self, patches)

    def hang_up(self) -> None:
        """Stop the server, if there is one."""
        self.is_open = False
        if self._server is not None:
            self._server.stop()

    # Who is led, and where to.

    def place_of(self, host: object, port: object) -> Place | None:
        """The place that a connection to this host and port is for, if it is to be redirected."""
        if not isinstance(host, str) or not isinstance(port, int) or not self.is_open or passing.get():
            return None
        name = self.memory.host_behind(host)
        if name == host and not self._is_wanted(host, port):
            return None
        return Place(name, port)

    def _is_wanted(self, host: str, port: int) -> bool:
        """As `MemoryDoor.wants`; but an address that some client looked up itself is no news for the log."""
        if port in self.memory.own_ports and host in (HERE, "localhost"):
            return False
        reached = any(rule.may_reach(host, port) for rule in self.plan.rules)
        return reached or self.memory.everyone() or self.memory.is_proxy(host)

    def port_for(self, place: Place) -> int:
        """The port of 127.0.0.1 to connect to instead.

        Raises:
            OSError: a rule says that the name cannot be looked up.
            Hung: the budget of calls is spent.
        """
        self.clock.may_move_here()
        verdict = self.memory.verdict(place.host, place.port)
        why = verdict.why if verdict is not None else None
        if why is Why.UNRESOLVED:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        server = self._running()
        port = server.port_for(place, why)
        self.memory.own_ports |= server.own_ports
        return port

    def _running(self) -> RedirectServer:
        with self._starting:
            if self._server is None:
                from ._redirect_server import RedirectServer

                server = RedirectServer(self.plan, self.upstreams, self.clock, self.memory.everyone)
                server.start()
                self._server = server
            return self._server

    # Ways to a connection.

    def _connecting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: socket.socket, address: Any) -> Any:
            return real(sock, self._led(sock, address))

        return connect

    def _led(self, sock: socket.socket, address: Any) -> Any:
        """The address that a socket is really connected to."""
        if not isinstance(address, tuple) or len(address) < 2 or sock.type != socket.SOCK_STREAM:
            return address
        place = self.place_of(*address[:2])
        if place is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
            return address
        port = self.port_for(place)
        if isinstance(sock, ssl.SSLSocket):  # TLS was put on before
            self._running().trust.give(sock, sock.server_hostname or "", sock.context)
        return (HERE, port) if sock.family == socket.AF_INET else (HERE_BY_IPV6, port, 0, 0)

    def _looking_up(self, real: Callable[[str], str]) -> Callable[[str], str]:
        def gethostbyname(host: str) -> str:
            # It is not told a port: any will do.
            wanted = any(self.memory.wants(host, port) for port in (443, 80)) and not host[-1:].isdigit()
            return self.memory.address(host) if wanted else real(host)

        return gethostbyname

    # Whom a client is made to trust.

    def _trust_by_name(self, host: str) -> Trust | None:
        server = None if passing.get() else self._server
        return server.trust if server is not None and server.stands_for(host) else None

    def _trust_by_port(self, sock: Any) -> Trust | None:
        if self._server is None or type(sock) is not socket.socket:
            return None
        try:
            port = sock.getpeername()[1]
        except OSError:  # it is not connected yet
            return None
        return self._server.trust if self._server.place_at(port) is not None else None


def _past_every_door(real: Callable[..., Any]) -> Callable[..., Any]:
    def past(*args: Any, **kwargs: Any) -> Any:
        token = passing.set(True)
        try:
            return real(*args, **kwargs)
        finally:
            passing.reset(token)

    return past
