"""One page, two readers: what becomes of each when the site is made anew, or something stands in front of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_agentfault.faults import DriftHtml

import careful
import naive

pytestmark = [pytest.mark.vcr, pytest.mark.default_cassette("lamps")]
CHEAPEST = "Nachttischlämpchen"
DRIFTED = ("renamed-classes", "localised", "extra-column", "wrong-charset")
WALLS = ("consent-wall", "login-wall", "bot-challenge", "bot-challenge-429", "bot-challenge-200", "empty-shell")


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The one cassette of both readers."""
    return str(request.path.with_name("cassettes"))


@pytest.mark.parametrize(
    "read", [pytest.param(naive.cheapest, id="naive"), pytest.param(careful.cheapest, id="careful")]
)
def test_cheapest(read: Callable[[], str]) -> None:
    """On the recording both are right."""
    assert read() == CHEAPEST


@pytest.mark.xfail(
    strict=True, reason="it reads by class names and column numbers", raises=(AssertionError, ValueError)
)
@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=pytest.mark.fault(f"web/{name}"), id=name) for name in DRIFTED]
)
def test_naive_reader_reads_something_else(scenario: str) -> None:
    """A dear lamp for a cheap one, a name in the wrong letters, or no lamp at all."""
    assert naive.cheapest() == CHEAPEST


@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=pytest.mark.fault(f"web/{name}"), id=name) for name in WALLS]
)
def test_naive_reader_takes_a_wall_for_an_empty_shop(scenario: str) -> None:
    """No error, no lamps: what an agent would now tell its user is wrong, and nobody notices."""
    assert naive.cheapest() is None


@pytest.mark.fault(DriftHtml("move", "table"), to="GET https://shop.example/*")
@pytest.mark.xfail(strict=True, reason="the table is no longer inside #offers", raises=AssertionError)
def test_naive_reader_loses_a_moved_table() -> None:
    """One level up is enough."""
    assert naive.cheapest() == CHEAPEST


@pytest.mark.fault_matrix("web/*", raises=careful.NotThePage)
def test_careful_reader() -> None:
    """Whatever is done to the page, it finds the lamp, or says that this is not the page."""
    assert careful.cheapest() == CHEAPEST


@pytest.mark.fault("web/bot-challenge-429", raises=pytest.RaisesExc(careful.NotThePage, match="^429, .*Checkpoint"))
def test_the_error_says_what_stands_there() -> None:
    """Status and title are what a person needs to tell a wall from a redesign."""
    careful.cheapest()
