"""
What a test may have beneath or around its client, and what a fault makes of it: the stacking matrix.

`python tests/_stacked.py` prints docs/stacking.md; tests/test_stacking.py plays every cell and holds the page.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import vcr
import yaml
from _loopback import loopback
from _tools import BODY, JSON, TOOLS, URL, by_aiohttp, by_httpx, by_requests
from pytest_httpserver import HTTPServer

SAME_BODY = {"items": [1, 2, 3]}
STRUCK = "struck"
WHEN = {"before": "module", "after": "function"}  # set up before our door, or after: by a fixture of this scope
FAULTS = ("answer", "alter")
Told = Callable[[], int]


@dataclass(frozen=True)
class Row:
    """One thing a test may have.

    Attributes:
        opened: sets it up; gives how often it was asked.
        ask: one request over it: status and body.
        packages: whose versions the page tells.
        expected: what each fault comes to, where it is not that it strikes: a part of the failure's text.
        when: at which times it can be set up.
        note: what the page says to it.
    """

    opened: Callable[[], AbstractContextManager[Told]]
    ask: Callable[[], tuple[int, bytes]]
    packages: tuple[str, ...] = ()
    expected: tuple[str, str] = (STRUCK, STRUCK)
    when: tuple[str, ...] = tuple(WHEN)
    note: str = ""


_at: list[Any] = [""]  # where the things that have an address or a client of their own are now


@contextmanager
def _nothing() -> Iterator[Told]:
    _at[0] = "http://127.0.0.1:9/items"
    yield lambda: 0


@contextmanager
def _server() -> Iterator[Told]:
    with loopback(SAME_BODY) as running:
        _at[0] = f"{running.url}/items"
        yield lambda: len(running.asked)


@contextmanager
def _httpserver() -> Iterator[Told]:
    with HTTPServer() as server:
        server.expect_request("/items").respond_with_data(BODY, content_type="application/json")
        _at[0] = server.url_for("/items")
        yield lambda: len(server.log)


def _ask_there() -> tuple[int, bytes]:
    return by_httpx(_at[0])


@contextmanager
def cassette() -> Iterator[str]:
    """A file of four recordings of the same exchange."""
    asked = {"method": "GET", "uri": URL, "headers": {}, "body": None}
    headers = {name: [value] for name, value in JSON.items()}
    said = {"status": {"code": 200, "message": "OK"}, "headers": headers, "body": {"string": BODY.decode()}}
    with TemporaryDirectory() as folder:
        path = f"{folder}/tape.yaml"
        with open(path, "w", encoding="utf-8") as file:
            yaml.dump({"version": 1, "interactions": [{"request": asked, "response": said}] * 4}, file)
        yield path


@contextmanager
def _vcr() -> Iterator[Told]:
    with cassette() as path, vcr.use_cassette(path, record_mode="none") as tape:
        yield lambda: tape.play_count


@contextmanager
def _mock_transport() -> Iterator[Told]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=BODY, headers=JSON)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        _at[0] = client
        yield lambda: len(asked)


def _ask_client() -> tuple[int, bytes]:
    reply = _at[0].get(URL)
    return reply.status_code, reply.content


@contextmanager
def _asgi() -> Iterator[Told]:
    asked: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    _at[0] = httpx.ASGITransport(app)
    yield lambda: len(asked)


def _ask_asgi() -> tuple[int, bytes]:
    async def ask() -> tuple[int, bytes]:
        async with httpx.AsyncClient(transport=_at[0]) as client:
            reply = await client.get(URL)
            return reply.status_code, reply.content

    return asyncio.run(ask())


STACK = {
    "nothing": Row(
        _nothing,
        _ask_there,
        expected=(STRUCK, "no healthy reply for GET http://127.0.0.1:9/items"),
        note="An `alter` fault has no healthy reply to alter where nobody answers: the failure says so.",
    ),
    "a local server": Row(_server, _ask_there),
    "pytest-httpserver": Row(_httpserver, _ask_there, ("pytest-httpserver",)),
    "vcrpy": Row(_vcr, by_requests, ("vcrpy",)),
    "respx, httpcore mode": Row(TOOLS["respx-httpcore"].opened, by_httpx, ("respx", "httpx")),
    "respx, httpx mode": Row(TOOLS["respx-httpx"].opened, by_httpx, ("respx", "httpx")),
    "pytest-httpx": Row(
        TOOLS["pytest-httpx"].opened,
        by_httpx,
        ("pytest-httpx", "httpx"),
        note="Its fixture is of a single test; set up before, it is run by hand.",
    ),
    "responses": Row(TOOLS["responses"].opened, by_requests, ("responses", "requests")),
    "requests-mock": Row(TOOLS["requests-mock"].opened, by_requests, ("requests-mock", "requests")),
    "aioresponses": Row(
        TOOLS["aioresponses"].opened,
        by_aiohttp,
        ("aioresponses", "aiohttp"),
        note="By itself aioresponses 0.7.9 cannot build a response for aiohttp 3.14; under a fault it need not.",
    ),
    "httpx.MockTransport": Row(_mock_transport, _ask_client, ("httpx",)),
    "httpx.ASGITransport": Row(_asgi, _ask_asgi, ("httpx",)),
}

PAGE = """\
# What a fault strikes through

<!-- Printed by `python tests/_stacked.py` from the table in it; tests/test_stacking.py plays every cell. -->

A test keeps whatever it has for a server. Each cell is played in the test run, with the tool set up before our door
(by a fixture of a wider scope, in a test before) and after it (in the test, or by a fixture of its own).

- **answer**: `Status(code=429)`, once. The client meets it and the tool is not asked; then the tool answers.
- **alter**: `SplitChunks(every_bytes=1)`, once. The tool is asked exactly once, and what it says is cut.

"""


def page() -> str:
    """docs/stacking.md as it should be."""
    lines = ["| What the test has | answer, before | answer, after | alter, before | alter, after | Played with |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, row in STACK.items():
        cells = [_cell(row, fault, when) for fault in FAULTS for when in WHEN]
        played = ", ".join(f"{package} {version(package)}" for package in row.packages)
        lines.append(f"| {' | '.join([name, *cells, played])} |")
    notes = [f"- **{name}**: {row.note}" for name, row in STACK.items() if row.note]
    return PAGE + "\n".join([*lines, "", *notes, ""]) + TAIL


TAIL = """
pytest-recording is played as a test of its own kind uses it, by the mark `vcr`; so are the fixtures `respx_mock`,
`httpx_mock` and `requests_mock`. Recording under a fault is refused.

The routes and responses of a mock answer every client, also those it has no patch for (respx alone does not see
httpx2). What it does not know is turned away, in its own words, for its own clients only. `respx.calls`,
`responses.calls`, `assert_all_called`, `get_requests()`, histories and `play_count` hold what was asked of the tool:
nothing that a fault has answered.

What is not struck goes where it went before: the blocks of pytest-socket and pytest-recording stay in force for it.
"""


def _cell(row: Row, fault: str, when: str) -> str:
    if when not in row.when:
        return ""
    expected = row.expected[FAULTS.index(fault)]
    return "strikes" if expected == STRUCK else f"fails: `{expected}`"


if __name__ == "__main__":
    sys.stdout.write(page())
