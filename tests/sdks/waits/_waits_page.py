"""
docs/waits.md: how clients wait when they are told to.

`python tests/sdks/waits/_waits_page.py` runs every test of this folder with every client installed, the
real waits among them, and writes the page only if all of them passed; test_sdk_waits_page.py holds the
page to the table.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

FOLDER: Final = Path(__file__).parent
PAGE: Final = FOLDER.parents[2] / "docs" / "waits.md"
if __name__ == "__main__":  # as pytest would have it
    sys.path[:0] = [str(FOLDER.parents[1]), str(FOLDER.parent), str(FOLDER)]

from _caller import MINUTE, Caller, Wait  # noqa: E402
from _callers import CALLERS  # noqa: E402
from _runs import on_the_clock  # noqa: E402
from _table import table  # noqa: E402

ROUNDS: Final = 7
HEADS: Final = ("Client", "Told", "Waits, in s", "In real ms", "Gives up with", "Notes", "Versions")
HEAD: Final = """\
# How clients wait

<!-- Printed by `python tests/sdks/waits/_waits_page.py` (`make sdks`) from a run of tests/sdks/waits, which asserts
all of it but the notes and the milliseconds. -->

Each client is refused with a 429 that says `Retry-After: 60`, and told to try again at most three times:

- **Waits**: what it asks for, each of the three times. [The clock](clock.md) moves by that, and nobody waits. After
  three refusals it has its result; each client was also refused with `Retry-After: 1` by a server in real time, and
  then waited as it does on the clock, to within 0.4 s.
- **In real ms**: such a call, with its three waits and four replies, once it is warm; on one machine, not idle.
- **Gives up with**: what comes out where the refusals do not end, after the same waits.

"told" is a retry loop whose wait is read from the reply by the test. [What each SDK comes to](sdk-matrix.md) under
other faults.

"""


def page() -> str:
    """The whole page, of the clients that are installed."""
    return HEAD + table(HEADS, [line(caller) for caller in CALLERS if caller.is_here]).rstrip("\n") + "\n"


def line(caller: Caller, *, timed: bool = True) -> tuple[str, ...]:
    """The line of a client."""
    versions = ", ".join(f"{name} {version(name)}" for name in caller.packages)
    times = "<br>".join(f"{1e3 * took:.0f}" for took in took(caller)) if timed else ""
    return (
        "<br>".join(caller.ways),
        f"`{caller.told}`",
        waits(caller.waits),
        times,
        f"`{caller.raises}`",
        caller.note,
        versions,
    )


def waits(asked: Iterable[Wait]) -> str:
    """Its waits."""
    if tuple(asked) == MINUTE:
        return "60, 60, 60"
    return ", ".join(f"{least:g}" if least == most else f"{least:g} to {most:g}" for least, most in asked)


def took(caller: Caller) -> Iterator[float]:
    """The real seconds of a call that waits three times, sync and async."""
    for awaited in range(len(caller.ways)):
        times = [on_the_clock(caller, bool(awaited), 60, 3).took for _ in range(ROUNDS + 1)]
        yield median(times[1:])


def lasting(row: str) -> list[str]:
    """A row without what the machine decides: its milliseconds and versions."""
    cells = row.split(" | ")
    return [cell for place, cell in enumerate(cells) if HEADS[place] not in ("In real ms", "Versions")]


def main() -> int:
    """Run every test, by pytest as anybody runs it, and write the page."""
    asked = [sys.executable, "-m", "pytest", "-q", str(FOLDER / "test_sdk_waits.py"), *sys.argv[1:]]
    failed = subprocess.run(asked, env={**os.environ, "AGENTFAULT_SDKS": "all"}, check=False).returncode
    if not failed:
        logging.disable()  # what clients say of their retries is no part of the page
        PAGE.write_text(page(), encoding="utf-8")
        print(PAGE)
    return failed


if __name__ == "__main__":
    sys.exit(main())
