"""PyGithub: a repository (https://docs.github.com/en/rest/repos/repos#get-a-repository)."""

from __future__ import annotations

from typing import Any, Final

import github
from _cassettes import CASSETTES, GITHUB
from _cells import Call, Sdk, recovered
from _shapes import exchange

ISSUE: Final = {
    "id": 1,
    "number": 1,
    "title": "Login fails on Safari",
    "state": "open",
    "url": f"{GITHUB}/repos/octocat/Hello-World/issues/1",
}


def repository() -> Any:
    """The name of a repository."""
    return github.Github(auth=github.Auth.Token("test")).get_repo("octocat/Hello-World").full_name


def issue() -> Any:
    """A new issue: its number."""
    hub = github.Github(auth=github.Auth.Token("test"), lazy=True)
    return hub.get_repo("octocat/Hello-World").create_issue("Login fails on Safari").number


AGAIN: Final = recovered(note="a POST is sent again: there may be two issues")
MADE: Final = [exchange("POST", f"{GITHUB}/repos/octocat/Hello-World/issues", ISSUE, asked={"title": ""}, status=201)]

SDK: Final = Sdk(
    "PyGithub",
    ("requests",),
    (
        Call(
            "get_repo()",
            repository,
            "octocat/Hello-World",
            CASSETTES["github"][1],
            {"429": recovered(2), "reset": recovered()},
        ),
        Call("create_issue()", issue, 1, MADE, {"429": recovered(2), "reset": AGAIN}),
    ),
    scenarios={"429": "github/secondary-limit"},
    own=("github",),
)
