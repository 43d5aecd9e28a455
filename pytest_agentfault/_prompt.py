"""
What a language model is asked, as far as faults and checks have to read it: its tools, and the calls of its history.

Five wire formats, told apart by nothing but the names of their members: OpenAI chat
completions, OpenAI responses, Anthropic messages, Gemini contents, Ollama chat. Rule:
this file reads requests only, and finds nothing in what it does not know.

Sources: https://platform.openai.com/docs/api-reference, https://docs.anthropic.com/en/api/messages,
https://ai.google.dev/api/generate-content, https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import loads
from typing import Any, Final

from ._reply import Request

TURNS: Final = ("messages", "contents", "input")
ARGUMENTS: Final = ("arguments", "input", "args")
SCHEMAS: Final = ("parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema")
CALL_IDS: Final = ("call_id", "id")
ANSWERED: Final = ("tool_call_id", "call_id", "tool_use_id", "tool_name")  # what a result names its call with


@dataclass(frozen=True, slots=True)
class PastCall:
    """A tool call in the history of a conversation.

    Args:
        name: the tool's.
        arguments: as they stand there: JSON text, or a value.
        id: what its result names it with; empty where the format has no such thing.
    """

    name: str
    arguments: Any
    id: str = ""


def asked_of(request: Request) -> Mapping[str, Any] | None:
    """The body of a request to a language model; None: it is none."""
    try:
        body = loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or "jsonrpc" in body:
        return None
    turns = any(isinstance(body.get(key), list) and all(isinstance(x, dict) for x in body[key]) for key in TURNS)
    return body if turns or ("model" in body and not body.keys().isdisjoint(("input", "prompt", "message"))) else None


def past_calls(request: Request) -> list[PastCall]:
    """The tool calls in the history of a conversation, the oldest first."""
    body = asked_of(request) or {}
    turns = [turn for key in TURNS if isinstance(body.get(key), list) for turn in body[key]]
    return [call for turn in turns if _is_models(turn) for call in _calls(turn)]


def tools_of(request: Request) -> dict[str, Any]:
    """The schema of each tool's arguments that the model is offered; None where it has none."""
    return {tool["name"]: _schema(tool) for tool in _named((asked_of(request) or {}).get("tools"))}


def results_in(request: Request) -> dict[str, Any]:
    """The results of tools in a conversation, each by the id of its call (Gemini: by the tool's name)."""
    body = asked_of(request) or {}
    return dict(_results([body.get(key) for key in TURNS]))


def _is_models(turn: Any) -> bool:
    """Users and tools may quote what looks like a call."""
    return isinstance(turn, dict) and turn.get("role", "assistant") in ("assistant", "model")


def _calls(value: Any) -> Iterator[PastCall]:
    if isinstance(value, list):
        for inner in value:
            yield from _calls(inner)
    elif isinstance(value, dict):
        key = next((key for key in ARGUMENTS if key in value), None)
        if key is not None and isinstance(value.get("name"), str):
            yield PastCall(value["name"], value[key], _first_text(value, CALL_IDS))
            return
        outer = _first_text(value, CALL_IDS)
        for inner in value.values():
            for call in _calls(inner):
                yield call if call.id else PastCall(call.name, call.arguments, outer)  # chat: the id stands outside


def _results(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for inner in value:
            yield from _results(inner)
    elif isinstance(value, dict):
        named = _first_text(value, ANSWERED)
        given = value.get("functionResponse", value.get("function_response"))
        if named and "arguments" not in value:
            yield named, value
        elif isinstance(given, dict) and isinstance(given.get("name"), str):
            yield _first_text(given, ("id",)) or given["name"], given
        else:
            yield from _results(list(value.values()))


def _named(value: Any) -> Iterator[dict[str, Any]]:
    """What is offered in a list of tools: it has a name; some formats wrap it once or twice."""
    if isinstance(value, list):
        for inner in value:
            yield from _named(inner)
    elif isinstance(value, dict):
        if isinstance(value.get("name"), str):
            yield value
        else:
            yield from _named([inner for inner in value.values() if isinstance(inner, dict | list)])


def _schema(tool: Mapping[str, Any]) -> Any:
    return next((tool[key] for key in SCHEMAS if isinstance(tool.get(key), dict)), None)


def _first_text(value: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((value[key] for key in keys if isinstance(value.get(key), str)), "")
