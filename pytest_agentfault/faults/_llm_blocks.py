"""
Formats whose streams number what they say and open and close it: OpenAI responses, Anthropic messages.

A whole reply holds a list of items; in a stream each item is a group of events under one
number. Groups are taken out and put in whole, and all numbers are said anew. Sources:
https://platform.openai.com/docs/api-reference/responses-streaming,
https://docs.anthropic.com/en/api/messages-streaming.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from .._payload import MISSING
from ._llm import Call, Ending, Shape, Told, as_text, as_value, pieces, relisted

Group = list[dict[str, Any]]


def _regrouped(
    told: list[Told], key: str, drop: set[Any], made: Sequence[Group], ends: Callable[[Any], bool]
) -> list[Told]:
    """The events with some groups gone, and new ones where the first of them was; else behind the last group."""
    numbers = [one.value.get(key) if isinstance(one.value, dict) else None for one in told]
    gone = [place for place, number in enumerate(numbers) if number in drop and number is not None]
    behind = [place + 1 for place, number in enumerate(numbers) if number is not None]
    last = [place for place, one in enumerate(told) if ends(one.value)]
    where = (gone[:1] or behind[-1:] or last[:1] or [len(told)])[0]
    new = [Told({**event, key: f"new {number}"}) for number, group in enumerate(made) for event in group]
    kept = [(place, one) for place, one in enumerate(told) if place not in gone]
    said = [*(one for p, one in kept if p < where), *new, *(one for p, one in kept if p >= where)]
    order: dict[Any, int] = {}
    for one in said:
        if isinstance(one.value, dict) and one.value.get(key) is not None:
            one.value[key] = order.setdefault(one.value[key], len(order))
    return said


def _of(told: list[Told], *types: str) -> list[dict[str, Any]]:
    """The events of these types."""
    return [one.value for one in told if isinstance(one.value, dict) and one.value.get("type") in types]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


# --- OpenAI responses -------------------------------------------------------------------------------------------------

ENDS: Final = ("response.completed", "response.incomplete")
REFUSED: Final = {"type": "refusal", "refusal": ""}
SAID: Final = {"type": "output_text", "text": "", "annotations": []}


def _is_response(value: Any) -> bool:
    if value.get("object") == "response":
        return isinstance(value.get("output"), list)
    return str(value.get("type")).startswith("response.") and (
        "output_index" in value or isinstance(value.get("response"), dict)
    )


def _whole(told: list[Told]) -> dict[str, Any] | None:
    """A response that is not streamed."""
    first = told[0].value
    return first if isinstance(first, dict) and first.get("object") == "response" else None


def _items(told: list[Told]) -> list[dict[str, Any]]:
    """The items of the output: of a whole response, or as the events close them."""
    whole = _whole(told)
    if whole is not None:
        return _dicts(whole.get("output"))
    return [event["item"] for event in _of(told, "response.output_item.done") if isinstance(event.get("item"), dict)]


def _is_function_call(item: dict[str, Any]) -> bool:
    return item.get("type") == "function_call"


def _is_message(item: dict[str, Any]) -> bool:
    return item.get("type") == "message"


def _response_calls(told: list[Told]) -> list[Call]:
    calls = [item for item in _items(told) if _is_function_call(item)]
    return [Call(c.get("name", ""), as_text(c.get("arguments", "")), c) for c in calls]


def _response_text(told: list[Told]) -> str:
    parts = [part for item in _items(told) if _is_message(item) for part in _dicts(item.get("content"))]
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _call_item(call: Call, number: int) -> dict[str, Any]:
    count = call.before + number
    made = {"id": f"fc_{count}", "type": "function_call", "call_id": f"call_{count}", "status": "completed"}
    return {**made, **call.raw, "name": call.name, "arguments": call.arguments}


def _message_item(text: str, like: dict[str, Any], refused: bool) -> dict[str, Any]:
    part = {**REFUSED, "refusal": text} if refused else {**SAID, "text": text}
    made = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant"}
    return {**made, **like, "content": [part]}


def _tell_response(told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    new: list[tuple[Callable[[Any], bool], list[dict[str, Any]]]] = []
    if text is not None:
        like = next((item for item in _items(told) if _is_message(item)), {})
        new.append((_is_message, [_message_item(text, like, refused)] if text else []))
    if calls is not None:
        new.append((_is_function_call, [_call_item(call, number) for number, call in enumerate(calls)]))
    for drop, made in new:
        told = _tell_items(told, drop, made)
    return told


def _tell_items(told: list[Told], drop: Callable[[Any], bool], made: list[dict[str, Any]]) -> list[Told]:
    whole = _whole(told)
    if whole is not None:
        whole["output"] = relisted(whole["output"], drop, made)
        return told
    items = _of(told, "response.output_item.added", "response.output_item.done")
    gone = {event.get("output_index") for event in items if drop(event.get("item") or {})}
    groups = [_message_events(item) if _is_message(item) else _call_events(item) for item in made]
    said = _regrouped(told, "output_index", gone, groups, lambda v: isinstance(v, dict) and v.get("type") in ENDS)
    for event in _of(said, *ENDS):
        event["response"]["output"] = relisted(event["response"].get("output") or [], drop, made)
    return _numbered(said)


def _numbered(told: list[Told]) -> list[Told]:
    """Count the events anew, where they are counted."""
    if any("sequence_number" in one.value for one in told if isinstance(one.value, dict) and one.raw):
        for number, one in enumerate(one for one in told if isinstance(one.value, dict)):
            one.value["sequence_number"] = number
    return told


def _call_events(item: dict[str, Any]) -> Group:
    where, kind = {"item_id": item["id"], "output_index": 0}, "response.function_call_arguments"
    text = as_text(item["arguments"])
    return [
        {"type": "response.output_item.added", "item": {**item, "arguments": "", "status": "in_progress"}},
        *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(text)),
        {"type": f"{kind}.done", **where, "name": item["name"], "arguments": text},
        {"type": "response.output_item.done", "item": item},
    ]


def _message_events(item: dict[str, Any]) -> Group:
    part = item["content"][0]
    where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    key = "refusal" if part["type"] == "refusal" else "text"
    kind = "response.refusal" if key == "refusal" else "response.output_text"
    more: dict[str, Any] = {} if key == "refusal" else {"logprobs": []}
    return [
        {"type": "response.output_item.added", "item": {**item, "content": [], "status": "in_progress"}},
        {"type": "response.content_part.added", **where, "part": {**part, key: ""}},
        *({"type": f"{kind}.delta", **where, "delta": piece, **more} for piece in pieces(part[key])),
        {"type": f"{kind}.done", **where, key: part[key], **more},
        {"type": "response.content_part.done", **where, "part": part},
        {"type": "response.output_item.done", "item": item},
    ]


def _end_response(told: list[Told], word: str) -> None:
    """A reason is said only of what is incomplete; the last item and the last event are then called so."""
    whole, events = _whole(told), _of(told, *ENDS)
    done = word == "completed"
    for response in [whole] if whole is not None else [event["response"] for event in events]:
        response["status"] = "completed" if done else "incomplete"
        response["incomplete_details"] = None if done else {"reason": word}
        closed = [] if done else [*_dicts(response.get("output"))[-1:], *_items(told)[-1:]]
        for item in closed:
            if "status" in item:
                item["status"] = "incomplete"
    for event in events:
        event["type"] = "response.completed" if done else "response.incomplete"


def _empty_response(told: list[Told]) -> list[Told]:
    whole = _whole(told)
    if whole is not None:
        whole["output"] = []
        return told
    kept = [one for one in told if not isinstance(one.value, dict) or "output_index" not in one.value]
    for event in _of(kept, *ENDS):
        event["response"]["output"] = []
    return _numbered(kept)


# --- Anthropic messages -----------------------------------------------------------------------------------------------


def _is_anthropic(value: Any) -> bool:
    if value.get("type") == "message":
        return value.get("role") == "assistant" and isinstance(value.get("content"), list)
    return value.get("type") == "message_start" and isinstance(value.get("message"), dict)


def _message(told: list[Told]) -> dict[str, Any] | None:
    """A message that is not streamed."""
    first = told[0].value
    return first if isinstance(first, dict) and first.get("type") == "message" else None


def _is_tool_use(block: dict[str, Any]) -> bool:
    return (
        block.get("type") == "tool_use"
    )  # what the vendor calls itself (server_tool_use, mcp_tool_use) is not asked of us


def _is_text(block: dict[str, Any]) -> bool:
    return block.get("type") == "text"


def _opened(told: list[Told], wanted: Callable[[Any], bool]) -> dict[Any, dict[str, Any]]:
    """The blocks of a stream, by their numbers."""
    begun = _of(told, "content_block_start")
    return {event.get("index"): event["content_block"] for event in begun if wanted(event.get("content_block") or {})}


def _deltas(told: list[Told], number: Any, key: str) -> str:
    found = [e["delta"] for e in _of(told, "content_block_delta") if e.get("index") == number]
    return "".join(delta[key] for delta in found if isinstance(delta.get(key), str))


def _anthropic_calls(told: list[Told]) -> list[Call]:
    message = _message(told)
    if message is not None:
        return [Call(b.get("name", ""), b.get("input", {}), b) for b in _dicts(message["content"]) if _is_tool_use(b)]
    opened = _opened(told, _is_tool_use)
    return [Call(b.get("name", ""), _deltas(told, n, "partial_json") or "{}", b) for n, b in opened.items()]


def _anthropic_text(told: list[Told]) -> str:
    message = _message(told)
    if message is not None:
        return "".join(block.get("text", "") for block in _dicts(message["content"]) if _is_text(block))
    return "".join(_deltas(told, number, "text") for number in _opened(told, _is_text))


def _tool_use(call: Call, number: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{call.before + number}", **call.raw, "name": call.name, "input": {}}


def _tell_anthropic(told: list[Told], calls: list[Call] | None, text: str | None, refused: bool) -> list[Told]:
    message = _message(told)
    if text is not None:
        if message is not None:
            message["content"] = relisted(
                message["content"], _is_text, [{"type": "text", "text": text}] if text else []
            )
        else:
            told = _tell_blocks(told, _is_text, [_text_events(text)] if text else [])
    if calls is not None:
        blocks = [_tool_use(call, number) for number, call in enumerate(calls)]
        if message is not None:
            made = [{**block, "input": as_value(call.arguments)} for block, call in zip(blocks, calls, strict=True)]
            message["content"] = relisted(message["content"], _is_tool_use, made)
        else:
            groups = [_tool_events(block, call) for block, call in zip(blocks, calls, strict=True)]
            told = _tell_blocks(told, _is_tool_use, groups)
    return told


def _tell_blocks(told: list[Told], drop: Callable[[Any], bool], groups: list[Group]) -> list[Told]:
    gone = set(_opened(told, drop))
    return _regrouped(told, "index", gone, groups, lambda v: isinstance(v, dict) and v.get("type") == "message_delta")


def _block_events(block: dict[str, Any], deltas: list[dict[str, Any]]) -> Group:
    return [
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]


def _text_events(text: str) -> Group:
    return _block_events({"type": "text", "text": ""}, [{"type": "text_delta", "text": p} for p in pieces(text)])


def _tool_events(block: dict[str, Any], call: Call) -> Group:
    told = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(as_text(call.arguments))]
    return _block_events(block, told)


def _end_anthropic(told: list[Told], word: str) -> None:
    message = _message(told)
    holders = [message] if message is not None else [e.get("delta") or {} for e in _of(told, "message_delta")]
    for holder in holders:
        if holder.get("stop_reason"):
            holder["stop_reason"] = word


def _empty_anthropic(told: list[Told]) -> list[Told]:
    message = _message(told)
    if message is not None:
        message["content"] = []
        return told
    return [one for one in told if one.value is MISSING or "index" not in one.value]


BLOCKS: Final = (
    Shape(
        "OpenAI responses",
        _is_response,
        _response_calls,
        _response_text,
        _tell_response,
        _end_response,
        _empty_response,
        ("usage", ("input_tokens", "output_tokens"), "total_tokens"),
        {
            "stop": Ending("completed"),
            "calls": Ending("completed"),
            "length": Ending("max_output_tokens", "half"),
            "content_filter": Ending("content_filter", "half"),
            "refusal": Ending("completed", "refusal"),
        },
    ),
    Shape(
        "Anthropic messages",
        _is_anthropic,
        _anthropic_calls,
        _anthropic_text,
        _tell_anthropic,
        _end_anthropic,
        _empty_anthropic,
        ("usage", ("input_tokens", "output_tokens"), ""),
        {
            "stop": Ending("end_turn"),
            "calls": Ending("tool_use"),
            "length": Ending("max_tokens", "half"),
            "content_filter": Ending("refusal", "half"),
            "refusal": Ending("refusal", "nothing"),
        },
    ),
)
