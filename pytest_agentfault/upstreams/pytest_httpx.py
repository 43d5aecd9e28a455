"""
The responses registered with pytest-httpx's `httpx_mock`, asked from below.

pytest-httpx patches httpx's own transports and answers there. For the length of
a test its patches let every request through to the socket; `httpx_mock` is asked
when the plan wants the healthy reply. What a fault answers it never sees, what
was asked of it is in `get_requests()`, and its assertions at the end hold.

Private seams of pytest-httpx 0.35 and later that are leant on here, one test each
in `tests/mounts/test_pytest_httpx.py`: `HTTPXMock._handle_request` and
`_handle_async_request`, `_callbacks`, `_options.should_mock`; the names `mock` and
`real_handle_request` inside what the fixture puts over httpx's transports.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Final

from .._reply import Reply, Request
from .._seams import Patches, UsedUp
from ._asked import by_nobody, call_by, failed, let_through, variables_of
from ._httpx import areply_of, httpx_request, reply_of

TOOL: Final = "pytest_httpx"


class PytestHttpx:
    """The client is answered by the responses that the test has registered with `httpx_mock`.

    Args:
        recordings: not needed; every mount is given them.
    """

    tool: ClassVar[str] = "httpx_mock"

    def __init__(self, recordings: Any = None) -> None:
        self._handle: Any = None
        self._ahandle: Any = None

    @property
    def active(self) -> bool:
        """True while the fixture `httpx_mock` is in use."""
        return self._handle is not None and any(True for _ in _mocks())

    def install(self, patches: Patches, wanted: bool = True) -> None:
        """From now on pytest-httpx lets every request through, and is asked from below.

        Args:
            patches: takes everything off again.
            wanted: False: do nothing unless its plugin is loaded.
        """
        if not wanted and "pytest_httpx" not in sys.modules:
            return
        import httpx
        from pytest_httpx import HTTPXMock

        real = _real(httpx.HTTPTransport.handle_request, "real_handle_request")
        areal = _real(httpx.AsyncHTTPTransport.handle_async_request, "real_handle_async_request")

        def handle(mock: Any, transport: Any, request: Any) -> Any:
            with let_through(TOOL, mock, request, transport):
                return real(transport, request)

        async def ahandle(mock: Any, transport: Any, request: Any) -> Any:
            with let_through(TOOL, mock, request, transport):
                return await areal(transport, request)

        self._handle = patches.set(HTTPXMock, "_handle_request", handle)
        self._ahandle = patches.set(HTTPXMock, "_handle_async_request", ahandle)

    def release(self) -> None:
        """Nothing of pytest-httpx outlives the test in us."""

    @staticmethod
    def active_above() -> str | None:
        """None: wherever its patches are, they let through."""
        return None

    def serves(self, request: Request) -> bool:
        """True for a request of a client of httpx; for another's, where a registered response matches it."""
        return call_by(TOOL) is not None or (self.active and self._mock_for(request) is not None)

    def send(self, request: Request) -> Reply:
        """The registered response, counted as pytest-httpx counts it.

        Raises:
            Thrown: the test registered an exception, or nothing for this request.
            UsedUp: all that matches was requested already.
        """
        mock, transport, asked = self._asking(request)
        call = call_by(TOOL)
        try:
            with by_nobody():
                return reply_of(self._handle(mock, transport, asked))
        except Exception as error:
            return failed(call, error)

    async def asend(self, request: Request) -> Reply:
        """As `send`, for async clients: callbacks may be coroutine functions."""
        mock, transport, asked = self._asking(request)
        call = call_by(TOOL)
        try:
            with by_nobody():
                return await areply_of(await self._ahandle(mock, transport, asked))
        except Exception as error:
            return failed(call, error)

    def _asking(self, request: Request) -> tuple[Any, Any, Any]:
        """Which mock to ask, with which transport and request; not where all that it has was requested."""
        call = call_by(TOOL)
        mock = call.owner if call else self._mock_for(request)
        transport = call.extra if call else None
        asked = httpx_request(request, call and call.asked)
        matching = [matcher for matcher, _ in mock._callbacks if matcher.match(transport, asked)]
        if matching and not matching[-1].is_reusable and all(matcher.nb_calls for matcher in matching):
            raise UsedUp(partial(self._unexpected, mock, transport, asked))
        return mock, transport, asked

    def _unexpected(self, mock: Any, transport: Any, asked: Any) -> Reply:
        """What pytest-httpx itself says to a request that nothing is left for; it awaits nothing there."""
        try:
            return reply_of(self._handle(mock, transport, asked))
        except Exception as error:
            return failed(call_by(TOOL), error)

    def _mock_for(self, request: Request) -> Any:
        asked = httpx_request(request)
        for mock in _mocks():
            matching = (matcher for matcher, _ in mock._callbacks if not matcher.proxy_url)
            if mock._options.should_mock(asked) and any(matcher.match(None, asked) for matcher in matching):
                return mock
        return None


def _mocks() -> Iterator[Any]:
    """The mocks whose patches are on httpx's transport now, the last one first."""
    httpx = sys.modules.get("httpx")
    found = variables_of(httpx.HTTPTransport.handle_request) if httpx else {}
    while "mock" in found and "real_handle_request" in found:
        yield found["mock"]
        found = variables_of(found["real_handle_request"])


def _real(handle: Any, name: str) -> Any:
    """What is beneath the patches of mocks that were there before us."""
    while name in (found := variables_of(handle)):
        handle = found[name]
    return handle
