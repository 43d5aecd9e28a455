"""
What readers of streams survive, as a page: `python tests/readers/_stream_page.py` prints docs/streams.md.

Rule: every cell is what a reader did, through the memory door and its own real HTTP client; nothing is listed here.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from gzip import compress
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _memory import opened
from _stream_readers import Heard, Reader, readers

from pytest_agentfault import Rule
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._script import Script, encode
from pytest_agentfault.faults._places import PLACES
from pytest_agentfault.faults.end_early import EndEarly
from pytest_agentfault.faults.error_event import ErrorEvent
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.misdeliver_events import HOWS as MISDELIVERIES
from pytest_agentfault.faults.misdeliver_events import MisdeliverEvents
from pytest_agentfault.faults.mislabel import HOWS as LABELS
from pytest_agentfault.faults.mislabel import Mislabel
from pytest_agentfault.faults.pace import Pace
from pytest_agentfault.faults.resume_events import ResumeEvents
from pytest_agentfault.faults.rewrite_events import HOWS, RewriteEvents
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.split_chunks import SplitChunks

ASKED: Final = Request("POST", "http://reader.test/")
SAME, WRONG, NONE = "same", "**wrong**", ""
OPENING: Final = """\
# What readers of streams survive

<!-- Printed by `python tests/readers/_stream_page.py`, and held to it by tests/readers/test_stream_page.py. -->

Each reader below reads a small stream in its own shape: characters of two, three and four bytes, escapes, numbers, an
event in each HTTP chunk. Then it reads the same stream cut in other pieces, and under each fault of streams, through
the memory door and its own real HTTP client.

- **same**: the very events of the healthy stream, and no error.
- an **error**: the class that came out of the reader.
- **wrong**: other events than those of the healthy stream, without a word.
- nothing: the fault does not strike such a stream (no `event:` line, no compressed bytes ...), or the reader reads
  none of that kind in one piece either.

