"""
Anthropic messages, whole, with a model that always says the same (`two_providers`).

Shapes: https://docs.anthropic.com/en/api/messages; rate limit headers: https://docs.anthropic.com/en/api/rate-limits.
"""

from __future__ import annotations

from .wire import Answer, Asked, answer_json

SAID = "Summarised by the second provider."


def answer(asked: Asked) -> Answer | None:
    """`POST /v1/messages`."""
    if (asked.method, asked.path) != ("POST", "/v1/messages"):
        return None
    return answer_json(
        {
            "id": "msg_reference",
            "type": "message",
            "role": "assistant",
            "model": asked.json["model"],
            "content": [{"type": "text", "text": SAID}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 12, "output_tokens": 7},
        },
        headers={"anthropic-ratelimit-requests-limit": "1000", "anthropic-ratelimit-requests-remaining": "999"},
    )
