"""Connections that fail, break or wait at the door `transport`: blocking, on asyncio, on trio, in the words of each."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from types import ModuleType
from typing import Any

import anyio
import httpx
import pytest
import trio
from _transports import LIBRARIES, URL, fetch, opened, rule, timed, well

from pytest_agentfault import Why
from pytest_agentfault._errors import WouldBlockForeverError
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.refuse import Refuse
from pytest_agentfault.faults.slow import Slow


@LIBRARIES
@pytest.mark.parametrize("runner", ["blocking", "asyncio", "trio"])
@pytest.mark.parametrize("why", [*Why], ids=lambda why: why.value)
def test_a_refused_connection_is_a_connect_error(library: ModuleType, runner: str, why: Why) -> None:
    """Whatever the reason, and on every event loop; the transport is not asked."""

    async def go() -> None:
        async with library.AsyncClient(transport=library.MockTransport(lambda r: pytest.fail("asked"))) as client:
            await client.get(URL)

    kind = library.ConnectTimeout if why is Why.TIMEOUT else library.ConnectError
    with opened(rule(Refuse(why=why.value))) as door, timed(door), pytest.raises(kind):
        if runner == "blocking":
            fetch(library, library.MockTransport(lambda r: pytest.fail("asked")))
        else:
            anyio.run(go, backend=runner)
    assert [x.request.method for x in door.plan.log] == ["CONNECT"]


ON_TRIO: dict[str, tuple[Any, str, type[BaseException] | None]] = {
    "reset": (Lose(how="reset", where="in_body", after_bytes=2), "ReadError", ConnectionResetError),
    "cut": (Lose(how="cut", where="in_body", after_bytes=2), "RemoteProtocolError", None),
    "stall": (Lose(how="stall", where="in_body", after_bytes=2), "ReadTimeout", trio.TooSlowError),
    "slow": (Slow(seconds=20), "ReadTimeout", trio.TooSlowError),
}


@LIBRARIES
@pytest.mark.parametrize("case", ON_TRIO)
def test_trio_meets_losses_in_its_own_errors(library: ModuleType, case: str) -> None:
    """The exception is the client's, and trio's own is beneath it; no time passes."""
    fault, name, beneath = ON_TRIO[case]

    async def go() -> Any:
        async with library.AsyncClient(transport=library.MockTransport(partial(well, library))) as client:
            return await client.get(URL)

    began = time.monotonic()
    with opened(rule(fault)) as door, pytest.raises(getattr(library, name)) as caught:
        trio.run(go)
    assert time.monotonic() - began < 3
    chain: list[BaseException] = [caught.value]
    while (following := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(following)
    assert beneath is None or any(isinstance(error, beneath) for error in chain)
    assert (door.clock.offset > 4.9) == (name == "ReadTimeout")


def test_trio_waits_that_are_short_enough_are_waited() -> None:
    """A delay inside the limit costs nothing but time on the clock."""

    async def go() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(partial(well, httpx))) as client:
            return await client.get(URL)

    with opened(rule(Slow(seconds=3))) as door:
        assert trio.run(go).text == "well"
    assert door.clock.offset == 3


@LIBRARIES
@pytest.mark.parametrize("runner", ["blocking", "asyncio", "trio"])
def test_a_client_without_a_limit_is_told_that_it_would_wait_for_ever(library: ModuleType, runner: str) -> None:
    """A stall that nothing ends is an error of ours, which names what struck."""
    transport = library.MockTransport(partial(well, library))

    async def go() -> None:
        async with library.AsyncClient(transport=transport, timeout=None) as client:
            await client.get(URL)

    stalled = rule(Lose(how="stall", where="before_head"))
    with opened(stalled) as door, timed(door), pytest.raises(WouldBlockForeverError) as caught:
        if runner == "blocking":
            fetch(library, transport, timeout=None)
        else:
            anyio.run(go, backend=runner)
    assert caught.value.there == (
        "the script is silent from here on (Lose struck it), and the client has set no time limit for reading"
    )
    assert len(door.plan.problems) == 1


def test_a_wait_of_an_async_client_is_a_timer_of_its_loop() -> None:
    """Twenty seconds pass on the clock under a limit of thirty, and nothing of them is waited."""

    async def go() -> str:
        transport = httpx.MockTransport(partial(well, httpx))
        async with httpx.AsyncClient(transport=transport, timeout=30) as client:
            return (await client.get(URL)).text

    began = time.monotonic()
    with opened(rule(Slow(seconds=20))) as door, timed(door):
        assert asyncio.run(go()) == "well"
    assert time.monotonic() - began < 5
    assert door.clock.offset >= 19