`aiohttp lines` and `requests.iter_lines` are loops over lines that take what is behind `data: ` for JSON, as such loops
are written; `naive` takes each piece it reads for one event. `botocore` reads binary events of AWS, `ollama` a JSON
value per line, all others server-sent events. None of them retries here.
"""
FAULTS: Final = """
What is lost, added or moved cannot be the same; there an error is what a reader can do for its user. The last event of
`misdeliver_events`: unfinished has no blank line behind it, and the format has it discarded: **wrong** is right there.
An event without data (`rewrite_events`: empty_events) and a byte order mark (bom) are not to be handed up.
"""
CUTS: Final = """
All places of a name are cut at once (`split_chunks = { at = ["inside_utf8"] }`); in the last line each is cut alone
(`at = "every-boundary"`), and the line says how many of these runs went wrong. `inside_gzip` is over a compressed body,
`between_cr_lf` over one whose lines end in CR LF.
"""


@dataclass
class Now:
    """Answers with the reply that is set, under the fault that is set."""

    reply: Reply
    script: Script | None = None

    def answer(self, request: Request) -> Reply:
        return self.reply

    def garble(self, script: Script) -> Script:
        return self.script or script


Fault = Any
Make = Callable[[Reader], tuple[Reply, Fault]]


def _plain(fault: Fault) -> Make:
    return lambda reader: (reader.reply, fault)


def _gzipped(reply: Reply) -> Reply:
    return reply.with_data([compress(reply.body, mtime=0)]).with_header("Content-Encoding", "gzip")


def _crlf(reply: Reply) -> Reply:
    return RewriteEvents("crlf").alter(ASKED, reply)


def _cuts(wire: str) -> Iterator[tuple[str, Make]]:
    def cut(prepare: Callable[[Reply], Reply] = lambda reply: reply, **how: Any) -> Make:
        return lambda reader: (prepare(reader.reply), SplitChunks(wire=wire, **how))

    prepared = {"inside_gzip": _gzipped, "between_cr_lf": _crlf}
    for name in PLACES:
        yield f"`{name}`", cut(prepared.get(name, lambda reply: reply), at=(name,))
    if wire == "segments":
        yield "`inside_framing`", cut(at=("inside_framing",))
    yield "`glue`", cut(at=("glue",))
    yield "`every_events` = 2", cut(every_events=2)
    yield "`every_bytes` = 7", cut(every_bytes=7)
    yield "`random_cuts` = 20", cut(random_cuts=20, random=Random(1))
    yield f"`{EACH_ALONE}`", cut(at=EACH_ALONE)


EACH_ALONE: Final = "every-boundary"


def _faults() -> Iterator[tuple[str, Make]]:
    yield "cut inside an event", _plain(Lose("cut", "in_body", only="stream"))
    yield "cut between events", _plain(Lose("cut", "between_events"))
    yield "reset inside an event", _plain(Lose("reset", "in_body", only="stream"))
    yield "silent between events, for ever", _plain(Lose("stall", "between_events"))
    yield "silent between events, 5 s", _plain(Slow(5, "in_body"))
    yield "2 events a second", _plain(Pace(2))
    yield "ends early, cleanly", _plain(EndEarly())
    yield "error event, then the end", lambda r: (r.reply, ErrorEvent(2, json=r.error[0], event=r.error[1]))
    for how in MISDELIVERIES:
        yield f"`misdeliver_events`: {how}", _plain(MisdeliverEvents(how))
    for how in HOWS:
        yield f"`rewrite_events`: {how}", _plain(RewriteEvents(how))
    yield "`resume_events`", _plain(ResumeEvents(3000))
    for how in LABELS:
        yield f"`mislabel`: {how}", _plain(Mislabel(how))
    yield "JSON error with status 200", lambda r: (r.reply, Instead("application/json", b'{"error":{"message":"No"}}'))
    yield "HTML page with status 200", lambda r: (r.reply, Instead("text/html", b"<html><p>Sign in</p></html>"))


@dataclass(frozen=True)
class Instead:
    """Another body where a stream was due."""

    kind: str
    body: bytes

    def alter(self, request: Request, reply: Reply) -> Reply:
        return Reply.of(200, self.body, {"Content-Type": self.kind})


@dataclass(frozen=True)
class Prepared:
    """The stream as it is to be cut."""

    reply: Reply

    def alter(self, request: Request, reply: Reply) -> Reply:
        return self.reply


class Table:
    """Asks readers, one reply after the other."""

    def __init__(self, now: Now) -> None:
        self._now = now

    def outcome(self, reader: Reader, make: Make, expected: Heard) -> str:
        """What the reader makes of a fault, as a cell."""
        reply, fault = make(reader)
        if reply != reader.reply and self._read(reader, reader.reply, Prepared(reply), expected) != SAME:
            return NONE  # it cannot read such a stream in one piece either
        if not getattr(fault, "explores", False):
            return self._read(reader, reply, fault, expected)
        found = Counter(self._read(reader, reply, each, expected) for _, each in fault.each(ASKED, reply))
        total = found.total()
        bad = [f"{cell} in {n} of {total}" for cell, n in found.most_common() if cell != SAME]
        return ", ".join(bad) or (f"{SAME}, all {total}" if total else NONE)

    def _read(self, reader: Reader, reply: Reply, fault: Fault, expected: Heard) -> str:
        altered = fault.alter(ASKED, reply) if hasattr(fault, "alter") else reply
        script = whole = encode(altered, ASKED)
        if hasattr(fault, "garble"):
            script = fault.garble(whole)
        if altered == reply and script == whole:
            return NONE
        self._now.reply, self._now.script = altered, script
        try:
            return SAME if reader.read() == expected else WRONG
        except Exception as error:
            return f"`{_class(error)}`"


def _class(error: Exception) -> str:
    kind = type(error)
    root = kind.__module__.partition(".")[0]
    return kind.__qualname__ if root == "builtins" else f"{root}.{kind.__qualname__}"


def page() -> str:
    """docs/streams.md as it should be."""
    with readers() as made:
        now = Now(made[0].reply)
        with opened(Rule("* *", (now,)), timed=True, max_calls=1_000_000) as door:
            table = Table(now)
            expected: list[Heard] = []
            for reader in made:
                now.reply, now.script = reader.reply, None
                expected.append(reader.read())

            def filled(rows: Iterator[tuple[str, Make]]) -> str:
                lines: list[Sequence[str]] = []
                for name, make in rows:
                    cells = [table.outcome(r, make, e) for r, e in zip(made, expected, strict=True)]
                    lines.append((name, *cells))
                    door.plan.log.clear()
                return _table(("", *(f"`{r.name}`" for r in made)), lines)

            parts = (
                f"{OPENING}\n{_versions(made)}\n",
                f"## Cut in HTTP chunks\n{CUTS}\n{filled(_cuts('chunks'))}\n",
                f"## Cut in TCP segments\n\nThe chunks stay as they are.\n{CUTS}\n{filled(_cuts('segments'))}\n",
                f"## Faults of the stream\n{FAULTS}\n{filled(_faults())}\n",
            )
    return "\n".join(parts)


def _versions(made: Sequence[Reader]) -> str:
    names = dict.fromkeys(name for reader in made for name in reader.packages)
    return f"Printed with {', '.join(f'{name} {version(name)}' for name in names)}."


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
