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

FOLDER: Final = Path(__file__).parent / "cassettes"
HEADER: Final = """\
# Written by hand in the shape the vendor documents; nothing here was recorded from a service.
# Shape: {page}
# Made by `python tests/sdks/_cassettes.py`; change it there.
"""
SAID: Final = "Grüße, 世界! 🌍 It works."  # characters of two, three and four bytes: something to cut into
ARGUMENTS: Final = {"key": "PROJ-1", "fields": ["summary"]}

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

JSON_TYPE: Final = "application/json"


def exchange(
    method: str, url: str, said: Any, *, asked: Any = None, status: int = 200, kind: str = JSON_TYPE
) -> dict[str, Any]:
    """One interaction in vcrpy's form; a value is said as JSON, a text as it is."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return {
        "request": {
            "method": method,
            "uri": url,
            "body": None if asked is None else json.dumps(asked),
            "headers": {} if asked is None else {"Content-Type": [JSON_TYPE]},
        },
        "response": {
            "status": {"code": status, "message": {200: "OK", 201: "Created"}[status]},
            "headers": {"Content-Type": [kind]} if text else {},
            "body": {"string": text},
        },
    }


def events(*said: tuple[str | None, Any]) -> str:
    """Server-sent events: name or None, and data."""
    made = []
    for name, data in said:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        made.append((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
    return "".join(made)


def pieces(text: str, size: int = 8) -> list[str]:
    """A text as a model streams it: in tokens of some characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


# --- openai ---------------------------------------------------------------------------------------------------------

TOOL_CALL: Final = {"name": "get_issue", "arguments": json.dumps(ARGUMENTS)}
USAGE: Final = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}


def chat(message: dict[str, Any], reason: str) -> dict[str, Any]:
    """A chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": USAGE,
        "system_fingerprint": "fp_1",
    }


def chat_events(deltas: list[dict[str, Any]], reason: str) -> str:
    """The same as a stream of chunks, with `[DONE]`."""

    def chunk(delta: dict[str, Any], finished: str | None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1760000000,
            "model": "gpt-4o-2024-08-06",
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finished}],
        }

    said = [chunk(delta, None) for delta in deltas] + [chunk({}, reason)]
    return events(*((None, one) for one in said), (None, "[DONE]"))


def tool_deltas() -> list[dict[str, Any]]:
    """A tool call as it is streamed: its name, then its arguments piece by piece."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_issue", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces(TOOL_CALL["arguments"])]
    return [{"role": "assistant", "content": None, "tool_calls": [first]}, *({"tool_calls": [one]} for one in more)]


def response(output: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    """An object of the Responses API."""
    done = status == "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "gpt-4o-2024-08-06",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 21,
        }
        if done
        else None,
        "user": None,
        "metadata": {},
    }


def message_item(text: str, status: str = "completed") -> dict[str, Any]:
    """A message in the output of a response."""
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def call_item(arguments: str, status: str = "completed") -> dict[str, Any]:
    """A function call in the output of a response."""
    name = TOOL_CALL["name"]
    return {
        "id": "fc_1",
        "type": "function_call",
        "status": status,
        "call_id": "call_1",
        "name": name,
        "arguments": arguments,
    }


def response_events(begun: dict[str, Any], middle: list[dict[str, Any]], done: dict[str, Any]) -> str:
    """The stream of one output item, from `response.created` to `response.completed`."""
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": response([], "in_progress")},
        {"type": "response.in_progress", "response": response([], "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        *middle,
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": response([done])},
    ]
    return events(*((one["type"], {**one, "sequence_number": number}) for number, one in enumerate(told)))


def text_middle() -> list[dict[str, Any]]:
    """What a streamed text says between its item's two ends."""
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    return [
        {"type": "response.content_part.added", **where, "part": part},
        *({"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []} for piece in pieces(SAID)),
        {"type": "response.output_text.done", **where, "text": SAID, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": {**part, "text": SAID}},
    ]


def call_middle() -> list[dict[str, Any]]:
    """What a streamed function call says between its item's two ends."""
    where = {"item_id": "fc_1", "output_index": 0}
    arguments = TOOL_CALL["arguments"]
    kind = "response.function_call_arguments"
    return [
        *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(arguments)),
        {"type": f"{kind}.done", **where, "name": TOOL_CALL["name"], "arguments": arguments},
    ]


# --- anthropic ------------------------------------------------------------------------------------------------------


def message(content: list[dict[str, Any]], reason: str | None, tokens: int = 9) -> dict[str, Any]:
    """An anthropic message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": tokens},
    }


def message_events() -> str:
    """The same as a stream, with a ping as the vendor sends it."""
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": message([], None, 1)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces(SAID)
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 9},
        },
        {"type": "message_stop"},
    ]
    return events(*((one["type"], one) for one in told))


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

ITEMS_URL: Final = "https://api.example.com/v1/items"
ITEMS: Final = {"items": [{"id": 1, "name": SAID}, {"id": 2, "name": "Two"}], "next": None}
FEED_URL: Final = "https://api.example.com/v1/feed"
FEED: Final = [*({"n": number, "text": piece} for number, piece in enumerate(pieces(SAID))), {"n": -1, "text": ""}]

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
