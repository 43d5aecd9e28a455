"""The hooks this plugin offers to other plugins and to conftest files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest


@pytest.hookspec
def pytest_agentfault_scenarios(config: pytest.Config) -> Sequence[Path]:  # type: ignore[empty-body]
    """Directories of scenario files to find beside the shipped ones."""
