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
    "anthropic/rate-limit-window",
    "anthropic/stream-ends-early",
    "anthropic/stream-error-event",
    "any/bad-chunk-framing",
    "any/brown-out",
    "any/charset-missing",
    "any/chunk-glue",
    "any/chunk-split",
    "any/clock-skew",
    "any/connection-reset",
    "any/empty-body",
    "any/error-in-200",
    "any/expired-after-an-hour",
    "any/expired-mid-stream",
    "any/expired-session",
    "any/html-instead",
    "any/keepalive-closed",
    "any/malformed-json",
    "any/null-body",
    "any/outage",
    "any/outage-503",
    "any/outage-announced",
    "any/outage-timeouts",
    "any/rate-limit",
    "any/rate-limit-date-past",
    "any/rate-limit-date-zone",
    "any/rate-limit-float",
    "any/rate-limit-garbage",
    "any/rate-limit-held",
    "any/rate-limit-http-date",
    "any/rate-limit-huge",
    "any/rate-limit-in-body",
    "any/rate-limit-negative",
    "any/rate-limit-no-header",
    "any/rate-limit-window",
    "any/rate-limit-zero",
    "any/schema-drift",
    "any/server-error",
    "any/slow",
    "any/sse-comments",
    "any/sse-crlf",
    "any/sse-empty-event",
    "any/sse-large-event",
    "any/sse-multiline-data",
    "any/sse-unicode-separators",
    "any/stall",
    "any/stream-cut",
    "any/stream-ends-early",
    "any/stream-error-event",
    "any/wrong-content-length",
    "azure/rate-limit-window",
    "github/app-jwt-expired",
    "github/rate-limit",
    "github/secondary-limit",
    "github/secondary-limit-ignored",
    "graph/claims-challenge",
    "graph/expired-token",
    "graph/throttled",
    "jira/captcha-lock",
    "jira/expired-session",
    "jira/login-page-instead",
    "jira/rate-limit",
    "jira/rate-limit-gateway",
    "jira/rate-limit-page",
    "jira/rate-limit-window",
    "jira/rate-limit-zero",
    "jira/stale-cookie",
    "jira/validation-error",
    "linear/invalid-query",
    "linear/rate-limit-window",
    "linear/rate-limited",
    "mcp/session-gone",
    "notion/rate-limit",
    "oauth/invalid-grant",
    "oauth/narrower-scope",
    "oauth/refresh",
    "oauth/refresh-fails-once",
    "oauth/refresh-lost",
    "oauth/refresh-slow",
    "oauth/token-minute",
    "odoo/expired-session",
    "openai/malformed-tool-arguments",
    "openai/quota-exhausted",
    "openai/rate-limit",
    "openai/rate-limit-window",
    "openai/server-error",
    "openai/stream-chunk-split",
    "openai/stream-cut",
    "openai/stream-ends-early",
    "openai/stream-error-event",
    "salesforce/api-limit",
    "salesforce/expired-session",
    "shopify/throttled",
    "slack/rate-limit",
    "slack/rate-limit-in-200",
    "slack/token-expired",
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
