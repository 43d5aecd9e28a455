"""
The same suite under the failures of production: one marker each, on the same cassettes.

No marker: must still pass. `raises=`: the agent cannot know better, and must say so
with an error of its own. The order is that of the seven ways an integration breaks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_agentfault.faults.drift import Drift
from pytest_agentfault.faults.reject_graphql import RejectGraphql
from pytest_agentfault.faults.status import Status

from agent import TriageAgent
from errors import (
    AgentError,
    BadAnswer,
    IncompleteAnswer,
    MaybeWritten,
    RateLimited,
    Rejected,
    SessionExpired,
    Unavailable,
)
from test_happy import KNOWN, URGENT

pytestmark = pytest.mark.vcr
known_issue = pytest.mark.default_cassette("triage_known_issue")
three_tools = pytest.mark.default_cassette("triage_with_three_tools")
on_data_center = pytest.mark.default_cassette("triage_on_data_center")
CLOUD, DATA_CENTER = "https://example.atlassian.net", "https://jira.example.com"


# 1. Too many requests: the agent waits as long as it is told, in no time, and goes on.


@known_issue
@pytest.mark.fault("openai/rate-limit", times=2, checks="retry_after_honoured")
def test_model_is_rate_limited(agent: TriageAgent) -> None:
    """Two true 429s of the model, then the recorded answer."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault("openai/rate-limit", "jira/rate-limit", "linear/rate-limited", checks="retry_after_honoured")
def test_all_three_are_rate_limited(agent: TriageAgent) -> None:
    """Each vendor says it in its own way; Linear with a 400."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault("jira/rate-limit", times=9, raises=RateLimited)
def test_jira_stays_rate_limited(agent: TriageAgent) -> None:
    """Four attempts, then the agent gives up with its own error."""
    agent.triage("PROJ-1")


@known_issue
@pytest.mark.fault("openai/quota-exhausted", raises=Rejected)
def test_no_credit_left(agent: TriageAgent, faults: Any) -> None:
    """The same status as a rate limit, but waiting is useless: asked once."""
    try:
        agent.triage("PROJ-1")
    finally:
        assert [x.reply.status for x in faults.log] == [200, 200, 429]


# 2. The session expires: a fresh credential is fetched, once.


@known_issue
@pytest.mark.fault("any/expired-session")
def test_session_expires(agent: TriageAgent) -> None:
    """The first credential is dead; the agent goes on with another."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
def test_session_expires_mid_task(agent: TriageAgent, faults: Any) -> None:
    """Jira's session ends between reading the issue and writing the comment: 401, new client, written once."""
    faults.add("jira/expired-session", after=2)
    assert agent.triage("PROJ-1").summary == KNOWN
    assert [x.reply.status for x in faults.log if "/comment" in x.request.url] == [401, 201]


@known_issue
@pytest.mark.fault("jira/expired-session", until=None, raises=SessionExpired)
def test_no_credential_helps(agent: TriageAgent) -> None:
    """Every credential is refused: the agent tries two, and says so."""
    agent.triage("PROJ-1")


# 3. The schema drifts: what is read is looked at, and bad answers are fetched again.

ISSUE = f"GET {CLOUD}/rest/api/2/issue/*"
MODEL = "POST https://api.openai.com/v1/chat/completions"


@known_issue
@pytest.mark.fault(Drift("rename", "$.fields.summary"), to=ISSUE, times=1)
def test_summary_is_renamed_once(agent: TriageAgent) -> None:
    """One node of a rolling deploy answers in the new shape: fetched again."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault(Drift("rename", "$.fields.summary"), to=ISSUE, raises=BadAnswer)
def test_summary_is_renamed_for_good(agent: TriageAgent) -> None:
    """No triage without a summary: nothing is made up, the agent says what is missing."""
    agent.triage("PROJ-1")


@known_issue
@pytest.mark.parametrize(
    "drift",
    [
        pytest.param(drift, id=f"{drift.operation} {field}", marks=pytest.mark.fault(drift, to=MODEL, times=1))
        for field in ("finish_reason", "delta")
        for drift in (Drift("remove", f"$.choices[*].{field}"), Drift("retype", f"$.choices[*].{field}"))
    ],
)
def test_model_drifts(agent: TriageAgent, drift: Drift) -> None:
    """The events of a stream lose a field, or it changes its type: the turn is asked again."""
    assert agent.triage("PROJ-1").summary == KNOWN


@three_tools
@pytest.mark.fault_matrix("any/schema-drift", "any/html-instead")
def test_jira_answers_in_another_shape(agent: TriageAgent) -> None:
    """Once, any field is gone (by the seed: most are not missed), or a sign-in page comes."""
    assert agent.triage("PROJ-2").summary == URGENT


# 4. Malformed JSON: of the vendor, and of the model.


@known_issue
@pytest.mark.fault("any/malformed-json", to="POST https://api.linear.app/graphql")
def test_malformed_reply(agent: TriageAgent) -> None:
    """Half a JSON text from Linear: asked again."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault("openai/malformed-tool-arguments")
