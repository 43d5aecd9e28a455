"""
One request and its reply: through the memory door, from a bare server, out of vcrpy.

Like is compared with like: a reply that closes its connection with a server that
closes, one that keeps it with a server that keeps it; plain HTTP with plain HTTP.
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
    rounds, times = (2, 3) if quick else (30, 25)
    kinds = exchanges()
    bare: list[Row] = []
    taped: list[Row] = []
    with TemporaryDirectory() as folder, clients() as stacks:
        with serving({f"/{n}".encode(): kind.as_sent() for n, kind in enumerate(kinds)}) as port:
            for client in stacks:
                for n, kind in enumerate(kinds):
                    url = f"http://127.0.0.1:{port}/{n}"
                    _compare(client, kind, url, Path(folder), rounds, times, bare, taped)
    return [
        Table(
            "One exchange against a bare loopback server",
            f"The same client object posts {times} times a round, {rounds} rounds of each way in turns. The server "
            "is a thread of the same process that reads the request and writes ready-made bytes. Closed: each "
            "reply ends its connection (the door's default); kept: all requests of a round share one.",
            "door",
            "loopback",
            bare,
        ),
        Table(
            "One exchange against vcrpy's playback",
            "As above; vcrpy plays one interaction with `allow_playback_repeats`, the door plays as many "
            "interactions as there are requests (`cassette=`), or mounts vcrpy's (`@pytest.mark.vcr`). For aiohttp "
            "vcrpy hands out a made-up response object and parses nothing, so that is reported only; so is what the "
            "figures do not name: `httpx.AsyncClient`, and a cassette mounted.",
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
    label = f"{client.name}, {kind.name}, {'kept' if kind.keeps else 'closed'}"
    ways: dict[str, Round] = {"loopback": client.repeat(server, times, kind.status)}
    for scheme in ("http", "https"):
        url = f"{scheme}://{HOST}{PATH}"
        work = client.repeat(url, times, kind.status)
        stem = f"{scheme}-{kind.name}-{kind.keeps}-{times}"
        one = write_cassette(folder / f"{stem}-1.yaml", [kind.as_interaction(url)])
        many = write_cassette(folder / f"{stem}.yaml", [kind.as_interaction(url)] * times)
        door = Door()
        if kind.status == 429:
            ways[scheme] = through(door.struck(kind, url), work)
        else:
            ways[scheme] = through(door.played(many, url), work)
            ways[f"{scheme} mounted"] = replayed(one, work, door.played(None, url))
        ways[f"{scheme} vcrpy"] = replayed(one, work)
    found = in_turns(ways, rounds)
    bare.append(ratio(label, found["http"], found["loopback"], AGAINST_LOOPBACK.get(client.name)))
    for scheme in ("http", "https"):
        told = f"{label}, {scheme}"
        taped.append(ratio(told, found[scheme], found[f"{scheme} vcrpy"], AGAINST_VCRPY.get(client.name)))
        if f"{scheme} mounted" in found:
            taped.append(ratio(f"{told}, mounted", found[f"{scheme} mounted"], found[f"{scheme} vcrpy"]))
