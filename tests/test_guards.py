"""A fault that strikes only what is wrong with a request: what becomes of a test that does nothing wrong."""

from __future__ import annotations

import pytest
from _loopback import Loopback
from _project import Project

GUARDED = """
import httpx
import os
import pytest
from pytest_agentfault.faults import RejectGraphql, Status

URL = os.environ["LOOPBACK"]
GUARD = RejectGraphql("validate")

def ask(query):
    return httpx.post(URL + "/graphql", json={"query": query})

@pytest.mark.fault(GUARD, to="POST *")
def test_right():
    assert ask("{ viewer { id } }").json()["ok"]

@pytest.mark.fault(GUARD, to="POST *")
def test_wrong():
    assert ask("{ viewer { id }").json()["ok"]

@pytest.mark.fault(GUARD, to="POST https://elsewhere.example/*")
def test_never_asked():
    assert ask("{ viewer { id } }").json()["ok"]

@pytest.mark.fault(GUARD, Status(503), to="POST */never")
def test_beside_another():
    assert ask("{ viewer { id } }").json()["ok"]
"""


@pytest.mark.usefixtures("server")
def test_a_guard_may_rest_but_must_be_asked(project: Project, server: Loopback) -> None:
    """Held where every request was right, crashed at a wrong one; never struck where it was not even asked."""
    result = project.run(GUARDED, "-rA", "-v", above="")
    said = result.stdout.str()
    result.assert_outcomes(passed=1, failed=3)
    assert "held       test_agent.py::test_right  RejectGraphql (0 of 1 calls)" in said
    assert "crashed    test_agent.py::test_wrong  RejectGraphql (1 of 1 calls)" in said
    assert "missed     test_agent.py::test_never_asked" in said
    assert "RejectGraphql never struck" in said
    assert "Status never struck" in said
