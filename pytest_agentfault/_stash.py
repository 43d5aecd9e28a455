"""What the plugin keeps with items and config, by key: for the files that share it. Imports pytest only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._placing import Placement
    from ._run import Run

PLACED: pytest.StashKey[tuple[Placement, ...]] = pytest.StashKey()
RUN: pytest.StashKey[Run] = pytest.StashKey()
ACTIVE: pytest.StashKey[Run] = pytest.StashKey()
ON_CLOCK: pytest.StashKey[bool] = pytest.StashKey()
