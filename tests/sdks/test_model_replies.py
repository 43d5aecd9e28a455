"""
What real SDKs read of a model's reply under the faults of payloads: the changed thing, and no other.

The replies are those of `_models`, over a recording of them, through the plugin's own door.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import yaml
from _formats import CLIENTS, FORMATS, Format, Heard, gemini_client
from _models import ASKED, CHAT, IN, ISSUE, MESSAGE, OUT, TEXT, TIME, Calls

from pytest_agentfault._payload import decoded
from pytest_agentfault._reply import Reply
from pytest_agentfault._run import Faults
from pytest_agentfault.faults.finish import Finish
from pytest_agentfault.faults.tool_call import ALL_THERE, HOWS, ToolCall
from pytest_agentfault.faults.usage import Usage

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
CALLS = [ISSUE, TIME]
EVERY = pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.id)


def said(kind: Format, arguments: Any) -> Any:
    """Arguments as this format hands them over."""
    return arguments if kind.values else json.dumps(arguments, ensure_ascii=False)


def healthy(kind: Format, calls: Calls = CALLS, text: str = TEXT) -> Heard:
    """What is read of a reply that nothing struck."""
    told = tuple((name, said(kind, arguments)) for name, arguments in calls)
    return Heard(told, text, kind.reasons["calls" if calls else "stop"], (IN, OUT))


@pytest.fixture
def under(faults: Faults, tmp_path: Path) -> Callable[..., Heard]:
    """What an SDK reads of a reply under a fault."""

    def hear(kind: Format, *struck: Any, calls: Calls = CALLS, text: str = TEXT) -> Heard:
        for fault in struck:
            faults.add(fault, to="POST *", cassette=record(kind, tmp_path, calls, text))
        heard = kind.hear()
        assert len(faults.log) == 1
        assert bool(faults.log[0].struck)
        return heard

    return hear


def record(kind: Format, folder: Path, calls: Calls = CALLS, text: str = TEXT) -> Path:
    """A recording of a format's reply."""
    return record_reply(kind, kind.say(text, calls), folder)


def record_reply(kind: Format, reply: Reply, folder: Path) -> Path:
    """A recording of this reply."""
    request = {"method": "POST", "uri": kind.url, "body": None, "headers": {}}
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {name: [value] for name, value in reply.headers},
        "body": {"string": (decoded(reply) or b"").decode()},
    }
    path = folder / "tape.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [{"request": request, "response": response}]}))
    return path


