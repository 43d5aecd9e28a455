"""An outage of the first provider, of both, and the way back: minutes on the clock, milliseconds of time."""

from __future__ import annotations

from typing import Any

import pytest

from failover import AllDown, Models

OPENAI = "* https://api.openai.com/*"
pytestmark = [pytest.mark.vcr, pytest.mark.default_cassette("both")]


def test_the_first_one_answers(models: Models) -> None:
    """The happy path."""
    assert models.ask("Sum it up.")[0] == "openai"


@pytest.mark.fault("any/outage", to=OPENAI)
def test_the_second_one_answers_meanwhile(models: Models, faults: Any) -> None:
    """Down for 90 seconds, in steps; the breaker asks again every half minute, and finds the way back."""
    who = []
    for _ in range(6):
        who.append(models.ask("Sum it up.")[0])
        faults.clock.advance(20)
    assert who[:4] == ["anthropic"] * 4
    assert who[-1] == "openai"
    down = [x for x in faults.log if x.struck]
    assert len(down) <= 8, "the breaker spares a provider that is down"


@pytest.mark.fault("any/outage-timeouts", to=OPENAI)
def test_silence_is_an_outage_too(models: Models, faults: Any) -> None:
    """Two attempts of ten seconds each, and then the other one."""
    began = faults.clock.now
    assert models.ask("Sum it up.")[0] == "anthropic"
    assert 20 <= faults.clock.now - began <= 25


@pytest.mark.fault("any/brown-out", to=OPENAI, probability=0.5)
def test_half_of_the_calls_fail(models: Models, faults: Any) -> None:
    """The SDK's own retry takes most of it, the other provider the rest: nobody is left without an answer."""
    for _ in range(10):
        assert models.ask("Sum it up.")[1]
        faults.clock.advance(5)


@pytest.mark.fault("any/outage-503", raises=AllDown)
def test_both_are_down(models: Models) -> None:
    """Then it says so."""
    models.ask("Sum it up.")
