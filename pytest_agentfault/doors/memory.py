"""
The default door: sockets and transports in memory.

The functions through which Python's HTTP clients get a connection are replaced
for one test; what they hand out performs scripts, and the client's own parser,
pool and retry loop do not notice. No ports, no threads, no TLS. Only hosts that
a rule can match come through; for all others the real functions are called.

Each private seam of another library is named here and nowhere else, with a test
of its own that fails by name when it moves (tests/test_seams.py).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies

from .._baseline import Upstream
from .._plan import Plan
from .._reply import Refused, Why
from .._rule import authority
from .._seams import Patches, passing
from ._authorities import unread
from ._clients import follow_clients
from ._dialling import dialling
from ._line import Clock, Line, Signals
from ._socket import MemorySocket
from ._transport import MemoryTransport

Address: TypeAlias = tuple[str, int]
GIVEN_BY_DEFAULT: Final[object] = vars(socket)["_GLOBAL_DEFAULT_TIMEOUT"]
LOOPBACK: Final = ("127.0.0.1", "localhost")
FAKE_NETWORK: Final = int(ipaddress.ip_address("127.64.0.0"))  # loopback, and used by nobody


class MemoryDoor:
    """Lets every client in whose host the plan wants.

    Args:
        plan: what strikes.
        upstreams: where healthy replies come from, asked in order.
        clock: what waits are told to.
        everyone: when it says True, all hosts come in (a cassette beneath us answers them).
    """

    name = "memory"

    def __init__(
        self,
        plan: Plan,
        upstreams: Sequence[Upstream],
        clock: Clock,
        everyone: Callable[[], bool] = lambda: False,
    ) -> None:
        self.plan, self.upstreams, self.clock, self.everyone = plan, upstreams, clock, everyone
        self.own_ports: set[int] = set()  # where doors of the same plan listen
        self._signals = Signals()
        self._address_of: dict[str, str] = {}
        self._host_of: dict[str, str] = {}
        self._verdicts: dict[Address, deque[Refused | None]] = {}  # asked at a look-up, for the connection to come
        self._lines: weakref.WeakSet[Line] = weakref.WeakSet()
        self._transports: weakref.WeakSet[MemoryTransport] = weakref.WeakSet()

    def install(self, patches: Patches) -> None:
        """Put the door over the process's ways to a connection."""
        loop = asyncio.base_events.BaseEventLoop
        self._real_create = socket.create_connection
        self._real_getaddrinfo = socket.getaddrinfo
        self._real_dial = loop.create_connection
        self._real_start_tls = loop.start_tls
        self._real_resolve = loop.getaddrinfo
        patches.set(socket, "create_connection", self._create_connection)
        patches.set(socket, "getaddrinfo", self._getaddrinfo)
        patches.set(loop, "create_connection", _method(self._dial))
        patches.set(loop, "getaddrinfo", _method(self._resolve))
        patches.set(loop, "start_tls", _method(self._start_tls))
        for name in ("connect", "connect_ex"):
            patches.set(socket.socket, name, self._connecting(getattr(socket.socket, name)))
        contexts: list[Any] = [ssl.SSLContext, *ssl.SSLContext.__subclasses__()]
        for context in contexts:
            if "wrap_socket" in context.__dict__:
                patches.set(context, "wrap_socket", _wrapping(context.wrap_socket))
        follow_clients(self, patches)

    def hang_up(self) -> None:
        """Close what clients still hold, so that their pools dial anew in the next test."""
        for line in list(self._lines):
            line.hang_up()
        for transport in list(self._transports):
            transport.hang_up()

    def wants(self, host: object, port: object) -> bool:
        """Whether a connection to this host and port comes through this door."""
        if not isinstance(host, str) or not host or passing.get():
            return False
        number = port if isinstance(port, int) else 0
        if number in self.own_ports and host in LOOPBACK:
            return False  # a door of its own, under the same plan
        return self.everyone() or self.plan.wants(host, number) or self.is_proxy(host)

    def is_proxy(self, host: str) -> bool:
        """Whether the environment sends clients to this host first: what they want stands behind it."""
        return bool(self.plan.rules) and host in {urlsplit(proxy).hostname for proxy in getproxies().values()}

    def host_behind(self, address: str) -> str:
        """The name that an address was given out for, or the address."""
        return self._host_of.get(address, address)

    def _create_connection(self, address: Address, timeout: Any = GIVEN_BY_DEFAULT, *args: Any, **kwargs: Any) -> Any:
        host, port = self.host_behind(address[0]), int(address[1])
        if not self.wants(host, port):
            return self._real_create(address, timeout, *args, **kwargs)
        return self.connected(host, port, timeout)

    def connected(self, host: str, port: int, timeout: object) -> MemorySocket:
        """A connection of a blocking client, before TLS; fails as a rule says it does."""
        seconds = timeout if isinstance(timeout, int | float) or timeout is None else socket.getdefaulttimeout()
        verdict = self.verdict(host, port)
        if verdict is not None and verdict.why is Why.TIMEOUT:
            self.clock.wait(seconds if seconds is not None else CONNECT_PATIENCE_SECONDS)
        untrusted = self._raise(verdict)
        return MemorySocket(self._line(host, port), self._signals, seconds, self._real_create, untrusted)

    def _getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        found = self.looked_up(host, port, *args, **kwargs)
        return self._real_getaddrinfo(host, port, *args, **kwargs) if found is None else found

    def looked_up(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any] | None:
        """What a look-up says of a name that comes through this door; None: it does not."""
        name = host.decode("ascii") if isinstance(host, bytes) else host
        if _is_address(name) or _is_left_alone(*args, **kwargs) or not self.wants(name, _port_number(port)):
            return None
        return self.resolved(name, _port_number(port))

    def resolved(self, host: str, port: int) -> list[Any]:
        """What a look-up of a name says: one address that leads back to this door."""
        verdict = self.verdict(host, port, look_up=True)
        if verdict is not None and verdict.why is Why.UNRESOLVED:
            self._raise(verdict)
        self._verdicts.setdefault((host, port), deque()).append(verdict)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (self.address(host), port))]

    def _connecting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Databases connect a socket of their own to what a look-up said: lead it to where the name really is."""

        def connect(sock: socket.socket, address: Any) -> Any:
            host = self._host_of.get(address[0]) if isinstance(address, tuple) else None
            if host is not None:
                self.plan.passed.add(f"{host}:{address[1]}")
                address = self._real_getaddrinfo(host, address[1], sock.family, sock.type)[0][4]
            return real(sock, address)

        return connect

    def address(self, host: str) -> str:
        """The address that leads back to a name: the same for the whole test, and nobody's own."""
        address = self._address_of.get(host)
        if address is None:
            address = str(ipaddress.ip_address(FAKE_NETWORK + len(self._address_of) + 1))
            self._address_of[host], self._host_of[address] = address, host
        return address

    async def _resolve(self, loop: Any, host: Any, port: Any, **kwargs: Any) -> list[Any]:
        found = self.looked_up(host, port, **kwargs)
        if found is None:
            # Not the loop's own method: it would call the patched function from a thread.
            asked: list[Any] = await loop.run_in_executor(None, partial(self._real_getaddrinfo, host, port, **kwargs))
            return asked
        return found

    async def _dial(
        self,
        loop: Any,
        factory: Callable[[], asyncio.BaseProtocol],
        host: Any = None,
        port: Any = None,
        *,
        ssl: Any = None,
        sock: Any = None,
        server_hostname: Any = None,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        if isinstance(sock, MemorySocket):
            return self._made(factory, sock, ssl)
        name = self.host_behind(host) if isinstance(host, str) else host
        if sock is not None or not self.wants(name, port):
            given: dict[str, Any] = {"ssl": ssl, "sock": sock, "server_hostname": server_hostname, **kwargs}
            made: tuple[Any, Any] = await self._real_dial(loop, factory, host, port, **given)
            return made
        return self._made(factory, await self.started(name, int(port)), ssl)

    async def started(self, host: str, port: int) -> MemorySocket:
        """A connection of an asyncio client, before TLS; fails as a rule says it does."""
        verdict = self.verdict(host, port)
        if verdict is not None and verdict.why is Why.TIMEOUT:
            await asyncio.sleep(CONNECT_PATIENCE_SECONDS)
        if verdict is not None and verdict.why is Why.REFUSED:  # asyncio names the address it tried
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {(self.address(host), port)}")
        untrusted = self._raise(verdict)
        return MemorySocket(self._line(host, port), self._signals, None, self._real_create, untrusted)

    def _made(self, factory: Callable[[], Any], sock: MemorySocket, tls: Any) -> tuple[MemoryTransport, Any]:
        if tls:
            sock.start_tls(tls if isinstance(tls, ssl.SSLContext) else unread())
        protocol = factory()
        transport = MemoryTransport(sock.line, protocol, sock, self._real_dial)
        self._transports.add(transport)
        protocol.connection_made(transport)
        return transport, protocol

    async def _start_tls(
        self, loop: Any, transport: Any, protocol: Any, sslcontext: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if not isinstance(transport, MemoryTransport):
            return await self._real_start_tls(loop, transport, protocol, sslcontext, *args, **kwargs)
        if transport.real is not None:
            return await self._real_start_tls(loop, transport.real, protocol, sslcontext, *args, **kwargs)
        transport.start_tls(sslcontext)
        transport.set_protocol(protocol)
        return transport

    def _line(self, host: str, port: int) -> Line:
        line = Line(self.plan, self.upstreams, self.clock, host, port)
        self._lines.add(line)
        return line

    def verdict(self, host: str, port: int, look_up: bool = False) -> Refused | None:
        """How this connection fails, asked once per attempt: at the look-up of its name or at the connection."""
        self.plan.check_budget()
        waiting = None if look_up else self._verdicts.get((host, port))
        if waiting:
            return waiting.popleft()
        return self.plan.connect(authority("https" if port == 443 else "http", host, port), dialling)

    def _raise(self, verdict: Refused | None) -> bool:
        """Fail as the verdict says; True: later, when TLS is begun."""
        match verdict.why if verdict else None:
            case Why.REFUSED:
                raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
            case Why.UNRESOLVED:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            case Why.TIMEOUT:
                raise TimeoutError("timed out")
            case why:
                return why is Why.UNTRUSTED


CONNECT_PATIENCE_SECONDS: Final = 127.0  # Linux gives up on an unanswered SYN after about this long


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method as a plain function, so that a class binds it with its own `self` in front."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return method


def _wrapping(real: Callable[..., Any]) -> Callable[..., Any]:
    def wrap_socket(context: ssl.SSLContext, sock: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(sock, MemorySocket) and sock.real is None:
            return sock.start_tls(context)
        return real(context, getattr(sock, "real", sock), *args, **kwargs)

    return wrap_socket


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(host if isinstance(host, str) else "")
    except ValueError:
        return False
    return True


def _is_left_alone(family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> bool:  # noqa: A002
    """Whether a look-up is for an address to listen on, or only asks whether this is an address (trio does)."""
    return bool(flags & (socket.AI_PASSIVE | socket.AI_NUMERICHOST))


def _port_number(port: object) -> int:
    if isinstance(port, int):
        return port
    text = port.decode() if isinstance(port, bytes) else str(port)
    return int(text) if text.isdigit() else {"http": 80, "https": 443}.get(text, 0)
