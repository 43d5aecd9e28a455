"""
A language model's reply, taken apart and written again: one document, or the pieces of a stream.

The faults of payloads work on `Told`s, the JSON values of a reply in their order, and on
what all formats have: tool calls, a text, a reason why it ended, a count of tokens.
Where these stand in each of the five formats is told by a `Shape`: tables and a few functions
in `_llm_lists.py` and `_llm_chat.py` (formats that list what was said) and `_llm_blocks.py` (formats whose
streams number it). Rule 1: a vendor's own habits are data, in scenarios; what is here is
the wire format that several of them speak. Rule 2: what a fault does not change stays
byte for byte, event by event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from json import dumps
from typing import Any, Final

from .._payload import (
    MISSING,
    data_of,
    decoded,
    events_of,
    has_body,
    is_stream,
    json_of,
    line_end_of,
    parsed,
    with_data_of,
    with_payload,
    written,
)
from .._reply import Reply, Request
from ._events import with_events

PIECE: Final = 12  # letters of a text in one event, about what models send


@dataclass(slots=True, eq=False)
class Told:
    """One JSON value of a reply, and the bytes it came in; empty: it is new."""

    value: Any
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call.

    Args:
        name: the tool's.
        arguments: JSON text where the format sends text, else the value.
        raw: the call as it came, for what else it holds.
        before: how many calls the conversation had before it, so that a new one has an id of its own.
    """

    name: str
    arguments: Any
    raw: Mapping[str, Any] = field(default_factory=dict)
    before: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a format says why a reply ended: its word, and how much of what was said comes with it.

    Args:
        word: the vendor's.
        keeps: what stays of what was said: `"all"`, `"half"`, `"nothing"`, or `"refusal"` (a refusal instead).
    """

    word: str
    keeps: str = "all"


@dataclass(frozen=True, slots=True)
class Shape:
    """Where one wire format has what all of them have.

    Args:
        name: what the docs call it.
        fits: whether a reply of these values is in this format; said of each value that may tell.
        calls: its tool calls.
        text: its text.
        tell: let it say these calls, this text (None: those it has); `refused`: the text is a refusal.
        end: give it this reason to have ended.
        empty: take out whatever was said.
        usage: the names of the table of tokens (empty: they stand loose), of its counts, and of their sum.
        endings: the format's word for each of the faults' words.
        choices: the format as each of several choices of a reply speaks it; None: a reply is one.
    """

    name: str
    fits: Callable[[Any], bool]
    calls: Callable[[list[Told]], list[Call]]
    text: Callable[[list[Told]], str]
    tell: Callable[[list[Told], list[Call] | None, str | None, bool], list[Told]]
    end: Callable[[list[Told], str], None]
    empty: Callable[[list[Told]], list[Told]]
    usage: tuple[str, tuple[str, ...], str]
    endings: Mapping[str, Ending]
    choices: Callable[[list[Told]], list[Shape]] | None = None


Change = Callable[[Shape, list[Told]], list[Told]]


def retold(request: Request, reply: Reply, change: Change) -> Reply:
    """The reply with its values changed; the same one where it is no model's, or nothing changed."""
    if not has_body(request, reply) or not 200 <= (reply.status or 0) < 300:
        return reply
    body = decoded(reply)
    if not body:
        return reply
    if is_stream(reply):
        events = events_of(body)
        before = [Told(parsed(data_of(event) or b""), event) for event in events]
        after = _changed(before, change)
        if after is None:
            return reply
        named = any(event.lstrip().startswith(b"event:") for event in events)
        said = [_event(told, events, named) for told in after]
        return reply if b"".join(said) == body else with_events(reply, said)
    value = json_of(reply)
    listed = isinstance(value, list)  # Gemini streams an array, where it is not asked for events
    after = _changed([Told(inner) for inner in (value if listed else [value])], change)
    if after is None:
        return reply
    values = [told.value for told in after]
    new = values if listed else values[0] if values else MISSING
    return reply if new is MISSING or written(new) == written(value) else with_payload(reply, written(new).encode())


def in_each_choice(change: Change) -> Change:
    """The same change, made of each of the choices that a reply offers (`n`, `candidateCount`)."""

    def changed(shape: Shape, told: list[Told]) -> list[Told]:
        for one in [shape] if shape.choices is None else shape.choices(told):
            told = change(one, told)
        return told

    return changed


def shape_of(request: Request, reply: Reply) -> Shape | None:
    """The format a reply is in; None: it is no model's."""
    body = decoded(reply) if has_body(request, reply) else None
    if not body:
        return None
    if is_stream(reply):
        return shape_of_values(parsed(data_of(event) or b"") for event in events_of(body))
    value = json_of(reply)
    return shape_of_values(value if isinstance(value, list) else [value])


def shape_of_values(values: Iterable[Any]) -> Shape | None:
    """The format that one of these values is in."""
    for value in values:
        for shape in shapes() if isinstance(value, dict) else ():
            if shape.fits(value):
                return shape
    return None


@cache
def shapes() -> tuple[Shape, ...]:
    """The formats, the more special first."""
    from ._llm_blocks import BLOCKS
    from ._llm_lists import LISTS

    return (*BLOCKS, *LISTS)


def _changed(before: list[Told], change: Change) -> list[Told] | None:
    shape = shape_of_values(told.value for told in before)
    return None if shape is None else change(shape, [Told(deepcopy(told.value), told.raw) for told in before])


def _event(told: Told, others: Sequence[bytes], named: bool) -> bytes:
    if told.raw:
        before = parsed(data_of(told.raw) or b"")
        if told.value is MISSING or written(before) == written(told.value):
            return told.raw
        if not named or before.get("type") == told.value.get("type"):  # the event's name says the type once more
            return with_data_of(told.raw, written(told.value).encode())
    end = line_end_of(others[0])
    data = written(told.value).encode()
    if others[0].lstrip()[:1] in (b"{", b"["):
        return data + end
    name = [b"event: " + str(told.value["type"]).encode()] if named and "type" in told.value else []
    return end.join([*name, b"data: " + data, b"", b""])


def relisted(items: Sequence[Any], drop: Callable[[Any], bool], made: Sequence[Any]) -> list[Any]:
    """The list without some of its items, and with new ones where the first of them was; else at its end."""
    place = next((number for number, item in enumerate(items) if drop(item)), len(items))
    kept = [item for item in items[place:] if not drop(item)]
    return [*items[:place], *made, *kept]


def pieces(text: str) -> list[str]:
    """A text as a stream says it."""
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def as_text(arguments: Any) -> str:
    """Arguments as JSON text."""
    return arguments if isinstance(arguments, str) else dumps(arguments, ensure_ascii=False)


def as_value(arguments: Any) -> Any:
    """Arguments as a value; what is no JSON stays the text it is."""
    value = parsed(arguments) if isinstance(arguments, str) else arguments
    return arguments if value is MISSING else value


def again(call: Call, number: int = 2) -> Call:
    """The same call once more, with an id of its own."""
    raw = dict(call.raw)
    for key in ("id", "call_id"):
        if isinstance(raw.get(key), str):
            raw[key] = f"{raw[key]}_{number}"
    return replace(call, raw=raw)
