"""What a request to a model says, in five formats: tools, calls of its history, results."""

from __future__ import annotations

import json
from typing import Any

import pytest
from _formats import FORMATS, Format
from _models import SCHEMAS

from pytest_agentfault._prompt import PastCall, asked_of, past_calls, results_in, tools_of
from pytest_agentfault._reply import Request


def asked(body: Any) -> Request:
    """A request with this body."""
    return Request("POST", "https://a.test/", (), body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.id)
def test_the_tools_and_their_schemas_are_found(kind: Format) -> None:
    """However deep a format wraps them."""
    assert tools_of(kind.request) == SCHEMAS
    assert asked_of(kind.request) == kind.asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        [],
        "text",
        {"query": "{ issues { id } }"},
        {"jsonrpc": "2.0", "method": "tools/call", "params": {}, "input": [{}], "model": "m"},
        {"input": "text"},
        {"messages": ["one", "two"]},
        {"model": "car", "name": "x"},
    ],
    ids=lambda body: str(body)[:20],
)
def test_what_is_no_conversation_is_none(body: Any) -> None:
    """GraphQL, MCP, and whatever else has a member of that name."""
    assert asked_of(asked(body)) is None
    assert (tools_of(asked(body)), past_calls(asked(body)), results_in(asked(body))) == ({}, [], {})


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "prompt": "Hi"},
        {"model": "m", "input": "Hi"},
        {"model": "m", "message": "Hi"},
        {"contents": [{}]},
    ],
    ids=lambda body: "-".join(body),
)
def test_other_ways_to_ask_a_model_are_known(body: Any) -> None:
    """Completions, embeddings, Cohere, Gemini without a model in its body."""
    assert asked_of(asked(body)) == body


def test_calls_and_results_are_told_by_their_ids() -> None:
    """In the order of the conversation; what a user or a tool quotes is no call."""
    call = {"id": "c1", "type": "function", "function": {"name": "one", "arguments": "{}"}}
    quoted = {"name": "no", "arguments": {}}
    body = {
        "messages": [
            {"role": "user", "content": [quoted]},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": [quoted]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "two", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]},
        ]
    }
    assert past_calls(asked(body)) == [PastCall("one", "{}", "c1"), PastCall("two", {"a": 1}, "t1")]
    assert list(results_in(asked(body))) == ["c1", "t1"]


def test_both_spellings_of_gemini_are_read() -> None:
    """Its REST API takes snake case, too."""
    body = {
        "contents": [
            {"role": "model", "parts": [{"function_call": {"name": "one", "args": {}}}]},
            {"role": "user", "parts": [{"function_response": {"name": "one", "response": {"a": 1}}}]},
        ],
        "tools": [{"function_declarations": [{"name": "one", "parameters": {"type": "object"}}, {"name": "bare"}]}],
    }
    assert past_calls(asked(body)) == [PastCall("one", {})]
    assert results_in(asked(body)) == {"one": {"name": "one", "response": {"a": 1}}}
    assert tools_of(asked(body)) == {"one": {"type": "object"}, "bare": None}
