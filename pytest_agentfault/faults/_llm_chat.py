"""
OpenAI chat completions, and whoever speaks them: choices of a message, streamed in deltas of one.

Of the formats that list what was said, only this one sends a tool call in pieces. Sources:
https://platform.openai.com/docs/api-reference/chat/object,
https://platform.openai.com/docs/api-reference/chat-streaming/streaming.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ._llm import Call, Ending, Shape, Told, as_text, pieces
from ._llm_choices import emptied_of, for_each, spoken_by, table_at, tables_at


def _is_chat(value: Any) -> bool:
    choices = value.get("choices")
    return isinstance(choices, list) and any(
        isinstance(c, dict) and isinstance(c.get("message", c.get("delta")), dict) for c in choices
    )


def _messages(told: list[Told], number: int) -> Iterator[tuple[int, dict[str, Any], str, dict[str, Any]]]:
    """Where a choice speaks: place, choice, `message` or `delta`, and what is under it."""
    for place, choice in spoken_by(told, "choices", number):
        key = next((key for key in ("message", "delta") if isinstance(choice.get(key), dict)), "")
        if key:
            yield place, choice, key, choice[key]


def _chat_calls(number: int, told: list[Told]) -> list[Call]:
    found: dict[Any, tuple[str, list[str], dict[str, Any]]] = {}
    for _, _, key, message in _messages(told, number):
        for place, entry in enumerate(tables_at(message, "tool_calls")):
            function = table_at(entry, "function")
            index = entry.get("index", place) if key == "delta" else place
            name = function.get("name")
            _, parts, _ = found.setdefault(str(index), (name if isinstance(name, str) else "", [], entry))
            parts.append(as_text(function.get("arguments") or ""))
    return [Call(name, "".join(parts), raw) for name, parts, raw in found.values()]


def _chat_text(number: int, told: list[Told]) -> str:
    return "".join(m["content"] for *_, m in _messages(told, number) if isinstance(m.get("content"), str))


def _chat_call(call: Call, number: int, streamed: bool) -> dict[str, Any]:
    function = {**table_at(call.raw, "function"), "name": call.name, "arguments": "" if streamed else call.arguments}
    entry = {"id": f"call_{call.before + number}", "type": "function", **call.raw, "function": function}
    return {**entry, "index": number} if streamed else entry


def _chat_deltas(calls: list[Call]) -> list[dict[str, Any]]:
    """Tool calls as a stream says them: the name, then the arguments piece by piece."""
    deltas: list[dict[str, Any]] = []
    for number, call in enumerate(calls):
        deltas.append({"tool_calls": [_chat_call(call, number, streamed=True)]})
        for piece in pieces(as_text(call.arguments)):
            deltas.append({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    return deltas


def _tell_chat(number: int, told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    said = "refusal" if refused else "content"
    spoken = list(_messages(told, number))
    if not spoken:
        return told
    if spoken[0][2] == "message":
        message = spoken[0][3]
        if text is not None:
            message.update({"content": None, said: text or None})
        if calls is not None:
            message["tool_calls"] = [_chat_call(call, place, streamed=False) for place, call in enumerate(calls)]
            if not calls:
                del message["tool_calls"]
        return told
    gone = [key for key, new in (("tool_calls", calls), ("content", text)) if new is not None]
    return _tell_chunks(
        number, told, spoken, gone, [*_chat_deltas(calls or []), *({said: p} for p in pieces(text or ""))]
    )


def _tell_chunks(
    number: int, told: list[Told], spoken: list[Any], gone: list[str], made: list[dict[str, Any]]
) -> list[Told]:
    """Say the new deltas where the first of the old ones was said, else before the end."""
    had = [place for place, _, _, delta in spoken if any(delta.get(key) for key in gone)]
    ends = [place for place, choice, *_ in spoken if choice.get("finish_reason")]
    where = (had or ends or [len(told)])[0]
    first = {**spoken[0][1], **({"index": number} if number else {})}
    new = [_chunk(told[spoken[0][0]].value, first, delta) for delta in made]
    silent = set()
    for place, choice, _, delta in spoken:
        if place in had:
            for key in gone:
                delta.pop(key, None)
            if not any(delta.values()) and not choice.get("finish_reason") and not told[place].value.get("usage"):
                silent.update([place] if emptied_of(told[place].value, "choices", choice) else [])
            elif place == where and "role" in delta and not choice.get("finish_reason"):
                where += 1  # who speaks is said first
    kept = [(place, one) for place, one in enumerate(told) if place not in silent]
    return [*(one for p, one in kept if p < where), *new, *(one for p, one in kept if p >= where)]


def _chunk(like: dict[str, Any], choice: dict[str, Any], delta: dict[str, Any]) -> Told:
    said = {**choice, "delta": delta, "finish_reason": None}
    return Told({**{key: inner for key, inner in like.items() if key != "usage"}, "choices": [said]})


def _end_chat(number: int, told: list[Told], word: str) -> None:
    for _, choice, _, _ in _messages(told, number):
        if choice.get("finish_reason"):
            choice["finish_reason"] = word


def _empty_chat(told: list[Told]) -> list[Told]:
    kept = [one for one in told if not isinstance(one.value, dict) or not one.value.get("choices")]
    first = next(one for one in told if one not in kept)
    first.value["choices"] = []
    return [one for one in told if one in kept or one is first]


def chat(number: int = 0) -> Shape:
    return Shape(
        "OpenAI chat",
        _is_chat,
        partial(_chat_calls, number),
        partial(_chat_text, number),
        partial(_tell_chat, number),
        partial(_end_chat, number),
        _empty_chat,
        ("usage", ("prompt_tokens", "completion_tokens"), "total_tokens"),
        {
            "stop": Ending("stop"),
            "calls": Ending("tool_calls"),
            "length": Ending("length", "half"),
            "content_filter": Ending("content_filter", "half"),
            "refusal": Ending("stop", "refusal"),
        },
        partial(for_each, "choices", chat),
    )
