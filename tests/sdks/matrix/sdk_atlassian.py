"""atlassian-python-api: an issue read and an issue made (https://developer.atlassian.com/cloud/jira/platform/rest/v2/)."""

from __future__ import annotations

from typing import Any, Final

import requests
from _cassettes import CLOUD, issue
from _cells import Call, Sdk, surfaced
from _shapes import exchange
from atlassian import Jira


def site() -> Any:
    """The package, as anybody makes it."""
    return Jira(url=CLOUD, username="me@example.com", password="test", cloud=True)


def read() -> Any:
    """The summary of an issue."""
    return site().issue("PROJ-1")["fields"]["summary"]


def write() -> Any:
    """A new issue: its key."""
    fields = {"project": {"key": "PROJ"}, "issuetype": {"name": "Bug"}, "summary": "Login fails on Safari"}
    return site().create_issue(fields=fields)["key"]


ISSUES: Final = f"{CLOUD}/rest/api/2/issue"
READ: Final = [exchange("GET", f"{ISSUES}/PROJ-1?fields=*all", issue(CLOUD, "2"))]
MADE: Final = [
    exchange("POST", f"{ISSUES}?updateHistory=false", {"id": "10001", "key": "PROJ-1"}, asked={}, status=201)
]
LIMITED: Final = surfaced(requests.HTTPError, 1, note="Retry-After is waited for once, a second 429 comes out")
LOST: Final = surfaced(requests.ConnectionError)

SDK: Final = Sdk(
    "atlassian-python-api",
    ("requests",),
    (
        Call("Jira.issue()", read, "Login fails on Safari", READ, {"429": LIMITED, "reset": LOST}),
        Call("Jira.create_issue()", write, "PROJ-1", MADE, {"429": LIMITED, "reset": LOST}),
    ),
    scenarios={"429": "jira/rate-limit"},
    own=("atlassian",),
)
