"""Which requests are a rule's beside its pattern: within a host, unless another rule owns them, and calls."""

from __future__ import annotations

import pytest
from _planned import Answer

from pytest_agentfault import Call, Reply, Request, Rule

V3 = Request("GET", "https://jira.example/rest/api/3/issue/1")
V2 = Request("GET", "https://jira.example/rest/api/2/issue/1")
ELSEWHERE = Request("GET", "https://other.example/rest/api/3/issue/1")
GENERAL = Rule("* *", (Answer(),), within="* https://jira.example/*", unless=("* */api/3/*", "PUT *"))


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (V2, ""),
        (V3, f"GET {V3.url} belongs to the rule for * */api/3/*"),
        (Request("PUT", V2.url), f"PUT {V2.url} belongs to the rule for PUT *"),
        (ELSEWHERE, f"URL {ELSEWHERE.url} does not match https://jira.example/*"),
    ],
    ids=["its own", "another rule's", "a second other's", "outside"],
)
def test_a_rule_leaves_to_others_what_is_theirs(asked: Request, difference: str) -> None:
    """The difference names whose the request is."""
    assert GENERAL.difference(asked) == difference
    assert GENERAL.matches(asked) == (not difference)


def test_a_call_is_the_text_that_names_it() -> None:
    """As `to` of a rule it is an ordinary string, which says beside itself how a failure is raised."""
    kept = Call("tools:search", raises=lambda reply: LookupError(reply.status))
    assert kept == "CALL tools:search" == str(kept)
    assert kept.raises is not None
    assert kept.raises(Reply.of(503)).args == (503,)
    assert Call("tools:search").raises is None


@pytest.mark.parametrize(("host", "reached"), [("jira.example", True), ("other.example", False)])
def test_a_further_pattern_bounds_the_hosts_too(host: str, reached: bool) -> None:
    """A connection is refused only where `to=` of the marker leads: who is asked there has no request yet."""
    assert GENERAL.may_reach(host, 443) is reached
