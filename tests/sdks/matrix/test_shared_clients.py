"""One async client for the whole session, each test in an event loop of its own: as agents keep theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from _cassettes import CASSETTES, Plain
from _shapes import SAID

from pytest_agentfault._run import Faults

KEPT: dict[str, Any] = {}  # what a module of an application keeps at its top


def kept(name: str, make: Callable[[], Any]) -> Any:
    """The one of its kind, made when it is first wanted."""
    if name not in KEPT:
        KEPT[name] = make()
    return KEPT[name]


async def by_openai() -> Any:
    """openai's own client."""
    openai = pytest.importorskip("openai")
    client = kept("openai", lambda: openai.AsyncOpenAI(api_key="sk-test"))
    messages = [{"role": "user", "content": "Does it work?"}]
    said = await client.chat.completions.create(model="gpt-4o", messages=messages)
    return said.choices[0].message.content


async def by_langchain() -> Any:
    """A chat model of langchain, whose async clients are cached for the process."""
    langchain = pytest.importorskip("langchain_openai", reason="`make sdks` has it")
    model = kept("langchain", lambda: langchain.ChatOpenAI(model="gpt-4o", api_key="sk-test"))
    return (await model.ainvoke("Does it work?")).content


async def by_agents() -> Any:
    """openai-agents with its default client, which it makes once."""
    agents = pytest.importorskip("agents", reason="`make sdks` has it")
    kept("agents", lambda: agents.set_default_openai_key("sk-test", use_for_tracing=False))
    untraced = agents.RunConfig(tracing_disabled=True)
    return (
        await agents.Runner.run(agents.Agent("helper", model="gpt-4o"), "Does it work?", run_config=untraced)
    ).final_output


RUNS: dict[str, tuple[Callable[[], Awaitable[Any]], str]] = {
    "openai": (by_openai, "openai_chat"),
    "langchain-openai": (by_langchain, "openai_chat"),
    "openai-agents": (by_agents, "openai_response"),
}


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("name", RUNS)
def test_a_client_outlives_tests_and_loops(name: str, turn: int, faults: Faults, tmp_path: Path) -> None:
    """In each of several tests, and in two loops within each, the shared client meets its fault and recovers."""
    run, cassette = RUNS[name]
    path = tmp_path / "healthy.yaml"
    replies = list(CASSETTES[cassette][1]) * 2
    path.write_text(yaml.dump({"version": 1, "interactions": replies}, Dumper=Plain, sort_keys=False), encoding="utf-8")
    faults.add("openai/rate-limit", times=2, cassette=path)
    assert asyncio.run(run()) == SAID  # type: ignore[arg-type]
    assert [x.reply.status for x in faults.log] == [429, 429, 200]
    assert asyncio.run(run()) == SAID  # type: ignore[arg-type]
    assert [x.reply.status for x in faults.log] == [429, 429, 200, 200]
