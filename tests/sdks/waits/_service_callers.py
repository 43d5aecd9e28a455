"""SDKs of services, each told of three retries in its own words; each is imported where it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from _caller import Caller
from _cassettes import CASSETTES, CLOUD, GITHUB
from _shapes import exchange


@contextmanager
def slack_sdk(base: str) -> Iterator[Callable[[], Any]]:
    """Who I am."""
    import slack_sdk
    from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

    client = slack_sdk.WebClient(token="xoxb-test", base_url=f"{base}/api/")
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=3))
    yield lambda: client.auth_test()["user"]


@asynccontextmanager
async def slack_sdk_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """Who I am, async."""
    from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
    from slack_sdk.web.async_client import AsyncWebClient

    client = AsyncWebClient(token="xoxb-test", base_url=f"{base}/api/")
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=3))

    async def call() -> Any:
        return (await client.auth_test())["user"]

    yield call


@contextmanager
def notion_client(base: str) -> Iterator[Callable[[], Any]]:
    """A user."""
    from notion_client import Client
    from notion_client.client import RetryOptions

    with Client(auth="test", base_url=base, retry=RetryOptions(max_retries=3)) as client:
        yield lambda: client.users.retrieve("1")["name"]


@asynccontextmanager
async def notion_client_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A user, async."""
    from notion_client import AsyncClient
    from notion_client.client import RetryOptions

    async with AsyncClient(auth="test", base_url=base, retry=RetryOptions(max_retries=3)) as client:

        async def call() -> Any:
            return (await client.users.retrieve("1"))["name"]

        yield call


@contextmanager
def jira(base: str) -> Iterator[Callable[[], Any]]:
    """An issue."""
    import jira

    client = jira.JIRA(server=base, basic_auth=("me@example.com", "test"), get_server_info=False, max_retries=3)
    try:
        yield lambda: client.issue("PROJ-1").fields.summary
    finally:
        client.close()


@contextmanager
def pygithub(base: str) -> Iterator[Callable[[], Any]]:
    """A repository."""
    import github

    with github.Github(auth=github.Auth.Token("test"), base_url=base, retry=github.GithubRetry(total=3)) as client:
        yield lambda: client.get_repo("octocat/Hello-World").full_name


def hub(base: str) -> Any:
    """The client."""
    from githubkit import GitHub
    from githubkit.retry import RetryRateLimit

    return GitHub("test", base_url=base, auto_retry=RetryRateLimit(max_retry=3), http_cache=False)


@contextmanager
def githubkit(base: str) -> Iterator[Callable[[], Any]]:
    """A repository."""
    with hub(base) as client:
        yield lambda: client.request("GET", "/repos/octocat/Hello-World").json()["full_name"]


@asynccontextmanager
async def githubkit_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A repository, async."""
    async with hub(base) as client:

        async def call() -> Any:
            return (await client.arequest("GET", "/repos/octocat/Hello-World")).json()["full_name"]

        yield call


SLACK: Final = exchange("POST", "https://slack.com/api/auth.test", {"ok": True, "user": "ecto1"})
NOTION: Final = exchange("GET", "https://api.notion.com/v1/users/1", {"object": "user", "id": "1", "name": "Avo Cado"})
LIMITED: Final = {"message": "You have exceeded a secondary rate limit."}

SERVICES: Final = (
    Caller("slack_sdk", "RateLimitErrorRetryHandler(max_retry_count=3)", ("slack_sdk",), "slack_sdk",
           "https://slack.com", SLACK, "ecto1", "slack_sdk.errors.SlackApiError", slack_sdk, slack_sdk_async,
           waits=((60, 61),) * 3, refusal={"ok": False, "error": "ratelimited"},
           note="up to a second is added"),
    Caller("notion-client", "RetryOptions(max_retries=3)", ("notion-client",), "notion_client",
           "https://api.notion.com", NOTION, "Avo Cado", "notion_client.APIResponseError", notion_client,
           notion_client_async, refusal={"object": "error", "status": 429, "code": "rate_limited", "message": "Wait."}),
    Caller("jira", "max_retries=3", ("jira", "requests"), "jira", CLOUD, CASSETTES["jira_v2"][1][1],
           "Login fails on Safari", "jira.JIRAError", jira,
           waits=((30, 60),) * 3, note="twice Retry-After, at most 60 s, and of that a random share from a half up: "
           "a minute is not waited out"),
    Caller("PyGithub", "GithubRetry(total=3)", ("PyGithub", "requests"), "github", GITHUB,
           CASSETTES["github"][1][0], "octocat/Hello-World", "github.GithubException", pygithub,
           refusal=LIMITED),
    Caller("githubkit", "RetryRateLimit(max_retry=3)", ("githubkit",), "githubkit", GITHUB,
           CASSETTES["github"][1][0], "octocat/Hello-World", "githubkit.exception.SecondaryRateLimitExceeded",
           githubkit, githubkit_async, refusal=LIMITED),
)  # fmt: skip
