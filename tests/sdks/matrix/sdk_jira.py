"""jira: an issue read and an issue made (https://developer.atlassian.com/cloud/jira/platform/rest/v2/)."""

from __future__ import annotations

from typing import Any, Final

import jira
from _cassettes import CASSETTES, CLOUD
from _cells import Call, Sdk, recovered


def site() -> jira.JIRA:
    """The package, not asking for the server's version first."""
    return jira.JIRA(server=CLOUD, basic_auth=("me@example.com", "test"), get_server_info=False)


def read() -> Any:
    """The summary of an issue."""
    return site().issue("PROJ-1").fields.summary


def write() -> Any:
    """A new issue: its key."""
    fields = {"project": {"key": "PROJ"}, "issuetype": {"name": "Bug"}, "summary": "Login fails on Safari"}
    return site().create_issue(fields=fields, prefetch=False).key


AGAIN: Final = recovered(note="a POST is sent again: there may be two issues")

SDK: Final = Sdk(
    "jira",
    ("requests",),
    (
        Call(
            "issue()",
            read,
            "Login fails on Safari",
            CASSETTES["jira_v2"][1],
            {"429": recovered(2), "reset": recovered()},
        ),
        Call("create_issue()", write, "PROJ-1", CASSETTES["jira_v2"][1], {"429": recovered(2), "reset": AGAIN}),
    ),
    scenarios={"429": "jira/rate-limit"},
)
