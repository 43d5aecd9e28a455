"""One chain of six calls, two agents, one cassette: what a wrong value at step three becomes at step five."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_agentfault.faults import Drift, Lie

import careful
import careless
from careful import Mismatch
from stay import Booking, BookingError, Trip

TRIP = Trip("Hamburg", nights=3, most_cents=50_000)
BOOKED = Booking("STAY-102", 3, 38_700)
QUOTES = "POST https://api.stay.example/v1/quotes"
Book = Callable[[Trip], Booking]

pytestmark = [pytest.mark.vcr, pytest.mark.default_cassette("booking")]

# What can be wrong with a price, and nobody but the caller can know.
WRONG: dict[str, Any] = {
    "digits transposed": Lie("transposed", "$.cents"),
    "fields swapped": Lie("swapped", "$.cents", "$.cents_per_night"),
    "nights and cents swapped": Lie("swapped", "$.nights", "$.cents"),
    "price gone": Drift("remove", "$.cents"),
    "price renamed": Drift("rename", "$.cents"),
}


def under_each(**words: Any) -> pytest.MarkDecorator:
    """One run for each of them, at step three."""
    runs = [
        pytest.param(name, id=name, marks=pytest.mark.fault(fault, to=QUOTES, **words)) for name, fault in WRONG.items()
    ]
    return pytest.mark.parametrize("what", runs)


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The one cassette of both agents."""
    return str(request.path.with_name("cassettes"))


@pytest.mark.parametrize("book", [pytest.param(careless.book, id="careless"), pytest.param(careful.book, id="careful")])
def test_booking(book: Book) -> None:
    """On the recording both are right."""
    assert book(TRIP) == BOOKED


@under_each()
@pytest.mark.xfail(strict=True, reason="the price is taken at its word, and paid", raises=AssertionError)
def test_careless_agent_pays_the_wrong_price(what: str) -> None:
    """Step five pays what step three said, step six confirms it, and the agent reports a success."""
    assert careless.book(TRIP) == BOOKED


@under_each(times=1)
def test_careful_agent_asks_again(what: str) -> None:
    """A lie that is told once: the second quote agrees with the search, and that price is paid."""
    assert careful.book(TRIP) == BOOKED


@under_each(raises=pytest.RaisesExc(Mismatch, match="^the quote says"))
def test_careful_agent_does_not_pay(what: str, faults: Any) -> None:
    """A lie that is told each time: no booking, and the agent says what does not agree."""
    try:
        careful.book(TRIP)
    finally:
        assert not [x.request.url for x in faults.log if x.request.url.endswith("/payments")]


@pytest.mark.fault_matrix(
    *("any/schema-drift", "any/transposed-digits", "any/swapped-fields", "any/stale-data", "any/other-tenant"),
    to=QUOTES,
    times=2,
    raises=Mismatch,
)
def test_whatever_the_quote_says() -> None:
    """Any field is wrong (by the seed: some nobody needs): the true price is paid, or none."""
    assert careful.book(TRIP) == BOOKED


@pytest.mark.fault("any/emptied-list", to="GET https://api.stay.example/v1/stays", raises=BookingError)
def test_an_empty_search_is_no_booking() -> None:
    """Nothing is free: at least nothing is paid."""
    careful.book(TRIP)
