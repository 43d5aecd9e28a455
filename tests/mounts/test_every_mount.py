"""What holds for every tool that is mounted: strikes, counts, errors and other clients, whenever it was set up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from _loopback import loopback
from _mounted import API, BUSY, Break, Byte, mounted, once, told
from _tools import BODY, CLIENTS, TOOLS, URL, Tool

from pytest_agentfault._plan import Plan

WHEN = ("before", "after")


@contextmanager
def stacked(tool: Tool, when: str, *rules: object) -> Iterator[tuple[Plan, object]]:
    """The tool set up before our door, as by a session fixture, or after it, as in the test."""
    with ExitStack() as stack:
        asked = stack.enter_context(tool.opened()) if when == "before" else None
        plan = stack.enter_context(mounted(tool.kind, *rules))
        asked = asked or stack.enter_context(tool.opened())
        yield plan, asked


CASES = [
    pytest.param(tool, client, when, id=f"{tool}-{client}-{when}")
    for tool in TOOLS
    for client in TOOLS[tool].own
    for when in WHEN
]


@pytest.mark.parametrize(("tool", "client", "when"), CASES)
def test_an_answer_consumes_nothing_and_an_alteration_exactly_one(tool: str, client: str, when: str) -> None:
    """A 429 is answered without the tool; a body cut into bytes is its own, asked for once."""
    ask = CLIENTS[client]
    with stacked(TOOLS[tool], when, once(BUSY)) as (_, asked):
        assert ask()[0] == 429
        assert asked() == 0
        assert ask() == (200, BODY)
        assert asked() == 1
    with stacked(TOOLS[tool], when, once(Byte())) as (plan, asked):
        assert ask() == (200, BODY)
        assert [len(plan.log), len(plan.log[0].struck), asked()] == [1, 1, 1]
        assert len(plan.log[0].reply.events) == len(BODY) + 2
        assert plan.problems == []


@pytest.mark.parametrize(("tool", "client", "when"), CASES)
def test_a_lost_reply_is_one_that_the_tool_has_given(tool: str, client: str, when: str) -> None:
    """The vendor has acted: the tool was asked, the client saw its connection die, and may ask again."""
    with stacked(TOOLS[tool], when, once(Break())) as (plan, asked):
        if client == "aiohttp":  # it asks again by itself
            assert CLIENTS[client]() == (200, BODY)
        else:
            with pytest.raises(Exception) as caught:
                CLIENTS[client]()
            assert type(caught.value).__name__ in ("ReadError", "RemoteProtocolError", "ConnectionError")
            assert asked() == 1
            assert CLIENTS[client]() == (200, BODY)
        assert (told(plan), asked()) == ([None, 200], 2)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("tool", TOOLS)
def test_every_client_is_answered_by_what_the_tool_knows(tool: str, when: str) -> None:
    """Also those that the tool has no patch for; each answer counts as one of the tool's own."""
    with stacked(TOOLS[tool], when) as (plan, asked):
        assert [ask() for ask in CLIENTS.values()] == [(200, BODY)] * len(CLIENTS)
        assert asked() == len(CLIENTS) == len(plan.log)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("tool", TOOLS)
def test_what_the_tool_does_not_know_is_turned_away_for_its_own_clients_only(tool: str, when: str) -> None:
    """Its own error in its own words, no problem of the run; another client goes on to the real server."""
    name, words = TOOLS[tool].refuses
    with loopback() as server, stacked(TOOLS[tool], when) as (plan, _):
        for client in TOOLS[tool].own:
            with pytest.raises(Exception) as caught:
                CLIENTS[client](f"{API}/unknown")
            assert name in type(caught.value).__name__
            assert str(caught.value).startswith(words)
        for client in CLIENTS.keys() - set(TOOLS[tool].own):
            assert CLIENTS[client](server.url)[0] == 200
        assert len(server.asked) == len(CLIENTS) - len(TOOLS[tool].own)
        assert plan.problems == []


@pytest.mark.parametrize("tool", [name for name, tool in TOOLS.items() if tool.works_alone])
def test_after_the_test_the_tool_answers_by_itself_again(tool: str) -> None:
    """A tool that outlives the test, started before it or in it: its patches were never taken off it."""
    ask = CLIENTS[TOOLS[tool].own[0]]
    with TOOLS[tool].opened() as asked:
        with mounted(TOOLS[tool].kind, once(BUSY)):
            assert ask()[0] == 429
        assert ask() == (200, BODY)
        assert asked() == 1
    with ExitStack() as outlives:
        with mounted(TOOLS[tool].kind, once(BUSY)):
            asked = outlives.enter_context(TOOLS[tool].opened())
            assert ask()[0] == 429
        assert ask(URL) == (200, BODY)
        assert asked() == 1
