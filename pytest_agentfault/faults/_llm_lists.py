"""
Formats that list what was said: Gemini's contents, Ollama's chat; and, in `_llm_chat.py`, OpenAI's.

A value of theirs holds a message, or in a stream the next piece of one, in the same form.
Sources: https://ai.google.dev/api/generate-content, https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any, Final

from ._llm import Call, Ending, Shape, Told, as_value, relisted
from ._llm_chat import chat
from ._llm_choices import emptied_of, for_each, spoken_by, table_at, tables_at

# --- Gemini -----------------------------------------------------------------------------------------------------------


def _is_gemini(value: Any) -> bool:
    return any(isinstance(c.get("content"), dict) or "finishReason" in c for c in tables_at(value, "candidates"))


def _parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    return tables_at(candidate.get("content"), "parts")


def _is_call_part(part: dict[str, Any]) -> bool:
    return isinstance(part.get("functionCall"), dict)


def _is_text_part(part: dict[str, Any]) -> bool:
    return isinstance(part.get("text"), str) and not part.get("thought")


def _gemini_calls(number: int, told: list[Told]) -> list[Call]:
    candidates = spoken_by(told, "candidates", number)
    parts = [part for _, candidate in candidates for part in _parts(candidate) if _is_call_part(part)]
    given = [(part["functionCall"], part) for part in parts]
    return [Call(str(call.get("name", "")), call.get("args", {}), _flat(part)) for call, part in given]


def _flat(part: dict[str, Any]) -> dict[str, Any]:
    """A part with the id of its call, if it has one, where the other formats have it."""
    given = part["functionCall"]
    return {**part, "id": given["id"]} if "id" in given else part


def _gemini_call(call: Call) -> dict[str, Any]:
    given = {**call.raw.get("functionCall", {}), "name": call.name, "args": as_value(call.arguments)}
    if "id" in given:
        given["id"] = call.raw.get("id", given["id"])
    return {**{key: inner for key, inner in call.raw.items() if key != "id"}, "functionCall": given}


def _gemini_text(number: int, told: list[Told]) -> str:
    candidates = spoken_by(told, "candidates", number)
    return "".join(p["text"] for _, candidate in candidates for p in _parts(candidate) if _is_text_part(p))


def _tell_gemini(
    number: int, told: list[Told], calls: list[Call] | None, text: str | None, refused: bool
) -> list[Told]:
    new: dict[Callable[[Any], bool], list[Any]] = {}
    if text is not None:
        new[_is_text_part] = [{"text": text}] if text else []
    if calls is not None:
        new[_is_call_part] = [_gemini_call(call) for call in calls]
    return _tell_listed(told, list(spoken_by(told, "candidates", number)), new, _parts, _put_parts)


def _put_parts(candidate: dict[str, Any], parts: list[Any]) -> bool:
    """Give a candidate these parts; whether it still says something."""
    candidate["content"] = {"role": "model", **table_at(candidate, "content"), "parts": parts}
    if not parts:
        del candidate["content"]["parts"]
    return bool(parts or candidate.get("finishReason"))


def _end_gemini(number: int, told: list[Told], word: str) -> None:
    for _, candidate in spoken_by(told, "candidates", number):
        if candidate.get("finishReason"):
            candidate["finishReason"] = word


def _empty_gemini(told: list[Told]) -> list[Told]:
    last = told[max((place for place, one in enumerate(told) if tables_at(one.value, "candidates")), default=-1)]
    del last.value["candidates"]
    return [last]


# --- Ollama -----------------------------------------------------------------------------------------------------------


def _is_ollama(value: Any) -> bool:
    return isinstance(value.get("message"), dict) and isinstance(value.get("done"), bool)


def _ollama_messages(told: list[Told]) -> list[tuple[int, dict[str, Any]]]:
    return [
        (place, one.value) for place, one in enumerate(told) if isinstance(one.value, dict) and _is_ollama(one.value)
    ]


def _ollama_items(value: dict[str, Any]) -> list[dict[str, Any]]:
    """A message's text and tool calls as items of one list."""
    text = value["message"].get("content")
    said = [{"content": text}] if isinstance(text, str) and text else []
    return [*said, *tables_at(value["message"], "tool_calls")]


