"""
Formats that list what was said: OpenAI chat completions, Gemini's contents, Ollama's chat.

A value of theirs holds a message, or in a stream the next piece of one, in the same form;
only OpenAI's streams send a tool call in pieces. Sources: https://platform.openai.com/docs/api-reference/chat/object,
https://platform.openai.com/docs/api-reference/chat-streaming/streaming, https://ai.google.dev/api/generate-content,
https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

from ._llm import Call, Ending, Shape, Told, as_text, as_value, pieces, relisted

# --- OpenAI chat completions ------------------------------------------------------------------------------------------


def _is_chat(value: Any) -> bool:
    choices = value.get("choices")
    return isinstance(choices, list) and any(
        isinstance(c, dict) and isinstance(c.get("message", c.get("delta")), dict) for c in choices
    )


def _messages(told: list[Told]) -> Iterator[tuple[int, dict[str, Any], str, dict[str, Any]]]:
    """Where the first choice speaks: place, choice, `message` or `delta`, and what is under it."""
    for place, one in enumerate(told):
        for choice in _list(one.value, "choices"):
            key = next((key for key in ("message", "delta") if isinstance(choice.get(key), dict)), "")
            if key and not choice.get("index"):
                yield place, choice, key, choice[key]


def _chat_calls(told: list[Told]) -> list[Call]:
    found: dict[Any, tuple[str, list[str], dict[str, Any]]] = {}
    for _, _, key, message in _messages(told):
        for number, entry in enumerate(_list(message, "tool_calls")):
            function = entry.get("function") or {}
            index = entry.get("index", number) if key == "delta" else number
            _, parts, _ = found.setdefault(index, (function.get("name") or "", [], entry))
            parts.append(as_text(function.get("arguments") or ""))
    return [Call(name, "".join(parts), raw) for name, parts, raw in found.values()]


def _chat_text(told: list[Told]) -> str:
    return "".join(m["content"] for *_, m in _messages(told) if isinstance(m.get("content"), str))


def _chat_call(call: Call, number: int, streamed: bool) -> dict[str, Any]:
    function = {**call.raw.get("function", {}), "name": call.name, "arguments": "" if streamed else call.arguments}
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


def _tell_chat(told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    said = "refusal" if refused else "content"
    spoken = list(_messages(told))
    if spoken and spoken[0][2] == "message":
        message = spoken[0][3]
        if text is not None:
            message.update({"content": None, said: text or None})
        if calls is not None:
            message["tool_calls"] = [_chat_call(call, number, streamed=False) for number, call in enumerate(calls)]
            if not calls:
                del message["tool_calls"]
        return told
    gone = [key for key, new in (("tool_calls", calls), ("content", text)) if new is not None]
    return _tell_chunks(told, spoken, gone, [*_chat_deltas(calls or []), *({said: p} for p in pieces(text or ""))])


def _tell_chunks(told: list[Told], spoken: list[Any], gone: list[str], made: list[dict[str, Any]]) -> list[Told]:
    """Say the new deltas where the first of the old ones was said, else before the end."""
    had = [place for place, _, _, delta in spoken if any(delta.get(key) for key in gone)]
    ends = [place for place, choice, *_ in spoken if choice.get("finish_reason")]
    where = (had or ends or [len(told)])[0]
    new = [_chunk(told[spoken[0][0]].value, delta) for delta in made]
    silent = set()
    for place, choice, _, delta in spoken:
        if place in had:
            for key in gone:
                delta.pop(key, None)
            if not any(delta.values()) and not choice.get("finish_reason") and not told[place].value.get("usage"):
                silent.add(place)
            elif place == where and "role" in delta and not choice.get("finish_reason"):
                where += 1  # who speaks is said first
    kept = [(place, one) for place, one in enumerate(told) if place not in silent]
    return [*(one for p, one in kept if p < where), *new, *(one for p, one in kept if p >= where)]


def _chunk(like: dict[str, Any], delta: dict[str, Any]) -> Told:
    choice = {**like["choices"][0], "delta": delta, "finish_reason": None}
    return Told({**{key: inner for key, inner in like.items() if key != "usage"}, "choices": [choice]})


def _end_chat(told: list[Told], word: str) -> None:
    for _, choice, _, _ in _messages(told):
        if choice.get("finish_reason"):
            choice["finish_reason"] = word


def _empty_chat(told: list[Told]) -> list[Told]:
    kept = [one for one in told if not isinstance(one.value, dict) or not one.value.get("choices")]
    first = next(one for one in told if one not in kept)
    first.value["choices"] = []
    return [one for one in told if one in kept or one is first]


# --- Gemini -----------------------------------------------------------------------------------------------------------


def _is_gemini(value: Any) -> bool:
    return any(isinstance(c.get("content"), dict) or "finishReason" in c for c in _list(value, "candidates"))


def _candidates(told: list[Told]) -> Iterator[tuple[int, dict[str, Any]]]:
    for place, one in enumerate(told):
        for candidate in _list(one.value, "candidates"):
            if not candidate.get("index"):
                yield place, candidate


def _parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    return _list(candidate.get("content"), "parts")


def _is_call_part(part: dict[str, Any]) -> bool:
    return isinstance(part.get("functionCall"), dict)


def _is_text_part(part: dict[str, Any]) -> bool:
    return isinstance(part.get("text"), str) and not part.get("thought")


def _gemini_calls(told: list[Told]) -> list[Call]:
    parts = [part for _, candidate in _candidates(told) for part in _parts(candidate) if _is_call_part(part)]
    return [Call(p["functionCall"].get("name", ""), p["functionCall"].get("args", {}), _flat(p)) for p in parts]


def _flat(part: dict[str, Any]) -> dict[str, Any]:
    """A part with the id of its call, if it has one, where the other formats have it."""
    given = part["functionCall"]
    return {**part, "id": given["id"]} if "id" in given else part


def _gemini_call(call: Call) -> dict[str, Any]:
    given = {**call.raw.get("functionCall", {}), "name": call.name, "args": as_value(call.arguments)}
    if "id" in given:
        given["id"] = call.raw.get("id", given["id"])
    return {**{key: inner for key, inner in call.raw.items() if key != "id"}, "functionCall": given}


def _gemini_text(told: list[Told]) -> str:
    return "".join(p["text"] for _, candidate in _candidates(told) for p in _parts(candidate) if _is_text_part(p))


def _tell_gemini(told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    new: dict[Callable[[Any], bool], list[Any]] = {}
    if text is not None:
        new[_is_text_part] = [{"text": text}] if text else []
    if calls is not None:
        new[_is_call_part] = [_gemini_call(call) for call in calls]
    return _tell_listed(told, list(_candidates(told)), new, _parts, _put_parts)


def _put_parts(candidate: dict[str, Any], parts: list[Any]) -> bool:
    """Give a candidate these parts; whether it still says something."""
    candidate.setdefault("content", {}).setdefault("role", "model")
    candidate["content"]["parts"] = parts
    if not parts:
        del candidate["content"]["parts"]
    return bool(parts or candidate.get("finishReason"))


def _end_gemini(told: list[Told], word: str) -> None:
    for _, candidate in _candidates(told):
        if candidate.get("finishReason"):
            candidate["finishReason"] = word


def _empty_gemini(told: list[Told]) -> list[Told]:
    last = told[max(place for place, _ in _candidates(told))]
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
    return [*([{"content": text}] if text else []), *_list(value["message"], "tool_calls")]


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
    entries = [e for _, value in _ollama_messages(told) for e in _list(value["message"], "tool_calls")]
    return [
        Call(e["function"].get("name", ""), e["function"].get("arguments", {}), e) for e in entries if "function" in e
    ]


def _ollama_text(told: list[Told]) -> str:
    return "".join(value["message"].get("content") or "" for _, value in _ollama_messages(told))


def _tell_ollama(told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    new: dict[Callable[[Any], bool], list[Any]] = {}
    if text is not None:
        new[_is_ollama_text] = [{"content": text}] if text else []
    if calls is not None:
        new[_is_ollama_call] = [
            {
                **call.raw,
                "function": {
                    **call.raw.get("function", {}),
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


# --- all of them ------------------------------------------------------------------------------------------------------


def _list(holder: Any, key: str) -> list[dict[str, Any]]:
    """The tables in a list; none where there is no such list."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _tell_listed(
    told: list[Told],
    spoken: list[tuple[int, dict[str, Any]]],
    new: dict[Callable[[Any], bool], list[Any]],
    items_of: Callable[[dict[str, Any]], list[Any]],
    put: Callable[[dict[str, Any], list[Any]], bool],
) -> list[Told]:
    """Say the new items where the first of the old ones was said, else with the last piece; drop what is left empty."""
    dropped: set[int] = set()
    for drop, made in new.items():
        had = [place for place, holder in spoken if any(drop(item) for item in items_of(holder))]
        where = (had or [place for place, _ in spoken][-1:] or [-1])[0]
        for place, holder in spoken:
            if place in had or (place == where and made):
                items = relisted(items_of(holder), drop, deepcopy(made) if place == where else [])
                says = put(holder, items)
                dropped = dropped - {place} if says else dropped | {place}
    return [one for place, one in enumerate(told) if place not in dropped]


LISTS: Final = (
    Shape(
        "OpenAI chat",
        _is_chat,
        _chat_calls,
        _chat_text,
        _tell_chat,
        _end_chat,
        _empty_chat,
        ("usage", ("prompt_tokens", "completion_tokens"), "total_tokens"),
        {
            "stop": Ending("stop"),
            "calls": Ending("tool_calls"),
            "length": Ending("length", "half"),
            "content_filter": Ending("content_filter", "half"),
            "refusal": Ending("stop", "refusal"),
        },
    ),
    Shape(
        "Gemini",
        _is_gemini,
        _gemini_calls,
        _gemini_text,
        _tell_gemini,
        _end_gemini,
        _empty_gemini,
        ("usageMetadata", ("promptTokenCount", "candidatesTokenCount"), "totalTokenCount"),
        {
            "stop": Ending("STOP"),
            "calls": Ending("STOP"),
            "length": Ending("MAX_TOKENS", "half"),
            "content_filter": Ending("SAFETY", "nothing"),
            "refusal": Ending("PROHIBITED_CONTENT", "nothing"),
        },
    ),
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
