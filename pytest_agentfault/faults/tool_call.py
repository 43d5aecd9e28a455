"""
A tool call that cannot be carried out as it stands, in a reply that is whole and legal.

What becomes of the arguments is in `_llm_calls.py`, where a call stands in the formats of
models' replies in `_llm.py`; this file only chooses which calls a reply makes instead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from .._errors import FaultError
from .._payload import written
from .._prompt import past_calls, tools_of
from .._reply import Reply, Request
from ._llm import Call, Shape, Told, again, as_text, as_value, in_each_choice, retold
from ._llm_calls import OF_MEMBERS, OF_TEXT
from ._settings import check_choice, check_line

Calls = list[Call]


def _merged(calls: Calls) -> Calls:
    first, second, *others = calls
    if isinstance(first.arguments, str) or isinstance(second.arguments, str):
        return [replace(first, arguments=as_text(first.arguments) + as_text(second.arguments)), *others]
    both = (second.arguments, first.arguments)
    members = [given for given in both if isinstance(given, dict)]
    return [replace(first, arguments={key: value for given in members for key, value in given.items()}), *others]


OF_CALLS: Final[dict[str, Callable[[Calls], Calls]]] = {
    "merged": lambda calls: _merged(calls) if len(calls) > 1 else calls,
    "repeated": lambda calls: [*calls, *map(again, calls[-1:])],
}
HOWS: Final = ("unknown_name", *OF_TEXT, *OF_MEMBERS, *OF_CALLS, "looped", "text_instead")
# Whoever carries these out, or reads past the fence, does what the model meant.
ALL_THERE: Final = ("double_encoded", "fenced", "extra_key", "repeated", "looped")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The client gets a model's reply whose tool calls are not what its tools can take.

    Replies of OpenAI (chat, responses), Anthropic, Gemini and Ollama, and of whoever speaks their formats;
    whole or streamed, and streamed again in the same kinds of events. Of several choices, each that calls
    a tool is struck.

    Args:
        how: the tool: `"unknown_name"` (it does not exist). Its arguments: `"truncated"`, `"double_encoded"`,
            `"fenced"` (in Markdown); where the format sends them as a value, the same in its members.
            `"wrong_type"`, `"missing_key"` (of a required member; of the first, where the request has no
            schema), `"extra_key"`. The calls: `"merged"` (two as one), `"repeated"` (the last one twice),
            `"looped"` (whatever the reply was, the last call of the conversation again), `"text_instead"`
            (the call is written out as text, and nothing is called).
        name: with `unknown_name`: the name that is called; None: the true one and `_v2`.
        random: filled in by the rule.

    Raises:
        FaultError: `how` is unknown, or `name` is no name or not wanted.
    """

    how: str = "unknown_name"
    name: str | None = None
    random: Random = dataclasses.field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("tool_call", "how", self.how, HOWS)
        check_line("tool_call", "name", self.name, optional=True)
        if self.name is not None and self.how != "unknown_name":
            raise FaultError(
                "tool_call: `name` is the tool that is called instead",
                f"how = {self.how!r}",
                'set how = "unknown_name", or drop `name`',
            )

    @property
    def damages(self) -> str:
        """Where the call still holds all that was meant, whoever carries it out is not misled."""
        return "nothing" if self.how in ALL_THERE else "payload"

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with other tool calls; the same one where it makes none, or is no model's."""
        return retold(request, reply, in_each_choice(lambda shape, told: self._told(request, shape, told)))

    def _told(self, request: Request, shape: Shape, told: list[Told]) -> list[Told]:
        calls = shape.calls(told)
        if self.how == "looped":
            return self._looped(request, shape, told, calls)
        if not calls:
            return told
        if self.how == "text_instead":
            text = "\n\n".join(filter(None, (shape.text(told), *map(_written_out, calls))))
            told = shape.tell(told, [], text, False)
            shape.end(told, shape.endings["stop"].word)
            return told
        changed = OF_CALLS[self.how](calls) if self.how in OF_CALLS else [self._changed(request, c) for c in calls]
        return told if changed == calls else shape.tell(told, changed, None, False)

    def _changed(self, request: Request, call: Call) -> Call:
        tools = tools_of(request)
        if self.how == "unknown_name":
            return replace(call, name=self.name or _unknown(call.name, tools))
        if self.how in OF_TEXT:
            return replace(call, arguments=OF_TEXT[self.how](call.arguments))
        return replace(call, arguments=OF_MEMBERS[self.how](call.arguments, tools.get(call.name), self.random))

    def _looped(self, request: Request, shape: Shape, told: list[Told], calls: Calls) -> list[Told]:
        past = past_calls(request)
        if not past or [(c.name, as_value(c.arguments)) for c in calls] == [
            (past[-1].name, as_value(past[-1].arguments))
        ]:
            return told
        last = Call(past[-1].name, as_text(past[-1].arguments), before=len(past))
        told = shape.tell(told, [last], "", False)
        shape.end(told, shape.endings["calls"].word)
        return told


def _unknown(name: str, tools: dict[str, Any]) -> str:
    name += "_v2"
    while name in tools:
        name += "_v2"
    return name


def _written_out(call: Call) -> str:
    """A call as models write it that have not learned to make one."""
    return f"```json\n{written({'name': call.name, 'parameters': as_value(call.arguments)})}\n```"
