"""
Jira (through the `jira` package) and Linear (GraphQL through httpx), as the agent needs them.

Every failure leaves this module as one of the agent's own errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import httpx
import requests
from jira import JIRA, JIRAError

from errors import BadAnswer, RateLimited, Rejected, SessionExpired, Unavailable, carefully, not_json, refused, seconds

T = TypeVar("T")
Tokens = Callable[[str], str]
TIMEOUT = 30.0


class Jira:
    """Jira Cloud with an e-mail and an API token; Data Center (`email=None`) with a personal access token.

    Args:
        tokens: gives the current credential of a vendor; asked again after a 401.
    """

    def __init__(self, server: str, email: str | None, tokens: Tokens) -> None:
        self._server, self._email, self._tokens = server, email, tokens
        self._clients: dict[str, JIRA] = {}

    def issue(self, key: str) -> str:
        """Summary and description (v2: there the description is plain text)."""

        def read() -> str:
            fields = self._client("2").issue(key, fields="summary,description").fields
            return f"{key}: {_text(fields.summary)}\n{fields.description or ''}"

        return self._do(read)

    def similar(self, text: str) -> list[str]:
        """Other open issues about this (v3: the only search that Cloud still has)."""

        def read() -> list[str]:
            jql = f'text ~ "{text}" AND statusCategory != Done'
            found = self._client("3").enhanced_search_issues(jql, maxResults=5, fields="summary", json_result=True)
            return [f"{issue['key']}: {_text(issue['fields']['summary'])}" for issue in found["issues"]]

        return self._do(read)

    def sprint(self, board: int) -> list[str]:
        """The names of the active sprints (agile 1.0)."""
        return self._do(lambda: [_text(sprint.name) for sprint in self._client("2").sprints(board, state="active")])

    def service_desks(self) -> list[str]:
        """The service desks one can hand an issue to (service management)."""
        return self._do(lambda: [_text(desk.projectName) for desk in self._client("2").service_desks()])

    def comment(self, key: str, text: str) -> str:
        """Add a comment; gives its id."""
        return self._do(lambda: _text(self._client("2").add_comment(key, text).id), writes=True)

    def close(self) -> None:
        """Close the connections."""
        while self._clients:
            self._clients.popitem()[1].close()  # type: ignore[no-untyped-call]

    def _client(self, version: str) -> JIRA:
        if version not in self._clients:
            token = self._tokens("jira")
            proof: Any = {"basic_auth": (self._email, token)} if self._email else {"token_auth": token}
            client = JIRA(
                self._server,
                options={"rest_api_version": version},
                max_retries=0,
                timeout=TIMEOUT,
                logging=False,
                **proof,
            )
            _text(client.deploymentType)  # without it the package takes Cloud for something else, and says nothing
            self._clients[version] = client
        return self._clients[version]

    def _do(self, call: Callable[[], T], *, writes: bool = False) -> T:
        def once() -> T:
            with _reading():
                return call()

        if writes:
            self._do(lambda: self._client("2"))  # its first request is a read: not to be taken for the write
        return carefully(once, self.close, writes=writes)  # closed clients are made anew, with a fresh token


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except JIRAError as problem:
        reply = problem.response
        wait = _wait(reply.headers) if reply is not None else None
        # the package knows most of Jira's formats; of the others it keeps no text
        said = problem.text or (reply.text if reply is not None else "")
        raise refused("Jira", problem.status_code or 0, said, wait) from problem
    except requests.exceptions.JSONDecodeError as problem:
        raise not_json("Jira", problem.doc) from problem
    except requests.RequestException as problem:
        raise Unavailable("Jira", f"{type(problem).__name__} on the way") from problem
    except (AttributeError, KeyError, TypeError, IndexError, ValueError) as problem:
        # the package looks at nothing before it reads, so drift shows as any of these
        raise BadAnswer("Jira", f"unexpected shape: {problem!r:.200}") from problem


def _wait(headers: Mapping[str, str]) -> str | None:
    """When to come back, in seconds: Retry-After, or the reset, which is all that the gateway says."""
    reset = headers.get("x-ratelimit-reset")
    if "retry-after" in headers or reset is None:
        return headers.get("retry-after")
    try:
        return str(datetime.fromisoformat(reset).timestamp() - time.time())
    except ValueError:
        return None


class Linear:
    """Linear with an API key (which goes without `Bearer`)."""

    FIND = "query Find($t: String!, $n: Int!) { issues(filter: {title: {containsIgnoreCase: $t}}, first: $n) { nodes { identifier title state { name } } } }"  # noqa: E501
    NOTE = "mutation Note($input: CommentCreateInput!) { commentCreate(input: $input) { success comment { id } } }"

    def __init__(self, url: str, tokens: Tokens) -> None:
        self._url, self._tokens = url, tokens
        self._http = httpx.Client(timeout=TIMEOUT)
        self._token = ""

    def find(self, text: str, limit: int) -> list[str]:
        """Issues whose title holds the text."""

        def read(data: Any) -> list[str]:
            return [f"{n['identifier']}: {_text(n['title'])} ({n['state']['name']})" for n in data["issues"]["nodes"]]

        return self._do(self.FIND, {"t": text, "n": limit}, read)

    def note(self, issue_id: str, text: str) -> str:
        """Add a comment to an issue; gives its id."""

        def read(data: Any) -> str:
            if data["commentCreate"]["success"] is not True:
                raise Rejected("Linear", "the comment was not created")
            return _text(data["commentCreate"]["comment"]["id"])

        return self._do(self.NOTE, {"input": {"issueId": issue_id, "body": text}}, read, writes=True)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _do(self, query: str, variables: dict[str, Any], read: Callable[[Any], T], *, writes: bool = False) -> T:
        self._token = self._token or self._tokens("linear")
        return carefully(lambda: self._once(query, variables, read), self._renew, writes=writes)

    def _renew(self) -> None:
        self._token = self._tokens("linear")

    def _once(self, query: str, variables: dict[str, Any], read: Callable[[Any], T]) -> T:
        sent = {"query": query, "variables": variables}
        try:
            reply = self._http.post(self._url, json=sent, headers={"authorization": self._token})
            told = reply.json()
            if errors := told.get("errors"):
                raise _told_by_linear(reply, errors)
            if not reply.is_success:
                raise refused("Linear", reply.status_code, reply.text, reply.headers.get("retry-after"))
            return read(told["data"])
        except httpx.RequestError as problem:
            raise Unavailable("Linear", f"{type(problem).__name__} on the way") from problem
        except ValueError as problem:
            if reply.is_success:
                raise not_json("Linear", reply.text) from problem
            raise refused("Linear", reply.status_code, reply.text, reply.headers.get("retry-after")) from problem
        except (AttributeError, KeyError, TypeError, IndexError) as problem:
            raise BadAnswer("Linear", f"unexpected shape: {problem!r:.200}") from problem


def _told_by_linear(reply: httpx.Response, errors: list[dict[str, Any]]) -> Exception:
    """A rate limit is a 400 there: only the code says it, and when it is over (https://linear.app/developers/rate-limiting)."""
    code = errors[0].get("extensions", {}).get("code", "")
    why = "; ".join(error["message"] for error in errors)
    if code == "RATELIMITED":
        reset = seconds(reply.headers.get("x-ratelimit-requests-reset"))  # in milliseconds since 1970
        return RateLimited("Linear", why, None if reset is None else max(reset / 1000 - time.time(), 0.0))
    if code == "AUTHENTICATION_ERROR":
        return SessionExpired("Linear", why)
    return refused("Linear", reply.status_code, why, reply.headers.get("retry-after"))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text was due, not {value!r:.60}")
    return value