def cut(kind: Format, arguments: dict[str, Any]) -> Any:
    """Arguments that end in their middle: the text, or the last of the members."""
    text = json.dumps(arguments, ensure_ascii=False)
    if not kind.values:
        return text[: len(text) // 2]
    *firsts, (key, last) = arguments.items()
    return {**dict(firsts), **({key: last[: len(last) // 2]} if isinstance(last, str) else {})}


def compact(kind: Format, arguments: dict[str, Any]) -> Any:
    """Arguments as a server writes them."""
    return arguments if kind.values else json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def encoded(kind: Format, arguments: dict[str, Any]) -> Any:
    """Arguments that are JSON text once more."""
    if not kind.values:
        return json.dumps(json.dumps(arguments, ensure_ascii=False), ensure_ascii=False)
    return {key: compact(FORMATS[0], value) for key, value in arguments.items()}


def fence(kind: Format, arguments: dict[str, Any]) -> Any:
    """Arguments in a fence of Markdown."""
    if not kind.values:
        return f"```json\n{json.dumps(arguments, ensure_ascii=False)}\n```"
    return {key: f"```\n{value}\n```" if isinstance(value, str) else value for key, value in arguments.items()}


def merged(kind: Format) -> Any:
    """The arguments of both calls as those of one."""
    (_, one), (_, other) = CALLS
    return {**other, **one} if kind.values else said(kind, one) + said(kind, other)


def call_as_text(name: str, arguments: Any) -> str:
    """A call that is written out."""
    told = json.dumps({"name": name, "parameters": arguments}, ensure_ascii=False, separators=(",", ":"))
    return f"```json\n{told}\n```"


def each(kind: Format, change: Callable[[Format, dict[str, Any]], Any]) -> Heard:
    """What is read where each call has other arguments."""
    return replace(healthy(kind), calls=tuple((name, change(kind, arguments)) for name, arguments in CALLS))


EXPECTED: dict[str, Callable[[Format], Heard]] = {
    "unknown_name": lambda kind: replace(healthy(kind), calls=tuple((f"{n}_v2", a) for n, a in healthy(kind).calls)),
    "truncated": lambda kind: each(kind, cut),
    "double_encoded": lambda kind: each(kind, encoded),
    "fenced": lambda kind: each(kind, fence),
    "extra_key": lambda kind: each(kind, lambda k, a: compact(k, {**a, "explanation": "as asked"})),
    "missing_key": lambda kind: each(
        kind, lambda k, a: compact(k, {key: v for key, v in a.items() if key not in ("key", "zone")})
    ),
    "merged": lambda kind: replace(healthy(kind), calls=(("get_issue", merged(kind)),)),
    "repeated": lambda kind: replace(healthy(kind), calls=(*healthy(kind).calls, healthy(kind).calls[-1])),
    "text_instead": lambda kind: healthy(
        kind, [], "\n\n".join([TEXT, *(call_as_text(name, arguments) for name, arguments in CALLS)])
    ),
}


@EVERY
def test_a_reply_is_read_as_it_was_said(kind: Format, under: Callable[..., Heard]) -> None:
    """The recordings beneath these tests are what the SDKs take for healthy: usage alone is changed here."""
    assert under(kind, Usage("enormous", 7)) == replace(healthy(kind), tokens=(7, 7))


@EVERY
@pytest.mark.parametrize("how", EXPECTED)
def test_a_tool_call_is_read_changed(kind: Format, how: str, under: Callable[..., Heard], faults: Faults) -> None:
    """The SDK reads the reply to its end, and in it the one thing that is different."""
    heard = under(kind, ToolCall(how))
    assert heard == EXPECTED[how](kind)
    assert len(set(heard.ids)) == len(heard.ids), "each call has an id of its own"
    assert faults.log[0].struck[0].rule.damages == ("nothing" if how in ALL_THERE else "payload")


@EVERY
def test_a_required_argument_is_of_another_type(kind: Format, under: Callable[..., Heard]) -> None:
    """The member that the schema of the request requires is no text any more; the others are as they were."""
    heard = under(kind, ToolCall("wrong_type"))
    told = [given if kind.values else json.loads(given) for _, given in heard.calls]
    assert [isinstance(told[0]["key"], int), isinstance(told[1]["zone"], int)] == [True, True]
    assert {**told[0], "key": "PROJ-1"} == ISSUE[1]
    assert [name for name, _ in heard.calls] == ["get_issue", "get_time"]


def test_every_way_of_a_tool_call_is_tried() -> None:
    """No way to break a call is left out above."""
    assert {*EXPECTED, "wrong_type", "looped"} == set(HOWS)


FIRST = {"role": "assistant", "content": None}
GIVEN = json.dumps(ISSUE[1])
HISTORY: dict[str, list[Any]] = {
    "chat": [
        {"role": "user", "content": ASKED},
        {**FIRST, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": ISSUE[0], "arguments": GIVEN}}]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"name": "no_call", "arguments": {}}'},
    ],
    "responses": [
        {"role": "user", "content": ASKED},
        {"type": "function_call", "call_id": "c1", "name": ISSUE[0], "arguments": GIVEN},
        {"type": "function_call_output", "call_id": "c1", "output": "{}"},
    ],
    "messages": [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": ISSUE[0], "input": ISSUE[1]}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "{}"}]},
    ],
    "gemini": [
        {"role": "user", "parts": [{"text": ASKED}]},
        {"role": "model", "parts": [{"functionCall": {"name": ISSUE[0], "args": ISSUE[1]}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": ISSUE[0], "response": {"result": "{}"}}}]},
    ],
    "ollama": [
        {"role": "user", "content": ASKED},
        {**FIRST, "tool_calls": [{"function": {"name": ISSUE[0], "arguments": ISSUE[1]}}]},
        {"role": "tool", "tool_name": ISSUE[0], "content": "{}"},
    ],
}
TURNS = {"OpenAI chat": "chat", "OpenAI responses": "responses", "Anthropic messages": "messages", "Gemini": "gemini",
         "Ollama": "ollama"}  # fmt: skip


@EVERY
def test_a_model_that_loops_makes_its_last_call_again(
    kind: Format, under: Callable[..., Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an answer was due, the last call of the conversation comes again, and nothing else."""
    turns = HISTORY[TURNS[kind.name]]
    key = {"responses": "input", "gemini": "contents"}.get(TURNS[kind.name], "messages")
    if kind.name == "Gemini":
        from google.genai import types

        turns = [types.Content.model_validate(turn) for turn in turns]
        monkeypatch.setattr("_models.ASKED", turns)
    else:
        monkeypatch.setitem(kind.asked, key, turns)
    heard = under(kind, ToolCall("looped"), calls=[])
    assert [(n, a if kind.values else json.loads(a)) for n, a in heard.calls] == [ISSUE]
    assert (heard.text, heard.reason, heard.tokens) == ("", kind.reasons["calls"], (IN, OUT))


FINISHED: dict[str, Callable[[Format], Heard]] = {
    "length": lambda kind: replace(
        healthy(kind),
        calls=(healthy(kind).calls[0], (TIME[0], cut(kind, TIME[1]))),
        reason=kind.reasons["length"],
    ),
    "content_filter": lambda kind: replace(
        healthy(kind),
        calls=(),
        text="" if kind.name == "Gemini" else TEXT[: len(TEXT) // 2],
        reason=kind.reasons.get("content_filter"),
    ),
    "refusal": lambda kind: Heard(
        (),
        "",
        {"OpenAI chat": "stop", "OpenAI responses": "completed", "Anthropic messages": "refusal"}.get(
            kind.name, "PROHIBITED_CONTENT"
        ),
        (IN, OUT),
        Finish().text if "OpenAI" in kind.name else "",
    ),
    "empty": lambda kind: Heard(
        (),
        "",
        {"OpenAI responses": "completed", "Anthropic messages": "tool_use", "Ollama": "stop"}.get(kind.name),
        (IN, OUT),
    ),
}


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        pytest.param(kind, how, id=f"{how}-{kind.id}")
        for kind in CLIENTS
        for how in FINISHED
        if kind.name != "Ollama" or how in ("length", "empty")  # the next test has the others
    ],
)
def test_an_end_is_read(kind: Format, how: str, under: Callable[..., Heard], faults: Faults) -> None:
    """The SDK reads why the reply ended, and what is left of it."""
    assert under(kind, Finish(how)) == FINISHED[how](kind)


@pytest.mark.parametrize("how", ["content_filter", "refusal"])
@pytest.mark.parametrize("kind", FORMATS[-2:], ids=lambda kind: kind.id)
def test_a_format_without_a_word_for_an_end_is_left_alone(kind: Format, how: str) -> None:
    """Nothing is made up: the reply is the same, so nothing has struck."""
    reply = kind.say(TEXT, CALLS)
    assert Finish(how).alter(kind.request, reply) == reply


def test_what_is_empty_has_no_text_to_google_genai(faults: Faults, tmp_path: Path) -> None:
    """A reply without candidates raises nothing: its text is None."""
    kind = next(kind for kind in FORMATS if kind.name == "Gemini")
    faults.add(Finish("empty"), to="POST *", cassette=record(kind, tmp_path))
    client, asked = gemini_client()
    assert client.models.generate_content(**asked).text is None


@EVERY
def test_a_text_is_cut_where_there_is_no_call(kind: Format, under: Callable[..., Heard]) -> None:
    """The limit of tokens is in the middle of the text."""
    heard = under(kind, Finish("length"), calls=[])
    assert heard == replace(healthy(kind, []), text=TEXT[: len(TEXT) // 2], reason=kind.reasons["length"])


@EVERY
def test_tokens_are_not_counted(kind: Format, under: Callable[..., Heard]) -> None:
    """The SDK reads everything but the counts."""
    assert under(kind, Usage()) == replace(healthy(kind), tokens=None)


def test_the_vendors_own_word_is_taken(under: Callable[..., Heard]) -> None:
    """A reason that only one vendor knows is data."""
    kind = next(kind for kind in FORMATS if kind.name == "Gemini")
    heard = under(kind, Finish("content_filter", reason="MALFORMED_FUNCTION_CALL"))
    assert (heard.calls, heard.text, heard.reason) == ((), "", "MALFORMED_FUNCTION_CALL")


def helper_of_openai() -> Any:
    """The SDK's own helper for streams."""
    with openai.OpenAI(api_key="sk-test").chat.completions.stream(**CHAT) as stream:
        return stream.get_final_completion().choices[0]


def parsed_by_openai() -> Any:
    """The SDK's own parser of tool calls."""
    tools: Any = [{**t, "function": {**t["function"], "strict": True}} for t in CHAT["tools"]]
    return openai.OpenAI(api_key="sk-test").chat.completions.parse(**{**CHAT, "tools": tools}).choices[0]


def helper_of_anthropic() -> Any:
    """The SDK's own helper for streams."""
    with anthropic.Anthropic(api_key="sk-test").messages.stream(**MESSAGE) as stream:
        return stream.get_final_message()


@pytest.mark.parametrize(
    ("number", "call", "fault", "raises"),
    [
        (0, parsed_by_openai, Finish("length"), openai.LengthFinishReasonError),
        (0, parsed_by_openai, Finish("content_filter"), openai.ContentFilterFinishReasonError),
        (1, helper_of_openai, Finish("length"), openai.LengthFinishReasonError),
    ],
    ids=["parse-length", "parse-filter", "stream-length"],
)
def test_helpers_of_openai_know_the_reasons(
    faults: Faults, tmp_path: Path, number: int, call: Callable[[], Any], fault: Any, raises: type[Exception]
) -> None:
    """What an SDK raises of itself, it raises."""
    faults.add(fault, to="POST *", cassette=record(FORMATS[number], tmp_path))
    with pytest.raises(raises):
        call()


HELPED: dict[str, Any] = {
    "unknown_name": [ISSUE[1], TIME[1]],
    "truncated": [{"key": "PROJ-1", "fields": []}, {}],  # a legal input, and nobody is told that it is half of one
    "missing_key": [{"fields": ISSUE[1]["fields"], "limit": 3}, {}],
    "merged": [ISSUE[1]],  # what is behind the first value is dropped
    "repeated": [ISSUE[1], TIME[1], TIME[1]],
    "text_instead": [],
    "double_encoded": ValueError,
    "fenced": ValueError,
}


@pytest.mark.parametrize("how", HELPED)
def test_what_the_helper_of_anthropic_makes_of_a_stream(faults: Faults, tmp_path: Path, how: str) -> None:
    """Its reader of partial JSON bears what is cut, and raises a bare ValueError where there is no object."""
    faults.add(ToolCall(how), to="POST *", cassette=record(FORMATS[5], tmp_path))
    if HELPED[how] is ValueError:
        with pytest.raises(ValueError, match="Unable to parse tool parameter JSON from model"):
            helper_of_anthropic()
        return
    done = helper_of_anthropic()
    assert done.stop_reason == ("end_turn" if how == "text_instead" else "tool_use")
    assert [block.input for block in done.content if block.type == "tool_use"] == HELPED[how]
