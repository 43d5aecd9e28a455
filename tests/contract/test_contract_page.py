"""docs/contract.md is what the contracts hold, and each line of its table is held by some test."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path

import pytest
from _contract_page import contracts, page
from _contract_table import DIFFERENCES, UNREACHED, Difference

from pytest_agentfault.testing import CLIENTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


def test_the_page_says_what_is_held() -> None:
    """But for the versions, which are those of the day it was printed."""
    versions = re.compile(r"(?<=[a-z0-9] )\d+(\.\d+)+(?=[,| ])")
    written, made = (versions.sub("V", text) for text in (PAGE.read_text(encoding="utf-8"), page() + "\n"))
    assert written == made, "print it anew: python tests/contract/_contract_page.py > docs/contract.md"


@pytest.mark.parametrize("line", DIFFERENCES, ids=lambda d: f"{d.door}-{d.scheme}-{d.case}-{d.client}")
def test_each_line_is_held_by_some_test(line: Difference) -> None:
    """A line that no door, scheme, case and client fits would never be found out."""
    fitting = [
        (case.name, client.name)
        for door, kind in contracts()
        if door == line.door and fnmatchcase(kind.scheme, line.scheme)
        for case in kind.cases
        for client in kind.clients
        if fnmatchcase(case.name, line.case) and fnmatchcase(client.name, line.client)
    ]
    assert fitting


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_is_installed_here(client: object) -> None:
    """So that none of the comparisons is skipped, and each door has a client or says why not."""
    import_module(client.module)  # type: ignore[attr-defined]
    for door, kind in contracts():
        named = {its.name for its in kind.clients} | set(UNREACHED.get(door, ()))
        assert door == "redirect" or client.name in named  # type: ignore[attr-defined]
