"""
Runs benchmarks, prints their tables, and writes them down.

There is no list of them: every module here without a leading underscore that has
a function `tables` is one.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import iter_modules

from ._timing import Row, Table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
NAMED = ("pytest", "vcrpy", "h11", "httpx", "httpx2", "requests", "urllib3", "aiohttp", "anyio", "PyYAML")
OPENING = """\
# Benchmarks

Made by `make bench` (`python -m benchmarks --write`); do not edit. `python -m benchmarks NAME` runs one of
them, `--quick` shows in seconds that it works. Every figure compares two ways that took turns in one run, so a
slow or busy machine changes both; the value judged is the median of the ratios (x) or of the
differences (+), with the smallest and the largest of all rounds behind it.
"""


def names() -> list[str]:
    """All benchmarks."""
    here = str(Path(__file__).parent)
    return sorted(m.name for m in iter_modules([here]) if not m.name.startswith("_") and m.name != "run")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is named, or everything; the exit code is 0 however fast it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one of {', '.join(names())}; default all")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, not how fast it is")
    parser.add_argument("--write", action="store_true", help=f"also write {PAGE.name}")
    asked = parser.parse_args(arguments)
    unknown = set(asked.name) - set(names())
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    if asked.write and (asked.quick or asked.name):
        parser.error("--write is for a whole run: without --quick and without names")
    page = [OPENING, _machine()]
    for name in asked.name or names():
        began = time.perf_counter()
        for table in import_module(f"{__package__}.{name}").tables(asked.quick):
            page.append(_section(name, table))
            print(page[-1], flush=True)
        print(f"({name}: {time.perf_counter() - began:.1f} s)\n", file=sys.stderr, flush=True)
    if asked.write:
        PAGE.write_text("\n".join(page), encoding="utf-8")
    return 0


def _machine() -> str:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        cpu = next((x.partition(": ")[2] for x in info.read_text().splitlines() if x.startswith("model name")), cpu)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = ", ".join(f"{name} {version(name)}" for name in NAMED)
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    busy = " **The machine was busy: a verdict near its limit says little.**" if load > processors / 2 else ""
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: {python}, {platform.system()}, {cpu}, {processors} processors, "
        f"load {load:.1f} at the start; {versions}.{busy}\n"
    )


def _section(name: str, table: Table) -> str:
    head = ("", table.ours, table.base, "value", "rounds", "required", "")
    lines = [head, ("---", *("---:" for _ in head[1:-1]), "---"), *(_cells(row) for row in table.rows)]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in _padded(lines))
    return f"## {table.title}\n\n`python -m benchmarks {name}`\n\n{table.how}\n\n{text}\n"


def _cells(row: Row) -> tuple[str, ...]:
    def shown(value: float) -> str:
        return f"{value:.2f} x" if row.judged == "x" else f"{value:+.1f} {row.unit}"

    verdict = {None: "reported", True: "met", False: "**not met**"}[row.met]
    limit = "" if row.limit is None else f"<= {row.limit:g} {'x' if row.judged == 'x' else row.unit}"
    times = (f"{row.ours:,.1f} {row.unit}", f"{row.base:,.1f} {row.unit}")
    return (row.what, *times, shown(row.value), f"{shown(row.low)} .. {shown(row.high)}", limit, verdict)


def _padded(lines: Sequence[tuple[str, ...]]) -> Iterable[list[str]]:
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    for number, line in enumerate(lines):
        if number == 1:  # Markdown's rule: as wide as its column
            yield [("-" * (w - 1) + c[-1]) if c.endswith(":") else "-" * w for c, w in zip(line, widths, strict=True)]
        else:
            yield [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
