"""A session that the MCP server no longer knows, against the Python SDK's own client over streamable HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from _shapes import SAID, exchange
from respx.patterns import M

from pytest_agentfault._run import Faults

mcp: Final = pytest.importorskip("mcp", reason="`make sdks` has it")
URL: Final = "https://mcp.example.com/mcp"
OLD, NEW = "a65f9afb03564851ab71e75e885b481e", "0f8c41d25b9e4a7fb1c3d6e2a9785b34"
HELLO: Final = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "demo", "version": "1"},
}
CONTENT: Final = {"content": [{"type": "text", "text": SAID}], "isError": False}
TOOLS: Final = {"tools": [{"name": "say", "inputSchema": {"type": "object", "properties": {}}}]}
CALLS: Final = M(json__method="tools/call")


def posted(session: str, number: int = 0, result: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One POST of a session, and what is said to it; a notification is told nothing."""
    said = "" if result is None else {"jsonrpc": "2.0", "id": number, "result": result}
    kept = exchange("POST", URL, said, asked={})
    kept["response"]["headers"]["Mcp-Session-Id"] = [session]
    if result is None:
        kept["response"]["status"] = {"code": 202, "message": "Accepted"}
    return kept


def without_body(method: str, code: int, message: str) -> dict[str, Any]:
    """The stream that this server does not have, or the end of a session."""
    kept = exchange(method, URL, "")
    kept["response"]["status"] = {"code": code, "message": message}
    return kept


def two_sessions(folder: Path) -> str:
    """A recording of two sessions, in each of them the tool's schema and one call."""
    kept = []
    for session in (OLD, NEW):
        kept += [posted(session, 1, HELLO), posted(session), posted(session, 2, CONTENT), posted(session, 3, TOOLS)]
        kept += [without_body("GET", 405, "Method Not Allowed"), without_body("DELETE", 200, "OK")]
    path = folder / "tape.yaml"
    path.write_text(yaml.dump({"version": 1, "interactions": kept}), encoding="utf-8")
    return str(path)


async def said(client: Any) -> str:
    """What the tool says."""
    text: str = (await client.call_tool("say", {})).content[0].text
    return text


def calls(faults: Faults) -> list[tuple[str, str, int | None]]:
    """Each POST: what was called, in which session, and the status."""
    posts = [x for x in faults.log if x.request.method == "POST"]
    return [
        (yaml.safe_load(x.request.body)["method"], x.request.header("mcp-session-id"), x.reply.status) for x in posts
    ]


def test_the_sdk_says_it_and_does_not_begin_a_new_session(faults: Faults, tmp_path: Path) -> None:
    """The specification has the client initialize anew; this one raises what the server says, again and again."""
    faults.add("mcp/session-gone", to=CALLS, after=1, cassette=two_sessions(tmp_path))

    async def in_one_session() -> list[tuple[int, str]]:
        told = []
        async with mcp.Client(URL, mode="legacy") as client:
            assert await said(client) == SAID
            for _ in range(2):
                with pytest.raises(mcp.MCPError) as caught:
                    await said(client)
                told.append((caught.value.error.code, caught.value.error.message))
        return told

    assert asyncio.run(in_one_session()) == [(-32001, "Session not found")] * 2
    assert [call for call in calls(faults) if call[0] in ("initialize", "tools/call")] == [
        ("initialize", "", 200),
        ("tools/call", OLD, 200),
        ("tools/call", OLD, 404),
        ("tools/call", OLD, 404),
    ]
    assert [x.request.method for x in faults.log].count("DELETE") == 1


def test_a_new_client_is_a_new_session(faults: Faults, tmp_path: Path) -> None:
    """What the application has to do: the id is dead, the token is not."""
    faults.add("mcp/session-gone", to=CALLS, after=1, cassette=two_sessions(tmp_path))

    async def with_another() -> str:
        async with mcp.Client(URL, mode="legacy") as client:
            await said(client)
            with pytest.raises(mcp.MCPError, match="Session not found"):
                await said(client)
        async with mcp.Client(URL, mode="legacy") as client:
            return await said(client)

    assert asyncio.run(with_another()) == SAID
    assert [call for call in calls(faults) if call[0] == "tools/call"] == [
        ("tools/call", OLD, 200),
        ("tools/call", OLD, 404),
        ("tools/call", NEW, 200),
    ]
