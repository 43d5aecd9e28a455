"""
The responses registered with requests-mock, asked from below.

requests-mock gives a session an adapter of its own. For the length of a test that
adapter lets every request through to the one the session really has, and is asked
when the plan wants the healthy reply; its history is what was asked of it. An
adapter that a test has mounted on a session by hand lets through in the same way.

Private seams of requests-mock 1.11 and later that are leant on here, one test each
in `tests/mounts/test_requests_mock.py`: `mocker._original_send`; the name `self`
inside what a mocker puts over `get_adapter` and `send`; `Adapter.send`,
`_matchers`, `_Matcher._match` and `_real_http`; `adapter._RunRealHTTP`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, ClassVar, Final

from .._reply import Reply, Request
from .._seams import PassedOn, Patches
from ._asked import by_nobody, call_by, failed, imported_late, let_through, variables_of
from ._requests import prepared, reply_of

TOOL: Final = "requests_mock"
_session: Final[ContextVar[tuple[Any, Any] | None]] = ContextVar("pytest_agentfault_session", default=None)


class RequestsMock:
    """The client is answered by the responses that the test has registered with requests-mock.

    Args:
        recordings: not needed; every mount is given them.
    """

    tool: ClassVar[str] = "requests_mock"

    def __init__(self, recordings: Any = None) -> None:
        self._send: Any = None

    @property
    def active(self) -> bool:
        """True while a mocker is started."""
        return self._send is not None and any(True for _ in _mockers())

    def install(self, patches: Patches, wanted: bool = True) -> None:
        """From now on requests-mock lets every request through, and is asked from below.

        Args:
            patches: takes everything off again.
            wanted: False: do nothing unless somebody has imported it already.
        """
        if not wanted and "requests_mock" not in sys.modules:
            return
        from requests.adapters import HTTPAdapter
        from requests_mock import adapter, mocker

        def original_send(session: Any, request: Any, **kwargs: Any) -> Any:
            owner = variables_of(getattr(session.get_adapter, "__func__", session.get_adapter)).get("self")
            token = _session.set((session, owner))
            try:
                return really_send(session, request, **kwargs)
            finally:
                _session.reset(token)

        def send(mounted: Any, request: Any, **kwargs: Any) -> Any:
            session, owner = _session.get() or (None, None)
            real = type(session).get_adapter(session, request.url) if session is not None else HTTPAdapter()
            if real is mounted:
                real = HTTPAdapter()
            with let_through(TOOL, mounted, request, (owner, kwargs)) as call:
                response = real.send(request, **kwargs)
            response.encoding = response.encoding or call.encoding
            return response

        really_send = patches.set(mocker, "_original_send", original_send)
        self._send = patches.set(adapter.Adapter, "send", send)

    def release(self) -> None:
        """Nothing of requests-mock outlives the test in us."""

    def active_above(self) -> str | None:
        """The tool, if it was first imported in the test; else None: wherever its patches are, they let through."""
        return imported_late("requests_mock", self._send is not None)

    def serves(self, request: Request) -> bool:
        """True for a request of a session that is mocked; for another client's, where a response matches it."""
        return call_by(TOOL) is not None or (self.active and self._adapter_for(request) is not None)

    def send(self, request: Request) -> Reply:
        """The registered response, kept in the history as requests-mock keeps it.

        Raises:
            Thrown: the test registered an exception, or nothing for this request.
            PassedOn: `real_http` lets it go to the real server.
        """
        from requests_mock import NoMockAddress
        from requests_mock.adapter import _RunRealHTTP

        call = call_by(TOOL)
        adapter = call.owner if call else self._adapter_for(request)
        owner, kwargs = call.extra if call else (None, {})
        try:
            with by_nobody():
                response = self._send(adapter, prepared(request, call and call.asked), **kwargs)
        except _RunRealHTTP as error:
            raise PassedOn from error
        except NoMockAddress as error:
            if getattr(owner, "real_http", False):
                raise PassedOn from error
            return failed(call, error)
        except Exception as error:
            return failed(call, error)
        if call is not None and not response.headers.get("content-type"):
            call.encoding = response.encoding
        return _with_cookies(reply_of(response), response.cookies)

    def _adapter_for(self, request: Request) -> Any:
        from requests_mock.adapter import Adapter

        for mocker in _mockers():
            adapter = mocker._adapter
            if isinstance(adapter, Adapter) and _knows(adapter, request):
                return adapter
        return None


def _knows(adapter: Any, request: Request) -> bool:
    from requests_mock.request import _RequestObjectProxy

    asked = _RequestObjectProxy(prepared(request), case_sensitive=adapter._case_sensitive)
    matchers = [m for m in reversed(adapter._matchers) if hasattr(m, "_match")]
    matching: Any = next((m for m in matchers if m._match(asked)), None)
    return matching is not None and not matching._real_http


def _mockers() -> Iterator[Any]:
    """The mockers that are started for all sessions, the innermost first."""
    module = sys.modules.get("requests.sessions")
    found = variables_of(module.Session.send) if module else {}
    while (mocker := found.get("self")) is not None and getattr(mocker, "_last_send", None) is not None:
        yield mocker
        found = variables_of(mocker._last_send)


def _with_cookies(reply: Reply, jar: Any) -> Reply:
    """Cookies given as objects, which no header of the mock says."""
    said = " ".join(value for name, value in reply.headers if name.lower() == "set-cookie")
    unsaid = [cookie for cookie in jar if f"{cookie.name}={cookie.value}" not in said]
    return reply.with_headers((*reply.headers, *(("Set-Cookie", _cookie_text(cookie)) for cookie in unsaid)))


def _cookie_text(cookie: Any) -> str:
    domain = f"; Domain={cookie.domain}" if cookie.domain else ""
    return f"{cookie.name}={cookie.value}; Path={cookie.path or '/'}{domain}"
