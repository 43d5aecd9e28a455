"""Long cassettes: the time of one interaction, and how it grows with their number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from ._timing import Round, Table, in_turns, ratio
from ._ways import HOST, PATH, Door, exchanges, replayed, through, write_cassette

LIMIT = 0.6
LINEAR = 1.25  # what the time of one interaction may grow by when there are ten times as many


def tables(quick: bool) -> Sequence[Table]:
    """Each interaction of a cassette played once, in its order, by one `httpx.Client`."""
    import httpx

    few, many, most = (5, 10, 20) if quick else (100, 1_000, 10_000)
    rounds = 2 if quick else 3
    door = Door()
    kind = next(kind for kind in exchanges() if kind.status == 200)
    with TemporaryDirectory() as folder, httpx.Client(trust_env=False) as client:

        def cassette(size: int) -> Path:
            interactions = [kind.as_interaction(_url(n)) for n in range(size)]
            return write_cassette(Path(folder) / f"{size}.yaml", interactions)

        files = {size: cassette(size) for size in (few, many, most)}
        ours = {size: through(door.played(path, f"http://{HOST}"), _all(client, size)) for size, path in files.items()}
        taped = {size: replayed(files[size], _all(client, size)) for size in (few, many)}
        small = in_turns({"ours": ours[few], "vcrpy": taped[few]}, rounds * 3, collecting=True)
        large = in_turns({"ours": ours[many], "vcrpy": taped[many]}, 2, warm=0, collecting=True)
        growth = in_turns({str(size): ours[size] for size in files}, rounds, collecting=True)
    how = (
        "`httpx.Client` posts to as many URLs as the cassette has interactions, in its order; the time is that of one. "
        "The garbage collector is on."
    )
    return [
        Table(
            "Playing a long cassette against vcrpy",
            f"{how} Reading the file is left out; the plugin does it once per session, vcrpy once per test.",
            "door",
            "vcrpy",
            [
                ratio(f"{few:,} interactions", small["ours"], small["vcrpy"]),
                ratio(f"{many:,} interactions", large["ours"], large["vcrpy"], LIMIT),
            ],
        ),
        Table(
            "Growth with the length of the cassette",
            f"{how} Linear: ten times as many interactions cost no more each than {LINEAR} x. (vcrpy looks through "
            f"the whole list for each request; {most:,} would take it minutes.)",
            "longer",
            "shorter",
            [
                ratio(f"{many:,} against {few:,}", growth[str(many)], growth[str(few)], LINEAR),
                ratio(f"{most:,} against {many:,}", growth[str(most)], growth[str(many)], LINEAR),
            ],
        ),
    ]


def _url(number: int) -> str:
    return f"http://{HOST}{PATH}/{number}"


def _all(client: Any, size: int) -> Round:
    urls = [_url(n) for n in range(size)]

    def once() -> float:
        began = perf_counter()
        for url in urls:
            assert client.post(url).status_code == 200
        return (perf_counter() - began) / size

    return once
