"""
The part of Jira that the `jira` package calls for the triage agent: Cloud and Data Center.

Shapes: https://developer.atlassian.com/cloud/jira/platform/rest/v2/ (issue, comment,
serverInfo, field), .../rest/v3/api-group-issue-search/ (search/jql),
https://developer.atlassian.com/cloud/jira/software/rest/api-group-board/ (sprint),
https://developer.atlassian.com/cloud/jira/service-desk/rest/ (servicedesk) and
https://developer.atlassian.com/server/jira/platform/rest/ (Data Center).
"""

from __future__ import annotations

from typing import Any

from .wire import Answer, Asked, answer_json

JSON = "application/json;charset=UTF-8"
STAMP = "2026-01-01T00:00:00.000+0000"
CLOUD, DATA_CENTER = "https://example.atlassian.net", "https://jira.example.com"
HEADERS = {"X-AREQUESTID": "reference", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache, no-store"}

ISSUES = {
    "PROJ-1": (
        "10001",
        "Login fails on Safari",
        "After the update to Safari 17 the login form comes back empty. – Jörg",
    ),
    "PROJ-2": ("10002", "Invoice shows wrong currency", "The invoice of ACME shows “Â£” where “£” was due."),
    "PROJ-7": ("10007", "Invoice PDF has broken characters", "Umlauts in the PDF are “Ã¼”."),
}
BOT = {"displayName": "Triage Bot", "active": True, "emailAddress": "triage@example.com", "timeZone": "Etc/UTC"}


def answer_cloud(asked: Asked) -> Answer | None:
    """Jira Cloud: v2, v3, agile and service management."""
    return _answer(asked, CLOUD, "Cloud")


def answer_data_center(asked: Asked) -> Answer | None:
    """Jira Data Center: v2 only, no `search/jql`."""
    return _answer(asked, DATA_CENTER, "Server")


def _answer(asked: Asked, site: str, deployment: str) -> Answer | None:
    if not asked.headers.get("authorization"):
        # Cloud's text for an operation that will not run anonymously
        return Answer(
            (b"Client must be authenticated to access this resource.",),
            401,
            {"Content-Type": "text/html;charset=UTF-8"},
        )
    parts = asked.path.strip("/").split("/")
    value: Any
    match [asked.method, *parts]:
        case ["GET", "rest", "api", "2" | "3", "serverInfo"]:
            value = _server_info(site, deployment)
        case ["GET", "rest", "api", "2" | "3", "myself"]:
            value = _bot(site, deployment)
        case ["GET", "rest", "api", "2" | "3" as version, "issue", key] if key in ISSUES:
            value = _issue(site, version, key)
        case ["POST", "rest", "api", "2", "issue", key, "comment"] if key in ISSUES:
            value = _comment(site, deployment, key, asked.json["body"])
            return answer_json(value, 201, JSON, HEADERS)
        case ["GET", "rest", "api", "3", "field"] if deployment == "Cloud":
            value = [_field("summary", "Summary", "string"), _field("status", "Status", "status")]
        case ["GET", "rest", "api", "3", "search", "jql"] if deployment == "Cloud":
            value = {"issues": [_issue(site, "3", "PROJ-7", only=("summary", "status"))], "isLast": True}
        case ["GET", "rest", "agile", "1.0", "board", board, "sprint"]:
            value = {"maxResults": 50, "startAt": 0, "isLast": True, "values": [_sprint(site, board)]}
        case ["GET", "rest", "servicedeskapi", "servicedesk"] if deployment == "Cloud":
            value = _service_desks(site)
        case [_, "rest", "api", _, "issue", *_]:
            gone = {"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}
            return answer_json(gone, 404, JSON, HEADERS)
        case _:
            return None
    return answer_json(value, 200, JSON, HEADERS)


def _server_info(site: str, deployment: str) -> dict[str, Any]:
    numbers = [1001, 0, 0] if deployment == "Cloud" else [10, 3, 1]
    return {
        "baseUrl": site,
        "version": "1001.0.0-SNAPSHOT" if deployment == "Cloud" else "10.3.1",
        "versionNumbers": numbers,
        "deploymentType": deployment,
        "buildNumber": 100290 if deployment == "Cloud" else 10030001,
        "buildDate": STAMP,
        "serverTime": STAMP,
        "scmInfo": "0000000000000000000000000000000000000000",
        "serverTitle": "Jira",
    }


def _bot(site: str, deployment: str) -> dict[str, Any]:
    # Cloud knows people by account id, Data Center by name and key
    proof = {"accountId": "712020:00000000-0000-4000-8000-000000000001", "accountType": "atlassian"}
    named = {"name": "triage-bot", "key": "JIRAUSER10100"}
    return {"self": f"{site}/rest/api/2/user", **(proof if deployment == "Cloud" else named), **BOT}


def _issue(site: str, version: str, key: str, only: tuple[str, ...] = ()) -> dict[str, Any]:
    number, summary, description = ISSUES[key]
    in_adf = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": description}]}],
    }
    fields = {
        "summary": summary,
        "description": in_adf if version == "3" else description,
        "status": {"self": f"{site}/rest/api/{version}/status/1", "id": "1", "name": "Open"},
        "issuetype": {"self": f"{site}/rest/api/{version}/issuetype/1", "id": "1", "name": "Bug", "subtask": False},
        "created": STAMP,
    }
    return {
        "id": number,
        "self": f"{site}/rest/api/{version}/issue/{number}",
        "key": key,
        "fields": {name: value for name, value in fields.items() if not only or name in only},
    }


def _comment(site: str, deployment: str, key: str, body: str) -> dict[str, Any]:
    number = ISSUES[key][0]
    return {
        "self": f"{site}/rest/api/2/issue/{number}/comment/20001",
        "id": "20001",
        "author": _bot(site, deployment),
        "body": body,
        "updateAuthor": _bot(site, deployment),
        "created": STAMP,
        "updated": STAMP,
    }


def _field(name: str, shown: str, kind: str) -> dict[str, Any]:
    return {
        "id": name,
        "key": name,
        "name": shown,
        "custom": False,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": [name],
        "schema": {"type": kind, "system": name},
    }


def _sprint(site: str, board: str) -> dict[str, Any]:
    return {
        "id": 12,
        "self": f"{site}/rest/agile/1.0/sprint/12",
        "state": "active",
        "name": "Sprint 12",
        "startDate": "2025-12-29T09:00:00.000Z",
        "endDate": "2026-01-09T17:00:00.000Z",
        "originBoardId": int(board),
        "goal": "Billing without surprises",
    }


def _service_desks(site: str) -> dict[str, Any]:
    desk = {
        "id": "4",
        "projectId": "10400",
        "projectName": "Billing",
        "projectKey": "BILL",
        "_links": {"self": f"{site}/rest/servicedeskapi/servicedesk/4"},
    }
    links = {"base": f"{site}/rest/servicedeskapi", "context": "", "self": f"{site}/rest/servicedeskapi/servicedesk"}
    return {"_expands": [], "size": 1, "start": 0, "limit": 50, "isLastPage": True, "_links": links, "values": [desk]}
