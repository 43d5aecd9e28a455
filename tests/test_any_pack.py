"""The pack `any`: all of it, over two naive tests that know nothing of faults, and what becomes of each."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from _project import Project
from _scenarios import SHIPPED

from pytest_agentfault import Data, End, Head, Reply, Request, Send
from pytest_agentfault._plan import Plan, drive

# A client as it is written before anything went wrong: it reads a reply, or adds up a stream line by line.
NAIVE = """
import json

import httpx
import pytest

BASE = "https://api.shop.example"
HONEST = (httpx.HTTPError, json.JSONDecodeError)

@pytest.mark.fault_matrix("any/*", cassette="tape.yaml", raises=HONEST)
def test_reply():
    reply = httpx.get(BASE + "/thing", timeout=15)
    reply.raise_for_status()
    assert reply.json()["name"] == "Ren\\u00e9"

@pytest.mark.fault_matrix("any/*", cassette="tape.yaml", raises=HONEST)
def test_stream():
    text = ""
    with httpx.stream("POST", BASE + "/chat", json={"stream": True}, timeout=15) as reply:
        reply.raise_for_status()
        for line in reply.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                text += json.loads(line[6:])["choices"][0]["delta"]["content"]
    assert text.startswith("Hel")
"""
# What becomes of the reply, and of the stream. Missed: nothing of the kind is there, and the test is skipped with why.
OUTCOMES = {
    "any/bad-chunk-framing": ("surfaced", "surfaced"),
    "any/brown-out": ("missed", "missed"),
    "any/charset-missing": ("held", "held"),
    "any/chunk-glue": ("missed", "missed"),
    "any/chunk-split": ("held", "held"),
    "any/clock-skew": ("missed", "missed"),
    "any/connection-reset": ("surfaced", "surfaced"),
    "any/emptied-list": ("missed", "missed"),
    "any/empty-body": ("surfaced", "surfaced"),
    "any/error-in-200": ("crashed", "crashed"),
    "any/expired-after-an-hour": ("missed", "missed"),
    "any/expired-mid-stream": ("missed", "crashed"),
    "any/expired-session": ("surfaced", "surfaced"),
    "any/first-page-again": ("missed", "missed"),
    "any/graphql-partial": ("missed", "missed"),
    "any/html-instead": ("surfaced", "crashed"),
    "any/keepalive-closed": ("held", "held"),
    "any/malformed-json": ("surfaced", "surfaced"),
    "any/null-body": ("crashed", "crashed"),
    "any/other-tenant": ("unnoticed", "missed"),
    "any/page-cursor-loops": ("missed", "missed"),
    "any/outage": ("surfaced", "surfaced"),
    "any/outage-503": ("surfaced", "surfaced"),
    "any/outage-announced": ("surfaced", "surfaced"),
    "any/outage-timeouts": ("surfaced", "surfaced"),
    "any/rate-limit": ("surfaced", "surfaced"),
    "any/rate-limit-date-past": ("surfaced", "surfaced"),
    "any/rate-limit-date-zone": ("surfaced", "surfaced"),
    "any/rate-limit-float": ("surfaced", "surfaced"),
    "any/rate-limit-garbage": ("surfaced", "surfaced"),
    "any/rate-limit-held": ("surfaced", "surfaced"),
    "any/rate-limit-http-date": ("surfaced", "surfaced"),
    "any/rate-limit-huge": ("surfaced", "surfaced"),
    "any/rate-limit-in-body": ("surfaced", "surfaced"),
    "any/rate-limit-negative": ("surfaced", "surfaced"),
    "any/rate-limit-no-header": ("surfaced", "surfaced"),
    "any/rate-limit-window": ("held", "held"),
    "any/rate-limit-zero": ("surfaced", "surfaced"),
    "any/schema-drift": ("crashed", "crashed"),
    "any/server-error": ("surfaced", "surfaced"),
    "any/slow": ("surfaced", "surfaced"),
    "any/sse-comments": ("missed", "held"),
    "any/sse-crlf": ("missed", "held"),
    "any/sse-empty-event": ("missed", "held"),
    "any/sse-large-event": ("missed", "held"),
    "any/sse-multiline-data": ("missed", "surfaced"),
    "any/sse-reconnect": ("missed", "surfaced"),
    "any/sse-unicode-separators": ("missed", "surfaced"),
    "any/stale-data": ("missed", "missed"),
    "any/stall": ("surfaced", "surfaced"),
    "any/stream-cut": ("missed", "surfaced"),
    "any/stream-ends-early": ("missed", "unnoticed"),
    "any/stream-error-event": ("missed", "crashed"),
    "any/swapped-fields": ("missed", "missed"),
    "any/transposed-digits": ("missed", "missed"),
    "any/wrong-content-length": ("surfaced", "surfaced"),
}

LINE = r"^(\w+) +test_agent\.py::test_(\w+)\[\S+ +(any/\S+) \((\d+) of \d+ calls"


def spoken(text: str) -> str:
    """An event of a chat with this piece of text."""
    return f'data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}\n\n'


STREAM = "".join(map(spoken, ("Hel", "lo", ", ", "Ren\u00e9", "!"))) + "data: [DONE]\n\n"


def tape(path: Path) -> None:
    """The recording of both replies."""

    def said(method: str, way: str, kind: str, body: str, **headers: list[str]) -> object:
        return {
            "request": {"method": method, "uri": f"https://api.shop.example/{way}", "headers": {}, "body": None},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": [f"{kind}; charset=utf-8"], **headers},
                "body": {"string": body},
            },
        }

    both = [
        said("GET", "thing", "application/json", '{"id": 7, "name": "Ren\u00e9"}'),
        said("POST", "chat", "text/event-stream", STREAM, **{"Transfer-Encoding": ["chunked"]}),
    ]
    path.write_text(yaml.dump({"version": 1, "interactions": both}))


def test_the_pack_is_whole() -> None:
    """Every scenario for any host has its outcome here, and each says where it comes from and what it damages."""
    assert sorted(OUTCOMES) == list(SHIPPED.select("any/*"))
    for scenario in map(SHIPPED.get, OUTCOMES):
        assert scenario.title
        assert scenario.source.startswith("https://")
        assert {rule.to for rule in scenario.rules} == {"* *"}
        faults = [fault for rule in scenario.rules for fault in rule.faults]
        damaging = any(getattr(fault, "damages", "nothing") == "payload" for fault in faults)
        assert scenario.damages == "payload" or not damaging, scenario.name


def test_what_becomes_of_a_naive_client(project: Project) -> None:
    """Each scenario strikes what it is made for, says so where there is nothing of the kind, and ends as it should."""
    tape(project.path / "tape.yaml")
    result = project.run(NAIVE, "--fault-seed=1", "-k", "any", above="")
    told = re.findall(LINE, result.stdout.str(), re.MULTILINE)
    became = {(name, test): outcome for outcome, test, name, _ in told}
    assert {name: (became[name, "reply"], became[name, "stream"]) for name in OUTCOMES} == OUTCOMES
    assert all((outcome == "missed") == (struck == "0") for outcome, _, _, struck in told)
    assert len(told) == 2 * len(OUTCOMES)


def test_glue_strikes_what_comes_in_pieces() -> None:
    """A recording holds a stream in one piece, so there it is missed; a server's own pieces are put together."""
    pieces = [Data(event.encode() + b"\n\n") for event in STREAM.strip().split("\n\n")]
    reply = Reply((Head(200, (("Content-Type", "text/event-stream"),)), *pieces, End()))
    plan = Plan(SHIPPED.get("any/chunk-glue").rules)
    done = drive(plan.exchange(Request("GET", "https://api.shop.example/chat")), lambda _: reply)
    assert done.struck
    assert [event.data for event in done.reply.events if isinstance(event, Data)] == [STREAM.encode()]
    assert sum(isinstance(step, Send) for step in done.script.steps) == 1
