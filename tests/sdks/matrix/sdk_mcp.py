"""mcp: a tool called over streamable HTTP (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from _cells import HELD, Call, Sdk, surfaced
from _shapes import SAID, events, exchange
from mcp import Client, MCPError
from respx.patterns import M

URL: Final = "https://mcp.example.com/mcp"
SESSION: Final = "a65f9afb03564851ab71e75e885b481e"
TOOL: Final = {"name": "say", "inputSchema": {"type": "object", "properties": {}}}


def answered(number: int, result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the request of this number."""
    return {"jsonrpc": "2.0", "id": number, "result": result}


def posted(said: Any, kind: str = "application/json", status: int = 200) -> dict[str, Any]:
    """One POST, within the session."""
    kept = exchange("POST", URL, said, asked={}, kind=kind)
    kept["response"]["status"] = {"code": status, "message": "OK" if status == 200 else "Accepted"}
    kept["response"]["headers"]["Mcp-Session-Id"] = [SESSION]
    return kept


def without_body(method: str, code: int, message: str) -> dict[str, Any]:
    """An exchange in which nothing is said."""
    kept = exchange(method, URL, "")
    kept["response"]["status"] = {"code": code, "message": message}
    return kept


COMPLETE: Final = {"resultType": "complete"}
CACHED: Final = {**COMPLETE, "cacheScope": "private", "ttlMs": 0}
CONTENT: Final = {"content": [{"type": "text", "text": SAID}], "isError": False}
# Since 2026-07-28 there is no session: what the server can do is asked once, then the tool.
MODERN: Final = [
    exchange(
        "POST",
        URL,
        answered(1, {**CACHED, "capabilities": {"tools": {}}, "supportedVersions": ["2026-07-28"]}),
        asked={},
    ),
    exchange("POST", URL, answered(2, {**COMPLETE, **CONTENT}), asked={}),
    exchange("POST", URL, answered(3, {**CACHED, "tools": [TOOL]}), asked={}),
]
HELLO: Final = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "demo", "version": "1"},
}
LOGGED: Final = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "on it"}}
# Before, a session is opened and closed, and the tool may answer with a stream.
SESSIONS: Final = [
    posted(answered(1, HELLO)),
    posted("", status=202),
    posted(events(("message", LOGGED), ("message", answered(2, CONTENT))), "text/event-stream"),
    posted(answered(3, {"tools": [TOOL]})),
    without_body("GET", 405, "Method Not Allowed"),
    without_body("DELETE", 200, "OK"),
]


async def connect() -> Any:
    """What the server can do."""
    async with Client(URL) as client:
        return client.server_capabilities.tools is not None


async def said(client: Client) -> Any:
    """What the tool says, or the error that `call_tool` itself raises: what leaves the block is wrapped in groups."""
    async with client:
        try:
            return (await client.call_tool("say", {})).content[0].text
        except Exception as caught:
            error = caught
    raise error


async def call() -> Any:
    """A tool's text."""
    return await said(Client(URL))


async def call_in_a_session() -> Any:
    """A tool's text, from a stream."""
    return await said(Client(URL, mode="legacy"))


THE_TOOL: Final = {"to": M(json__method="tools/call")}
LIMITED: Final = surfaced(MCPError, note="without the status, or when to come back")
LOST: Final = surfaced(ExceptionGroup, note="a reset ends the whole client; httpx2's error is two groups deep")

SDK: Final = Sdk(
    "mcp",
    ("httpx2",),
    (
        Call("Client()", connect, True, MODERN, {"429": surfaced(ExceptionGroup), "reset": LOST}),
        Call("call_tool()", call, SAID, MODERN, {"429": LIMITED, "reset": LOST}, THE_TOOL),
        Call(
            "call_tool(), SSE",
            call_in_a_session,
            SAID,
            SESSIONS,
            {"429": LIMITED, "reset": LOST, "split": HELD, "cut": surfaced(MCPError)},
            THE_TOOL,
        ),
    ),
)
