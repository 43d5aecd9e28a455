"""What real SDKs read of a reply with several choices under the faults of payloads: in each the changed thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest
from _choices import OFFERING, offered
from _formats import Format, gemini_client
from _models import CHAT, ISSUE, TEXT, TIME
from test_model_replies import record_reply

from pytest_agentfault._run import Faults
from pytest_agentfault.faults.finish import Finish
from pytest_agentfault.faults.tool_call import ToolCall

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
Choice = tuple[list[str], str | None]


def chat() -> dict[int, Choice]:
    """The tools that each choice calls, and why it ended, by the openai SDK."""
    done = openai.OpenAI(api_key="sk-test").chat.completions.create(**CHAT, n=2)
    return {
        choice.index or 0: ([c.function.name for c in choice.message.tool_calls or []], choice.finish_reason)
        for choice in done.choices
    }


def chat_stream() -> dict[int, Choice]:
    """The same, streamed."""
    heard: dict[int, Choice] = {}
    for chunk in openai.OpenAI(api_key="sk-test").chat.completions.create(**CHAT, n=2, stream=True):
        for choice in chunk.choices:
            names, reason = heard.get(choice.index or 0, ([], None))
            names += [c.function.name for c in choice.delta.tool_calls or [] if c.function.name]
            heard[choice.index or 0] = names, choice.finish_reason or reason
    return heard


def _generated(told: Any) -> dict[int, Choice]:
    heard: dict[int, Choice] = {}
    for one in told:
        for candidate in one.candidates or []:
            names, reason = heard.get(candidate.index or 0, ([], None))
            parts = (candidate.content and candidate.content.parts) or []
            names += [part.function_call.name for part in parts if part.function_call]
            ended = candidate.finish_reason and candidate.finish_reason.value
            heard[candidate.index or 0] = names, ended or reason
    return heard


def generated() -> dict[int, Choice]:
    """The same of the candidates, by google-genai."""
    client, asked = gemini_client()
    return _generated([client.models.generate_content(**asked)])


def generated_stream() -> dict[int, Choice]:
    """The same, streamed."""
    client, asked = gemini_client()
    return _generated(client.models.generate_content_stream(**asked))


HEAR = dict(zip([kind.id for kind in OFFERING], (chat, chat_stream, generated, generated_stream), strict=True))
BOTH = ["get_time", "get_issue"]


@pytest.mark.parametrize(
    ("fault", "names", "word"),
    [
        (ToolCall("unknown_name"), [["get_issue_v2"], ["get_time_v2", "get_issue_v2"]], "calls"),
        (ToolCall("repeated"), [["get_issue", "get_issue"], [*BOTH, "get_issue"]], "calls"),
        (ToolCall("text_instead"), [[], []], "stop"),
        (Finish("length"), [["get_issue"], BOTH], "length"),
        (Finish("content_filter"), [[], []], "content_filter"),
    ],
    ids=["unknown_name", "repeated", "text_instead", "length", "content_filter"],
)
@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
@pytest.mark.parametrize("kind", OFFERING, ids=lambda kind: kind.id)
def test_each_choice_is_read_changed(
    kind: Format, together: bool, fault: Any, names: list[list[str]], word: str, faults: Faults, tmp_path: Path
) -> None:
    """Whichever an agent takes, it gets the fault."""
    reply = offered(kind, [("", [ISSUE]), (TEXT, [TIME, ISSUE])], together)
    faults.add(fault, to="POST *", cassette=record_reply(kind, reply, tmp_path))
    assert HEAR[kind.id]() == {number: (called, kind.reasons[word]) for number, called in enumerate(names)}
