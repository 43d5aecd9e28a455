"""
The door for transports without sockets, and its own ways; the contract holds it against real sockets.

Rule: the clients and their transports are the real ones; only what they would call on the network is the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any

import httpcore  # noqa: F401  # loaded before any inner run, which would forget it again
import httpcore2  # noqa: F401
import pytest
from _memory import Leaves
from _transports import LIBRARIES, TRANSPORTS, URL, fetch, opened, rule, well

from pytest_agentfault import Reply, Request
from pytest_agentfault._errors import FaultError
from pytest_agentfault._plan import Hung
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.split_chunks import SplitChunks
from pytest_agentfault.faults.status import Status


@LIBRARIES
@pytest.mark.parametrize("kind", TRANSPORTS)
def test_a_transport_without_sockets_is_struck_once_and_is_well_again(library: ModuleType, kind: str) -> None:
    """Each kind: the first request meets the fault in the vendor's place, the second its own healthy answer."""
    is_async, make = TRANSPORTS[kind]
    transport = make(library)
    with opened(rule(Status(code=429, headers={"retry-after": "7"}), times=1)) as door:
        struck = fetch(library, transport, is_async)
        again = fetch(library, transport, is_async)
    assert (struck.status_code, struck.headers["retry-after"], struck.headers["x-agentfault"]) == (429, "7", "Status")
    assert (again.status_code, again.text, again.headers["x-path"]) == (200, "well", "/v1/items")
    assert [(x.request.url, x.reply.status, len(x.struck)) for x in door.plan.log] == [(URL, 429, 1), (URL, 200, 0)]
    assert (struck.request.url, str(again.request.url)) == (URL, URL)


@LIBRARIES
@pytest.mark.parametrize("fault", [Status(code=503), Lose(how="cut", where="in_body")], ids=["answer", "alter"])
def test_an_answer_never_asks_the_transport_and_an_alteration_asks_it_once(library: ModuleType, fault: Any) -> None:
    """The vendor has not acted under the one, and has acted exactly once under the other."""
    asked: list[str] = []

    def handler(request: Any) -> Any:
        asked.append(request.method)
        return well(library, request)

    with opened(rule(fault)):
        if isinstance(fault, Status):
            assert fetch(library, library.MockTransport(handler)).status_code == 503
        else:
            with pytest.raises(library.RemoteProtocolError, match="received 2 bytes, expected 4"):
                fetch(library, library.MockTransport(handler))
    assert len(asked) == (0 if isinstance(fault, Status) else 1)


@LIBRARIES
def test_untouched_is_the_very_response_of_the_transport(library: ModuleType) -> None:
    """Where nothing strikes, the object that the handler made comes up; other hosts are not even looked at."""
    made: list[Any] = []

    def handler(request: Any) -> Any:
        made.append(library.Response(200, json={"n": len(made)}))
        return made[-1]

    with opened(rule(Status(code=500), after=1, times=1)) as door:
        mine = fetch(library, library.MockTransport(handler))
        elsewhere = fetch(library, library.MockTransport(handler), url="https://other.example.com/")
    assert mine is made[0]
    assert elsewhere is made[1]
    assert "x-agentfault" not in mine.headers
    assert [x.request.url for x in door.plan.log] == [URL]
    assert door.plan.passed == {"other.example.com:443"}


@LIBRARIES
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_pieces_of_a_streamed_body_are_its_chunks(library: ModuleType, is_async: bool) -> None:
    """The boundaries of the transport's stream come up again, struck elsewhere or not at all."""
    pieces = [b"data: 1\n\n", b"data: 2\n\n"]

    async def flow() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    def handler(request: Any) -> Any:
        return library.Response(200, content=flow() if is_async else iter(pieces))

    async def read(client: Any) -> list[bytes]:
        async with client, client.stream("GET", URL) as response:
            return [piece async for piece in response.aiter_raw()]

    for fault, expected in ((Leaves(), pieces), (SplitChunks(every_bytes=4), None)):
        with opened(rule(fault)) as door:
            if is_async:
                got = asyncio.run(read(library.AsyncClient(transport=library.MockTransport(handler))))
            else:
                client = library.Client(transport=library.MockTransport(handler))
                with client, client.stream("GET", URL) as response:
                    got = list(response.iter_raw())
        assert b"".join(got) == b"".join(pieces)
        assert got == expected if expected else max(map(len, got)) == 4
        baseline = door.plan.log[0].baseline
        assert baseline is not None
        assert [e.data for e in baseline.events[1:-1]] == pieces  # type: ignore[union-attr]


