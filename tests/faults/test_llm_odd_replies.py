"""The faults of model replies over replies that are odd already: none of them trips over what it did not expect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
from pytest_agentfault.faults.inject import Inject

SEEDS = 5


def fields(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every member of every table in a value: the table, and the name."""
    if isinstance(value, dict):
        yield from ((value, key) for key in value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from fields(inner)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "null": lambda there: None,
    "text": lambda there: "text",
    "number": lambda there: 7,
    "list": lambda there: [there, None, 7],
    "first": lambda there: there[0] if isinstance(there, list) and there else [],
    "table": lambda there: {"value": there},
    "empty": lambda there: type(there)() if there is not None else {},
}


def drifted(value: Any, change: str, random: Random) -> Any:
    """A value with one of its members gone, or something else."""
    holder, key = random.choice(list(fields(value)))
    if change == "gone":
        del holder[key]
    else:
        holder[key] = CHANGES[change](holder[key])
    return value


def odd(reply: Reply, change: str, random: Random, streamed: bool) -> Reply:
    """A reply of which one value has drifted; of a stream, one event."""
    if not streamed:
        return with_payload(reply, json.dumps(drifted(json.loads(reply.body), change, random)).encode())
    events = events_of(reply.body)
    numbers = [n for n, event in enumerate(events) if isinstance(parsed(data_of(event) or b""), dict)]
    chosen = random.choice(numbers)
    value = drifted(parsed(data_of(events[chosen]) or b""), change, random)
    events[chosen] = with_data_of(events[chosen], json.dumps(value).encode())
    return with_events(reply, events)


@pytest.mark.parametrize("change", ["gone", *CHANGES])
@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.id)
def test_a_drifted_reply_is_struck_or_left_alone(kind: Format, change: str) -> None:
    """Whatever field is gone, null or of another type: what comes out is legal, and there is no error of ours."""
    asked = Request("POST", kind.url, ASKED.headers, json.dumps({**json.loads(ASKED.body), "messages": PAST}).encode())
    for seed in range(SEEDS):
        reply = odd(kind.say(TEXT, [ISSUE, TIME]), change, Random(f"{kind.id}{change}{seed}"), kind.streamed)
        for fault in (*FAULTS, Inject()):
            altered = fault.alter(asked, reply)
            assert altered == reply or arrives(altered) == altered.body
