"""How long a reply asks to wait: every form that vendors have for it, and what is no wait at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_agentfault import How, Lost, Reply
from pytest_agentfault._waits import Asked, asked

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def refused(headers: dict[str, str] | None = None, body: Any = None, status: int = 429) -> Reply:
    """A refusal with these headers and this JSON body."""
    told = {"Content-Type": "application/json"} if body is not None else {}
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply.of(status, b"" if body is None else text.encode(), {**told, **(headers or {})})


SAID: dict[str, tuple[Reply, float | None]] = {
    "seconds": (refused({"Retry-After": "20"}), 20),
    "zero": (refused({"Retry-After": "0"}), 0),
    "negative": (refused({"Retry-After": "-5"}), 0),
    "a float": (refused({"retry-after": "2.0"}), 2),
    "a fraction": (refused({"retry-after": ".5"}), 0.5),
    "spaces around": (refused({"retry-after": " 7 "}), 7),
    "a day": (refused({"Retry-After": "86400"}), 86400),
    "huge": (refused({"Retry-After": "9" * 30}), 1e30),
    "so huge that it never ends": (refused({"Retry-After": "9" * 400}), float("inf")),
    "a date": (refused({"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}), 60),
    "a date with a zone": (refused({"Retry-After": "Tue, 14 Nov 2023 23:14:20 +0100"}), 60),
    "a date of RFC 850": (refused({"Retry-After": "Tuesday, 14-Nov-23 22:14:20 GMT"}), 60),
    "a date of asctime": (refused({"Retry-After": "Tue Nov 14 22:14:20 2023"}), 60),
    "a date of RFC 3339": (refused({"Retry-After": "2023-11-14T22:14:20Z"}), 60),
    "a date in the past": (refused({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0),
    "a date that is none": (refused({"Retry-After": "Tue, 45 Nov 2023 22:14:20 GMT"}), None),
    "a duration": (refused({"Retry-After": "1m30s"}), 90),
    "garbage": (refused({"Retry-After": "soon"}), None),
    "empty": (refused({"Retry-After": ""}), None),
    "a power": (refused({"Retry-After": "²"}), None),
    "not a number": (refused({"Retry-After": "NaN"}), None),
    "absent": (refused(), None),
    "milliseconds": (refused({"Retry-After-Ms": "1500"}), 1.5),
    "milliseconds before seconds": (refused({"Retry-After": "2", "retry-after-ms": "1500"}), 1.5),
    "garbage, and then a field": (refused({"Retry-After": "soon"}, {"retry_after": 3}), 3),
    "a field": (refused(body={"message": "slow", "retry_after": 2.5}), 2.5),
    "a field as text": (refused(body={"retryAfter": "4"}), 4),
    "a field in milliseconds": (refused(body={"error": {"retry_after_ms": 250}}), 0.25),
    "a field, deep": (refused(body={"error": {"details": [{"@type": "x"}, {"retryDelay": "48s"}]}}), 48),
    "the outer field first": (refused(body={"a": {"retry_after": 9}, "retry_after": 3}), 3),
    "true is no number": (refused(body={"retry_after": True}), None),
    "a header before a field": (refused({"Retry-After": "20"}, {"retry_after": 3}), 20),
    "words, seconds": (refused(body={"error": {"message": "Limit 3. Please try again in 18.642s. Visit"}}), 18.642),
    "words, milliseconds": (refused(body={"error": {"message": "Please try again in 84ms."}}), 0.084),
    "words, minutes": (refused(body={"error": {"message": "Please try again in 1m6.5s."}}), 66.5),
    "words, written out": (refused(body={"error": {"message": "Please retry after 22 seconds. Go"}}), 22),
    "words, another order": (refused(body={"detail": "Request was throttled. Expected available in 53 seconds."}), 53),
    "words without a number": (refused(body={"message": "Please wait a few minutes before you try again."}), None),
    "a reset in epoch seconds": (refused({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000045"}), 45),
    "a reset in epoch milliseconds": (
        refused({"x-ratelimit-requests-remaining": "0", "x-ratelimit-requests-reset": "1700000060000"}, status=400),
        60,
    ),
    "a reset as a date": (
        refused({"anthropic-ratelimit-tokens-remaining": "0",
                 "anthropic-ratelimit-tokens-reset": "2023-11-14T22:13:43Z"}),
        23,
    ),
    "a reset as a duration": (
        refused({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}),
        360,
    ),
    "a reset in seconds from now": (refused({"RateLimit-Remaining": "0", "RateLimit-Reset": "12"}), 12),
    "the later of two": (
        refused({"x-ratelimit-remaining-a": "0", "x-ratelimit-reset-a": "3s", "x-ratelimit-remaining-b": "0",
                 "x-ratelimit-reset-b": "8s"}),
        8,
    ),
    "a reset with budget left": (refused({"X-RateLimit-Remaining": "14", "X-RateLimit-Reset": "1700000045"}), None),
    "a reset and -1 left": (refused({"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0"}), None),
    "a structured field": (refused({"RateLimit": '"default";r=0;t=5'}), 5),
    "a structured field, budget left": (refused({"RateLimit": '"dynamic";r=15;t=40'}), None),
    "structured, several": (refused({"RateLimit": '"burst";r=0;t=5, "day";t=600;r=0, "x";r=2;t=9000'}), 600),
    "Retry-After before a reset": (refused({"Retry-After": "20", "RateLimit": '"dynamic";r=0;t=40'}), 20),
    "a good reply that says what is left": (
        refused({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000045"}, {"retry_after": 3}, 200),
        None,
    ),
    "a good reply with Retry-After": (refused({"Retry-After": "3"}, status=202), 3),
    "a page": (Reply.of(503, b"<html>Back soon</html>", {"Content-Type": "text/html"}), None),
    "lost": (Reply((Lost(How.RESET),)), None),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_a_reply_asks_for(name: str) -> None:
    """In seconds from the reply on, or None."""
    reply, seconds = SAID[name]
    found = asked(reply, NOW)
    assert (None if found is None else found.seconds) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (refused({"Retry-After": "20"}), Asked(20, "Retry-After: 20")),
        (
            refused({"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}),
            Asked(60, "Retry-After: Tue, 14 Nov 2023 22:14:20 GMT", 1.0),
        ),
        (refused(body={"retry_after": 2.5}), Asked(2.5, "retry_after = 2.5 in its body")),
        (
            refused({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000045"}),
            Asked(45, "X-RateLimit-Remaining: 0, X-RateLimit-Reset: 1700000045", 1.0),
        ),
        (refused({"RateLimit": '"default";r=0;t=5'}), Asked(5, 'RateLimit: "default";r=0;t=5')),
        (refused(body={"m": "Please try again in 2s."}), Asked(2, '"try again in 2s" in its text', 1.0, prose=True)),
    ],
    ids=["seconds", "date", "field", "reset", "structured", "prose"],
)
def test_how_it_was_asked(reply: Reply, expected: Asked) -> None:
    """The words it was said in, how exactly they can say it, and whether they are for people only."""
    assert asked(reply, NOW) == expected
