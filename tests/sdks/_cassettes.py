"""
The small recordings beneath the tests of SDKs, written by hand in the shapes the vendors document.

None of them comes from a service. `python tests/sdks/_cassettes.py` writes the files anew; a
test holds them to what stands here. Rule: a new shape names the vendor's page it follows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml
from _shapes import (
    SAID,
    TOOL_CALL,
    call_item,
    call_middle,
    chat,
    chat_events,
    events,
    exchange,
    message,
    message_events,
    message_item,
    pieces,
    response,
    response_events,
    text_middle,
    tool_deltas,
)

FOLDER: Final = Path(__file__).parent / "cassettes"
HEADER: Final = """\
# Written by hand in the shape the vendor documents; nothing here was recorded from a service.
# Shape: {page}
# Made by `python tests/sdks/_cassettes.py`; change it there.
"""
OPENAI: Final = "https://api.openai.com/v1"
CHAT_PAGE: Final = "https://platform.openai.com/docs/api-reference/chat/object"
CHAT_STREAM_PAGE: Final = "https://platform.openai.com/docs/api-reference/chat-streaming/streaming"
RESPONSES_PAGE: Final = "https://platform.openai.com/docs/api-reference/responses/object"
RESPONSES_STREAM_PAGE: Final = "https://platform.openai.com/docs/api-reference/responses-streaming"
ANTHROPIC: Final = "https://api.anthropic.com/v1/messages"
MESSAGES_PAGE: Final = "https://docs.anthropic.com/en/api/messages"
MESSAGES_STREAM_PAGE: Final = "https://docs.anthropic.com/en/api/messages-streaming"
CLOUD: Final = "https://acme.atlassian.net"
CENTER: Final = "https://jira.example.com"
GATEWAY: Final = "https://api.atlassian.com/ex/jira/11223344-a1b2-4b33-c444-def123456789"
GRAPHQL: Final = f"{CLOUD}/gateway/api/graphql"
JIRA_PAGE: Final = "https://developer.atlassian.com/cloud/jira/platform/rest/v{}/"
AGILE_PAGE: Final = "https://developer.atlassian.com/cloud/jira/software/rest/"
DESK_PAGE: Final = "https://developer.atlassian.com/cloud/jira/service-desk/rest/"
CENTER_PAGE: Final = "https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/"
LINEAR: Final = "https://api.linear.app/graphql"
GITHUB: Final = "https://api.github.com"

# --- jira -----------------------------------------------------------------------------------------------------------


def issue(base: str, version: str) -> dict[str, Any]:
    """An issue; v3 says its description as an Atlassian Document."""
    text = {"type": "text", "text": "It spins for ever."}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}
    return {
        "id": "10001",
        "key": "PROJ-1",
        "self": f"{base}/rest/api/{version}/issue/10001",
        "fields": {
            "summary": "Login fails on Safari",
            "description": document if version == "3" else text["text"],
            "status": {"name": "To Do", "id": "1"},
            "issuetype": {"name": "Bug", "id": "10004", "subtask": False},
        },
    }


def platform(base: str, version: str) -> list[dict[str, Any]]:
    """What the platform API of one version is asked: the server, an issue, a new issue."""
    api = f"{base}/rest/api/{version}"
    cloud = base != CENTER
    server = {
        "baseUrl": base,
        "version": "1001.0.0" if cloud else "9.12.12",
        "versionNumbers": [1001, 0, 0] if cloud else [9, 12, 12],
        "deploymentType": "Cloud" if cloud else "Server",
        "buildNumber": 100200 if cloud else 9120012,
        "serverTitle": "Jira",
    }
    return [
        exchange("GET", f"{api}/serverInfo", server),
        exchange("GET", f"{api}/issue/PROJ-1", issue(base, version)),
        exchange("POST", f"{api}/issue", {"id": "10001", "key": "PROJ-1", "self": issue(base, version)["self"]},
                 asked={"fields": {"summary": "Login fails on Safari"}}, status=201),
    ]  # fmt: skip


def agile() -> list[dict[str, Any]]:
    """The boards of a site, and a new sprint on one."""
    api = f"{CLOUD}/rest/agile/1.0"
    boards = {
        "maxResults": 50,
        "startAt": 0,
        "total": 1,
        "isLast": True,
        "values": [{"id": 1, "self": f"{api}/board/1", "name": "PROJ board", "type": "scrum"}],
    }
    sprint = {"id": 7, "self": f"{api}/sprint/7", "state": "future", "name": "Sprint 1", "originBoardId": 1}
    return [
        exchange("GET", f"{api}/board?maxResults=50", boards),
        exchange("POST", f"{api}/sprint", sprint, asked={"name": "Sprint 1", "originBoardId": 1}, status=201),
    ]


def desk(base: str) -> list[dict[str, Any]]:
    """The service desks of a site (asked for twice), and a new request of a customer."""
    api = f"{base}/rest/servicedeskapi"
    found = {
        "size": 1,
        "start": 0,
        "limit": 50,
        "isLastPage": True,
        "values": [{"id": "2", "projectId": "10000", "projectName": "Help", "projectKey": "HELP"}],
    }
    links = {"self": f"{api}/request/10002"}
    made = {"issueId": "10002", "issueKey": "HELP-1", "requestTypeId": "9", "serviceDeskId": "2", "_links": links}
    shown = {**issue(base, "2"), "id": "10002", "key": "HELP-1"}
    return [
        *[exchange("GET", f"{api}/servicedesk", found)] * 2,
        exchange("POST", f"{api}/request", made, asked={"serviceDeskId": "2", "requestTypeId": "9"}, status=201),
        exchange("GET", f"{base}/rest/api/2/issue/HELP-1", shown),
    ]


TENANTS_QUERY: Final = 'query { tenantContexts(hostNames: ["acme.atlassian.net"]) { cloudId } }'
TENANTS: Final = {"data": {"tenantContexts": [{"cloudId": "11223344-a1b2-4b33-c444-def123456789"}]}}


# --- linear, github, any --------------------------------------------------------------------------------------------

QUERY: Final = "query { issues(first: 1) { nodes { id identifier title } } }"
ISSUES: Final = {
    "data": {"issues": {"nodes": [{"id": "9c2f0b1e", "identifier": "ENG-1", "title": "Login fails on Safari"}]}}
}
REPOSITORY: Final = {
    "id": 1,
    "node_id": "R_1",
    "name": "Hello-World",
    "full_name": "octocat/Hello-World",
    "private": False,
    "owner": {"login": "octocat", "id": 1, "type": "User", "url": f"{GITHUB}/users/octocat"},
    "html_url": "https://github.com/octocat/Hello-World",
    "url": f"{GITHUB}/repos/octocat/Hello-World",
    "description": "My first repository",
    "stargazers_count": 80,
    "default_branch": "main",
}
VIEWER: Final = {"data": {"viewer": {"login": "octocat"}}}

# --- models: one turn of each, a text and two tool calls ------------------------------------------------------------

TIME_CALL: Final = {"name": "get_time", "arguments": '{"zone": "UTC"}'}
GEMINI: Final = "https://generativelanguage.googleapis.com/v1/models/gemini-x:generateContent"
OLLAMA: Final = "http://127.0.0.1:11434/api/chat"
BOTH: Final = [(call["name"], json.loads(call["arguments"])) for call in (TOOL_CALL, TIME_CALL)]
CHAT_TURN: Final = {
    "role": "assistant",
    "content": SAID,
    "refusal": None,
    "tool_calls": [
        {"id": f"call_{n}", "type": "function", "function": call} for n, call in enumerate((TOOL_CALL, TIME_CALL), 1)
    ],
}
MESSAGE_TURN: Final = [
    {"type": "text", "text": SAID},
    *({"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": given} for n, (name, given) in enumerate(BOTH)),
]
GEMINI_TURN: Final = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [{"text": SAID}, *({"functionCall": {"name": name, "args": given}} for name, given in BOTH)],
            },
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 9, "totalTokenCount": 21},
    "modelVersion": "gemini-x",
}
OLLAMA_TURN: Final = {
    "model": "llama-x",
    "created_at": "2025-10-17T23:14:07.414671Z",
    "message": {
        "role": "assistant",
        "content": SAID,
        "tool_calls": [{"function": {"name": name, "arguments": given}} for name, given in BOTH],
    },
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 12,
    "eval_count": 9,
}

ITEMS_URL: Final = "https://api.example.com/v1/items"
ITEMS: Final = {"items": [{"id": 1, "name": SAID}, {"id": 2, "name": "Two"}], "next": None}
FEED_URL: Final = "https://api.example.com/v1/feed"
FEED: Final = [*({"n": number, "text": piece} for number, piece in enumerate(pieces(SAID))), {"n": -1, "text": ""}]

TURNS_URL: Final = "https://api.example.com/v1/turns"

ASKED: Final = {"model": "any"}

CASSETTES: Final[dict[str, tuple[str, list[dict[str, Any]]]]] = {
    "openai_chat": (
        CHAT_PAGE,
        [exchange("POST", f"{OPENAI}/chat/completions", chat({"role": "assistant", "content": SAID, "refusal": None},
                  "stop"), asked=ASKED)],
    ),
    "openai_chat_stream": (
        CHAT_STREAM_PAGE,
        [exchange("POST", f"{OPENAI}/chat/completions",
                  chat_events([{"role": "assistant", "content": ""}, *({"content": p} for p in pieces(SAID))], "stop"),
                  asked=ASKED, kind="text/event-stream; charset=utf-8")],
    ),
    "openai_tool": (
        CHAT_PAGE,
        [exchange("POST", f"{OPENAI}/chat/completions",
                  chat({"role": "assistant", "content": None, "refusal": None,
                        "tool_calls": [{"id": "call_1", "type": "function", "function": TOOL_CALL}]}, "tool_calls"),
                  asked=ASKED)],
    ),
    "openai_tool_stream": (
        CHAT_STREAM_PAGE,
        [exchange("POST", f"{OPENAI}/chat/completions", chat_events(tool_deltas(), "tool_calls"), asked=ASKED,
                  kind="text/event-stream; charset=utf-8")],
    ),
    "openai_response": (
        RESPONSES_PAGE,
        [exchange("POST", f"{OPENAI}/responses", response([message_item(SAID)]), asked=ASKED)],
    ),
    "openai_response_stream": (
        RESPONSES_STREAM_PAGE,
        [exchange("POST", f"{OPENAI}/responses",
                  response_events(message_item("", "in_progress"), text_middle(), message_item(SAID)),
                  asked=ASKED, kind="text/event-stream; charset=utf-8")],
    ),
    "openai_response_tool": (
        RESPONSES_PAGE,
        [exchange("POST", f"{OPENAI}/responses", response([call_item(TOOL_CALL["arguments"])]), asked=ASKED)],
    ),
    "openai_response_tool_stream": (
        RESPONSES_STREAM_PAGE,
        [exchange("POST", f"{OPENAI}/responses",
                  response_events(call_item("", "in_progress"), call_middle(), call_item(TOOL_CALL["arguments"])),
                  asked=ASKED, kind="text/event-stream; charset=utf-8")],
    ),
    "anthropic_message": (
        MESSAGES_PAGE,
        [exchange("POST", ANTHROPIC, message([{"type": "text", "text": SAID}], "end_turn"), asked=ASKED)],
    ),
    "anthropic_message_stream": (
        MESSAGES_STREAM_PAGE,
        [exchange("POST", ANTHROPIC, message_events(), asked=ASKED, kind="text/event-stream; charset=utf-8")],
    ),
    "openai_turn": (
        CHAT_PAGE,
        [exchange("POST", f"{OPENAI}/chat/completions", chat(CHAT_TURN, "tool_calls"), asked=ASKED)],
    ),
    "anthropic_turn": (
        MESSAGES_PAGE,
        [exchange("POST", ANTHROPIC, message(MESSAGE_TURN, "tool_use"), asked=ASKED)],
    ),
    "google_turn": (
        "https://ai.google.dev/api/generate-content",
        [exchange("POST", GEMINI, GEMINI_TURN, asked=ASKED)],
    ),
    "ollama_turn": (
        "https://docs.ollama.com/api/chat",
        [exchange("POST", OLLAMA, OLLAMA_TURN, asked=ASKED)],
    ),
    "jira_v2": (JIRA_PAGE.format(2), platform(CLOUD, "2")),
    "jira_v3": (JIRA_PAGE.format(3), platform(CLOUD, "3")),
    "jira_agile": (AGILE_PAGE, agile()),
    "jira_desk": (DESK_PAGE, desk(CLOUD)),
    "jira_gateway": ("https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/", platform(GATEWAY, "2")),
    "jira_graphql": (
        "https://developer.atlassian.com/platform/atlassian-graphql-api/graphql/",
        [exchange("POST", GRAPHQL, TENANTS, asked={"query": TENANTS_QUERY})],
    ),
    "jira_center": (CENTER_PAGE, platform(CENTER, "2")),
    "jira_center_desk": (CENTER_PAGE, desk(CENTER)),
    "linear": (
        "https://linear.app/developers/graphql",
        [exchange("POST", LINEAR, ISSUES, asked={"query": QUERY})],
    ),
    "github": (
        "https://docs.github.com/en/rest/repos/repos#get-a-repository",
        [
            exchange("GET", f"{GITHUB}/repos/octocat/Hello-World", REPOSITORY, kind="application/json; charset=utf-8"),
            exchange("POST", f"{GITHUB}/graphql", VIEWER, asked={"query": "{ viewer { login } }"}),
        ],
    ),
    "any_items": (
        "https://www.rfc-editor.org/rfc/rfc8259",
        [exchange("GET", ITEMS_URL, ITEMS)],
    ),
    "any_turns": (
        "https://www.rfc-editor.org/rfc/rfc8259",
        [exchange("POST", TURNS_URL, {"turn": turn}, asked={"turn": turn}) for turn in (1, 2)],
    ),
    "any_feed": (
        "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream",
        [exchange("GET", FEED_URL, events(*((None, one) for one in FEED)), kind="text/event-stream")],
    ),
}  # fmt: skip


class Plain(yaml.SafeDumper):
    """YAML without references: each interaction is read by itself."""

    def ignore_aliases(self, data: Any) -> bool:
        """None is worth one."""
        return True


def text_of(name: str) -> str:
    """What the file of this recording says."""
    page, interactions = CASSETTES[name]
    told = yaml.dump(
        {"version": 1, "interactions": interactions}, Dumper=Plain, allow_unicode=True, sort_keys=False, width=110
    )
    return HEADER.format(page=page) + str(told)


def path_of(name: str) -> Path:
    """The file of this recording."""
    return FOLDER / f"{name}.yaml"


if __name__ == "__main__":
    for one in CASSETTES:
        path_of(one).write_text(text_of(one), encoding="utf-8")
        print(path_of(one))
