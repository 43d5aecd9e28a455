"""What the contracts of all doors share in one run: the trust in the loopback server, and its truth."""

from __future__ import annotations

import os

import pytest
from _contract_held import Kept, write_authority


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of the authority that signs for the loopback server."""
    return write_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def truths(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What the real socket came to in this run, by whichever worker it was asked."""
    base = tmp_path_factory.getbasetemp()
    return Kept((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "truths")
