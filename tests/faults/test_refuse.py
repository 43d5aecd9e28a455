"""The fault `refuse`: no connection."""

from __future__ import annotations

import pytest
from _said import refusal, three

from pytest_agentfault._reply import Refused, Reply, Request, Why
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.refuse import Refuse


@pytest.mark.parametrize("why", list(Why))
def test_the_attempt_fails_in_the_way_that_is_asked_for(why: Why) -> None:
    """Each word is one way, and makes a legal reply."""
    fault = Refuse(why.value)
    refused = fault.connect(Request("CONNECT", "https://api.test/"))
    assert refused == Refused(why)
    assert Reply((refused,)).last == refused
    assert verbs_of(fault) == ("connect",)


def test_without_a_word_nothing_listens() -> None:
    """The default is a refused connection."""
    assert Refuse() == Refuse("refused")


@pytest.mark.parametrize(("why", "hint"), [("refuse", "did you mean 'refused'? "), ("xyz", "")])
def test_an_unknown_word_is_refused_with_the_nearest(why: str, hint: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Refuse, {"why": why}) == three(
        "refuse: unknown `why`", repr(why), f"{hint}known: refused, timeout, unresolved, untrusted"
    )