def _put_ollama(value: dict[str, Any], items: list[Any]) -> bool:
    message, calls = value["message"], [item for item in items if "function" in item]
    message["content"] = "".join(item["content"] for item in items if "content" in item)
    message.pop("tool_calls", None)
    if calls:
        message["tool_calls"] = calls
    return bool(items or value["done"] or message.get("thinking"))


def _is_ollama_call(item: Any) -> bool:
    return "function" in item


def _is_ollama_text(item: Any) -> bool:
    return "content" in item


def _ollama_calls(told: list[Told]) -> list[Call]:
    entries = [e for _, value in _ollama_messages(told) for e in tables_at(value["message"], "tool_calls")]
    found = [(table_at(entry, "function"), entry) for entry in entries]
    return [Call(str(given.get("name", "")), given.get("arguments", {}), e) for given, e in found if given]


def _ollama_text(told: list[Told]) -> str:
    return "".join(i["content"] for _, value in _ollama_messages(told) for i in _ollama_items(value) if "content" in i)


def _tell_ollama(told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    new: dict[Callable[[Any], bool], list[Any]] = {}
    if text is not None:
        new[_is_ollama_text] = [{"content": text}] if text else []
    if calls is not None:
        new[_is_ollama_call] = [
            {
                **call.raw,
                "function": {
                    **table_at(call.raw, "function"),
                    "name": call.name,
                    "arguments": as_value(call.arguments),
                },
            }
            for call in calls
        ]
    return _tell_listed(told, _ollama_messages(told), new, _ollama_items, _put_ollama)


def _end_ollama(told: list[Told], word: str) -> None:
    for _, value in _ollama_messages(told):
        if value["done"]:
            value["done_reason"] = word


def _empty_ollama(told: list[Told]) -> list[Told]:
    return _tell_ollama(told, [], "", False)


# --- both -------------------------------------------------------------------------------------------------------------


def _tell_listed(
    told: list[Told],
    spoken: list[tuple[int, dict[str, Any]]],
    new: dict[Callable[[Any], bool], list[Any]],
    items_of: Callable[[dict[str, Any]], list[Any]],
    put: Callable[[dict[str, Any], list[Any]], bool],
) -> list[Told]:
    """Say the new items where the first of the old ones was said, else with the last piece; drop what is left empty."""
    dropped: dict[int, dict[str, Any]] = {}
    for drop, made in new.items():
        had = [place for place, holder in spoken if any(drop(item) for item in items_of(holder))]
        where = (had or [place for place, _ in spoken][-1:] or [-1])[0]
        for place, holder in spoken:
            if place in had or (place == where and made):
                items = relisted(items_of(holder), drop, deepcopy(made) if place == where else [])
                if put(holder, items):
                    dropped.pop(place, None)
                else:
                    dropped[place] = holder
    gone = {place for place, holder in dropped.items() if emptied_of(told[place].value, "candidates", holder)}
    return [one for place, one in enumerate(told) if place not in gone]


def _gemini(number: int = 0) -> Shape:
    return Shape(
        "Gemini",
        _is_gemini,
        partial(_gemini_calls, number),
        partial(_gemini_text, number),
        partial(_tell_gemini, number),
        partial(_end_gemini, number),
        _empty_gemini,
        ("usageMetadata", ("promptTokenCount", "candidatesTokenCount"), "totalTokenCount"),
        {
            "stop": Ending("STOP"),
            "calls": Ending("STOP"),
            "length": Ending("MAX_TOKENS", "half"),
            "content_filter": Ending("SAFETY", "nothing"),
            "refusal": Ending("PROHIBITED_CONTENT", "nothing"),
        },
        partial(for_each, "candidates", _gemini),
    )


LISTS: Final = (
    chat(),
    _gemini(),
    Shape(
        "Ollama",
        _is_ollama,
        _ollama_calls,
        _ollama_text,
        _tell_ollama,
        _end_ollama,
        _empty_ollama,
        ("", ("prompt_eval_count", "eval_count"), ""),
        {"stop": Ending("stop"), "calls": Ending("stop"), "length": Ending("length", "half")},
    ),
)
