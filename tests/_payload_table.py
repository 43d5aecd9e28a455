"""
The table of docs/llm-payloads.md: which faults of a model's reply there are in which format, and what becomes of it.

Every cell is what a fault did to the replies of `_models`, whole and streamed.
`python tests/_payload_table.py` prints the table; a test holds the page to it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from _formats import FORMATS, Format
from _models import CHAT, ISSUE, TEXT, TIME

from pytest_agentfault.faults._llm import shape_of
from pytest_agentfault.faults.finish import HOWS as ENDS
from pytest_agentfault.faults.finish import Finish
from pytest_agentfault.faults.tool_call import HOWS, ToolCall
from pytest_agentfault.faults.usage import Usage

NAMES: Final = tuple(dict.fromkeys(kind.name for kind in FORMATS))
NOTHING: Final = "-"
OF_ARGUMENTS: Final = ("truncated", "double_encoded", "fenced")
PAST: Final = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}],
}


def table() -> str:
    """The table, in Markdown."""
    rows = [
        *((f'tool_call, `"{how}"`', ToolCall(how), _arguments if how in OF_ARGUMENTS else _plainly) for how in HOWS),
        *((f'finish, `"{how}"`', Finish(how), _plainly if how == "empty" else _ending) for how in ENDS),
        *((f'usage, `"{how}"`', Usage(how), _plainly) for how in ("missing", "enormous")),
    ]
    lines = ["| fault | " + " | ".join(NAMES) + " |", "| --- |" + " --- |" * len(NAMES)]
    lines += [
        f"| {title} | " + " | ".join(_cell(fault, say, name) for name in NAMES) + " |" for title, fault, say in rows
    ]
    return "\n".join(lines)


def _cell(fault: Any, say: Callable[[Format, Any], str], name: str) -> str:
    """What is so in both ways to be sent, or each by itself."""
    whole, streamed = (_met(fault, say, kind) for kind in FORMATS if kind.name == name)
    return whole if whole == streamed else f"{whole}; streamed: {streamed}"


def _met(fault: Any, say: Callable[[Format, Any], str], kind: Format) -> str:
    reply, request = kind.say(TEXT, [ISSUE, TIME]), kind.request
    if fault == ToolCall("looped"):
        request = replace(request, body=json.dumps({**CHAT, "messages": [*CHAT["messages"], PAST]}).encode())
    return NOTHING if fault.alter(request, reply) == reply else say(kind, fault)


def _plainly(kind: Format, fault: Any) -> str:
    return "yes"


def _arguments(kind: Format, fault: Any) -> str:
    return "each member" if kind.values else "the text"


def _ending(kind: Format, fault: Any) -> str:
    shape = shape_of(kind.request, kind.say(TEXT, []))
    assert shape is not None
    return f"`{shape.endings[fault.how].word}`"


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
