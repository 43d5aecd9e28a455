"""What every test of the agent needs: the cassettes, and an agent with credentials that mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agent import Endpoints, TriageAgent

CLOUD = Endpoints()
DATA_CENTER = Endpoints(jira="https://jira.example.com", jira_email=None)


@pytest.fixture
def agent() -> Iterator[TriageAgent]:
    """The agent, on Jira Cloud."""
    with TriageAgent(fresh_tokens()) as agent:
        yield agent


@pytest.fixture
def data_center_agent() -> Iterator[TriageAgent]:
    """The agent, on Jira Data Center."""
    with TriageAgent(fresh_tokens(), DATA_CENTER) as agent:
        yield agent


@pytest.fixture(scope="session")
def vcr_config() -> dict[str, Any]:
    """The body tells the turns of a conversation apart; a repeated question gets the same answer again."""
    return {
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        "allow_playback_repeats": True,
        "filter_headers": ["authorization"],
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """One folder for all modules: the tests under faults play the cassettes of the happy path."""
    return str(Path(__file__).with_name("cassettes"))


def fresh_tokens() -> Callable[[str], str]:
    """A token per question and vendor, each one different, as from a store that renews them."""
    number = count(1)
    return lambda vendor: f"{vendor}-token-{next(number)}"
