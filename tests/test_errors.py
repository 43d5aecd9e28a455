"""Errors in three parts, and near misses."""

from __future__ import annotations

import pickle

import pytest

from pytest_agentfault import AgentFaultError, _errors
from pytest_agentfault._errors import nearest

KINDS = [kind for kind in vars(_errors).values() if isinstance(kind, type) and issubclass(kind, AgentFaultError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_three_parts(kind: type[AgentFaultError]) -> None:
    """What is wrong, what is there, what to do; each also by name."""
    error = kind("the cat is out", "an open door", "close it")
    assert str(error) == "the cat is out\n  there is: an open door\n  to do: close it"
    assert (error.what, error.there, error.do) == ("the cat is out", "an open door", "close it")
    assert kind.__doc__


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_between_processes(kind: type[AgentFaultError]) -> None:
    """pytest-xdist and multiprocessing carry it as it is."""
    error = pickle.loads(pickle.dumps(kind("a", "b", "c")))
    assert type(error) is kind
    assert str(error) == "a\n  there is: b\n  to do: c"


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        (
            "any/rate-limt",
            ["any/slow", "any/rate-limit"],
            "did you mean 'any/rate-limit'? known: any/rate-limit, any/slow",
        ),
        ("zzz", ["b", "a"], "known: a, b"),
        ("", ["b", "a"], "known: a, b"),
        ("x", [], "known: none"),
    ],
)
def test_nearest(name: str, known: list[str], said: str) -> None:
    """The closest name, if one is close, and then all of them, sorted."""
    assert nearest(name, known) == said
    assert nearest(name, iter(known)) == said
