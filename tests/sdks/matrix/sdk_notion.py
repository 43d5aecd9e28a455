"""notion-client: a user read and a page made, sync and async (https://developers.notion.com/reference/intro)."""

from __future__ import annotations

from typing import Any, Final

import httpx
import notion_client
from _cells import Call, Sdk, recovered, surfaced
from _shapes import exchange

from pytest_agentfault.faults.status import Status

API: Final = "https://api.notion.com/v1"
USER: Final = {"object": "user", "id": "d40e767c-d7af-4b18-a86d-55c61f1e39a4", "type": "person", "name": "Avo Cado"}
PAGE: Final = {"object": "page", "id": "59833787-2cf9-4fdf-8782-e53db20768a5", "archived": False, "properties": {}}
READ: Final = [exchange("GET", f"{API}/users/{USER['id']}", USER)]
MADE: Final = [exchange("POST", f"{API}/pages", PAGE, asked={})]
NEW: Final[Any] = {"parent": {"page_id": PAGE["id"]}, "properties": {}}


def read() -> Any:
    """The name of a user."""
    return notion_client.Client(auth="test").users.retrieve(str(USER["id"]))["name"]


async def aread() -> Any:
    """The name of a user, async."""
    return (await notion_client.AsyncClient(auth="test").users.retrieve(str(USER["id"])))["name"]


def write() -> Any:
    """A new page: its id."""
    return notion_client.Client(auth="test").pages.create(**NEW)["id"]


# https://developers.notion.com/reference/request-limits
LIMIT: Final = Status(
    429,
    {"retry-after": "1"},
    {"object": "error", "status": 429, "code": "rate_limited", "message": "You have been rate limited."},
)
LOST: Final = surfaced((httpx.RemoteProtocolError, httpx.ReadError))

SDK: Final = Sdk(
    "notion-client",
    ("httpx",),
    (
        Call("users.retrieve()", read, "Avo Cado", READ, {"429": recovered(2), "reset": LOST}),
        Call(
            "users.retrieve(), async",
            aread,
            "Avo Cado",
            READ,
            {"429": recovered(2), "reset": surfaced(httpx.ReadError)},
        ),
        Call("pages.create()", write, PAGE["id"], MADE, {"429": recovered(2), "reset": LOST}),
    ),
    scenarios={"429": LIMIT},
    own=("notion_client",),
)
