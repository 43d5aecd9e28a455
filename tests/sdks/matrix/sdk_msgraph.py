"""msgraph-sdk: a user read and a message sent, with a token that is given (https://learn.microsoft.com/en-us/graph/api/user-get)."""

from __future__ import annotations

import time
from typing import Any, Final

import httpx
from _cells import Call, Sdk, recovered, surfaced
from _shapes import exchange
from azure.core.credentials import AccessToken
from msgraph import GraphServiceClient
from msgraph.generated.models.todo_task_list import TodoTaskList

from pytest_agentfault.faults.status import Status

URL: Final = "https://graph.microsoft.com/v1.0//users/adele"  # the SDK doubles the slash
USER: Final = {
    "@odata.type": "#microsoft.graph.user",
    "id": "87d349ed-44d7-43e1-9a83-5f2406dee5bd",
    "displayName": "Adele Vance",
}
LIST: Final = {
    "@odata.type": "#microsoft.graph.todoTaskList",
    "id": "AAMkADIyAAAhrbPWAAA=",
    "displayName": "Travel items",
}
READ: Final = [exchange("GET", URL, USER)]
MADE: Final = [exchange("POST", f"{URL}/todo/lists", LIST, asked={}, status=201)]


class Given:
    """A credential that calls nobody."""

    def get_token(self, *scopes: str, **words: Any) -> AccessToken:
        """The token, good for an hour."""
        return AccessToken("test", int(time.time()) + 3600)

    def close(self) -> None:
        """Nothing is held."""


def adele() -> Any:
    """A user of the graph, as anybody gets there."""
    return GraphServiceClient(Given()).users.by_user_id("adele")


async def read() -> Any:
    """The name of a user."""
    return (await adele().get()).display_name


async def write() -> Any:
    """A new list: its name."""
    return (await adele().todo.lists.post(TodoTaskList(display_name="Travel items"))).display_name


# https://learn.microsoft.com/en-us/graph/throttling
LIMIT: Final = Status(
    429,
    {"Retry-After": "5"},
    {"error": {"code": "TooManyRequests", "message": "Too many requests. Please try again later."}},
)

SDK: Final = Sdk(
    "msgraph-sdk",
    ("httpx",),
    (
        Call("users.get()", read, "Adele Vance", READ, {"429": recovered(2), "reset": surfaced(httpx.ReadError)}),
        Call(
            "todo.lists.post()", write, "Travel items", MADE, {"429": recovered(2), "reset": surfaced(httpx.ReadError)}
        ),
    ),
    scenarios={"429": LIMIT},
    own=("msgraph", "kiota_abstractions"),
    warns=(
        "ignore:GetQueryParameters is deprecated:DeprecationWarning",
        "ignore:This class is deprecated:DeprecationWarning",
    ),
)
