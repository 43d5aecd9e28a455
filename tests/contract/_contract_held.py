"""
The three doors of our own, and the truth that all are held against: what the contract's test modules share.

Rule: what a door cannot do stands in `_contract_table.py` with its reason; nothing is left out here.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from _contract_table import explained
from _wire import APART, authority, loopback

from pytest_agentfault import Refused, Script
from pytest_agentfault._plan import Plan
from pytest_agentfault.testing import DoorContract
from pytest_agentfault.testing._contract import Cell
from pytest_agentfault.testing._outcome import Outcome

QUICK = APART / 3  # seconds between two segments, which nearly always is enough


class Kept:
    """What the real socket came to, in a folder that the workers of one run share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def get(self, cell: Cell) -> tuple[Outcome, ...] | None:
        """What was seen, by whichever worker."""
        try:
            found: tuple[Outcome, ...] = pickle.loads(self._file(cell).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def __setitem__(self, cell: Cell, outcomes: tuple[Outcome, ...]) -> None:
        file = self._file(cell)
        written = file.with_suffix(f".{os.getpid()}")
        written.write_bytes(pickle.dumps(outcomes))
        written.replace(file)  # at once: another worker reads the old or the new

    def _file(self, cell: Cell) -> Path:
        return self._folder / f"{'-'.join(cell)}.truth"


class AgainstLoopback(DoorContract):
    """A door of ours, compared with a socket on loopback, which is asked once for all doors."""

    name: ClassVar[str] = ""
    _asked = 0

    def __init_subclass__(cls) -> None:
        cls.explained = explained(cls.name, cls.scheme)

    @pytest.fixture(autouse=True)
    def _truths_of_this_run(self, truths: Kept, authority_file: str) -> None:
        self.truths = truths
        self.ca = authority_file

    def truth(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A real socket; where segments may have met in its queue, one that takes ever more time between them."""
        apart = APART * self._asked or QUICK
        self._asked += 1
        return loopback(script, self.scheme, apart)


@contextmanager
def came_through(plan: Plan) -> Iterator[None]:
    """The client did what it did by this plan."""
    yield
    assert plan.log, "the client went past the door"
    assert not plan.problems


def write_authority(folder: Path) -> str:
    """The certificate of the authority that signs for the loopback server, as a file."""
    path = folder / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)
