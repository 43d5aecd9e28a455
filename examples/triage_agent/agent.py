"""
A triage agent: reads a Jira issue, lets a model look around, and comments what it found.

Small, but with everything that breaks in production: a streamed model with tool
calls, two trackers with different error formats, and a write at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai

from errors import AgentError, BadAnswer, IncompleteAnswer, RateLimited, Rejected, Unavailable, carefully, refused
from tools import TOOLS, check
from trackers import TIMEOUT, Jira, Linear, Tokens

MODEL = "gpt-4o-mini"
MOST_TURNS = 4
ORDERS = (
    "You triage bug reports. Look for known issues with the tools, then sum up in two sentences what is to be done."
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the vendors are; `jira_email=None` means Data Center."""

    openai: str = "https://api.openai.com/v1"
    jira: str = "https://example.atlassian.net"
    linear: str = "https://api.linear.app/graphql"
    jira_email: str | None = "triage@example.com"


@dataclass(frozen=True, slots=True)
class Triage:
    """What a finished triage leaves: the summary, and the comment that holds it."""

    key: str
    summary: str
    comment_id: str


@dataclass(slots=True)
class _Turn:
    """One answer of the model, put together from its deltas."""

    text: str = ""
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    finish: str | None = None

    def add(self, choice: Any) -> None:
        self.finish = choice.finish_reason or self.finish
        self.text += choice.delta.content or ""
        for delta in choice.delta.tool_calls or ():
            empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            call = self.calls.setdefault(delta.index, empty)
            call["id"] += delta.id or ""
            call["function"]["name"] += delta.function.name or ""
            call["function"]["arguments"] += delta.function.arguments or ""


class TriageAgent:
    """Close it after use (or use it in a `with`)."""

    def __init__(self, tokens: Tokens, at: Endpoints | None = None) -> None:
        at = at or Endpoints()
        self._tokens = tokens
        self._model = openai.OpenAI(base_url=at.openai, api_key=tokens("openai"), max_retries=0, timeout=TIMEOUT)
        self.jira, self.linear = Jira(at.jira, at.jira_email, tokens), Linear(at.linear, tokens)
        self._tools: dict[str, Callable[..., list[str]]] = {
            "find_linear_issues": self.linear.find,
            "find_similar_jira_issues": self.jira.similar,
            "current_sprint": self.jira.sprint,
            "service_desks": self.jira.service_desks,
        }

    def triage(self, key: str) -> Triage:
        """Triage one Jira issue; AgentError says why it could not be done."""
        messages: list[Any] = [{"role": "system", "content": ORDERS}, {"role": "user", "content": self.jira.issue(key)}]
        for _ in range(MOST_TURNS):
            turn = carefully(lambda: self._ask(messages), self._renew)
            if not turn.calls:
                return Triage(key, turn.text, self.jira.comment(key, turn.text))
            calls = list(turn.calls.values())
            messages.append({"role": "assistant", "content": turn.text or None, "tool_calls": calls})
            for call in calls:
                settings = json.loads(call["function"]["arguments"])
                found = self._tools[call["function"]["name"]](**settings)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(found)})
        raise BadAnswer("OpenAI", f"no summary after {MOST_TURNS} turns")

    def __enter__(self) -> TriageAgent:
        return self

    def __exit__(self, *problem: object) -> None:
        self._model.close()
        self.jira.close()
        self.linear.close()

    def _renew(self) -> None:
        self._model.api_key = self._tokens("openai")

    def _ask(self, messages: list[Any]) -> _Turn:
        turn = _Turn()
        try:
            asked = self._model.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, stream=True)
            with asked as stream:
                for chunk in stream:
                    for choice in chunk.choices:
                        turn.add(choice)
        except openai.APIStatusError as problem:
            raise _told_by_openai(problem) from problem
        except (openai.APIError, httpx2.RequestError) as problem:  # the second: the stream broke in the middle
            raise Unavailable("OpenAI", f"{type(problem).__name__}: {problem}") from problem
        except (AttributeError, TypeError, ValueError) as problem:
            raise BadAnswer("OpenAI", f"unexpected shape: {problem!r:.200}") from problem
        if turn.finish not in ("stop", "tool_calls"):
            raise IncompleteAnswer("OpenAI", f"the answer ended early (finish_reason {turn.finish})")
        if not turn.text and not turn.calls:
            raise IncompleteAnswer("OpenAI", "an empty answer")
        for call in turn.calls.values():
            check(call["function"]["name"], call["function"]["arguments"])
        return turn


def _told_by_openai(problem: openai.APIStatusError) -> AgentError:
    headers = problem.response.headers
    if problem.status_code == 429 and problem.code in ("insufficient_quota", "credit_balance_too_low"):
        return Rejected("OpenAI", problem.message)  # waiting does not fill an account
    error = refused("OpenAI", problem.status_code, problem.message, headers.get("retry-after"))
    if isinstance(error, RateLimited) and (wait := headers.get("retry-after-ms")):
        error.wait = float(wait) / 1000
    return error
