"""
The responses registered with aioresponses, asked from below.

aioresponses patches aiohttp's session and answers there with an imitation of
aiohttp's response. For the length of a test every URL is one that it passes
through to the real session, and its matches are asked when the plan wants the
healthy reply. The imitation is never made: aioresponses 0.7.9, which cannot build
one for aiohttp 3.14, works here all the same.

Private seams of aioresponses 0.7.6 and later that are leant on here, one test each
in `tests/mounts/test_aioresponses.py`: `_passthrough` and `patcher.temp_original`
looked up at each request; `match`, `_matches`, `_build_request_call`;
`RequestMatch.match` and `_build_response`; `normalize_url` and `merge_params`; the
mock it puts over `ClientSession._request`, whose side effect is a method of it.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any, ClassVar, Final

from .._errors import UpstreamError
from .._reply import Reply, Request
from .._seams import PassedOn, Patches, UsedUp
from ._asked import Call, by_nobody, call_by, failed, imported_late, let_through

TOOL: Final = "aioresponses"
EVERY_URL: Final = ("",)  # as prefixes


class Aioresponses:
    """The client is answered by the responses that the test has registered with aioresponses.

    Args:
        recordings: not needed; every mount is given them.
    """

    tool: ClassVar[str] = "aioresponses"

    def __init__(self, recordings: Any = None) -> None:
        self._installed = False
        self._answered: set[tuple[str, str]] = set()  # aioresponses forgets what it has answered

    @property
    def active(self) -> bool:
        """True while an `aioresponses` is started."""
        return self._installed and _mock() is not None

    def install(self, patches: Patches, wanted: bool = True) -> None:
        """From now on aioresponses lets every request through, and is asked from below.

        Args:
            patches: takes everything off again.
            wanted: False: do nothing unless somebody has imported it already.
        """
        if not wanted and "aioresponses.core" not in sys.modules:
            return
        from aioresponses.core import RequestMatch, aioresponses

        def get(mock: Any, name: str) -> Any:
            if name == "_passthrough":
                return EVERY_URL
            value = really_get(mock, name)
            return _Patcher(mock, value) if name == "patcher" else value

        really_get = patches.set(aioresponses, "__getattribute__", get)
        patches.set(RequestMatch, "_build_response", _plain_response)
        self._installed = True

    def release(self) -> None:
        """Nothing of aioresponses outlives the test in us."""

    def active_above(self) -> str | None:
        """The tool, if it was first imported in the test; else None: wherever its patches are, they let through."""
        return imported_late("aioresponses", self._installed)

    def serves(self, request: Request) -> bool:
        """True for a request of a session of aiohttp; for another client's, where a registered response matches it."""
        if call_by(TOOL) is not None:
            return True
        mock = _mock() if self._installed else None
        return mock is not None and _knows(mock, request)

    def send(self, request: Request) -> Reply:
        """As `asend`, for blocking clients.

        Raises:
            UpstreamError: the registered callback awaits something, which a blocking client cannot.
        """
        asking = self.asend(request)
        try:
            asking.send(None)
        except StopIteration as done:
            reply: Reply = done.value
            return reply
        except RuntimeError as error:
            if "no running event loop" not in str(error):  # what asyncio says to one that awaits
                raise
        asking.close()
        raise UpstreamError(
            f"no healthy reply for {request.method} {request.url}",
            "a callback of aioresponses that awaits, and a blocking client",
            "ask with aiohttp, or let the callback await nothing",
        )

    async def asend(self, request: Request) -> Reply:
        """The registered response, counted as aioresponses counts it.

        Raises:
            Thrown: the registered response is an exception, or nothing is registered for this request.
            PassedOn: it is to pass through.
            UsedUp: what matched was answered already.
        """
        from aioresponses.compat import normalize_url

        call = call_by(TOOL)
        mock = call.owner if call else _mock()
        url = normalize_url(request.url)
        if any(str(url).startswith(prefix) for prefix in _own(mock, "_passthrough")):
            raise PassedOn
        place = (request.method, str(url))
        if not _knows(mock, request):
            if place in self._answered:
                raise UsedUp(lambda: _unmatched(mock, request, url, call))
            return _unmatched(mock, request, url, call)
        self._answered.add(place)
        _record(mock, request, url, call)
        kwargs = {**(call.extra[1] if call else {}), "allow_redirects": False}  # the client follows them itself
        try:
            with by_nobody():
                response = await mock.match(request.method, url, **kwargs)
        except Exception as error:
            return failed(call, error)
        return Reply.of(response.status, response.body, tuple(response.headers.items()), response.reason or "")


class _Patcher:
    """aioresponses's own patcher, except that the real session it leads to knows by whom it is asked."""

    def __init__(self, mock: Any, patcher: Any) -> None:
        vars(self).update(_mock=mock, _patcher=patcher)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._patcher, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._patcher, name, value)

    async def temp_original(self, session: Any, method: str, url: Any, *args: Any, **kwargs: Any) -> Any:
        with let_through(TOOL, self._mock, url, (args, kwargs)):
            return await self._patcher.temp_original(session, method, url, *args, **kwargs)


def _mock() -> Any:
    """The one that is started now: there is never a second, since a mock cannot be mocked."""
    module, client = sys.modules.get("aioresponses.core"), sys.modules.get("aiohttp.client")
    if module is None or client is None:
        return None
    effect = getattr(getattr(client.ClientSession._request, "mock", None), "side_effect", None)
    mock = getattr(effect, "__self__", None)
    return mock if isinstance(mock, module.aioresponses) else None


def _own(mock: Any, name: str) -> Any:
    return vars(mock)[name]


def _knows(mock: Any, request: Request) -> bool:
    from aioresponses.compat import normalize_url

    url = normalize_url(request.url)
    return any(match.match(request.method, url) for match in mock._matches.values())


def _record(mock: Any, request: Request, url: Any, call: Call | None) -> None:
    """Note the request as aioresponses does: with the words of the caller, and without the hops of a redirect."""
    from aioresponses.compat import merge_params, normalize_url

    args, kwargs = call.extra if call else ((), {})
    if call is None or normalize_url(merge_params(call.asked, kwargs.get("params"))) == url:
        noted = mock._build_request_call(request.method, *args, **kwargs)
        mock.requests.setdefault((request.method, url), []).append(noted)


def _unmatched(mock: Any, request: Request, url: Any, call: Call | None) -> Reply:
    from aiohttp import ClientConnectionError

    _record(mock, request, url, call)
    if mock.passthrough_unmatched:
        raise PassedOn
    return failed(call, ClientConnectionError(f"Connection refused: {request.method} {url}"))


def _plain_response(
    match: Any,
    url: Any,
    method: str = "GET",
    request_headers: Any = None,
    status: int = 200,
    body: str | bytes = "",
    content_type: str = "application/json",
    payload: Any = None,
    headers: Any = None,
    response_class: Any = None,
    reason: str | None = None,
) -> Any:
    """What goes over the wire of a registered response."""
    from multidict import CIMultiDict

    text = body if payload is None else json.dumps(payload)
    said = CIMultiDict({"Content-Type": content_type})
    said.update(headers or {})
    return SimpleNamespace(
        status=status, headers=said, body=text if isinstance(text, bytes) else text.encode(), reason=reason
    )
