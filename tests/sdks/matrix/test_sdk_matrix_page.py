"""docs/sdk-matrix.md says what the cells say, and test_sdk_matrix.py holds the cells to a run."""

from __future__ import annotations

from _cells import CORE, Sdk, found
from _page import HEAD, PAGE, lines, unversioned
from _table import table


def test_the_page_says_what_a_run_says() -> None:
    """Every line of the SDKs that are installed stands in the page; only the versions may differ."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(HEAD)
    kept = unversioned(text.splitlines())
    for sdk in found():
        if isinstance(sdk, Sdk):
            wanted = unversioned(table(("",), lines(sdk)).splitlines()[2:])
            begins = wanted[0].split("<br>on")[0] + "<br>on"
            assert [line for line in kept if line.startswith(begins)] == wanted, "make sdks prints the page"


def test_the_page_has_every_sdk() -> None:
    """Whatever is installed here, the page names each SDK that has a file."""
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    printed = {row.split(" ")[1] for row in rows if "<br>on " in row}
    assert printed >= CORE
    assert len(printed) == len(list(found()))
