"""The faults of model replies over replies that are odd already: none of them trips over what it did not expect."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from _formats import FORMATS, Format
from _models import ISSUE, TEXT, TIME
from _said import arrives
from test_llm_payloads import ASKED, FAULTS, PAST

from pytest_agentfault._payload import data_of, events_of, parsed, with_data_of, with_payload
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault.faults._events import with_events
from pytest_agentfault.faults._paths import all_places
from pytest_agentfault.faults._shapes import OPERATIONS, applied, applies
from pytest_agentfault.faults.inject import Inject

SEEDS = 3


def drifted(value: Any, operation: str, random: Random) -> Any:
    """A value with one of its fields changed."""
    places = [place for place in all_places(value) if applies(operation, value, place)]
    return applied(operation, value, random.choice(places), random) if places else value


def odd(reply: Reply, operation: str, random: Random, streamed: bool) -> Reply:
    """A reply of which one value has drifted; of a stream, one event."""
    if not streamed:
        return with_payload(reply, json.dumps(drifted(json.loads(reply.body), operation, random)).encode())
    events = events_of(reply.body)
    numbers = [n for n, event in enumerate(events) if isinstance(parsed(data_of(event) or b""), dict)]
    chosen = random.choice(numbers)
    value = drifted(parsed(data_of(events[chosen]) or b""), operation, random)
    events[chosen] = with_data_of(events[chosen], json.dumps(value).encode())
    return with_events(reply, events)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.id)
def test_a_drifted_reply_is_struck_or_left_alone(kind: Format, operation: str) -> None:
    """Whatever field is gone, null or of another type: what comes out is legal, and there is no error of ours."""
    asked = Request("POST", kind.url, ASKED.headers, json.dumps({**json.loads(ASKED.body), "messages": PAST}).encode())
    for seed in range(SEEDS):
        reply = odd(kind.say(TEXT, [ISSUE, TIME]), operation, Random(f"{kind.id}{operation}{seed}"), kind.streamed)
        for fault in (*FAULTS, Inject()):
            altered = fault.alter(asked, reply)
            assert altered == reply or arrives(altered) == altered.body
