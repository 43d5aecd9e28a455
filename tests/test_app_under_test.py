"""An application that a test asks in its own process: its vendors fail, the test's own hands do not."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pytest_agentfault import Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.transport import TransportDoor
from pytest_agentfault.faults.status import Status

VENDOR = "https://api.vendor.example/x"


async def agent(asked: Asked) -> JSONResponse:
    """An agent behind an endpoint, which says what its vendor answered."""
    vendor = httpx.MockTransport(lambda request: httpx.Response(200))
    async with httpx.AsyncClient(transport=vendor) as client:
        return JSONResponse({"vendor": (await client.get(VENDOR)).status_code})


def ask(to: str) -> tuple[int, object, list[str], set[str]]:
    """What the test and the agent got, under one rule: status, body, URLs in the log, and what went past."""
    clock = Clock()
    plan = Plan([Rule(to, (Status(code=503),))], now=clock.now)
    with Patches().under(TransportDoor(plan, (), clock)):
        reply = TestClient(Starlette(routes=[Route("/ask", agent)])).get("/ask")
    said = reply.json() if reply.status_code == 200 else None
    return reply.status_code, said, [x.request.url for x in plan.log], plan.passed


def test_the_vendor_of_an_application_fails() -> None:
    """Under a rule for every host, the agent's call is struck and the test's own is not; it is said where it went."""
    assert ask("* *") == (200, {"vendor": 503}, [VENDOR], {"testserver:80"})


def test_an_application_may_be_named() -> None:
    """A rule that names the application strikes the test's own call: it may stand for a vendor."""
    assert ask("* http://testserver/*")[0] == 503
