"""One cassette for all tests of a chain: what is recorded is the happy path."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """The folder of the two cassettes."""
    return str(Path(__file__).with_name("cassettes"))
