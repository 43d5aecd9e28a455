"""
One request and its reply: through the memory door, from a bare server, out of vcrpy.

Like is compared with like: where the client asks for a close both sides close, else
both keep the connection; plain HTTP with plain HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ._clients import Client, clients
from ._loopback import serving
from ._timing import Round, Row, Table, in_turns, ratio
from ._ways import HOST, PATH, Door, Exchange, exchanges, replayed, through, write_cassette

AGAINST_LOOPBACK: Mapping[str, float] = {"httpx": 0.75, "httpx2": 0.75, "requests": 0.90, "aiohttp": 0.90}
AGAINST_VCRPY: Mapping[str, float] = {"httpx": 1.1, "httpx2": 1.1, "requests": 1.1}


def tables(quick: bool) -> Sequence[Table]:
    """The door against a bare server, and against vcrpy."""
    rounds, times = (1, 1) if quick else (16, 20)
    kinds = exchanges()
    bare: list[Row] = []
    taped: list[Row] = []
    answers = {f"/{n}".encode(): kind.as_sent() for n, kind in enumerate(kinds)}
    with TemporaryDirectory() as folder, clients() as stacks, serving(answers) as port:
        for client in stacks:
            for n, kind in enumerate(kinds):
                url = f"http://127.0.0.1:{port}/{n}"
                _compare(client, kind, url, Path(folder), rounds, times, bare, taped)
    return [
        Table(
            "One exchange against a bare loopback server",
            f"The same client object posts {times} times a round, {rounds} rounds of each way in turns. The server "
            "is a thread of the same process that reads the request and writes ready-made bytes. keep: all requests of "
            "a round share one connection; close: the client asks for a close, so that each makes its own.",
            "door",
            "loopback",
            bare,
        ),
        Table(
            "One exchange against vcrpy's playback",
            "As above; vcrpy plays one interaction with `allow_playback_repeats`, which is its fastest; the door plays "
            "as many interactions as there are requests (`cassette=`), or has vcrpy's mounted (`@pytest.mark.vcr`). "
            "For aiohttp vcrpy hands out a made-up response object and parses nothing, so that is reported only; so "
            "is what the figures do not name: `httpx.AsyncClient`, and a cassette mounted.",
            "door",
            "vcrpy",
            taped,
        ),
    ]


def _compare(
    client: Client,
    kind: Exchange,
    server: str,
    folder: Path,
    rounds: int,
    times: int,
    bare: list[Row],
    taped: list[Row],
) -> None:
    ways: dict[str, Round] = {"loopback": client.repeat(server, times, kind.status, kind.keeps)}
    for scheme in ("http", "https") if kind.keeps else ("http",):
        url = f"{scheme}://{HOST}{PATH}"
        work = client.repeat(url, times, kind.status, kind.keeps)
        one = write_cassette(folder / f"{scheme}-1.yaml", [kind.as_interaction(url)])
        ways[f"{scheme}, vcrpy"] = replayed(one, work)
        if kind.status == 429:
            ways[scheme] = through(Door().struck(kind, url), work)
        else:
            many = write_cassette(folder / f"{scheme}.yaml", [kind.as_interaction(url)] * times)
            ways[scheme] = through(Door().played(many, url), work)
            ways[f"{scheme}, mounted"] = replayed(one, work, Door().played(None, url))
    found = in_turns(ways, rounds)
    label = f"{client.name}, {kind.name}, {'keep' if kind.keeps else 'close'}"
    bare.append(ratio(label, found["http"], found["loopback"], AGAINST_LOOPBACK.get(client.name)))
    for name, times_of_way in found.items():
        scheme, _, how = name.partition(", ")
        if scheme != "loopback" and how != "vcrpy":
            limit = None if how else AGAINST_VCRPY.get(client.name)
            taped.append(ratio(f"{label}, {name}", times_of_way, found[f"{scheme}, vcrpy"], limit))
