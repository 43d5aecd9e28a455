"""
Every jira scenario against the jira package, by each of Jira's APIs in its own error format.

The package speaks v2 and v3 of the platform, agile, service management, Data Center and the OAuth gateway;
the GraphQL gateway it does not know, so that is asked by gql.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import gql
import pytest
import requests
from _cases import Case, run, sync_and_async
from _cassettes import CENTER, CLOUD, GATEWAY, GRAPHQL, TENANTS, TENANTS_QUERY, path_of
from gql.transport.exceptions import TransportProtocolError, TransportQueryError, TransportServerError
from gql.transport.httpx import HTTPXTransport
from jira import JIRA, JIRAError

from pytest_agentfault._run import Faults

NEW: Final[Any] = {"project": {"key": "PROJ"}, "issuetype": {"name": "Bug"}}
SUMMARY: Final = "Login fails on Safari"


def client(base: str = CLOUD, version: str = "2", *, info: bool = False, token: str = "test") -> JIRA:
    """The package as anybody makes it; `info`: with the question for the server's version, which is its default."""
    return JIRA(server=base, token_auth=token, options={"rest_api_version": version}, get_server_info=info)


def issue(base: str, version: str) -> Any:
    """The summary of an issue."""
    return client(base, version).issue("PROJ-1").fields.summary


def boards() -> Any:
    """The names of the boards: agile."""
    return [board.name for board in client().boards()]


def desks(base: str) -> Any:
    """The projects of the service desks: service management."""
    return [desk.projectKey for desk in client(base).service_desks()]


def connect() -> Any:
    """The version of the server, for which the package asks when it is made."""
    return client(info=True)._version


def create(base: str, version: str, summary: str = SUMMARY) -> Any:
    """A new issue."""
    return client(base, version).create_issue({**NEW, "summary": summary}).key


def sprint(name: str = "Sprint 1") -> Any:
    """A new sprint: agile."""
    return client().create_sprint(name, 1).name


def customer_request(base: str, summary: str = SUMMARY) -> Any:
    """A new request of a customer: service management."""
    jira = client(base)
    asked = {"serviceDeskId": jira.service_desks()[0], "requestTypeId": 9, "requestFieldValues": {"summary": summary}}
    return jira.create_customer_request(asked).key


def tenant() -> Any:
    """The cloud id, by GraphQL."""
    return gql.Client(transport=HTTPXTransport(GRAPHQL)).execute(gql.gql(TENANTS_QUERY))


READS: Final = (
    ("v2", partial(issue, CLOUD, "2"), "jira_v2", SUMMARY),
    ("v3", partial(issue, CLOUD, "3"), "jira_v3", SUMMARY),
    ("agile", boards, "jira_agile", ["PROJ board"]),
    ("JSM", partial(desks, CLOUD), "jira_desk", ["HELP"]),
    ("JIRA(...)", connect, "jira_v2", (1001, 0, 0)),
    ("OAuth gateway", partial(issue, GATEWAY, "2"), "jira_gateway", SUMMARY),
    ("Data Center", partial(issue, CENTER, "2"), "jira_center", SUMMARY),
    ("Data Center, JSM", partial(desks, CENTER), "jira_center_desk", ["HELP"]),
)
WRITES: Final = {
    "v2": (partial(create, CLOUD, "2"), "jira_v2"),
    "v3": (partial(create, CLOUD, "3"), "jira_v3"),
    "agile": (sprint, "jira_agile"),
    "JSM": (partial(customer_request, CLOUD), "jira_desk"),
    "OAuth gateway": (partial(create, GATEWAY, "2"), "jira_gateway"),
    "Data Center": (partial(create, CENTER, "2"), "jira_center"),
    "Data Center, JSM": (partial(customer_request, CENTER), "jira_center_desk"),
}

# The package waits between one and two times what Retry-After says, at most a minute and at least half of that.
WAITS: Final = {"OAuth gateway": (30.0, 60.0), "Data Center": (12.0, 24.0), "Data Center, JSM": (12.0, 24.0)}
CLOUD_WAIT: Final = (2.0, 4.0)
PAGE: Final = "the text of the error is the whole HTML page"
EMPTY: Final = "the text of the error is empty: there was no body"

LIMITED: Final = {  # what the package makes of each format of a 429
    "OAuth gateway": ("", EMPTY),
    "Data Center": ("<!doctype html>", PAGE),
    "Data Center, JSM": ("<!doctype html>", PAGE),
}
EXPIRED: Final = {
    "OAuth gateway": ("", EMPTY),
    "Data Center": ("AUTHENTICATED_FAILED", PAGE),
    "Data Center, JSM": ("AUTHENTICATED_FAILED", PAGE),
}
REFUSED: Final = {
    "v2": (400, "Field 'invalid' is not valid for this operation.", "the field it belongs to is lost"),
    "v3": (400, "Operation value must be an Atlassian Document (see the Atlassian Document Format)",
           "the field it belongs to is lost"),
    "agile": (404, "Board does not exist or you do not have permission to see it.", ""),
    "JSM": (400, "Your request could not be created.", "the i18n key is lost"),
    "OAuth gateway": (400, "Operation value must be an Atlassian Document (see the Atlassian Document Format)",
                      "the field it belongs to is lost"),
    "Data Center": (400, 'Unrecognized field "invalid" (Class com.atlassian.jira.rest.v2.issue.component',
                    "a Java class and a memory address reach the user"),
    "Data Center, JSM": (400, "Field Assignee is required.", ""),
}  # fmt: skip

