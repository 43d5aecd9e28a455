"""A client made for one request and closed behind it, as many SDK wrappers and tests do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from ._clients import BODY, HEADERS
from ._loopback import serving
from ._timing import Round, Row, Table, in_turns, ratio
from ._ways import HOST, PATH, Door, exchanges, through

AGAINST_LOOPBACK = 1.05


def tables(quick: bool) -> Sequence[Table]:
    """The door against a bare server, a client of its own for each request."""
    rounds, times = (1, 1) if quick else (16, 10)
    kind = next(kind for kind in exchanges() if kind.status == 429 and kind.keeps)
    rows: list[Row] = []
    with serving({b"/": kind.as_sent()}) as port:
        for name, ask in _asking().items():
            url = f"http://{HOST}{PATH}"
            door = through(Door().struck(kind, url), _round(ask, url, times))
            ways = {"door": door, "loopback": _round(ask, f"http://127.0.0.1:{port}/", times)}
            found = in_turns(ways, rounds)
            rows.append(ratio(name, found["door"], found["loopback"], AGAINST_LOOPBACK))
    return [
        Table(
            "A fresh client for each request",
            f"A 429, asked for {times} times a round by as many clients, {rounds} rounds of each way in turns. Most "
            "of it is the client's own start: httpx reads the certificates that it would trust.",
            "door",
            "loopback",
            rows,
        )
    ]


def _asking() -> dict[str, Callable[[str], int]]:
    import httpx
    import httpx2
    import requests

    def by(module: Any) -> Callable[[str], int]:
        def ask(url: str) -> int:
            with module.Client(trust_env=False) as client:
                code: int = client.post(url, content=BODY, headers=HEADERS).status_code
            return code

        return ask

    def by_requests(url: str) -> int:
        with requests.Session() as session:
            return session.post(url, data=BODY, headers=HEADERS).status_code

    return {"httpx": by(httpx), "httpx2": by(httpx2), "requests": by_requests}


def _round(ask: Callable[[str], int], url: str, times: int) -> Round:
    def once() -> float:
        began = perf_counter()
        for _ in range(times):
            assert ask(url) == 429
        return (perf_counter() - began) / times

    return once