def test_malformed_tool_arguments(agent: TriageAgent) -> None:
    """The arguments are cut off inside a valid stream: the turn is asked again, no tool runs on half of them."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault("openai/malformed-tool-arguments", times=9, raises=AgentError)
def test_always_malformed_tool_arguments(agent: TriageAgent) -> None:
    """A model that never gets them right: the agent's own error."""
    agent.triage("PROJ-1")


# 5. Jira's error formats: v2, v3, agile, service management, Data Center.

APIS = {
    "v2": "rest/api/2/issue/*",
    "v3": "rest/api/3/search/jql",
    "agile": "rest/agile/1.0/*",
    "service management": "rest/servicedeskapi/*",
}


def in_each_api(scenario: str) -> pytest.MarkDecorator:
    """One run for each API of Jira Cloud that the triage of PROJ-2 calls."""
    runs = [
        pytest.param(api, id=api, marks=pytest.mark.fault(scenario, to=f"GET {CLOUD}/{path}"))
        for api, path in APIS.items()
    ]
    return pytest.mark.parametrize("api", runs)


@three_tools
@in_each_api("jira/expired-session")
def test_expired_in_each_format(agent: TriageAgent, faults: Any, api: str) -> None:
    """A dead token looks different in the APIs of one product, and means the same."""
    assert agent.triage("PROJ-2").summary == URGENT
    said = next(x.reply.body for x in faults.log if x.struck)
    assert said.startswith(b'{"message":' if api == "service management" else b"Client must be authenticated")


@three_tools
@in_each_api("jira/rate-limit")
def test_rate_limited_in_each_format(agent: TriageAgent, api: str) -> None:
    """So does a rate limit: two of them, at whichever API."""
    assert agent.triage("PROJ-2").summary == URGENT


# Each body and its source: developer.atlassian.com, the "intro" page of the API's reference.
REFUSALS = {
    "v2": (400, {"errorMessages": [], "errors": {"fields": "Field 'x' is not valid for this operation."}}, "Field 'x'"),
    "v3": (
        400,
        {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "Failed to convert"},
        "convert",
    ),
    "agile": (404, {"errorMessages": ["Board does not exist or you do not have permission to see it."]}, "Board does"),
    "service management": (400, {"errorMessage": "This customer is inactive.", "i18nErrorMessage": {}}, "is inactive"),
}


@three_tools
@pytest.mark.parametrize(
    "api",
    [
        pytest.param(
            api,
            id=api,
            marks=pytest.mark.fault(
                Status(code, json=body),
                to=f"GET {CLOUD}/{APIS[api]}",
                raises=pytest.RaisesExc(Rejected, match=words),
                checks="not_retried",
            ),
        )
        for api, (code, body, words) in REFUSALS.items()
    ],
)
def test_refused_in_each_format(agent: TriageAgent, api: str) -> None:
    """Wherever Jira puts its reason, the agent's error has it, and nothing is asked twice."""
    agent.triage("PROJ-2")


@on_data_center
@pytest.mark.fault_matrix("jira/expired-session", "jira/rate-limit", "jira/login-page-instead")
def test_data_center(data_center_agent: TriageAgent, faults: Any) -> None:
    """A self-hosted Jira answers everything with a page."""
    assert data_center_agent.triage("PROJ-1").summary == KNOWN
    assert all(x.reply.header("content-type").startswith("text/html") for x in faults.log if x.struck)


@known_issue
@pytest.mark.fault("jira/validation-error", raises=pytest.RaisesExc(Rejected, match="Field 'invalid' is not valid"))
def test_comment_is_refused(agent: TriageAgent) -> None:
    """A 400 on the comment: the agent says what Jira said, and does not try again."""
    agent.triage("PROJ-1")


