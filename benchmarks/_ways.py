"""
The same exchange three ways: through the door, from a bare server, out of vcrpy.

What the bare server sends is what the door's script sends, byte for byte but for
the header that confesses a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_agentfault import _placing
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._run import Run
from pytest_agentfault._script import encode
from pytest_agentfault.faults.status import Status
from pytest_agentfault.scenario import Library
from pytest_agentfault.upstreams.cassette import Recordings

from ._timing import Round

HOST = "api.example.test"
PATH = "/v1/chat/completions"
NEVER = 1_000_000
LIMITED = '{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}'
LIMIT_HEADERS = {
    "Content-Type": "application/json",
    "Retry-After": "20",
    "X-RateLimit-Limit-Requests": "500",
    "X-RateLimit-Remaining-Requests": "0",
    "X-RateLimit-Reset-Requests": "20s",
    "X-Request-Id": "req_0123456789abcdef",
}
WELL = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"gpt-5","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"' + b"Login fails on Safari. " * 30 + b'"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}'
)
WELL_HEADERS = {"Content-Type": "application/json", "X-Request-Id": "req_0123456789abcdef", "Server": "example"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One reply, in all the forms that the three ways need.

    Args:
        name: what tables call it.
        status: its status code.
        headers: without framing.
        body: whole.
        keeps: whether the client asks to keep the connection for its next request.
    """

    name: str
    status: int
    headers: dict[str, str]
    body: bytes
    keeps: bool

    def as_sent(self) -> bytes:
        """Its bytes on the wire."""
        asking = () if self.keeps else (("connection", "close"),)
        request = Request("POST", f"http://{HOST}{PATH}", asking)
        return encode(Reply.of(self.status, self.body, self.headers), request).sent

    def as_fault(self) -> Status:
        """The fault that answers with it."""
        return Status(code=self.status, headers=self.headers, json=self.body.decode())

    def as_interaction(self, url: str) -> dict[str, Any]:
        """What vcrpy records of it."""
        headers = {name: [value] for name, value in self.headers.items()}
        return {
            "request": {"method": "POST", "uri": url, "body": None, "headers": {}},
            "response": {
                "status": {"code": self.status, "message": ""},
                "headers": headers,
                "body": {"string": self.body},
            },
        }


def exchanges() -> list[Exchange]:
    """A rate limit and a healthy reply, each on a connection that is closed and on one that is kept."""
    kinds = (("429", 429, LIMIT_HEADERS, LIMITED.encode()), ("recorded", 200, WELL_HEADERS, WELL))
    return [Exchange(*kind, keeps) for kind in kinds for keeps in (False, True)]


def write_cassette(path: Path, interactions: Sequence[dict[str, Any]]) -> Path:
    """A cassette file in vcrpy's own writing."""
    from vcr.serializers import yamlserializer

    path.write_text(yamlserializer.serialize({"version": 1, "interactions": list(interactions)}))
    return path


class Door:
    """Makes runs as the plugin makes them for one test each, on what a session keeps."""

    def __init__(self) -> None:
        self._library = Library()
        self._recordings = Recordings()

    def run(self, fault: Any, **words: Any) -> Run:
        """A run under one fault; not started."""
        placed = _placing.place((fault,), words, self._library, Path())
        return Run(placed, self._library, self._recordings, Path(), "0", NEVER)

    def struck(self, exchange: Exchange, url: str) -> Callable[[], Run]:
        """Runs whose every request is answered by the fault."""
        return lambda: self.run(exchange.as_fault(), to=f"POST {url}*")

    def played(self, cassette: Path | None, url: str) -> Callable[[], Run]:
        """Runs under a rule that looks at every request and strikes none, over a cassette."""
        words = {} if cassette is None else {"cassette": cassette}
        return lambda: self.run(Status(code=500), to=f"POST {url}*", after=NEVER, **words)


def through(make: Callable[[], Run], work: Round, beneath: str = "vcr") -> Round:
    """A round behind the door, over a tool that the test is known to use; what a test pays once is not counted."""

    def once() -> float:
        run = make()
        run.start(lambda tool: tool == beneath)
        try:
            return work()
        finally:
            run.stop()

    return once


def replayed(cassette: Path, work: Round, make: Callable[[], Run] | None = None) -> Round:
    """A round in vcrpy's own `use_cassette`; with `make`, of a run that mounts it."""

    def once() -> float:
        with _entered(cassette):
            return work()

    return once if make is None else through(make, once)


@contextmanager
def _entered(cassette: Path) -> Iterator[None]:
    import vcr

    with vcr.use_cassette(str(cassette), record_mode="none", allow_playback_repeats=True):
        yield
