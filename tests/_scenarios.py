"""What the tests of scenarios share: the shipped library, and scenarios of their own in a folder."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_agentfault import Reply, Request
from pytest_agentfault._discover import names
from pytest_agentfault.scenario import Library

ROOT = Path(__file__).parent.parent
SHIPPED = Library()
FAULTS = ", ".join(names("pytest_agentfault.faults"))
WANTED = [
    "anthropic/overloaded",
    "anthropic/rate-limit",
    "anthropic/stream-ends-early",
    "anthropic/stream-error-event",
    "any/bad-chunk-framing",
    "any/charset-missing",
    "any/chunk-glue",
    "any/chunk-split",
    "any/connection-reset",
    "any/empty-body",
    "any/error-in-200",
    "any/expired-session",
    "any/html-instead",
    "any/keepalive-closed",
    "any/malformed-json",
    "any/null-body",
    "any/rate-limit",
    "any/rate-limit-http-date",
    "any/rate-limit-huge",
    "any/rate-limit-in-body",
    "any/rate-limit-no-header",
    "any/rate-limit-zero",
    "any/schema-drift",
    "any/server-error",
    "any/slow",
    "any/sse-comments",
    "any/sse-crlf",
    "any/sse-empty-event",
    "any/sse-large-event",
    "any/sse-multiline-data",
    "any/sse-reconnect",
    "any/sse-unicode-separators",
    "any/stall",
    "any/stream-cut",
    "any/stream-ends-early",
    "any/stream-error-event",
    "any/wrong-content-length",
    "bedrock/stream-error-event",
    "github/secondary-limit",
    "groq/stream-error-event",
    "jira/expired-session",
    "jira/login-page-instead",
    "jira/rate-limit",
    "jira/validation-error",
    "linear/invalid-query",
    "linear/rate-limited",
    "openai/malformed-tool-arguments",
    "openai/quota-exhausted",
    "openai/rate-limit",
    "openai/server-error",
    "openai/stream-chunk-split",
    "openai/stream-cut",
    "openai/stream-ends-early",
    "openai/stream-error-event",
    "openrouter/stream-error-event",
]
GOOD = """\
title = "t"
source = "s"
confidence = "reported"
[[rule]]
to = "* https://a.test/*"
faults = [{ status = { code = 429 } }]
"""


@dataclass(frozen=True, slots=True)
class Teapot:
    """A fault of a test's own, named by its import path."""

    brew: str
    leaves: tuple[str, ...] = ()

    def answer(self, request: Request) -> Reply:
        """Short and stout."""
        return Reply.of(418, self.brew.encode())


def put(folder: Path, text: str, name: str = "a/b") -> Path:
    """A scenario file in a folder."""
    path = folder / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def library(folder: Path, text: str, **more: Any) -> Library:
    """A library with the scenario `a/b` of this text beside the shipped ones."""
    put(folder, text)
    return Library([folder], **more)
