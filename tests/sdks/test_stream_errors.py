"""Errors inside a stream that began with 200, in the shapes of OpenRouter, Groq and Bedrock, met by real clients."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest
from _memory import Says, opened
from _scenarios import SHIPPED
from botocore.eventstream import EventStreamBuffer

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._payload import events_of
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault.faults._frames import frame
from pytest_agentfault.upstreams._recording import load

MET = ("bedrock/stream-error-event", "groq/stream-error-event", "openrouter/stream-error-event")
CHUNK = (
    'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    '"choices":[{"index":0,"delta":{"content":"%s"}}]}'
)
CHAT = Reply.of(
    200,
    "".join(f"{CHUNK % text}\n\n" for text in ("a", "b", "c")).encode() + b"data: [DONE]\n\n",
    {"Content-Type": "text/event-stream"},
)


def struck(name: str, url: str, reply: Reply) -> Reply:
    """What a scenario makes of a reply."""
    return drive(Plan(SHIPPED.get(name).rules).exchange(Request("POST", url)), lambda _: reply).reply


@pytest.mark.parametrize(
    ("name", "base", "message"),
    [
        ("openrouter/stream-error-event", "https://openrouter.ai/api/v1", "Rate limit exceeded"),
        ("groq/stream-error-event", "https://api.groq.com/openai/v1", "Tool call validation failed"),
    ],
)
def test_the_openai_sdk_raises_the_error_of_a_compatible_vendor(name: str, base: str, message: str) -> None:
    """Behind the two pieces that came before it."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    got = []
    client = openai.OpenAI(api_key="test", base_url=base, max_retries=0)
    url = f"{base}/chat/completions"
    rule = Rule("* *", (Says(struck(name, url, CHAT)),))
    with client, opened(rule), pytest.raises(openai.APIError) as caught:
        for chunk in client.chat.completions.create(**asked, stream=True):
            got.append(chunk.choices[0].delta.content)
    assert got == ["a", "b"]
    assert str(caught.value).startswith(message)


def test_bedrock_throttles_inside_its_binary_stream() -> None:
    """A message that is an exception, behind two that are events."""
    event = frame({":event-type": "contentBlockDelta", ":message-type": "event"}, b"{}")
    reply = Reply.of(200, event * 3, {"Content-Type": "application/vnd.amazon.eventstream"})
    url = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/x/converse-stream"
    buffer = EventStreamBuffer()
    buffer.add_data(struck("bedrock/stream-error-event", url, reply).body)
    said = [message.to_response_dict() for message in buffer]
    assert [(each["status_code"], each["headers"][":message-type"]) for each in said] == [
        (200, "event"),
        (200, "event"),
        (400, "exception"),
    ]
    assert said[2]["headers"][":exception-type"] == "throttlingException"


@pytest.mark.shared
def test_groq_says_it_so(shared_dir: Path) -> None:
    """The scenario's event is the recorded one, byte for byte."""
    recorded = load(shared_dir / "cassettes/groq/pydantic-ai__test_tool_use_failed_error_streaming.yaml").interactions
    found = [e for x in recorded for e in events_of(x.reply.body) if e.startswith(b"event: error")]
    made = struck("groq/stream-error-event", "https://api.groq.com/openai/v1/chat/completions", CHAT)
    assert events_of(made.body)[2] == found[0]
