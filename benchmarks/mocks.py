"""What a mock that a test has costs more once we are there: a MockTransport, and respx."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Final

from pytest_agentfault import Rule

from ._clients import BODY, HEADERS
from ._timing import Round, Row, Table, in_turns, ratio
from ._ways import HOST, NEVER, PATH, WELL, WELL_HEADERS, Door, through

URL: Final = f"http://{HOST}{PATH}"
ELSEWHERE: Final = "POST http://other.example.test/*"
LIMITS: Final = {"MockTransport": 1.15, "respx": 1.5}


def tables(quick: bool) -> Sequence[Table]:
    """The doors `transport` and `memory` over mocks, against the mocks alone."""
    import httpx
    import httpx2

    rounds, times = (1, 1) if quick else (20, 50)
    rows: list[Row] = []
    for library in (httpx, httpx2):
        asks = _round(library.Client(transport=library.MockTransport(_answer(library))), times)
        rows += _rows(f"MockTransport, {library.__name__}", LIMITS["MockTransport"], asks, rounds)
    rows += _rows("respx, httpx", LIMITS["respx"], _under_respx(_round(httpx.Client(trust_env=False), times)), rounds)
    return [
        Table(
            "Mocks that a test has",
            f"One client object posts {times} times a round, {rounds} rounds of each way in turns. untouched: the "
            "test's fault aims at another host. counted: its rule looks at every request and strikes none; the "
            "request is then in the log, and respx is asked from below, through the client's real parser.",
            "with us",
            "alone",
            rows,
        )
    ]


def _rows(name: str, limit: float, work: Round, rounds: int) -> list[Row]:
    ways = {"alone": work, "untouched": _beneath(ELSEWHERE, work), "counted": _beneath(f"POST {URL}*", work)}
    found = in_turns(ways, rounds)
    return [
        ratio(f"{name}, untouched", found["untouched"], found["alone"], limit),
        ratio(f"{name}, counted", found["counted"], found["alone"]),
    ]


def _answer(library: Any) -> Callable[[Any], Any]:
    return lambda request: library.Response(200, headers=WELL_HEADERS, content=WELL)


def _round(client: Any, times: int) -> Round:
    def once() -> float:
        began = perf_counter()
        for _ in range(times):
            assert client.post(URL, content=BODY, headers=HEADERS).status_code == 200
        return (perf_counter() - began) / times

    return once


def _under_respx(work: Round) -> Round:
    import respx

    def once() -> float:
        with respx.mock(assert_all_called=False) as router:
            router.post(URL).respond(200, headers=WELL_HEADERS, content=WELL)
            return work()

    return once


def _beneath(to: str, work: Round) -> Round:
    from pytest_agentfault.faults.status import Status

    door = Door()
    return through(lambda: door.run(Rule(to, (Status(code=500),), after=NEVER)), work, "respx_mock")
