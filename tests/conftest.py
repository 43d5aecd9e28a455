"""What every test may lean on: the folder of real recordings, a user's project, a server on loopback."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

# Before any inner run: pytester forgets what an inner run imported, and what is imported twice no longer fits
# what still holds the first copy (a C extension such as yaml's, a class that is compared).
import httpcore2  # noqa: F401
import pytest
import vcr.cassette
import vcr.patch  # noqa: F401

from pytest_agentfault._discover import names

for package in ("faults", "checks", "upstreams", "doors"):
    for name in names(f"pytest_agentfault.{package}"):
        import_module(f"pytest_agentfault.{package}.{name}")

collect_ignore = ["niquests"]  # it has an environment of its own: `make niquests`
pytest_plugins = ["pytester", "_loopback", "_project"]


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
