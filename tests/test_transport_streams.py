"""The door `transport`: a response that no rule touches is the transport's own, and nothing of it is read ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
import pytest
from _memory import Leaves

from pytest_agentfault import Rule
from pytest_agentfault._plan import PASSED_ON, Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.transport import TransportDoor

URL = "https://api.vendor.example/x"
MIB = 1024 * 1024
both_libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@contextmanager
def opened(after: int = 1000) -> Iterator[Plan]:
    """A door whose one rule lets so many requests be."""
    plan, clock = Plan([Rule("* *", (Leaves(),), after=after)]), Clock()
    with Patches().under(TransportDoor(plan, (), clock)):
        yield plan


def responding(library: Any, pieces: Any, given: list[Any] | None = None) -> Any:
    """A transport whose responses stream these pieces, and where the responses go."""

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            yield from pieces()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces():
                yield piece

        def close(self) -> None:
            Body.closed = True

        async def aclose(self) -> None:
            Body.closed = True

    class Streams(library.BaseTransport, library.AsyncBaseTransport):  # type: ignore[misc]
        body = Body

        def handle_request(self, request: Any) -> Any:
            return library.Response(200, stream=Body())

        async def handle_async_request(self, request: Any) -> Any:
            return library.Response(200, stream=Body())

    return Streams()


def read(library: Any, transport: Any, is_async: bool) -> Iterator[bytes]:
    """The pieces as a client gets them, one at a time."""
    if not is_async:
        with library.Client(transport=transport) as client, client.stream("GET", URL) as reply:
            yield from reply.iter_raw()
        return
    loop = asyncio.new_event_loop()
    try:
        client = library.AsyncClient(transport=transport)
        reply = loop.run_until_complete(client.send(client.build_request("GET", URL), stream=True))
        pieces = reply.aiter_raw()
        while (piece := loop.run_until_complete(anext(pieces, None))) is not None:
            yield piece
        loop.run_until_complete(client.aclose())
    finally:
        loop.close()


both_ways = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both_libraries
@both_ways
def test_nothing_is_read_before_the_client_reads(library: Any, is_async: bool) -> None:
    """Each piece is made when the client asks for it; the log has the whole body when it is over."""
    made: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"one", b"two"):
            made.append(piece)
            yield piece

    transport = responding(library, pieces)
    with opened() as plan:
        got = [(piece, len(made)) for piece in read(library, transport, is_async)]
    assert got == [(b"one", 1), (b"two", 2)]
    assert transport.body.closed
    assert [(x.reply.status, x.reply.body, x.script) for x in plan.log] == [(200, b"onetwo", PASSED_ON)]


@both_libraries
@both_ways
def test_what_a_rule_may_touch_is_read_first(library: Any, is_async: bool) -> None:
    """A rule that is due needs the whole reply; left alone, the client gets it piece by piece all the same."""
    made: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"one", b"two"):
            made.append(piece)
            yield piece

    with opened(after=0):
        got = [(piece, len(made)) for piece in read(library, responding(library, pieces), is_async)]
    assert got == [(b"one", 2), (b"two", 2)]


@both_libraries
@both_ways
def test_an_error_in_the_body_is_the_transports_own(library: Any, is_async: bool) -> None:
    """The client meets the very error; the log says that the reply was lost there."""
    error = library.ReadError("gone")

    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise error

    with opened() as plan, pytest.raises(library.ReadError) as caught:
        list(read(library, responding(library, pieces), is_async))
    assert caught.value is error
    assert [(x.reply.body, x.reply.whole) for x in plan.log] == [(b"one", False)]


@both_libraries
def test_the_log_keeps_the_first_part_of_a_huge_body(library: Any) -> None:
    """All of it reaches the client, no more than a MiB the log."""
    with opened() as plan:
        size = sum(map(len, read(library, responding(library, lambda: iter([bytes(MIB // 4)] * 12)), False)))
    assert size == 3 * MIB
    assert len(plan.log[0].reply.body) == MIB


@both_libraries
def test_a_ready_response_is_handed_on_itself(library: Any) -> None:
    """What a MockTransport has made is what the client gets, with its body in the log at once."""
    made = library.Response(201, json={"ok": True})
    with opened() as plan, library.Client(transport=library.MockTransport(lambda _: made)) as client:
        assert client.get(URL) is made
    assert [(x.reply.status, x.reply.body) for x in plan.log] == [(201, made.content)]
