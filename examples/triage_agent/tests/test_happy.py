"""The suite the team had before: everything goes well, on recorded cassettes."""

from __future__ import annotations

import pytest

from agent import Triage, TriageAgent

KNOWN = "Login fails on Safari 17: the session cookie is refused. Known as ENG-42 (“In Progress”) – no new work."
URGENT = "Invoices show “Â£” for “£” – like PROJ-7. Fits Sprint 12; tell Billing. Cost: 3 500 €: urgent. 🔥"


@pytest.mark.vcr
@pytest.mark.default_cassette("triage_known_issue")
def test_known_issue(agent: TriageAgent) -> None:
    """The model asks Linear, finds the issue, and the summary becomes a comment."""
    assert agent.triage("PROJ-1") == Triage("PROJ-1", KNOWN, "20001")


@pytest.mark.vcr
@pytest.mark.default_cassette("triage_with_three_tools")
def test_three_tools_at_once(agent: TriageAgent) -> None:
    """The model asks for three tools in one turn: a search (v3), a sprint (agile), the service desks."""
    assert agent.triage("PROJ-2") == Triage("PROJ-2", URGENT, "20001")


@pytest.mark.vcr
@pytest.mark.default_cassette("triage_on_data_center")
def test_data_center(data_center_agent: TriageAgent) -> None:
    """The same on a self-hosted Jira."""
    assert data_center_agent.triage("PROJ-1") == Triage("PROJ-1", KNOWN, "20001")


@pytest.mark.vcr
@pytest.mark.default_cassette("linear_note")
def test_linear_note(agent: TriageAgent) -> None:
    """A comment on a Linear issue: a GraphQL mutation."""
    assert agent.linear.note("ENG-42", "Also reported as PROJ-1") == "00000000-0000-4000-8000-000000000201"
