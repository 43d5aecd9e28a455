"""The fault `expire_session`: the client is told that its token no longer holds."""

from __future__ import annotations

from typing import Any

import pytest
from _said import GET, arrives, refusal, three

from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.expire_session import CHALLENGE, ExpireSession

BEARER = ("WWW-Authenticate", CHALLENGE)
JSON = ("Content-Type", "application/json")
BODY = b'{"error":"invalid_token","error_description":"The access token expired"}'


@pytest.mark.parametrize(
    ("settings", "code", "headers", "body"),
    [
        ({}, 401, (JSON, BEARER), BODY),
        ({"json": {"errors": []}}, 401, (JSON, BEARER), b'{"errors":[]}'),
        ({"json": "[ ]"}, 401, (JSON, BEARER), b"[ ]"),
        (
            {"text": "Sign in again"},
            401,
            (("Content-Type", "text/plain; charset=utf-8"), BEARER),
            b"Sign in again",
        ),
        ({"headers": {"www-authenticate": "OAuth"}}, 401, (JSON, ("www-authenticate", "OAuth")), BODY),
        ({"code": 403}, 403, (JSON,), BODY),
    ],
)
def test_the_answer_is_a_challenge(settings: dict[str, Any], code: int, headers: Any, body: bytes) -> None:
    """A 401 brings the bearer challenge unless one is given; the body is the vendor's, or a small JSON one."""
    fault = ExpireSession(**settings)
    reply = fault.answer(GET)
    assert (reply.status, reply.headers, reply.body) == (code, headers, body)
    assert arrives(reply) == body
    assert verbs_of(fault) == ("answer",)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"code": 42},
            three("expire_session: `code` must be a final status code", "42", "give a number from 200 to 599"),
        ),
        (
            {"headers": "no"},
            three("expire_session: `headers` must be a table of texts", "'no'", 'write it like { retry-after = "20" }'),
        ),
        (
            {"json": b"{}"},
            three(
                "expire_session: `json` cannot be written as JSON",
                "Object of type bytes is not JSON serializable",
                "use texts, numbers, booleans, lists and tables",
            ),
        ),
        ({"text": 1}, three("expire_session: `text` must be a text", "1", "put it in quotes")),
        (
            {"json": {}, "text": ""},
            three("expire_session: one body too many", "both `json` and `text`", "keep one of the two"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(ExpireSession, settings) == text
