"""Every single split of a stream, one a run: what it costs against the stream unsplit, and a real server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from json import dumps
from time import perf_counter
from typing import Any, Final

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault._script import Send, encode
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.faults.split_chunks import SplitChunks

from ._loopback import serving
from ._timing import Round, Table, in_turns, ratio
from ._ways import HOST, NEVER, PATH

AGAINST_UNSPLIT: Final = 1.3
AGAINST_LOOPBACK: Final = 0.9
SLICES: Final = 20  # of the exchanges of one test, so that neighbours in time are compared
HEADERS: Final = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
URL: Final = f"http://{HOST}{PATH}"


def tables(quick: bool) -> Sequence[Table]:
    """A stream of server-sent events, as many exchanges in one test as it has offsets, each split at another one."""
    import httpx2

    size, rounds = (500, 1) if quick else (10_000, 4)
    reply = _stream(size)
    ways: dict[str, Round] = {}
    asked = Request("GET", URL)
    faults = [fault for _, fault in SplitChunks(at="every-byte").each(asked, reply)]
    each = -(-len(faults) // SLICES)
    answers = {f"/{n}".encode(): _segments(fault.alter(asked, reply), asked) for n, fault in enumerate(faults)}
    shares = [range(first, min(first + each, len(faults))) for first in range(0, len(faults), each)]
    with httpx2.Client(trust_env=False) as client, serving(answers) as port:
        through = [_loop(client, [URL] * len(share), reply.body) for share in shares]
        ways["split"] = Behind(reply, lambda: EachInTurn(faults), through)
        ways["unsplit"] = Behind(reply, lambda: SplitChunks(), through, after=NEVER)
        local = f"http://127.0.0.1:{port}"
        ways["loopback"] = InTurn([_loop(client, [f"{local}/{n}" for n in share], reply.body) for share in shares])
        found = in_turns(ways, rounds * len(shares), warm=len(shares))
    return [
        Table(
            "Every single split of a stream",
            f"`httpx2.Client` reads a stream of {len(reply.body):,} bytes {len(faults):,} times in one test, each time "
            f'split at another offset (`at = "every-byte"`), {rounds} times over, {each:,} of each way in turns; the '
            "time is that of one exchange. unsplit: the same loop under a rule that strikes none of them. loopback: a "
            "bare server in a thread of this process writes the same split replies, ready-made, in the same segments.",
            "split",
            "other",
            [
                ratio(f"{len(faults):,} splits, unsplit", found["split"], found["unsplit"], AGAINST_UNSPLIT),
                ratio(f"{len(faults):,} splits, loopback", found["split"], found["loopback"], AGAINST_LOOPBACK),
            ],
        )
    ]


@dataclass
class Told:
    """An upstream that always says the same."""

    reply: Reply

    def serves(self, request: Request) -> bool:
        return True

    def send(self, request: Request) -> Reply:
        return self.reply


class EachInTurn:
    """The first fault strikes first, then the second, and so on."""

    def __init__(self, faults: Sequence[SplitChunks]) -> None:
        self._next = iter(faults)

    def alter(self, request: Request, reply: Reply) -> Reply:
        return next(self._next).alter(request, reply)


def _stream(size: int) -> Reply:
    events, number = b"", 0
    while len(events) < size:
        delta = {"id": "c", "choices": [{"index": 0, "delta": {"content": f"word {number} \u20ac"}}]}
        events += f"data: {dumps(delta, ensure_ascii=False)}\n\n".encode()
        number += 1
    return Reply.of(200, events + b"data: [DONE]\n\n", HEADERS)


def _segments(reply: Reply, asked: Request) -> list[bytes]:
    return [step.data for step in encode(reply, asked).steps if isinstance(step, Send)]


def _loop(client: Any, urls: Sequence[str], body: bytes) -> Round:
    def once() -> float:
        began = perf_counter()
        for url in urls:
            assert client.get(url).content == body
        return (perf_counter() - began) / len(urls)

    return once


class InTurn:
    """One round after the other, and again from the first."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = cycle(rounds)

    def __call__(self) -> float:
        return next(self._rounds)()


class Behind:
    """All these rounds in one test after the other, behind a door that strikes with one fault."""

    def __init__(self, reply: Reply, make: Callable[[], Any], rounds: Sequence[Round], **words: Any) -> None:
        self._reply, self._make, self._words = reply, make, words
        self._rounds = cycle(enumerate(rounds))

    def __call__(self) -> float:
        number, work = next(self._rounds)
        if number == 0:
            self._clock = Clock()
            self._plan = Plan([Rule("* *", (self._make(),), **self._words)], now=self._clock.now, max_calls=NEVER)
        with Patches().under(MemoryDoor(self._plan, [Told(self._reply)], self._clock)):
            seconds = work()
        assert bool(self._plan.log[-1].struck) == (not self._words)
        return seconds
