"""`drift`, `lie` and `graphql_partial` over every real recording: a legal reply with other bytes, or the very same."""

from __future__ import annotations

import json
import re
from collections import Counter
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from _said import read

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._payload import data_of, decoded, events_of, is_json, is_stream, parsed
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._script import encode
from pytest_agentfault.faults._shapes import OPERATIONS
from pytest_agentfault.faults.drift import Drift
from pytest_agentfault.faults.graphql_partial import GraphqlPartial
from pytest_agentfault.faults.lie import HOWS, Lie
from pytest_agentfault.upstreams._recording import load

pytestmark = pytest.mark.shared

LARGEST = 100_000  # bytes: one of some 800 kB says no more than the others


@pytest.fixture(scope="module")
def exchanges(shared_dir: Path) -> list[tuple[Request, Reply]]:
    """Every request of every recording, and the healthy reply to it; each file is as it was afterwards."""
    folder = shared_dir / "cassettes"
    found: list[tuple[Request, Reply]] = []
    for name in sorted({entry["file"] for entry in json.loads((folder / "INDEX.json").read_text())}):
        try:
            kept = load(folder / name).interactions
        except CassetteError:
            continue  # tests/test_shared_cassettes.py says which, and why
        for one in kept:
            body = one.request.body if isinstance(one.request.body, bytes) else str(one.request.body or "").encode()
            found.append((Request(one.request.method, one.request.uri, (), body), one.reply))
    assert len(found) > 150
    return [(request, reply) for request, reply in found if len(reply.body) <= LARGEST]


def all_faults() -> list[tuple[str, Any]]:
    """Each operation and each lie, as they choose for themselves, by two seeds; each fault under its name."""
    return [
        *((f"Drift {name}", Drift(name, None, Random(seed))) for name in OPERATIONS for seed in (1, 2)),
        *((f"Lie {how}", Lie(how, random=Random(seed))) for how in HOWS for seed in (1, 2)),
        ("GraphqlPartial", GraphqlPartial(random=Random(1))),
    ]


def documents(reply: Reply) -> list[Any]:
    """The JSON values of a reply: one, or those of its events."""
    body = decoded(reply) or b""
    return [parsed(data_of(event) or b"") for event in events_of(body)] if is_stream(reply) else [parsed(body)]


def test_each_strikes_legally_or_not_at_all(exchanges: list[tuple[Request, Reply]]) -> None:
    """A struck reply has another value, the same status, a true length, and as many events; and each finds its prey."""
    struck: Counter[str] = Counter()
    for request, reply in exchanges:
        for name, fault in all_faults():
            altered = fault.alter(request, reply)
            if altered == reply:
                continue
            struck[name] += 1
            assert altered.status == reply.status
            _, body, complaint = read(encode(altered, request), request)
            assert (body, complaint) == (altered.body, "" if reply.whole else complaint)
            assert altered.header("content-length") in ("", str(len(altered.body))) or not reply.whole
            before, after = documents(reply), documents(altered)
            assert len(after) == len(before)
            moved = altered.header("link") != reply.header("link")
            assert moved or list(map(repr, after)) != list(map(repr, before)), (name, request.url)
        asked = Lie("first_page").mutate(request)
        struck["Lie first_page"] += asked != request
        assert not re.search(r"[?&]page=", asked.url)
    # The recordings of Linear hold no requests, so what is a GraphQL reply in them cannot be known.
    assert {name for name, _ in all_faults() if not struck[name]} == {"GraphqlPartial"}


def test_what_has_a_field_can_always_lose_one(exchanges: list[tuple[Request, Reply]]) -> None:
    """Every JSON object and every stream of them: no recording is left alone by the scenario of drift."""
    for request, reply in exchanges:
        values = [value for value in documents(reply) if isinstance(value, dict) and value]
        if not values or request.method == "HEAD" or not (is_json(reply) or is_stream(reply)):
            continue
        altered = Drift(random=Random(5)).alter(request, reply)
        assert altered != reply, request.url


def test_every_variant_changes_its_reply(exchanges: list[tuple[Request, Reply]]) -> None:
    """Of every field and operation: its own id, bytes of its own, and a reply that a real parser reads."""
    several = [pair for pair in exchanges if is_json(pair[1]) or is_stream(pair[1])][::4]
    assert len(several) > 30
    total = 0
    for request, reply in several:
        found = list(islice(Drift(field="every-field", random=Random(1)).each(request, reply), 150))
        assert len({name for name, _ in found}) == len(found)
        for _, one in found:
            altered = one.alter(request, reply)
            assert altered != reply
        for _, one in found[::20]:
            altered = one.alter(request, reply)
            _, body, complaint = read(encode(altered, request), request)
            assert (body, complaint) == (altered.body, "" if reply.whole else complaint)
        total += len(found)
    assert total > 1_000


def test_the_recordings_are_as_they_were(shared_dir: Path, exchanges: list[tuple[Request, Reply]]) -> None:
    """Every file is byte for byte the same after it was read and drifted."""
    files = [path for path in sorted((shared_dir / "cassettes").rglob("*")) if path.is_file()]
    before = {path: sha256(path.read_bytes()).digest() for path in files}
    for request, reply in exchanges[::10]:
        for _, fault in all_faults():
            fault.alter(request, reply)
    assert {path: sha256(path.read_bytes()).digest() for path in files} == before