@LIBRARIES
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_errors_of_the_transport_are_healthy_answers(library: ModuleType, is_async: bool) -> None:
    """A handler that raises raises as without the door, before its response and in the body; nothing is a problem."""

    def refusing(request: Any) -> Any:
        raise library.ConnectError("no", request=request)

    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise library.ReadError("gone")

    async def breaking_async() -> AsyncIterator[bytes]:
        for piece in breaking():
            yield piece

    def half(request: Any) -> Any:
        return library.Response(200, content=breaking_async() if is_async else breaking())

    with opened(rule(Leaves())) as door:
        with pytest.raises(library.ConnectError, match="no"):
            fetch(library, library.MockTransport(refusing), is_async)
        with pytest.raises(library.ReadError, match="gone"):
            fetch(library, library.MockTransport(half), is_async)
    assert door.plan.problems == []
    assert [x.reply.body for x in door.plan.log] == [b"half"]
    assert not door.plan.log[0].reply.whole


@LIBRARIES
def test_a_response_that_was_read_already_can_be_struck(library: ModuleType) -> None:
    """A handler may pass on a response of another client, or give the same one again."""
    kept = fetch(library, library.MockTransport(partial(well, library)))
    with opened(rule(SplitChunks(every_bytes=2))) as door:
        assert fetch(library, library.MockTransport(lambda request: kept)).text == "well"
    assert len(door.plan.log[0].struck) == 1


@dataclass(frozen=True, slots=True)
class Rewrites:
    """Asks something else."""

    def mutate(self, request: Request) -> Request:
        """On the way out."""
        return replace(request, body=b'{"query": "broken {"}')


@LIBRARIES
def test_a_request_changed_on_its_way_out_is_what_the_transport_sees(library: ModuleType) -> None:
    """Body and length are the changed ones; everything else is the client's."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return well(library, request)

    with opened(rule(Rewrites())), library.Client(transport=library.MockTransport(handler)) as client:
        assert client.post(URL, json={"query": "{ok}"}, headers={"x-key": "k"}).text == "well"
    (asked,) = seen
    assert (asked.method, str(asked.url), asked.headers["x-key"]) == ("POST", URL, "k")
    assert (asked.read(), asked.headers["content-length"]) == (b'{"query": "broken {"}', "21")


@LIBRARIES
def test_the_budget_of_calls_ends_a_loop(library: ModuleType) -> None:
    """A client that asks for ever is stopped by an error that no retry loop swallows."""
    with opened(rule(Status(code=503)), max_calls=3) as door, pytest.raises(Hung):
        while True:
            fetch(library, library.MockTransport(partial(well, library)))
    assert len(door.plan.log) == 3


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault with a mistake in it."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        raise FaultError("wrong", "this", "that")


@LIBRARIES
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_a_mistake_in_a_fault_is_kept_for_the_end_of_the_test(library: ModuleType, is_async: bool) -> None:
    """Even where the client swallows it."""
    with opened(rule(Wrong())) as door, pytest.raises(FaultError):
        fetch(library, library.MockTransport(partial(well, library)), is_async)
    assert [str(p).splitlines()[0] for p in door.plan.problems] == ["wrong"]


def test_a_marker_strikes_a_mock_transport(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word more than over the network, also where httpx2 is first imported by the test."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import time

        import httpx
        import pytest

        def fetch(library):
            transport = library.MockTransport(lambda request: library.Response(200, json=[1, 2, 3]))
            with library.Client(transport=transport) as client:
                while True:
                    reply = client.get("https://api.example.com/items")
                    if reply.status_code != 429:
                        return reply.raise_for_status().json()
                    time.sleep(float(reply.headers["retry-after"]))

        @pytest.mark.fault("any/rate-limit")
        def test_it():
            assert fetch(httpx) == [1, 2, 3]

        @pytest.mark.fault("any/rate-limit")
        def test_late():
            import httpx2
            assert fetch(httpx2) == [1, 2, 3]

        def test_after():
            assert type(httpx.BaseTransport()).__getattribute__ is object.__getattribute__
        """
    )
    result = pytester.runpytest_subprocess("-p", "pytest_agentfault.plugin", "-v", "-W", "error")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["recovered *::test_it  any/rate-limit (2 of 3 calls)", "recovered *::test_late  any/rate-limit (2 of 3 calls)"]
    )
