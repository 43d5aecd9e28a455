"""The fault `mislabel`: the same body under a content type that is wrong, or says too little."""

from __future__ import annotations

from typing import Any

import pytest
from _said import BODYLESS, GET, HEAD, JSON, arrives, document, refusal, stream, three

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.mislabel import Mislabel

EVENTS = stream(1)  # text/event-stream; charset=utf-8


def labelled(label: str) -> Reply:
    """A reply under this content type."""
    return Reply.of(200, b"{}", {"content-type": label, "X-Other": "1"})


@pytest.mark.parametrize(
    ("chosen", "before", "after"),
    [
        ({}, "text/event-stream; charset=utf-8", "text/event-stream"),
        ({}, "application/json;CHARSET=UTF-8", "application/json"),
        ({}, "text/html; version=1; charset=utf-8; x=y", "text/html; version=1; x=y"),
        ({"how": "without_type"}, "application/json", ""),
        ({"how": "other_type"}, "application/json", "text/plain"),
        ({"how": "other_type", "content_type": "text/html"}, "application/json", "text/html"),
        ({"how": "other_type"}, "", "text/plain"),
    ],
)
def test_the_label_changes_and_nothing_else(chosen: dict[str, Any], before: str, after: str) -> None:
    """Body and other headers stay."""
    said = Mislabel(**chosen).alter(GET, labelled(before))
    assert (said.header("content-type"), said.header("x-other"), said.body) == (after, "1", b"{}")
    assert arrives(said) == b"{}"


@pytest.mark.parametrize(
    ("chosen", "request_", "reply"),
    [
        ({}, GET, document({})),
        ({}, GET, Reply.of(200, b"{}")),
        ({}, HEAD, EVENTS),
        ({"only": "stream"}, GET, labelled("application/json; charset=utf-8")),
        ({"how": "without_type"}, GET, Reply.of(200, b"{}")),
        ({"how": "other_type", "content_type": "application/json"}, GET, document({})),
        *(({"how": "other_type"}, GET, reply) for reply in BODYLESS),
    ],
)
def test_what_says_so_already_or_has_no_body_is_not_struck(
    chosen: dict[str, Any], request_: Request, reply: Reply
) -> None:
    """The same reply comes back."""
    fault = Mislabel(**chosen)
    assert fault.alter(request_, reply) == reply
    assert verbs_of(fault) == ("alter",)


def test_only_streams_can_be_meant() -> None:
    """By their bytes, whatever the label said."""
    fault = Mislabel("without_type", only="stream")
    assert fault.alter(GET, EVENTS).headers == ()
    assert fault.alter(GET, EVENTS.with_headers(JSON)).headers == ()


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"how": "other"},
            three(
                "mislabel: unknown `how`",
                "'other'",
                "did you mean 'other_type'? known: other_type, without_charset, without_type",
            ),
        ),
        (
            {"only": "streams"},
            three("mislabel: unknown `only`", "'streams'", "did you mean 'stream'? known: any, stream"),
        ),
        (
            {"content_type": "a\nb"},
            three("mislabel: `content_type` cannot hold a line break", "'a\\nb'", "put it on one line"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(Mislabel, chosen) == text
