"""Every fault over every real recording: it strikes and the bytes change, or it leaves the reply alone."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._script import Script, encode
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.scenario import Library, bind
from pytest_agentfault.upstreams.cassette import Cassette, Recordings

pytestmark = pytest.mark.shared
ANYWHERE = Library().select("any/*")
HARMLESS = ("any/chunk-split", "any/chunk-glue", "any/charset-missing", "any/keepalive-closed")  # not a byte changes
RARE = (
    "any/chunk-glue",  # a recording holds every body in one piece
    "any/first-page-again",  # pages are in one recording of GitHub only
    "any/page-cursor-loops",
    "any/graphql-partial",  # the recordings of Linear hold no query
    "any/clock-skew",  # no recording holds a credential
    "any/expired-after-an-hour",  # and none takes an hour
)
MOST_INTERACTIONS = 6


@pytest.fixture(scope="module")
def recordings(shared_dir: Path) -> dict[Path, list[tuple[Request, Reply]]]:
    """The loadable recordings: each request, and the healthy reply to it."""
    found: dict[Path, list[tuple[Request, Reply]]] = {}
    loaded = Recordings()
    for entry in json.loads((shared_dir / "cassettes" / "INDEX.json").read_text()):
        path = shared_dir / "cassettes" / entry["file"]
        try:
            recording = loaded.load(path)
        except CassetteError:
            continue  # tests/test_shared_cassettes.py says which, and why
        kept = recording.interactions[:MOST_INTERACTIONS]
        found[path] = [(_as_request(one.request), one.reply) for one in kept]
    assert len(found) > 45
    return found


def _as_request(recorded: Any) -> Request:
    body = recorded.body if isinstance(recorded.body, bytes) else str(recorded.body or "").encode()
    return Request(recorded.method, recorded.uri, (), body)


def is_said(script: Script, reply: Reply, request: Request) -> bool:
    """Whether this is a reply as it is, on a connection that is kept or not."""
    return script in (encode(reply, request), encode(reply, request, keep=False))


@pytest.mark.parametrize("name", ANYWHERE)
def test_a_scenario_strikes_or_leaves_alone(recordings: dict[Path, list[tuple[Request, Reply]]], name: str) -> None:
    """Whatever was recorded, a scenario ends in a legal reply; it counts as struck only if something changed."""
    struck: Counter[bool] = Counter()
    for exchanges in recordings.values():
        for request, healthy in exchanges:
            plan = Plan(Library().get(name).rules, seed=request.url, bind=bind("7", lambda: 1.7e9))
            if plan.connect(request.url.partition("://")[0] + "://" + urlsplit(request.url).netloc) is not None:
                struck[True] += 1
                continue
            done = drive(plan.exchange(request), lambda _, healthy=healthy: healthy)  # type: ignore[misc]
            struck[bool(done.struck)] += 1
            changed = done.reply != healthy or done.baseline is None or not is_said(done.script, done.reply, request)
            changed = changed or done.asked is not None
            assert changed == bool(done.struck), (name, request.url)
    assert (struck[True] > 5) == (name not in RARE), "this scenario strikes next to no real reply"


@pytest.mark.parametrize("name", ANYWHERE)
def test_a_real_client_meets_it(recordings: dict[Path, list[tuple[Request, Reply]]], name: str) -> None:
    """httpx plays every recording under the scenario: it gets a reply or its own error, and never one of ours."""
    outcomes: Counter[str] = Counter()
    clock, patches = Clock(), Patches()
    plan = Plan(bind=bind("7", lambda: 1.7e9), now=clock.now, max_calls=100_000)
    upstreams: list[Any] = []
    door = MemoryDoor(plan, upstreams, clock, everyone=lambda: True)
    clock.install(patches)
    loaded = Recordings()
    with httpx.Client(timeout=10, trust_env=False) as client, patches.under(door):
        for path, exchanges in recordings.items():
            before = sha256(path.read_bytes()).digest()
            upstreams[:] = [Cassette(path, loaded)]
            plan.rules.clear()
            plan.tallies.clear()
            for rule in Library().get(name).rules:
                plan.add(rule)
            for request, healthy in exchanges:
                if str(httpx.URL(request.url)) != request.url:
                    continue  # scrubbed by its recorder into what no client can send
                try:
                    reply = client.request(request.method, request.url, content=request.body)
                    outcomes["answered"] += 1
                except httpx.HTTPError as error:
                    outcomes[type(error).__name__] += 1
                    continue
                if name in HARMLESS and reply.status_code == healthy.status:
                    assert reply.read() == _decoded(healthy), (path, request.url)
            assert sha256(path.read_bytes()).digest() == before, path
    assert not plan.problems, plan.problems[:3]
    assert outcomes.total() > 60


def _decoded(reply: Reply) -> bytes:
    headers = [h for h in reply.headers if h[0].lower() in ("content-encoding",)]
    return httpx.Response(200, headers=headers, content=reply.body).read()
