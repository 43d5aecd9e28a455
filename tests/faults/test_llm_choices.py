"""The faults of model replies where several choices were asked for: each is struck as it would be alone."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from _choices import KEYS, OFFERING, choice_of, offered, values_of
from _formats import Format
from _models import CHAT, ISSUE, TEXT, TIME
from _said import arrives
from test_llm_payloads import FAULTS, PAST

from pytest_agentfault._payload import with_payload
from pytest_agentfault._reply import Request
from pytest_agentfault.faults.finish import Finish
from pytest_agentfault.faults.tool_call import ToolCall
from pytest_agentfault.faults.usage import Usage

SAID: list[tuple[str, list[Any]]] = [("", [ISSUE]), (TEXT, [TIME, ISSUE]), ("A text alone.", [])]
EVERY = pytest.mark.parametrize("kind", OFFERING, ids=lambda kind: kind.id)
TOGETHER = pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
ALIKE = [f for f in FAULTS if not isinstance(f, Usage) and f.how not in ("empty", "wrong_type")]


def asked(kind: Format) -> Request:
    """A request with a call in its past."""
    past: Any = {"contents": [{"role": "model", "parts": [{"functionCall": {"name": "get_time", "args": {}}}]}]}
    said = past if kind.name == "Gemini" else {**CHAT, "messages": PAST}
    return Request("POST", kind.url, (), json.dumps(said).encode())


@pytest.mark.parametrize("fault", ALIKE, ids=lambda fault: f"{type(fault).__name__}-{fault.how}")
@TOGETHER
@EVERY
def test_each_choice_is_struck_as_if_it_were_alone(kind: Format, together: bool, fault: Any) -> None:
    """Its pieces are those that a reply with no other choice has, in that order; one that does not fit is left."""
    changed = fault.alter(asked(kind), offered(kind, SAID, together))
    assert arrives(changed) == changed.body
    struck = 0
    for number, one in enumerate(SAID):
        alone = fault.alter(asked(kind), kind.say(*one))
        assert choice_of(kind, changed, number) == choice_of(kind, alone, 0)
        struck += alone != kind.say(*one)
    assert struck > 0


@TOGETHER
@EVERY
def test_a_member_of_each_choice_is_of_another_type(kind: Format, together: bool) -> None:
    """Chance gives each call its own."""
    changed = ToolCall("wrong_type", random=Random(1)).alter(asked(kind), offered(kind, SAID, together))
    for number, (text, calls) in enumerate(SAID):
        before = choice_of(kind, kind.say(text, calls), 0)
        assert (choice_of(kind, changed, number) == before) is (not calls)


@TOGETHER
@EVERY
def test_what_is_said_of_the_whole_reply_is_changed_once(kind: Format, together: bool) -> None:
    """No choices at all; and the tokens of all of them."""
    reply = offered(kind, SAID, together)
    empty = Finish("empty").alter(asked(kind), reply)
    assert not any(value.get(KEYS[kind.name]) for value in values_of(empty))
    counted = Usage("enormous", 7).alter(asked(kind), reply)
    assert [choice_of(kind, counted, n) for n in range(3)] == [choice_of(kind, reply, n) for n in range(3)]
    assert b"14" in counted.body


@EVERY
def test_choices_without_a_number_are_told_apart_by_their_place(kind: Format) -> None:
    """Some servers leave it out; a choice that falls silent does not give its place to the next."""
    reply = offered(kind, [(TEXT, [])] * 2, together=True)
    bare = with_payload(reply, re.sub(rb'(, )?"index": \d(?(1)|, )', b"", reply.body))
    changed = Finish("content_filter").alter(asked(kind), bare)
    alone = choice_of(kind, Finish("content_filter").alter(asked(kind), kind.say(TEXT, [])), 0)
    assert [choice_of(kind, changed, number) for number in (0, 1)] == [alone, alone]
