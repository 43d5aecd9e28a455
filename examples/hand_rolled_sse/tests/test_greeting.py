"""One test, two parsers, one cassette: what `any/chunk-split` finds and every ordinary test misses."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

import broken
import fixed

GREETING = "Grüße aus Zürich – naïve parsers lose “this” part: 你好, 👋🏽 done."
Ask = Callable[[str], str]

pytestmark = [pytest.mark.vcr, pytest.mark.default_cassette("greeting")]
both = pytest.mark.parametrize("ask", [pytest.param(broken.ask, id="broken"), pytest.param(fixed.ask, id="fixed")])
splits = pytest.mark.fault("any/chunk-split")


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The one cassette of both parsers."""
    return str(request.path.with_name("cassettes"))


@both
def test_greeting(ask: Ask) -> None:
    """On the recording both are right: it has no boundaries to get wrong."""
    assert ask("Greet me.") == GREETING


@splits
@pytest.mark.xfail(strict=True, reason="one read() is not one event: text is lost", raises=AssertionError)
def test_broken_parser_loses_text() -> None:
    """The same bytes, cut inside characters, line ends and events."""
    assert broken.ask("Greet me.") == GREETING


@splits
def test_fixed_parser_holds() -> None:
    """It does not care where the network cuts."""
    assert fixed.ask("Greet me.") == GREETING


@pytest.mark.fault("any/stream-cut", raises=(fixed.IncompleteAnswer, httpx.RemoteProtocolError))
def test_cut_stream_surfaces() -> None:
    """A connection that closes in the middle is not the end of an answer."""
    fixed.ask("Greet me.")


@pytest.mark.fault("openai/stream-ends-early", raises=fixed.IncompleteAnswer)
def test_early_end_surfaces() -> None:
    """Nor is an end without `[DONE]`, which no HTTP client can notice."""
    fixed.ask("Greet me.")


@pytest.mark.fault("openai/stream-ends-early")
@pytest.mark.xfail(strict=True, reason="an early end is taken for the end", raises=AssertionError)
def test_broken_parser_takes_half_an_answer() -> None:
    """The broken one returns what it has."""
    assert broken.ask("Greet me.") == GREETING
