"""asana: a task read and a task made (https://developers.asana.com/reference/gettask)."""

from __future__ import annotations

from typing import Any, Final

import asana
import urllib3
from _cells import Call, Sdk, recovered, surfaced
from _shapes import exchange
from asana.rest import ApiException

from pytest_agentfault.faults.status import Status

URL: Final = "https://app.asana.com/api/1.0/tasks"
TASK: Final = {"data": {"gid": "12345", "resource_type": "task", "name": "Login fails on Safari"}}
READ: Final = [exchange("GET", f"{URL}/12345", TASK)]
MADE: Final = [exchange("POST", URL, TASK, asked=TASK, status=201)]


def tasks() -> Any:
    """The tasks of the API, as anybody gets there."""
    told = asana.Configuration()
    told.access_token = "test"
    return asana.TasksApi(asana.ApiClient(told))


def read() -> Any:
    """The name of a task."""
    return tasks().get_task("12345", {})["name"]


def write() -> Any:
    """The name of a new task."""
    return tasks().create_task({"data": {"name": "Login fails on Safari"}}, {})["name"]


TOO_MANY: Final = "You've made too many requests and hit a rate limit. Please retry after the given amount of time."
# https://developers.asana.com/docs/rate-limits
LIMIT: Final = Status(429, {"Retry-After": "30"}, {"errors": [{"message": TOO_MANY}]})

SDK: Final = Sdk(
    "asana",
    ("urllib3",),
    (
        Call("get_task()", read, "Login fails on Safari", READ, {"429": recovered(2), "reset": recovered()}),
        Call(
            "create_task()",
            write,
            "Login fails on Safari",
            MADE,
            {"429": surfaced(ApiException), "reset": surfaced(urllib3.exceptions.ProtocolError)},
        ),
    ),
    scenarios={"429": LIMIT},
)
