"""The shipped scenarios: as often as they say, in the format of the API that was asked, then well."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from _scenarios import SHIPPED, WANTED

from pytest_agentfault import Reply, Request
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault.scenario import bind

CLOUD, CENTER = "https://acme.atlassian.net", "https://jira.example.com/jira"
GATEWAY = "https://api.atlassian.com"


@pytest.mark.parametrize(
    ("scenario", "url", "status", "body"),
    [
        ("rate-limit", f"{CLOUD}/rest/api/2/issue", 429, "The request has been rate-limited"),
        ("rate-limit", f"{CLOUD}/rest/api/3/search/jql?jql=x", 429, "The request has been rate-limited"),
        ("rate-limit", f"{CLOUD}/rest/agile/1.0/board", 429, "The request has been rate-limited"),
        ("rate-limit", f"{CLOUD}/rest/servicedeskapi/request", 429, "The request has been rate-limited"),
        ("rate-limit", f"{CLOUD}/gateway/api/graphql", 429, ""),
        ("rate-limit", f"{GATEWAY}/ex/jira/1-2/rest/api/3/issue", 429, ""),
        ("rate-limit", f"{GATEWAY}/graphql", 429, ""),
        ("rate-limit", f"{CENTER}/rest/api/2/issue", 429, "Apache Tomcat"),
        ("expired-session", f"{CLOUD}/rest/api/2/issue", 401, "Client must be authenticated to access this resource."),
        ("expired-session", f"{CLOUD}/rest/api/3/issue", 401, "Client must be authenticated to access this resource."),
        ("expired-session", f"{CLOUD}/rest/agile/1.0/board", 401, "Client must be authenticated"),
        ("expired-session", f"{CLOUD}/rest/servicedeskapi/request", 401, '"status-code":401'),
        ("expired-session", f"{CLOUD}/gateway/api/graphql", 401, ""),
        ("expired-session", f"{GATEWAY}/ex/jira/1-2/rest/api/3/issue", 401, ""),
        ("expired-session", f"{CENTER}/rest/api/latest/issue", 401, "Reason : AUTHENTICATED_FAILED"),
        ("validation-error", f"{CLOUD}/rest/api/2/issue", 400, "is not valid for this operation"),
        ("validation-error", f"{CLOUD}/rest/api/3/issue", 400, "must be an Atlassian Document"),
        ("validation-error", f"{CLOUD}/rest/agile/1.0/sprint", 404, '{"errorMessages":["Board'),
        ("validation-error", f"{CLOUD}/rest/servicedeskapi/request", 400, "i18nErrorMessage"),
        ("validation-error", f"{CLOUD}/gateway/api/graphql", 200, "Cannot query field"),
        ("validation-error", f"{GATEWAY}/ex/jira/1-2/rest/api/3/issue", 400, "must be an Atlassian Document"),
        ("validation-error", f"{GATEWAY}/graphql", 200, "Cannot query field"),
        ("validation-error", f"{CENTER}/rest/api/2/component", 400, "Unrecognized field"),
        ("validation-error", f"{CENTER}/rest/servicedeskapi/request", 400, "Field Assignee is required."),
        ("login-page-instead", f"{CLOUD}/rest/api/3/issue", 200, "<title>Log in - Jira</title>"),
        ("login-page-instead", f"{CLOUD}/gateway/api/graphql", 200, "<title>Log in - Jira</title>"),
        ("login-page-instead", f"{CENTER}/rest/api/2/issue", 200, 'action="/login.jsp"'),
    ],
)
def test_each_jira_api_answers_in_its_own_format(scenario: str, url: str, status: int, body: str) -> None:
    """One rule, and no second one, looks at a request of any of Jira's APIs, and gives that API's own error."""
    asked = Request("POST", url, (("Content-Type", "application/json"),), b'{"query":"{ a }"}')
    plan = Plan(SHIPPED.get(f"jira/{scenario}").rules)
    assert sum(rule.matches(asked) for rule in plan.rules) == 1
    done = drive(plan.exchange(asked), pytest.fail)
    assert done.reply.status == status
    assert (body in done.reply.body.decode()) if body else not done.reply.body
    assert [strike.name for strike in done.struck] == [f"jira/{scenario}"]


def test_reads_are_not_refused_by_a_validation_error() -> None:
    """Only writes can be invalid."""
    asked = Request("GET", f"{CLOUD}/rest/api/3/issue/A-1")
    assert not any(rule.matches(asked) for rule in SHIPPED.get("jira/validation-error").rules)


def sse(*events: str) -> Reply:
    """A stream of these events."""
    return Reply.of(200, "".join(f"{e}\n\n" for e in events).encode(), {"Content-Type": "text/event-stream"})


JSON = Reply.of(200, b'{"id": "1", "name": "One", "tags": ["a"]}', {"Content-Type": "application/json"})
CHAT = sse(*(f'data: {{"choices":[{{"delta":{{"content":"w{n}"}}}}]}}' for n in range(5)), "data: [DONE]")
TOOL = '{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\\"city\\": \\"Oslo\\"}"}}]}}]}'
TOOLS = Reply.of(200, TOOL.encode(), {"Content-Type": "application/json"})
CHAT_URL = "POST https://api.openai.com/v1/chat/completions"
MESSAGES = "POST https://api.anthropic.com/v1/messages"
LINEAR = "POST https://api.linear.app/graphql"


@pytest.mark.parametrize(
    ("name", "asked", "baseline", "statuses"),
    [
        ("any/rate-limit", "GET https://a.test/", JSON, [429, 429, 200]),
        ("any/server-error", "GET https://a.test/", JSON, [503, 503, 200]),
        ("any/expired-session", "GET https://a.test/", JSON, [401, 401, 401]),
        ("any/connection-reset", "GET https://a.test/", JSON, [None, 200, 200]),
        ("any/stall", "GET https://a.test/", JSON, [None, 200, 200]),
        ("openai/rate-limit", CHAT_URL, CHAT, [429, 429, 200]),
        ("openai/quota-exhausted", CHAT_URL, CHAT, [429, 429, 429]),
        ("openai/server-error", CHAT_URL, CHAT, [500, 500, 200]),
        ("anthropic/overloaded", MESSAGES, CHAT, [529, 529, 200]),
        ("anthropic/rate-limit", MESSAGES, CHAT, [429, 429, 200]),
        ("linear/rate-limited", LINEAR, JSON, [400, 400, 200]),
        ("linear/invalid-query", LINEAR, JSON, [400, 200, 200]),
        ("github/invalid-query", "POST https://api.github.com/graphql", JSON, [200, 200, 200]),
        ("shopify/invalid-query", "POST https://a.myshopify.com/admin/api/2026-01/graphql.json", JSON, [200, 200, 200]),
        ("shopify/invalid-query", "POST https://a.myshopify.com/api/2026-01/graphql.json", JSON, [200, 200, 200]),
        ("hasura/invalid-query", "POST https://a.hasura.app/v1/graphql", JSON, [200, 200, 200]),
        ("graphql/invalid-query", "POST https://a.test/graphql", JSON, [422, 200, 200]),
        ("graphql/unparsable-query", "POST https://a.test/graphql", JSON, [400, 200, 200]),
        ("github/secondary-limit", "GET https://api.github.com/user", JSON, [403, 403, 200]),
        ("github/secondary-limit", "POST https://api.github.com/graphql", JSON, [200, 200, 200]),
    ],
)
def test_what_passes_passes(name: str, asked: str, baseline: Reply, statuses: list[int | None]) -> None:
    """A scenario strikes as often as its title says, and then the vendor is well again."""
    done = struck_three_times(name, asked, baseline)
    assert [exchange.reply.status for exchange in done] == statuses


@pytest.mark.parametrize(
    ("vendor", "url", "code"),
    [
        ("github", "https://api.github.com/graphql", "undefinedField"),
        ("shopify", "https://a.myshopify.com/admin/api/2026-01/graphql.json", "undefinedField"),
        ("shopify", "https://a.myshopify.com/api/2026-01/graphql.json", "undefinedField"),
        ("hasura", "https://a.hasura.app/v1/graphql", "validation-failed"),
        ("linear", "https://api.linear.app/graphql", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_an_invalid_query_has_the_vendors_own_code(vendor: str, url: str, code: str) -> None:
    """Once, in the place of the reply, and without data."""
    done = struck_three_times(f"{vendor}/invalid-query", f"POST {url}", JSON)
    told = json.loads(done[0].reply.body)
    assert list(told) == ["errors"]
    assert told["errors"][0]["extensions"]["code"] == code
    assert [bool(exchange.struck) for exchange in done] == [True, False, False]


@pytest.mark.parametrize(
    ("name", "asked", "baseline", "strikes"),
    [
        ("any/html-instead", "GET https://a.test/", JSON, 1),
        ("any/schema-drift", "GET https://a.test/", JSON, 1),
        ("any/malformed-json", "GET https://a.test/", JSON, 1),
        ("any/slow", "GET https://a.test/", JSON, 3),
        ("any/chunk-split", "GET https://a.test/", CHAT, 3),
        ("any/stream-cut", "GET https://a.test/", CHAT, 1),
        ("any/stream-cut", "GET https://a.test/", JSON, 0),
        ("openai/stream-cut", CHAT_URL, CHAT, 1),
        ("openai/stream-ends-early", CHAT_URL, CHAT, 1),
        ("openai/stream-chunk-split", CHAT_URL, CHAT, 3),
        ("openai/stream-chunk-split", CHAT_URL, JSON, 0),
        ("openai/stream-error-event", CHAT_URL, CHAT, 1),
        ("openai/stream-error-event", "POST https://api.openai.com/v1/responses", CHAT, 1),
        ("openai/malformed-tool-arguments", CHAT_URL, TOOLS, 1),
        ("openai/malformed-tool-arguments", CHAT_URL, JSON, 0),
        ("anthropic/stream-error-event", MESSAGES, CHAT, 1),
        ("anthropic/stream-ends-early", MESSAGES, CHAT, 1),
    ],
)
def test_what_is_altered(name: str, asked: str, baseline: Reply, strikes: int) -> None:
    """A scenario that changes the vendor's reply changes it as often as it says, and never one it is not for."""
    done = struck_three_times(name, asked, baseline)
    assert [bool(exchange.struck) for exchange in done] == [True] * strikes + [False] * (3 - strikes)
    assert all(exchange.reply == baseline for exchange in done[strikes:])