@on_data_center
@pytest.mark.fault("jira/validation-error", raises=pytest.RaisesExc(Rejected, match="not marked as ignorable"))
def test_comment_is_refused_by_data_center(data_center_agent: TriageAgent) -> None:
    """The same on Data Center, in the words of its JSON library."""
    data_center_agent.triage("PROJ-1")


# 6. Invalid GraphQL.


@known_issue
@pytest.mark.fault("linear/invalid-query", raises=pytest.RaisesExc(Rejected, match="Cannot query field"))
def test_invalid_query(agent: TriageAgent) -> None:
    """The schema no longer has the field: no retry can help, and Linear's message is in the error."""
    agent.triage("PROJ-1")


@pytest.mark.default_cassette("linear_note")
@pytest.mark.fault("linear/invalid-query", raises=Rejected)
def test_invalid_mutation(agent: TriageAgent) -> None:
    """A rejected mutation was not carried out."""
    agent.linear.note("ENG-42", "Also reported as PROJ-1")


SCHEMA = str(Path(__file__).parents[2] / "reference_server/linear.graphql")
TOLD = {"errors": [{"extensions": {"code": "GRAPHQL_VALIDATION_FAILED", "userError": True}}]}


@known_issue
@pytest.mark.parametrize(
    "breakage",
    [
        pytest.param(
            breakage,
            marks=pytest.mark.fault(
                RejectGraphql("break", code=400, json=TOLD, breakage=breakage, schema=SCHEMA),
                to="POST https://api.linear.app/graphql",
                raises=pytest.RaisesExc(Rejected, match=words),
            ),
        )
        for breakage, words in {
            "unbalanced_brace": "Syntax Error",
            "unknown_field": "Cannot query field",
            "wrong_argument_type": "cannot represent|Expected value",
            "missing_selection": "must have a selection",
        }.items()
    ],
)
def test_query_broken_as_models_break_them(agent: TriageAgent, breakage: str) -> None:
    """The agent's own query, broken, and what graphql-core truly says to that, by Linear's schema."""
    agent.triage("PROJ-1")


# 7. Streams, cut in all ways.


@three_tools
@pytest.mark.fault_matrix("openai/stream-*", "any/chunk-split")
def test_streams(agent: TriageAgent) -> None:
    """Split: nothing changes. Cut, ended early, or with an error inside: the turn is asked again."""
    assert agent.triage("PROJ-2").summary == URGENT


@known_issue
@pytest.mark.fault_matrix("openai/stream-*", after=1)
def test_streams_of_the_summary(agent: TriageAgent) -> None:
    """The same at the last turn: half a summary would look like a whole one, and become the comment."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault("openai/stream-ends-early", times=9, raises=IncompleteAnswer)
def test_stream_always_ends_early(agent: TriageAgent) -> None:
    """A summary that is never finished does not become a comment."""
    agent.triage("PROJ-1")


# And everything that can happen to anyone, at each vendor. A wait of a day, and an outage of a minute, are too long for
# this agent: it says so.


@known_issue
@pytest.mark.fault_matrix("any/*", raises=(RateLimited, BadAnswer, Rejected, Unavailable))
def test_anything_at_the_first_call(agent: TriageAgent) -> None:
    """The first call of a triage goes to Jira, the first stream comes from the model."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault_matrix("any/*", to="POST https://api.openai.com/v1/*", raises=(RateLimited, BadAnswer, Unavailable))
def test_anything_at_the_model(agent: TriageAgent) -> None:
    """The model is asked again until its answer is whole; an event without data, each time, its SDK cannot read."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault_matrix(
    # All but `any/emptied-list`: what the model says where nothing is known, nobody has recorded.
    *("any/[!e]*", "any/empty-body", "any/error-in-200", "any/expired*"),
    to="POST https://api.linear.app/graphql",
    raises=(RateLimited, Rejected, Unavailable),
)
def test_anything_at_linear(agent: TriageAgent) -> None:
    """A query is a read, though it is a POST: it may be asked again; half of its data is none."""
    assert agent.triage("PROJ-1").summary == KNOWN


@known_issue
@pytest.mark.fault_matrix(
    "any/*",
    to=f"POST {CLOUD}/rest/api/2/issue/*",
    raises=(MaybeWritten, RateLimited, Unavailable),
    checks="no_repeated_write",
)
def test_anything_at_the_comment(agent: TriageAgent, faults: Any) -> None:
    """A write whose reply was lost is not repeated: the agent says that it may have been done."""
    done = agent.triage("PROJ-1")
    assert done.comment_id == json.loads(faults.log[-1].reply.body)["id"]
