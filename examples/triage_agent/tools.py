"""
The tools the model may ask for, and whether what it asks makes sense.

A model's wishes are input like any other. One that cannot be met makes the whole
turn a bad answer, and the agent asks again.
"""

from __future__ import annotations

import json
from typing import Any

from errors import BadAnswer

KINDS = {"string": str, "integer": int}


def _tool(name: str, what: str, **settings: str) -> dict[str, Any]:
    properties = {setting: {"type": kind} for setting, kind in settings.items()}
    parameters = {"type": "object", "properties": properties, "required": list(settings)}
    return {"type": "function", "function": {"name": name, "description": what, "parameters": parameters}}


TOOLS: list[Any] = [
    _tool(
        "find_linear_issues",
        "Issues of the engineers in Linear, by words of the title.",
        text="string",
        limit="integer",
    ),
    _tool("find_similar_jira_issues", "Open Jira issues about the same.", text="string"),
    _tool("current_sprint", "The active sprint of a board.", board="integer"),
    _tool("service_desks", "The service desks an issue can be handed to."),
]


def check(name: str, arguments: str) -> None:
    """Raise BadAnswer unless there is such a tool and the arguments are JSON with exactly its settings."""
    known = {tool["function"]["name"]: tool["function"]["parameters"]["properties"] for tool in TOOLS}
    if name not in known:
        raise BadAnswer("OpenAI", f"there is no tool {name!r:.60}")
    try:
        settings = json.loads(arguments)
    except ValueError as problem:
        raise BadAnswer("OpenAI", f"cannot call {name}({arguments}): {problem}") from problem
    fits = isinstance(settings, dict) and settings.keys() == known[name].keys()
    if not fits or not all(isinstance(v, KINDS[known[name][s]["type"]]) for s, v in settings.items()):
        raise BadAnswer("OpenAI", f"{name} has no such settings: {arguments:.200}")
