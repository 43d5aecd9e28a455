"""docs/streams.md is what readers of streams really do; and a reader that breaks is told from one that does not."""

from __future__ import annotations

import re
from pathlib import Path

from _stream_page import NONE, page

from pytest_agentfault.faults._places import PLACES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "streams.md"


def rows(text: str) -> list[list[str]]:
    """The lines of all tables on a page, cell by cell, without their heads."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| ---") and line[2:4].strip()
    ]


def test_the_page_says_what_readers_do() -> None:
    """But for the versions, which are those of the day it was printed."""
    versions = re.compile(r"(?<=[a-z0-9] )\d+(\.\d+)+(?=[,.] ?)")
    written, now = (versions.sub("V", text) for text in (PAGE.read_text(encoding="utf-8"), page()))
    assert written == now, "print it anew: python tests/readers/_stream_page.py > docs/streams.md"


def test_each_place_meets_a_reader_and_each_reader_is_asked() -> None:
    """No line is empty, and no column."""
    found = rows(PAGE.read_text(encoding="utf-8"))
    told = {row[0] for row in found if any(row[1:])}
    assert told >= {f"`{name}`" for name in (*PLACES, "glue", "inside_framing", "every-boundary")}
    readers = {len(row) for row in found}
    assert readers == {12}
    for column in range(1, 12):
        assert sum(row[column] != NONE for row in found) > 20


def test_a_reader_that_takes_pieces_for_events_is_found_out() -> None:
    """The naive one fails at nearly every cut of a chunk, and at none that leaves the chunks as they are."""
    made = PAGE.read_text(encoding="utf-8")
    naive = {row[0]: row[-1] for row in rows(made.partition("## Cut in TCP")[0])}
    assert naive["`inside_utf8`"] == "`UnicodeDecodeError`"
    assert naive["`glue`"] == naive["`one_byte`"] == "`json.JSONDecodeError`"
    segments = {row[0]: row[-1] for row in rows(made.partition("## Cut in TCP")[2].partition("## Faults")[0])}
    assert segments["`glue`"] == segments["`inside_framing`"] == segments["`after_event`"] == "same"
    assert segments["`inside_utf8`"] == "`UnicodeDecodeError`"
