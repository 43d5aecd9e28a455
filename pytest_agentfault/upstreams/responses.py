"""
The responses registered with the library `responses`, asked from below.

`responses` patches requests' adapter and answers there, above urllib3 and its
retries, which it has to imitate. For the length of a test its patch lets every
request through to the socket: the client's real retries run, and the registry is
asked when the plan wants the healthy reply. Its `calls` are what was asked of it.

Private seams of responses 0.25 and later that are leant on here, one test each in
`tests/mounts/test_responses.py`: `RequestsMock._on_request`, `_real_send`,
`_find_match`, `_calls`, `_patcher`; the name `self` inside what it puts over the
adapter's `send`.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from .._reply import Reply, Request
from .._seams import PassedOn, Patches, UsedUp
from ._asked import by_nobody, call_by, failed, imported_late, let_through, variables_of
from ._requests import prepared, reply_of

TOOL: Final = "responses"


class Responses:
    """The client is answered by the responses that the test has registered.

    Args:
        recordings: not needed; every mount is given them.
    """

    tool: ClassVar[str] = "responses"

    def __init__(self, recordings: Any = None) -> None:
        self._on_request: Any = None

    @property
    def active(self) -> bool:
        """True while a `RequestsMock` is started."""
        return self._on_request is not None and any(True for _ in _mocks())

    def install(self, patches: Patches, wanted: bool = True) -> None:
        """From now on `responses` lets every request through, and is asked from below.

        Args:
            patches: takes everything off again.
            wanted: False: do nothing unless somebody has imported it already.
        """
        if not wanted and "responses" not in sys.modules:
            return
        from responses import RequestsMock

        def on_request(mock: Any, adapter: Any, request: Any, *, retries: Any = None, **kwargs: Any) -> Any:
            request.body = mock._read_filelike_body(request.body)  # a file could be read once only
            with let_through(TOOL, mock, request, kwargs):
                return mock._real_send(adapter, request, **kwargs)

        self._on_request = patches.set(RequestsMock, "_on_request", on_request)

    def release(self) -> None:
        """Nothing of `responses` outlives the test in us."""

    def active_above(self) -> str | None:
        """The tool, if it was first imported in the test; else None: wherever its patches are, they let through."""
        return imported_late("responses", self._on_request is not None)

    def serves(self, request: Request) -> bool:
        """True for a request of a client of requests; for another's, where a registered response matches it."""
        return call_by(TOOL) is not None or (self.active and self._mock_for(request) is not None)

    def send(self, request: Request) -> Reply:
        """The registered response, counted as `responses` counts it.

        Raises:
            Thrown: the registered body is an exception, or nothing is registered for this request.
            PassedOn: it is to pass through.
            UsedUp: an ordered registry is at its end.
        """
        from requests.adapters import HTTPAdapter

        call = call_by(TOOL)
        mock = call.owner if call else self._mock_for(request)
        asked = prepared(request, call and call.asked)
        asked.req_kwargs = (call and call.extra) or {}
        asking = _asking(mock, asked)
        if _is_used_up(mock, asked):
            raise UsedUp(lambda: self._ask(asking, HTTPAdapter(), asked, call))
        return self._ask(asking, HTTPAdapter(), asked, call)

    def _ask(self, asking: Any, adapter: Any, asked: Any, call: Any) -> Reply:
        try:
            # The adapter made here allows no retries: the client's own come through the door again.
            with by_nobody():
                return reply_of(self._on_request(asking, adapter, asked, **((call and call.extra) or {})))
        except PassedOn:
            raise
        except Exception as error:
            return failed(call, error)

    def _mock_for(self, request: Request) -> Any:
        asked = prepared(request)
        return next((mock for mock in _mocks() if any(not k.passthrough for k in _matching(mock, asked))), None)


def _matching(mock: Any, asked: Any) -> list[Any]:
    """The registered responses that match; of an ordered registry only the next one can."""
    from responses.registries import OrderedRegistry

    asked.params, asked.req_kwargs = mock._parse_request_params(asked.path_url), getattr(asked, "req_kwargs", {})
    registered = mock.registered()
    can = registered[:1] if isinstance(mock.get_registry(), OrderedRegistry) else registered
    return [known for known in can if known.matches(asked)[0]]


def _is_used_up(mock: Any, asked: Any) -> bool:
    """Whether nothing is left for a request that was answered before."""
    before = (call.request for call in mock.calls)
    was_asked = any((r.method, r.url) == (asked.method, asked.url) for r in before)
    return was_asked and not _matching(mock, asked)


def _asking(mock: Any, asked: Any) -> Any:
    """The same mock, except that what is to pass through is passed on to the next upstream."""
    twin = copy.copy(mock)
    found: list[Any] = []

    def find_match(request: Any) -> Any:
        match, reasons = mock._find_match(request)
        found.append(match)
        return match, reasons

    def pass_on(adapter: Any, request: Any, **kwargs: Any) -> Any:
        if found and found[-1] is not None:  # a registered one is counted; a prefix is not, by `responses` either
            from responses import Call

            call: Any = Call(asked, None)  # what answers it is not known here
            mock._calls.add_call(call)
            found[-1].calls.add_call(call)
        raise PassedOn

    twin._find_match, twin._real_send = find_match, pass_on
    return twin


def _mocks() -> Iterator[Any]:
    """The mocks that are started now, the innermost first."""
    module = sys.modules.get("requests.adapters")
    found = variables_of(module.HTTPAdapter.send) if module else {}
    while (mock := found.get("self")) is not None and getattr(mock, "_patcher", None) is not None:
        yield mock
        found = variables_of(mock._patcher.temp_original)
