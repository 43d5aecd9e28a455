"""The recordings of real services, as tests look at them: where they lie and never copied."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest
from test_shared_cassettes import REFUSED

from pytest_agentfault._payload import decoded
from pytest_agentfault.upstreams._recording import Interaction, load

VENDORS: Final = ("openai", "azure-openai", "anthropic", "jira", "linear", "github")
STREAMED: Final = ("sse", "ndjson")
SENT: Final = ("content-type", "accept", "x-api-key")


def folder() -> Path:
    """Where the recordings lie, if they do: as the fixture `shared_dir` finds them, but while collecting."""
    named = os.environ.get("AGENTFAULT_SHARED")
    return (Path(named) if named else Path(__file__).resolve().parents[3] / "shared") / "cassettes"


def recordings(wanted: Any) -> Any:
    """A parametrisation over the recordings that are wanted; one skipped test where the folder is absent."""
    index = folder() / "INDEX.json"
    if not index.is_file():
        return pytest.mark.parametrize("name", [pytest.param("", marks=pytest.mark.skip(f"no recordings: no {index}"))])
    entries = [entry for entry in json.loads(index.read_text()) if entry["file"] not in REFUSED and wanted(entry)]
    return pytest.mark.parametrize("name", [entry["file"] for entry in entries], ids=[e["file"] for e in entries])


def recorded(name: str) -> tuple[Interaction, ...]:
    """The interactions of a recording."""
    return load(folder() / name).interactions


def said(kept: Interaction) -> tuple[int | None, bytes]:
    """Status and body as a client reads them."""
    return kept.reply.status, decoded(kept.reply) or b""


def sent(kept: Interaction) -> dict[str, Any]:
    """The recorded request, for a client to send again."""
    headers = {name: str(value) for name, value in kept.request.headers.items() if name.lower() in SENT}
    return {"method": kept.request.method, "url": kept.request.uri, "headers": headers}
