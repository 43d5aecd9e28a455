"""
Replies of models that offer several choices (`n` of OpenAI, `candidateCount` of Gemini), put together of single ones.

In a stream the pieces come in turns, one choice an event, or both in one. The first choice says its number only
where it is alone in an event.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

from _formats import FORMATS, Format
from _models import Calls, document, events, streamed

from pytest_agentfault._reply import Reply

KEYS: Final = {"OpenAI chat": "choices", "Gemini": "candidates"}
OFFERING: Final = tuple(kind for kind in FORMATS if kind.name in KEYS)
Choices = Sequence[tuple[str, Calls]]


def offered(kind: Format, said: Choices, together: bool = False) -> Reply:
    """The reply that offers these choices, each a text and calls."""
    key = KEYS[kind.name]
    each = [values_of(kind.say(*one)) for one in said]
    told: list[Any] = []
    for row in zip_longest(*each):
        spoken = [(n, value) for n, value in enumerate(row) if value is not None and value.get(key)]
        for number, value in spoken:
            value[key][0]["index"] = number
        if together and spoken:
            spoken[0][1][key] = [value[key][0] for _, value in spoken]
            told.append(spoken[0][1])
            if spoken[0][0] == 0:
                del spoken[0][1][key][0]["index"]
        else:
            told += [value for _, value in spoken]
    told += [value for value in each[0] if not value.get(key)]  # it counts the tokens, once
    if not kind.streamed:
        return document({**told[0], key: [choice for value in told for choice in value[key]]})
    return streamed(events([*told, *(["[DONE]"] if key == "choices" else [])]))


def values_of(reply: Reply) -> list[Any]:
    """The JSON values of a reply: one, or those of its events."""
    if "json" in reply.header("content-type"):
        return [json.loads(reply.body)]
    data = [line.removeprefix("data: ") for line in reply.body.decode().splitlines() if line.startswith("data: {")]
    return [json.loads(one) for one in data]


def choice_of(kind: Format, reply: Reply, number: int) -> list[Any]:
    """All that a reply says of one choice, in its order, without the number."""
    said = [(place, choice) for v in values_of(reply) for place, choice in enumerate(v.get(KEYS[kind.name]) or [])]
    numbered = [(choice.get("index", place), choice) for place, choice in said]
    return [{k: v for k, v in choice.items() if k != "index"} for n, choice in numbered if n == number]
