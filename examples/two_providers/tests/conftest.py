"""One cassette: both providers answer the same question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from failover import Models


@pytest.fixture
def models() -> Models:
    """Both providers, their breakers closed."""
    return Models()


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """The folder of the cassette."""
    return str(Path(__file__).with_name("cassettes"))


@pytest.fixture(scope="session")
def vcr_config() -> dict[str, Any]:
    """A repeated question gets the same answer again."""
    return {"allow_playback_repeats": True, "match_on": ["method", "host", "path"]}