IN_SESSION = (
    ("Content-Type", "application/json"),
    ("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjAsImlhdCI6MCwic2NvcGUiOiJyZWFkIn0.x"),
    ("Cookie", "JSESSIONID=1"),
    ("Mcp-Session-Id", "1"),
)


def struck_three_times(name: str, asked: str, baseline: Reply) -> list[Any]:
    """Three exchanges of the same request under a scenario."""
    plan = Plan(SHIPPED.get(name).rules, bind=bind("1", lambda: 1.77e9))
    request = Request(*asked.split(), (("Authorization", "Bearer x"),), b'{"query": "{ viewer { id } }"}')
    return [drive(plan.exchange(request), lambda _: baseline) for _ in range(3)]


@pytest.mark.parametrize("name", WANTED)
def test_bodies_of_answers_are_what_they_say(name: str) -> None:
    """Whatever a scenario answers as JSON parses, but where JSON is what is broken, and no template is left in it."""
    fill = bind("1", lambda: 1.77e9)
    request = Request("POST", "https://a.test/", IN_SESSION, b'{"query": "{ a }"}')
    for rule in SHIPPED.get(name).rules:
        for fault in rule.faults:
            if hasattr(fault, "answer"):
                filled = fill(fault, request)
                reply = filled.answer(request) or filled.answer(request)  # a budget refuses when it is spent
                if reply is None:
                    assert fault.lives_seconds >= 60  # nobody waits for that here
                    reply = replace(fault, lives_seconds=None).answer(request)
                if "json" in reply.header("content-type") and reply.body:
                    json.loads(reply.body)
                assert not any("{" in value for _, value in reply.headers)
