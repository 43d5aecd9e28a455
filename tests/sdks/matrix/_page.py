"""
docs/sdk-matrix.md: what each SDK comes to under each fault.

`python tests/sdks/matrix/_page.py` runs every cell, with every SDK installed, and writes the page
only if all of them came to what their files say; test_sdk_matrix_page.py holds the page to the files.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
PAGE: Final = FOLDER.parents[2] / "docs" / "sdk-matrix.md"
if __name__ == "__main__":  # as pytest would have it
    sys.path[:0] = [str(FOLDER.parents[1]), str(FOLDER.parent), str(FOLDER)]

from _cells import EVERY, FAULTS, Call, Cell, Met, Sdk, found  # noqa: E402
from _table import called, table  # noqa: E402

HEAD: Final = """\
# The SDK matrix

<!-- Printed by `python tests/sdks/matrix/_page.py` (`make sdks`) from a run of tests/sdks/matrix, which asserts
all of it but the notes. -->

Real SDKs through their public API, with their own defaults and their own retry loop, over small healthy replies:

- **429**: two refusals for too many requests, then well. The column before says which: a scenario, or the reply the
  vendor documents, not always with that status;
- **reset**: the vendor has acted, and the connection is reset before its reply (`any/connection-reset`);
- **split**: a stream whose chunks are cut where parsers break (`any/chunk-split`);
- **cut**: the connection closes in the middle of a stream (`any/stream-cut`).

What the call comes to:

- **recovered**: the healthy result, after the SDK itself sent the request again, so many times, and never before the
  Retry-After that the refusal named, unless the cell says so.
- **held**: the healthy result at once.
- **surfaced**: this error came out, the SDK's own or one of the HTTP library beneath it, after so many retries. Where
  two errors are named, CPython decides: over TLS a reset reads as an end of file up to 3.12.
- **crashed**: an error came out that is a bug's.
- **unnoticed**: no error, and a result that is wrong or not whole.

"missed" would be a fault that did not strike: such a cell fails the run. [Every scenario of a vendor](sdks.md).

"""


def page() -> str:
    """The whole page, of the SDKs that are installed."""
    sdks = [sdk for sdk in found() if isinstance(sdk, Sdk)]
    heads = ("SDK", "Call", "Limit", *FAULTS, "Notes")
    return HEAD + table(heads, [line for sdk in sdks for line in lines(sdk)]).rstrip("\n") + "\n"


def lines(sdk: Sdk) -> Iterator[tuple[str, ...]]:
    """The lines of an SDK; calls that come to the same stand in one."""
    same: dict[tuple[str, ...], list[str]] = {}
    for call in sdk.calls:
        cells = (limit(sdk, call), *(told(call.met.get(fault)) for fault in FAULTS), notes(call))
        same.setdefault(cells, []).append(call.name)
    return ((titled(sdk), "<br>".join(names), *cells) for cells, names in same.items())


def titled(sdk: Sdk) -> str:
    """The SDK and what it stands on, with their versions."""
    standard = sys.stdlib_module_names
    beneath = ", ".join(n if n.partition(".")[0] in standard else f"{n} {version(n)}" for n in sdk.beneath)
    return f"{sdk.name} {version(sdk.name)}<br>on {beneath}"


def limit(sdk: Sdk, call: Call) -> str:
    """What says that there were too many requests."""
    struck = Cell(sdk, call, "429").scenario
    return f"`{struck}`" if isinstance(struck, str) else f"the vendor's {struck.code}"


def told(met: Met | None) -> str:
    """What a cell comes to."""
    if met is None:
        return ""
    error = "".join(f"{' or ' if n else ': '}`{called(kind)}`" for n, kind in enumerate(met.kinds))
    again = f", {met.retries} {'retry' if met.retries == 1 else 'retries'}" if met.retries else ""
    return f"**{met.outcome}**{error}{again}{', before Retry-After' if met.early else ''}"


def notes(call: Call) -> str:
    """The notes on a call, by fault."""
    by_note: dict[str, list[str]] = {}
    for fault, met in call.met.items():
        if met.note:
            by_note.setdefault(met.note, []).append(fault)
    return "; ".join(f"{', '.join(faults)}: {note}" for note, faults in by_note.items())


def unversioned(rows: Iterable[str]) -> list[str]:
    """Lines of the table without the versions they were printed with."""
    return [re.sub(r"(?<=[\w)]) \d[\w.]*(?=<br>on|, | \|)", "", row) for row in rows if row.startswith("| ")]


def main() -> int:
    """Run every cell, by pytest as anybody runs it, and write the page."""
    asked = [sys.executable, "-m", "pytest", "-q", str(FOLDER / "test_sdk_matrix.py"), *sys.argv[1:]]
    failed = subprocess.run(asked, env={**os.environ, EVERY: "all"}, check=False).returncode
    if not failed:
        PAGE.write_text(page(), encoding="utf-8")
        print(PAGE)
    return failed


if __name__ == "__main__":
    sys.exit(main())
