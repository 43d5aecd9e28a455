"""
The JSON Schema of scenario files, made from the code that reads them.

Nothing is listed twice: the settings come from the faults' own fields, the words
from the reader's constants. `python -m pytest_agentfault._schema` writes it out.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .._rule import UNTIL
from ._settings import schema_of, settings_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(
    faults: Mapping[str, type], checks: Sequence[str], confidence: Sequence[str], damages: Sequence[str]
) -> dict[str, Any]:
    """The schema for these faults and checks."""
    text = {"type": "string", "minLength": 1}
    return {
        "$schema": DRAFT,
        "title": "A scenario of pytest-agentfault",
        "description": "One thing that happens in production, as <vendor>/<what-happens>.toml.",
        "type": "object",
        "additionalProperties": False,
        "required": ["title", "source", "confidence", "rule"],
        "properties": {
            "title": {**text, "description": "What happens, in one line; what passes afterwards says so."},
            "source": {**text, "description": "Where it is documented or was seen."},
            "confidence": {"enum": list(confidence)},
            "damages": {
                "enum": list(damages),
                "default": "nothing",
                "description": "Whether a test that passes on a struck reply alone was misled.",
            },
            "checks": {"type": "array", "items": {"enum": list(checks)} if checks else False, "default": []},
            "rule": {"type": "array", "minItems": 1, "items": _rule(faults, damages)},
        },
    }


def _rule(faults: Mapping[str, type], damages: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["to", "faults"],
        "properties": {
            "to": {
                "type": "string",
                "pattern": r"^\s*(\*|[A-Za-z]+(\|[A-Za-z]+)*)\s+\S+\s*$",
                "description": "METHOD and URL pattern: `POST https://api.openai.com/v1/*`.",
            },
            "times": {"type": "integer", "minimum": 1, "description": "How many requests are struck; none: all."},
            "after": {"type": "integer", "minimum": 0, "description": "How many matching requests pass first."},
            "every": {"type": "integer", "minimum": 1, "description": "Strike only each n-th matching request."},
            "probability": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "until": {"enum": list(UNTIL)},
            "damages": {"enum": list(damages), "description": "Of this rule; none: as the scenario says."},
            "after_seconds": {"type": "number", "minimum": 0, "description": "From when on, on the test's clock."},
            "for_seconds": {"type": "number", "exclusiveMinimum": 0, "description": "For how long from then on."},
            "faults": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {name: _fault(kind) for name, kind in sorted(faults.items())},
                    # A fault of the user's own is named package.module:Class, one of a package by its entry point.
                    "additionalProperties": {"type": "object"},
                },
            },
        },
    }


def _fault(kind: type) -> dict[str, Any]:
    settings = settings_of(kind)
    return {
        "type": "object",
        "description": (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " "),
        "additionalProperties": False,
        "required": [setting.name for setting in settings.values() if setting.required],
        "properties": {setting.name: schema_of(setting.hint) for setting in settings.values()},
    }


if __name__ == "__main__":
    from . import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
