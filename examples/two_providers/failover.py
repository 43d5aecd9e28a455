"""
Two LLM providers: the second one answers while the first one is down, and a breaker spares the first one meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anthropic
import openai

BREAK_SECONDS = 30
DOWN = (
    openai.APIConnectionError,
    openai.InternalServerError,
    anthropic.APIConnectionError,
    anthropic.InternalServerError,
)


class AllDown(Exception):
    """No provider answers."""


class Models:
    """The providers in their order.

    Args:
        openai: base URL of the first one.
        anthropic: base URL of the second one.
    """

    def __init__(self, openai: str = "https://api.openai.com/v1", anthropic: str = "https://api.anthropic.com") -> None:
        self._bases = {"openai": openai, "anthropic": anthropic}
        self.providers: dict[str, Callable[[str], str]] = {"openai": self._openai, "anthropic": self._anthropic}
        self._broken_until = dict.fromkeys(self.providers, 0.0)

    def ask(self, text: str) -> tuple[str, str]:
        """Who answered, and what."""
        for name, provider in self.providers.items():
            if time.monotonic() < self._broken_until[name]:
                continue
            try:
                return name, provider(text)
            except DOWN:
                self._broken_until[name] = time.monotonic() + BREAK_SECONDS
        raise AllDown

    def _openai(self, text: str) -> str:
        client = openai.OpenAI(api_key="not-a-secret", base_url=self._bases["openai"], max_retries=1, timeout=10)
        asked: Any = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
        return str(client.chat.completions.create(**asked).choices[0].message.content)

    def _anthropic(self, text: str) -> str:
        client = anthropic.Anthropic(
            api_key="not-a-secret", base_url=self._bases["anthropic"], max_retries=1, timeout=10
        )
        asked: Any = {"model": "claude-x", "max_tokens": 64, "messages": [{"role": "user", "content": text}]}
        return str(client.messages.create(**asked).content[0].text)
