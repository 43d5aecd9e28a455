"""GitHub's secondary limit against PyGithub, with its own retries and without, REST and GraphQL."""

from __future__ import annotations

from typing import Any, Final

import github
import httpx
import pytest
import requests
from _cases import Case, run, sync_and_async
from _cassettes import GITHUB, VIEWER


def repository(**words: Any) -> str:
    """The name of a repository."""
    found = github.Github(auth=github.Auth.Token("test"), **words).get_repo("octocat/Hello-World")
    return str(found.full_name)


def repository_without_retries() -> str:
    """The same by a client that was told not to retry."""
    return repository(retry=None)


def viewer() -> Any:
    """Who asks, by GraphQL."""
    done = github.Github(auth=github.Auth.Token("test")).requester.graphql_query("{ viewer { login } }", {})
    return done[1]


def plain_viewer() -> Any:
    """The same by httpx: a caller that looks at the status alone."""
    reply = httpx.post(f"{GITHUB}/graphql", json={"query": "{ viewer { login } }"})
    return reply.raise_for_status().json().get("data")


SAYS: Final = "You have exceeded a secondary rate limit"
SCENARIO: Final = "github/secondary-limit"
CASES: Final = (
    Case(SCENARIO, "PyGithub", repository, "github", "recovered", (403, 403, 200), "octocat/Hello-World",
         waits=(60, 60)),
    Case(SCENARIO, "PyGithub", repository, "github", "surfaced", (403,) * 11, raises=requests.exceptions.RetryError,
         says="too many 403 error responses", waits=(60,) * 10, words={"times": None},
         note="ten retries, then an error of requests that no longer says why"),
    Case(SCENARIO, "PyGithub(retry=None)", repository_without_retries, "github", "surfaced", (403,),
         raises=github.RateLimitExceededException, says=SAYS, facts={"status": 403, "headers.retry-after": "60",
         "headers.x-ratelimit-remaining": "14"}),
    Case(SCENARIO, "PyGithub, graphql_query()", viewer, "github", "surfaced", (200,), raises=github.GithubException,
         says=SAYS, facts={"status": 400}, note="the reply was a 200; PyGithub calls every GraphQL error a 400"),
    Case("github/graphql-partial", "PyGithub, graphql_query()", viewer, "github", "surfaced", (200,),
         raises=github.GithubException, says="Resource protected by organization SAML enforcement",
         facts={"status": 400}, note="what did come is lost with it"),
    Case(SCENARIO, "httpx, GraphQL, raise_for_status()", plain_viewer, "github", "unnoticed", (200,), None,
         note="a 200 with `errors` and no `data`: who looks at the status alone has nothing"),
)  # fmt: skip

SYNC, _ = sync_and_async(CASES)


@SYNC
def test_github(case: Case) -> None:
    """PyGithub recovers or raises its own error: as the table says."""
    run(case)


@pytest.mark.fault(SCENARIO, cassette="cassettes/github.yaml", times=1)
def test_graphql_is_well_afterwards() -> None:
    """Who reads `errors` and asks again is answered."""
    assert plain_viewer() is None
    assert plain_viewer() == VIEWER["data"]