CASES: Final = (
    *(
        Case("jira/rate-limit", f"jira, {name}", call, tape, "recovered", (429, 429, 200), result,
             waits=(WAITS.get(name, CLOUD_WAIT),) * 2)
        for name, call, tape, result in READS
    ),
    *(
        Case("jira/rate-limit", f"jira, {name}", call, tape, "surfaced", (429,) * 4, raises=JIRAError,
             says=LIMITED.get(name, ("The request has been rate-limited.", ""))[0], facts={"status_code": 429},
             waits=(WAITS.get(name, CLOUD_WAIT),) * 3, words={"times": 4},
             note=LIMITED.get(name, ("", "the package retries three times"))[1])
        for name, call, tape, _ in READS
    ),
    *(
        Case("jira/expired-session", f"jira, {name}", call, tape, "surfaced", (401,), raises=JIRAError,
             says=EXPIRED.get(name, ("Client must be authenticated to access this resource.", ""))[0],
             facts={"status_code": 401}, note=EXPIRED.get(name, ("", ""))[1])
        for name, call, tape, _ in READS
    ),
    *(
        Case("jira/login-page-instead", f"jira, {name}", call, tape, "surfaced", (200,),
             raises=requests.exceptions.JSONDecodeError, says="Expecting value",
             note="an error of requests: neither JIRAError nor a word of the page")
        for name, call, tape, _ in READS
        if name != "OAuth gateway"  # an API without a sign-in page
    ),
    *(
        Case("jira/validation-error", f"jira, {name}", *WRITES[name], "surfaced",
             (200, status) if "JSM" in name else (status,), raises=JIRAError, says=says,
             facts={"status_code": status}, note=note)
        for name, (status, says, note) in REFUSED.items()
    ),
    Case("jira/rate-limit", "gql, GraphQL gateway", tenant, "jira_graphql", "surfaced", (429,),
         raises=TransportServerError, says="429 Too Many Requests", facts={"code": 429,
         "__cause__.response.headers.retry-after": "30"}, note="not retried; when to come back is in `__cause__`"),
    Case("jira/expired-session", "gql, GraphQL gateway", tenant, "jira_graphql", "surfaced", (401,),
         raises=TransportServerError, says="401 Unauthorized", facts={"code": 401}),
    Case("jira/login-page-instead", "gql, GraphQL gateway", tenant, "jira_graphql", "surfaced", (200,),
         raises=TransportProtocolError, says="Not a JSON answer"),
    Case("jira/validation-error", "gql, GraphQL gateway", tenant, "jira_graphql", "surfaced", (200,),
         raises=TransportQueryError, says="Cannot query field", facts={"errors.0.locations":
         [{"line": 1, "column": 9}]}),
)  # fmt: skip

SYNC, _ = sync_and_async(CASES)


@SYNC
def test_jira(case: Case) -> None:
    """The package recovers, or makes of each format what it makes of it: as the table says."""
    run(case)


@pytest.mark.parametrize(("call", "tape"), WRITES.values(), ids=WRITES)
def test_a_corrected_write_goes_through(faults: Faults, call: Any, tape: str) -> None:
    """Whoever mends it and sends it again is answered; the same once more would be a finding of `not_retried`."""
    faults.add("jira/validation-error", cassette=path_of(tape))
    with pytest.raises(JIRAError):
        call()
    assert call("Corrected") in ("PROJ-1", "HELP-1", "Sprint 1")
    assert faults.log[-1].reply.status in (200, 201)


@pytest.mark.parametrize(("base", "tape"), [(CLOUD, "jira_v2"), (GATEWAY, "jira_gateway"), (CENTER, "jira_center")])
def test_a_new_token_ends_an_expired_session(faults: Faults, base: str, tape: str) -> None:
    """The dead token is refused for good; the next one is answered."""
    faults.add("jira/expired-session", cassette=path_of(tape))
    for _ in range(2):
        with pytest.raises(JIRAError):
            client(base).issue("PROJ-1")
    assert client(base, token="renewed").issue("PROJ-1").key == "PROJ-1"
    assert [x.reply.status for x in faults.log] == [401, 401, 200]


@pytest.mark.fault("jira/login-page-instead", cassette="cassettes/jira_v2.yaml")
def test_a_login_page_is_recovered_from_by_asking_again() -> None:
    """It comes once; the second call is the issue."""
    with pytest.raises(requests.exceptions.JSONDecodeError):
        issue(CLOUD, "2")
    assert issue(CLOUD, "2") == SUMMARY


@pytest.mark.fault("jira/rate-limit", cassette="cassettes/jira_graphql.yaml", times=1)
def test_graphql_is_well_afterwards() -> None:
    """Who asks the gateway again is answered."""
    with pytest.raises(TransportServerError):
        tenant()
    assert tenant() == TENANTS["data"]
