"""docs/waits.md says what the table of clients says, and test_sdk_waits.py holds the table to a run."""

from __future__ import annotations

from _callers import CALLERS
from _table import table
from _waits_page import HEAD, HEADS, PAGE, lasting, line


def test_the_page_says_what_a_run_says() -> None:
    """Every line of the clients that are installed stands in the page; only versions and milliseconds may differ."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(HEAD + "| " + " | ".join(HEADS))
    printed = [lasting(row) for row in text.splitlines() if row.startswith("| ")]
    for caller in CALLERS:
        if caller.is_here:
            (*_, wanted) = table(("",), [line(caller, timed=False)]).strip().splitlines()
            assert lasting(wanted) in printed, "make sdks prints the page"


def test_the_page_has_every_client() -> None:
    """Whatever is installed here, the page names each client of the table, and no other."""
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    printed = [row.split(" | ")[0] for row in rows if row.startswith("| ")][2:]
    assert printed == ["| " + "<br>".join(caller.ways) for caller in CALLERS]


def test_the_page_says_how_long_it_took() -> None:
    """A figure for each side of each client."""
    rows = [row.split(" | ") for row in PAGE.read_text(encoding="utf-8").splitlines() if row.startswith("| ")][2:]
    for caller, row in zip(CALLERS, rows, strict=True):
        assert len(row[3].split("<br>")) == len(caller.ways)
        assert all(figure.isdigit() for figure in row[3].split("<br>"))
