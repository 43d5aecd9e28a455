"""The fault `status`: any answer in the vendor's place."""

from __future__ import annotations

from typing import Any

import pytest
from _said import GET, HEAD, JSON, arrives, refusal, three

from pytest_agentfault._reply import Reply
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.status import Status

TEXT = ("Content-Type", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("settings", "reply"),
    [
        ({"code": 503}, Reply.of(503)),
        ({"code": 429, "headers": {"retry-after": "20"}}, Reply.of(429, b"", {"retry-after": "20"})),
        ({"code": 500, "json": {"error": ["é", 1]}}, Reply.of(500, '{"error":["é",1]}'.encode(), JSON)),
        ({"code": 500, "json": '{"as":  "given"}'}, Reply.of(500, b'{"as":  "given"}', JSON)),
        ({"code": 500, "json": []}, Reply.of(500, b"[]", JSON)),
        ({"code": 401, "text": "Who are you?"}, Reply.of(401, b"Who are you?", (TEXT,))),
        ({"code": 401, "text": ""}, Reply.of(401)),
        (
            {"code": 400, "text": "<e/>", "headers": {"content-TYPE": "text/xml"}},
            Reply.of(400, b"<e/>", {"content-TYPE": "text/xml"}),
        ),
        ({"code": 529, "reason": "Overloaded"}, Reply.of(529, reason="Overloaded")),
    ],
)
def test_the_answer_is_what_the_settings_say(settings: dict[str, Any], reply: Reply) -> None:
    """Status, headers, body and reason as given; the content type follows the body unless it is given."""
    fault = Status(**settings)
    assert fault.answer(GET) == reply
    assert arrives(reply) == reply.body
    assert arrives(reply, HEAD) == b""
    assert verbs_of(fault) == ("answer",)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"code": code},
            three("status: `code` must be a final status code", repr(code), "give a number from 200 to 599"),
        )
        for code in (199, 600, True, "429", None)
    ]
    + [
        (
            {"code": 429, "headers": ["retry-after"]},
            three(
                "status: `headers` must be a table of texts", "['retry-after']", 'write it like { retry-after = "20" }'
            ),
        ),
        (
            {"code": 429, "headers": {"retry after": "20"}},
            three(
                "status: not a header name", "'retry after'", "use letters, digits and hyphens (RFC 9110 section 5.1)"
            ),
        ),
        (
            {"code": 429, "headers": {"retry-after": 20}},
            three("status: the header 'retry-after' must be a text", "20", "put it in quotes"),
        ),
        (
            {"code": 429, "headers": {"x": "a\r\nb"}},
            three("status: the header 'x' cannot hold a line break", r"'a\r\nb'", "put it on one line"),
        ),
        (
            {"code": 400, "json": {"when": {1, 2}}},
            three(
                "status: `json` cannot be written as JSON",
                "Object of type set is not JSON serializable",
                "use texts, numbers, booleans, lists and tables",
            ),
        ),
        ({"code": 400, "text": 3}, three("status: `text` must be a text", "3", "put it in quotes")),
        ({"code": 400, "reason": None}, three("status: `reason` must be a text", "None", "put it in quotes")),
        (
            {"code": 400, "reason": "Bad\nRequest"},
            three("status: `reason` cannot hold a line break", r"'Bad\nRequest'", "put it on one line"),
        ),
        (
            {"code": 400, "json": {}, "text": "x"},
            three("status: one body too many", "both `json` and `text`", "keep one of the two"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Status, settings) == text
