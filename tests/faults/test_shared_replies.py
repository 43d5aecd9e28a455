"""Every fault meets every recorded reply: it gives back the same one, or a legal one that a real parser reads."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from _said import GET, read

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._payload import decoded, events_of, is_stream
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._script import encode
from pytest_agentfault.faults._json_text import BREAKAGES
from pytest_agentfault.faults._shapes import OPERATIONS
from pytest_agentfault.faults.bad_framing import BREAKAGES as FRAMINGS
from pytest_agentfault.faults.bad_framing import BadFraming
from pytest_agentfault.faults.drift import Drift
from pytest_agentfault.faults.end_early import EndEarly
from pytest_agentfault.faults.error_event import ErrorEvent
from pytest_agentfault.faults.lose import Lose
from pytest_agentfault.faults.malform_json import MalformJson
from pytest_agentfault.faults.misdeliver_events import HOWS as MISDELIVERIES
from pytest_agentfault.faults.misdeliver_events import MisdeliverEvents
from pytest_agentfault.faults.mislabel import Mislabel
from pytest_agentfault.faults.pace import Pace
from pytest_agentfault.faults.rewrite_events import HOWS, RewriteEvents
from pytest_agentfault.faults.slow import Slow
from pytest_agentfault.faults.split_chunks import SplitChunks
from pytest_agentfault.upstreams._recording import load

pytestmark = pytest.mark.shared

OF_TEXTS = ("remove", "rename", "null", "retype", "wrap", "nest", "to_list", "new_enum_value")
WELL_FORMED: list[Any] = [
    *(MalformJson(how) for how in BREAKAGES),
    *(MalformJson("truncated", at) for at in ("$..arguments", "$..partial_json")),
    # Cursors are few, and where one leads again the request says: tests/faults/test_shared_drift.py has all of both.
    *(Drift(operation, None, Random(1)) for operation in OPERATIONS if not operation.endswith("_cursor")),
    *(Drift(operation, "$..type", Random(1)) for operation in OF_TEXTS),
    EndEarly(),
    ErrorEvent(json={"error": 1}),
    Slow(1, "in_body"),
    *(RewriteEvents(how, 30_000) for how in HOWS if how != "event_first"),  # which is how every vendor writes
    *(MisdeliverEvents(how) for how in MISDELIVERIES),
    Pace(events_per_second=50),
    Pace(events_per_second=50, burst=3),
    Mislabel("without_charset"),
    Mislabel("without_type"),
    Mislabel("other_type", only="stream"),
]
LOST: list[Any] = [
    Lose("cut", "after_head"),
    Lose("cut", "in_body"),
    Lose("cut", "in_body", 1),
    Lose("cut", "between_events"),
]
SAME_BYTES: list[Any] = [SplitChunks(), SplitChunks(7, wire="both"), SplitChunks(at=["after_event"], wire="segments")]


@pytest.fixture(scope="module")
def replies(shared_dir: Path) -> list[Reply]:
    """One reply per recording and kind of body, and every stream."""
    folder = shared_dir / "cassettes"
    found: list[Reply] = []
    for name in sorted({entry["file"] for entry in json.loads((folder / "INDEX.json").read_text())}):
        try:
            recorded = [x.reply for x in load(folder / name).interactions]
        except CassetteError:
            continue
        streams = [reply for reply in recorded if is_stream(reply)][:3]
        found += [*streams, *recorded[:2], *recorded[-1:]]
    small = [reply for reply in found if len(reply.body) < 20_000]
    assert len(small) > 100
    return small


def test_replies_stay_well_formed_and_every_fault_strikes_some(replies: list[Reply]) -> None:
    """What a fault of the content changed is still whole HTTP; no fault is without prey."""
    struck: Counter[str] = Counter()
    for reply in replies:
        for fault in WELL_FORMED:
            altered = fault.alter(GET, reply)
            if altered == reply:
                continue
            struck[repr(fault)] += 1
            assert altered.status == reply.status
            _, body, complaint = read(encode(altered, GET))
            assert (body, complaint) == (altered.body, "")
    assert set(struck) == {repr(fault) for fault in WELL_FORMED}


def test_a_lost_reply_is_noticed(replies: list[Reply]) -> None:
    """A real parser complains of every one of them."""
    for reply in replies:
        for fault in LOST:
            altered = fault.alter(GET, reply)
            if altered != reply:
                _, body, complaint = read(encode(altered, GET))
                assert reply.body.startswith(body)
                assert "without sending complete message body" in complaint


def test_cutting_changes_no_byte(replies: list[Reply]) -> None:
    """The body a client ends up with is the recorded one."""
    for reply in replies[::3]:
        for fault in SAME_BYTES:
            script = fault.garble(encode(fault.alter(GET, reply), GET))
            _, body, complaint = read(script)
            assert complaint == ""
            assert body in (reply.body, decoded(reply)) or not reply.body or reply.status in (204, 304)
        assert b"".join(events_of(reply.body)) == reply.body


def test_framing_is_broken_only_where_there_is_a_body(replies: list[Reply]) -> None:
    """Every breakage is a legal script, and none of them is met in silence but the one a client cannot see."""
    for reply in replies[::5]:
        script = encode(reply, GET)
        for how in FRAMINGS:
            broken = BadFraming(how).garble(script)
            assert broken == script or read(broken)[2] or how == "short_content_length"


def test_a_head_request_is_left_alone(replies: list[Reply]) -> None:
    """Faults of the body do not strike where the client reads none."""
    head = Request("HEAD", GET.url)
    for reply in replies[::7]:
        assert all(fault.alter(head, reply) == reply for fault in (*WELL_FORMED, *LOST, *SAME_BYTES))
