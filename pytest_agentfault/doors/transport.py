"""
The door for transports of httpx and httpx2 that never reach a socket.

MockTransport, ASGITransport, WSGITransport and transports of the test's own
answer above every socket. Here the plan is asked with the request before they
are; what they answer is the healthy reply. Where nothing strikes, the client is
handed the very response of its transport; where something does, the script is
read back through the client library's own connection.

Only transports at the end of the line are asked about: `HTTPTransport` goes to a
socket, where the door `memory` is, and a transport that holds another one hands
the request on. A request is never struck twice.

Private seam, one test in tests/test_transport_door_seams.py: both kinds of transport
stand on `BaseTransport` and `AsyncBaseTransport` of `_transports.base`. A
`__getattribute__` there stays outermost, whatever other tools put over
`handle_request`, and before or after us.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from .._baseline import Upstream
from .._errors import AgentFaultError
from .._exchange import Exchange
from .._plan import Plan, adrive, drive
from .._reply import Reply, Request
from .._seams import Patches, asked_above
from ._asking import Following
from ._clients import follow
from ._dialling import dialling
from ._line import Clock, Signals
from ._messages import LIBRARIES, Healthy, Library, authority_of, changed, request_of
from ._readback import Played, aread_back, arefuse, read_back, refuse

# By these a test asks the application that it tests: no vendor answers there, and `any/*` is not meant for it.
TEST_CLIENTS: Final = frozenset({"starlette.testclient"})  # FastAPI's is the same
# Transports over other clients, whose sockets the door `memory` has.
OVER_SOCKETS: Final = frozenset({"httpx_aiohttp", "litellm"})
CLIENTS: Final = frozenset({"aiohttp", "httpcore", "httpcore2", "requests", "urllib3"})


class TransportDoor:
    """Asks the plan before a transport without sockets is asked.

    Args:
        plan: what strikes.
        upstreams: not asked: the transport itself is where the healthy reply comes from.
        clock: what waits are told to.
    """

    name = "transport"

    def __init__(self, plan: Plan, upstreams: Sequence[Upstream], clock: Clock, **_: Any) -> None:
        self.plan, self.clock = plan, clock
        self._signals: Signals | None = None
        self._is_open = False
        self._patched: list[type] = []

    def install(self, patches: Patches) -> None:
        """Put the door over the transports of the libraries that are loaded, and of the others when they are."""
        if self._is_open:
            return  # rules that have been added need nothing more
        self._is_open = True
        follow(
            {f"{library.name}._transports.base": partial(self._over, library) for library in LIBRARIES}, self, patches
        )

    def hang_up(self) -> None:
        """Nothing is held: each reply has a connection of its own."""
        self._is_open = False
        self._patched.clear()

    def _over(self, library: Library, _: Any, patches: Patches) -> None:
        base = library.inside("_transports.base")
        asks = {"handle_request": self._ask, "handle_async_request": self._ask_async}
        for kind, name in ((base.BaseTransport, "handle_request"), (base.AsyncBaseTransport, "handle_async_request")):
            getattr(kind, name)  # the seam
            if kind not in self._patched:  # httpx2 can stand in for httpx, as the same module
                self._patched.append(kind)
                patches.set(kind, "__getattribute__", _outermost(library, kind.__getattribute__, asks))

    def _asking(self, library: Library, transport: Any, request: Any) -> _Asking | None:
        """One request that the plan is to be asked about; None: it is left alone."""
        base, host, port = authority_of(request.url)
        own = type(transport).__module__ in TEST_CLIENTS
        if not self.plan.wants(host, port, by_name=own) or _goes_on(library, transport):
            return None
        self.plan.check_budget()
        self.clock.may_move_here()
        return _Asking(self, library, request, (base, host, port))

    def _ask(self, library: Library, transport: Any, inner: Callable[[Any], Any], request: Any) -> Any:
        """One request of a blocking client."""
        asking = self._asking(library, transport, request)
        if asking is None:
            return inner(request)
        request.read()
        refused = self.plan.connect(asking.base, dialling)
        if refused is not None:
            refuse(library, request, refused, asking.line())

        def send(wanted: Request) -> Reply:
            with asking.alone(wanted):
                return asking.healthy(inner(asking.given(wanted))).read()

        asked = asking.asked()
        claim = self.plan.claim(asked)
        if not claim.due:
            with asking.alone(asked):
                return asking.healthy(inner(request)).passed_on(Following(self.plan, claim))
        try:
            exchange = drive(self.plan.exchange(asked, claim), send)
        except BaseException as error:
            asking.keep(error)
            raise
        if not exchange.struck:
            return asking.response
        if self._signals is None:
            self._signals = Signals()
        return read_back(library, request, asking.line(exchange), self._signals)

    async def _ask_async(self, library: Library, transport: Any, inner: Callable[[Any], Any], request: Any) -> Any:
        """One request of an async client."""
        asking = self._asking(library, transport, request)
        if asking is None:
            return await inner(request)
        await request.aread()
        refused = self.plan.connect(asking.base, dialling)
        if refused is not None:
            await arefuse(library, request, refused, asking.line())

        async def send(wanted: Request) -> Reply:
            with asking.alone(wanted):
                return await asking.healthy(await inner(asking.given(wanted))).aread()

        asked = asking.asked()
        claim = self.plan.claim(asked)
        if not claim.due:
            with asking.alone(asked):
                return asking.healthy(await inner(request)).passed_on(Following(self.plan, claim))
        try:
            exchange = await adrive(self.plan.exchange(asked, claim), send)
        except BaseException as error:
            asking.keep(error)
            raise
        if not exchange.struck:
            return asking.response
        return await aread_back(library, request, asking.line(exchange))


def _outermost(
    library: Library, real: Callable[[Any, str], Any], asks: dict[str, Callable[..., Any]]
) -> Callable[[Any, str], Any]:
    """A look-up that puts the door before both ways to ask: a transport can be of both kinds."""

    def get(transport: Any, name: str) -> Any:
        value = real(transport, name)
        return partial(asks[name], library, transport, value) if name in asks else value

    return get


class _Asking:
    """One request through the door.

    Attributes:
        base: the authority it goes to.
        response: what the transport answered.
        own: an error of the transport itself, which is a healthy answer, too.
    """

    __slots__ = ("_door", "_given", "_library", "_request", "_target", "base", "own", "response")

    def __init__(self, door: TransportDoor, library: Library, request: Any, target: tuple[str, str, int]) -> None:
        self._door, self._library, self._given, self._target = door, library, request, target
        self._request: Request | None = None
        self.base = target[0]
        self.response: Any = None
        self.own: BaseException | None = None

    def asked(self) -> Request:
        """What the plan is asked."""
        self._request = request_of(self._given, self.base)
        return self._request

    def given(self, wanted: Request) -> Any:
        """The request to hand to the transport: the client's own, unless a fault has changed it."""
        return self._given if wanted is self._request else changed(self._library, self._given, wanted)

    def healthy(self, response: Any) -> Healthy:
        """What the transport answered."""
        self.response = response
        return Healthy(self._library, response)

    @contextmanager
    def alone(self, wanted: Request) -> Iterator[None]:
        """The transport is asked: a socket that it reaches after all does not strike the request again."""
        token = asked_above.set((wanted.method, wanted.url))
        try:
            yield
        except BaseException as error:
            self.own = error
            raise
        finally:
            asked_above.reset(token)

    def keep(self, error: BaseException) -> None:
        """Whatever goes wrong in us is kept for the end of the test, however the client takes it."""
        if error is not self.own or isinstance(error, AgentFaultError):
            self._door.plan.problems.append(error)

    def line(self, exchange: Exchange | None = None) -> Played:
        """The connection that the reply is read back from."""
        _, host, port = self._target
        line = Played(self._door.plan, (), self._door.clock, host, port)
        return line if exchange is None else line.play(exchange.script, self._given.url.scheme == "https")


def _goes_on(library: Library, transport: Any) -> bool:
    """Whether a transport leads to a socket, or to another transport that is asked in its turn."""
    public, default = library.public, library.inside("_transports.default")
    if type(transport) in (public.MockTransport, public.ASGITransport, public.WSGITransport):
        return False
    if isinstance(transport, default.HTTPTransport | default.AsyncHTTPTransport):
        return True
    if any(kind.__module__.partition(".")[0] in OVER_SOCKETS for kind in type(transport).__mro__):
        return True
    base = library.inside("_transports.base")
    kinds = (base.BaseTransport, base.AsyncBaseTransport, public.Client, public.AsyncClient)
    return any(
        isinstance(held, kinds) or type(held).__module__.partition(".")[0] in CLIENTS for held in _held(transport)
    )


def _held(transport: Any) -> Iterator[Any]:
    for value in getattr(transport, "__dict__", {}).values():
        yield value
        if isinstance(value, list | tuple):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()
