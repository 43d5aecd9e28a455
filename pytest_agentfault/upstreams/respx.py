"""
respx's routes, asked from below.

respx patches httpcore or httpx and answers there. For the length of a test its
patches let every request through to the socket; its routers are asked when the
plan wants the healthy reply, and count what they are asked. So its routes answer
every client, also those that respx cannot see (httpx2, requests, aiohttp).

Private seams of respx 0.22 and later that are leant on here, one test each in
`tests/mounts/test_respx.py`: `AbstractRequestMocker._send_sync_request` and
`_send_async_request`; `HTTPCoreMocker.to_httpx_request`, `prepare_sync_request`,
`prepare_async_request`; `TryTransport.handle_request`, `handle_async_request` and
`transports`; `Mocker.registry` and `routers`; `Route.pattern`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar, Final

from .._reply import Reply, Request
from .._seams import PassedOn, Patches, UsedUp
from ._asked import by_nobody, call_by, failed, let_through
from ._httpx import areply_of, httpx_request, reply_of

TOOL: Final = "respx"


class Respx:
    """The client is answered by the routes of the respx routers that the test has started.

    Args:
        recordings: not needed; every mount is given them.
    """

    tool: ClassVar[str] = "respx_mock"
    is_low: ClassVar[bool] = True  # in httpcore, beneath every other tool: a cassette of vcrpy answers before it

    def __init__(self, recordings: Any = None) -> None:
        self._above: str | None = None
        self.wants: Callable[[str, int], bool] = lambda host, port: True
        """Whether a rule can match requests to this host and port; respx answers any other where it is."""

    @property
    def active(self) -> bool:
        """True while a router is started."""
        return any(mocker.routers for mocker in _mockers())

    def install(self, patches: Patches, wanted: bool = True) -> None:
        """From now on respx lets every request through, and is asked from below.

        Args:
            patches: takes everything off again.
            wanted: False: do nothing unless somebody has imported respx already.
        """
        if not wanted and "respx.mocks" not in sys.modules:
            return
        import httpx
        from respx.mocks import AbstractRequestMocker, HTTPCoreMocker
        from respx.transports import TryTransport

        def make(cls: Any, /, **kwargs: Any) -> Any:
            request = kwargs["request"]
            return request if self._is_wanted(request) else really_make(cls, **kwargs)

        def send(cls: Any, /, httpx_request: Any, *, target_spec: Any, instance: Any, **kwargs: Any) -> Any:
            if isinstance(httpx_request, httpx.Request):
                return really_send(cls, httpx_request, target_spec=target_spec, instance=instance, **kwargs)
            with let_through(TOOL, cls, httpx_request):
                return target_spec(instance, **kwargs)

        async def asend(cls: Any, /, httpx_request: Any, *, target_spec: Any, instance: Any, **kwargs: Any) -> Any:
            if isinstance(httpx_request, httpx.Request):
                return await really_asend(cls, httpx_request, target_spec=target_spec, instance=instance, **kwargs)
            with let_through(TOOL, cls, httpx_request):
                return await target_spec(instance, **kwargs)

        def handle(transport: Any, request: Any) -> Any:
            below = transport.transports[-1]
            if not self._is_wanted(request):
                return really_handle(transport, request)
            if not isinstance(below, httpx.HTTPTransport):
                return self._leave(really_handle, transport, request)
            with let_through(TOOL, _over_httpx(), request):
                return below.handle_request(request)

        async def ahandle(transport: Any, request: Any) -> Any:
            below = transport.transports[-1]
            if not self._is_wanted(request):
                return await really_ahandle(transport, request)
            if not isinstance(below, httpx.AsyncHTTPTransport):
                return await self._leave(really_ahandle, transport, request)
            with let_through(TOOL, _over_httpx(), request):
                return await below.handle_async_request(request)

        def prepare(cls: Any, /, httpx_request: Any, **kwargs: Any) -> Any:
            is_made = isinstance(httpx_request, httpx.Request)
            return really_prepare(cls, httpx_request, **kwargs) if is_made else (httpx_request, kwargs)

        async def aprepare(cls: Any, /, httpx_request: Any, **kwargs: Any) -> Any:
            is_made = isinstance(httpx_request, httpx.Request)
            return await really_aprepare(cls, httpx_request, **kwargs) if is_made else (httpx_request, kwargs)

        # In httpcore mode nothing is made above of a request on its way down, nor is its body read.
        really_make = _replaced(patches, HTTPCoreMocker, "to_httpx_request", make)
        really_prepare = _replaced(patches, HTTPCoreMocker, "prepare_sync_request", prepare)
        really_aprepare = _replaced(patches, HTTPCoreMocker, "prepare_async_request", aprepare)
        really_send = _replaced(patches, AbstractRequestMocker, "_send_sync_request", send)
        really_asend = _replaced(patches, AbstractRequestMocker, "_send_async_request", asend)
        really_handle = patches.set(TryTransport, "handle_request", handle)
        really_ahandle = patches.set(TryTransport, "handle_async_request", ahandle)

    def _is_wanted(self, request: Any) -> bool:
        host, scheme = request.url.host, request.url.scheme
        name = host.decode("ascii") if isinstance(host, bytes) else host
        return self.wants(name, request.url.port or (443 if scheme in (b"https", "https") else 80))

    def _leave(self, really_handle: Any, transport: Any, request: Any) -> Any:
        """Below respx's httpx mode there is a transport without a socket: respx answers where it is."""
        self._above = f"respx (over {type(transport.transports[-1]).__name__}, which has no socket)"
        return really_handle(transport, request)

    def release(self) -> None:
        """Nothing of respx outlives the test in us."""

    def active_above(self) -> str | None:
        """respx over a transport that has no socket; None where all of it is asked from below."""
        return self._above

    def serves(self, request: Request) -> bool:
        """True for a request of a client that respx has patched; for another's, where a route matches it."""
        return call_by(TOOL) is not None or (self.active and bool(_mockers_for(request)))

    def send(self, request: Request) -> Reply:
        """What the first route that matches says, counted as respx counts it.

        Raises:
            Thrown: the route raises an error, or there is no route.
            PassedOn: the route passes through.
        """
        call = call_by(TOOL)
        mocker = call.owner if call else _mockers_for(request)[0]
        try:
            with by_nobody():
                return reply_of(mocker.handler(httpx_request(request, call and call.asked)))
        except Exception as error:
            return self._failed(request, error)

    async def asend(self, request: Request) -> Reply:
        """As `send`, for async clients: side effects may be coroutine functions."""
        call = call_by(TOOL)
        mocker = call.owner if call else _mockers_for(request)[0]
        try:
            with by_nobody():
                return await areply_of(await mocker.async_handler(httpx_request(request, call and call.asked)))
        except Exception as error:
            return self._failed(request, error)

    def _failed(self, request: Request, error: Exception) -> Reply:
        from respx.models import PassThrough

        call = call_by(TOOL)
        if isinstance(error, PassThrough):
            raise PassedOn from error
        if _is_used_up(error):
            raise UsedUp(lambda: failed(call, error)) from error
        return failed(call, error)


def _replaced(patches: Patches, owner: type, name: str, function: Callable[..., Any]) -> Any:
    """Put a class method in the place of one; that one, as a function of its class."""
    real = vars(owner)[name].__func__
    patches.set(owner, name, classmethod(function))
    return real


def _mockers() -> list[Any]:
    module = sys.modules.get("respx.mocks")
    return list(module.Mocker.registry.values()) if module else []


def _over_httpx() -> Any:
    from respx.mocks import HTTPXMocker

    return HTTPXMocker


def _mockers_for(request: Request) -> list[Any]:
    """Those with a route that matches, and that answers it."""
    asked = httpx_request(request)
    return [
        mocker
        for mocker in _mockers()
        for router in mocker.routers
        if (route := next((r for r in router.routes if not r.pattern or r.pattern.match(asked)), None))
        and not route.is_pass_through
    ]


def _is_used_up(error: BaseException) -> bool:
    """A list of side effects at its end; inside a coroutine Python turns its StopIteration into a RuntimeError."""
    return isinstance(error, StopIteration) or isinstance(error.__cause__, StopIteration)
