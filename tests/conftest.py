"""What every test may lean on: the folder of real recordings, and pytester."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before any inner run: pytester forgets what an inner run imported, and a C extension (yaml's) that is
# imported twice no longer fits the module it belongs to.
import vcr.cassette
import vcr.patch  # noqa: F401

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real recordings made by other projects; skips where it is absent."""
    named = os.environ.get("AGENTFAULT_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "cassettes" / "INDEX.json").is_file():
        pytest.skip(
            f"no real recordings at {folder}: set AGENTFAULT_SHARED to the folder that holds cassettes/INDEX.json"
        )
    return folder
