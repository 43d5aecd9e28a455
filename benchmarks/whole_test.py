"""A whole test's worth: everything put on, one exchange, everything taken off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from ._clients import clients
from ._timing import Round, Row, Table, in_turns, ratio
from ._ways import HOST, PATH, Door, exchanges, replayed, through, write_cassette


def tables(quick: bool) -> Sequence[Table]:
    """The door over a cassette against `vcr.use_cassette`, for cassettes of several lengths."""
    rounds = 2 if quick else 30
    url = f"http://{HOST}{PATH}"
    kind = next(kind for kind in exchanges() if kind.status == 200 and kind.keeps)
    rows: list[Row] = []
    with TemporaryDirectory() as folder, clients() as stacks:
        door = Door()
        for client in stacks[:1] if quick else stacks:
            work = client.repeat(url, 1, kind.status, kind.keeps)
            for size in (1, 20):
                path = write_cassette(Path(folder) / f"{size}.yaml", [kind.as_interaction(url)] * size)
                ways = {"ours": _whole(through(door.played(path, url), work)), "vcrpy": _whole(replayed(path, work))}
                found = in_turns(ways, rounds)
                rows.append(ratio(f"{client.name}, cassette of {size}", found["ours"], found["vcrpy"]))
    return [
        Table(
            "A whole test",
            "One exchange with all that surrounds it in a test: a run is made, clock, mount and door are put on and "
            "taken off (the plugin reads a cassette once per session); `vcr.use_cassette` reads and patches.",
            "door",
            "vcrpy",
            rows,
        )
    ]


def _whole(work: Round) -> Round:
    def once() -> float:
        began = perf_counter()
        work()
        return perf_counter() - began

    return once
