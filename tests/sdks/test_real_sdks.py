"""
The vendors' scenarios over recordings of real services, each recorded request rebuilt as a call of the SDK.

The body that was recorded is what `create` is called with; what was recorded as the reply is what comes out.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import anthropic
import github
import openai
import pytest
import requests
from _real import folder, recorded, recordings, said
from jira import JIRA, JIRAError

from pytest_agentfault._payload import data_of, events_of
from pytest_agentfault._run import Faults
from pytest_agentfault.upstreams._recording import Interaction

pytestmark = pytest.mark.shared

# --- openai ---------------------------------------------------------------------------------------------------------

KINDS: Final = {"/chat/completions": "chat", "/responses": "responses"}


def calls(name: str) -> list[tuple[Interaction, Any]]:
    """The recorded requests that are calls of the openai SDK, each with the call rebuilt from its body."""
    return [(kept, call) for kept in recorded(name) if (call := openai_call(kept)) is not None]


def openai_call(kept: Interaction) -> Any:
    """The recorded request as a call; None where it is none."""
    url = urlsplit(kept.request.uri)
    path = next((path for path in KINDS if url.path.endswith(path)), None)
    if path is None:
        return None
    base = f"{url.scheme}://{url.netloc}{url.path.removesuffix(path)}"
    client = openai.OpenAI(api_key="sk-test", base_url=base, default_query=dict(parse_qsl(url.query)))
    create: Any = client.chat.completions.create if KINDS[path] == "chat" else client.responses.create
    body = json.loads(kept.request.body)
    return lambda: create(**body)


def is_streamed(kept: Interaction) -> bool:
    """Whether a stream was asked for."""
    return bool(json.loads(kept.request.body).get("stream"))


def events(kept: Interaction) -> list[Any]:
    """The JSON of the recorded events."""
    told = (data_of(event) for event in events_of(said(kept)[1]))
    return [json.loads(data) for data in told if data and data != b"[DONE]"]


def aimed(kept: Interaction) -> str:
    """A `to` for this request, on whatever host it was recorded."""
    return f"POST {kept.request.uri.partition('?')[0]}"


OPENAI: Final = recordings(lambda entry: entry["vendor"] in ("openai", "azure-openai"))
OPENAI_STREAMS: Final = recordings(
    lambda entry: entry["vendor"] in ("openai", "azure-openai") and "sse" in entry["kinds"]
)


@OPENAI
@pytest.mark.parametrize("scenario", ["openai/rate-limit", "openai/server-error"])
def test_openai_says_what_was_recorded_after_two_errors(faults: Faults, name: str, scenario: str) -> None:
    """The SDK retries twice and gives the recorded result, or raises the recorded error as its own class."""
    first = calls(name)[0][0]
    faults.add(scenario, to=aimed(first), cassette=folder() / name)
    for kept, call in calls(name):
        if is_streamed(kept):
            assert [chunk.to_dict() for chunk in call()] == events(kept)
        elif said(kept)[0] == 200:
            assert call().to_dict() == json.loads(said(kept)[1])
        else:
            with pytest.raises(openai.APIStatusError) as caught:
                call()
            assert caught.value.status_code == said(kept)[0]
            assert caught.value.body == json.loads(said(kept)[1])["error"]
    assert sum(1 for exchange in faults.log if exchange.struck) == 2
    assert not faults.log[-1].struck


@OPENAI
def test_openai_gives_up_without_quota(faults: Faults, name: str) -> None:
    """Whatever was recorded, the SDK raises RateLimitError with the code insufficient_quota."""
    kept, call = calls(name)[0]
    faults.add("openai/quota-exhausted", to=aimed(kept), cassette=folder() / name)
    with pytest.raises(openai.RateLimitError) as caught:
        call()
    assert caught.value.code == "insufficient_quota"
    assert len(faults.log) == 3


@OPENAI_STREAMS
def test_openai_raises_on_a_cut_stream(faults: Faults, name: str) -> None:
    """The chunks before the cut are the recorded ones; the next call has them all."""
    kept, call = calls(name)[0]
    faults.add("openai/stream-cut", to=aimed(kept), cassette=folder() / name)
    chunks: list[Any] = []
    with pytest.raises(openai.APIConnectionError):
        chunks.extend(chunk.to_dict() for chunk in call())
    assert [chunk.to_dict() for chunk in call()] == events(kept)


@OPENAI_STREAMS
def test_openai_reads_a_split_stream(faults: Faults, name: str) -> None:
    """Every chunk is the recorded one."""
    kept, call = calls(name)[0]
    faults.add("openai/stream-chunk-split", to=aimed(kept), cassette=folder() / name)
    assert [chunk.to_dict() for chunk in call()] == events(kept)


@OPENAI_STREAMS
def test_openai_never_notices_a_stream_that_ends_early(faults: Faults, name: str) -> None:
    """The last chunks are missing, and nothing is raised."""
    kept, call = calls(name)[0]
    faults.add("openai/stream-ends-early", to=aimed(kept), cassette=folder() / name)
    chunks = [chunk.to_dict() for chunk in call()]
    assert chunks == events(kept)[: len(chunks)]
    assert 0 < len(chunks) < len(events(kept))
    assert [chunk.to_dict() for chunk in call()] == events(kept)


@recordings(lambda entry: entry["vendor"] == "openai" and "sse" in entry["kinds"])
def test_openai_raises_an_error_inside_a_stream(faults: Faults, name: str) -> None:
    """Two chunks, then APIError in the vendor's words."""
    kept, call = calls(name)[0]
    faults.add("openai/stream-error-event", to=aimed(kept), cassette=folder() / name)
    chunks: list[Any] = []
    with pytest.raises(openai.APIError, match="The server had an error while processing your request"):
        for chunk in call():
            chunks.append(chunk.to_dict())
    assert chunks == events(kept)[:2]
    assert [chunk.to_dict() for chunk in call()] == events(kept)


@OPENAI
def test_openai_hands_over_malformed_tool_arguments(faults: Faults, name: str) -> None:
    """A recorded tool call has arguments that are no JSON any more, once, and the SDK raises nothing."""
    tools = [(kept, call) for kept, call in calls(name) if b'"arguments"' in said(kept)[1]]
    if not tools:
        pytest.skip("no tool call was recorded")
    faults.add("openai/malformed-tool-arguments", cassette=folder() / name)
    broken = arguments(tools[0][1]().to_dict())
    assert broken
    for text in broken:
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
    for text in arguments(tools[0][1]().to_dict()):
        json.loads(text)


def arguments(value: Any) -> list[str]:
    """All texts named `arguments` in a result, wherever they are."""
    if isinstance(value, dict):
        here = [value["arguments"]] if isinstance(value.get("arguments"), str) else []
        return here + [text for part in value.values() for text in arguments(part)]
    return [text for part in value for text in arguments(part)] if isinstance(value, list) else []


# --- anthropic ------------------------------------------------------------------------------------------------------

ANTHROPIC: Final = recordings(lambda entry: entry["vendor"] == "anthropic" and "sse" in entry["kinds"])


def anthropic_call(name: str) -> tuple[Interaction, Any]:
    """The recorded request of a file, and the call rebuilt from its body."""
    kept = recorded(name)[0]
    client = anthropic.Anthropic(api_key="test")
    create: Any = client.beta.messages.create if "beta=true" in kept.request.uri else client.messages.create
    body = json.loads(kept.request.body)
    query = dict(parse_qsl(urlsplit(kept.request.uri).query))
    return kept, lambda: create(**body, extra_query=query)


def message_events(kept: Interaction) -> list[Any]:
    """The recorded events that the SDK hands on: pings are kept to itself."""
    return [event for event in events(kept) if event["type"] != "ping"]


@ANTHROPIC
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
@pytest.mark.parametrize("scenario", ["anthropic/overloaded", "anthropic/rate-limit", "any/chunk-split"])
def test_anthropic_says_what_was_recorded(faults: Faults, name: str, scenario: str) -> None:
    """After two errors, or split, every event is the recorded one."""
    kept, call = anthropic_call(name)
    faults.add(scenario, cassette=folder() / name)
    assert [event.type for event in call()] == [event["type"] for event in message_events(kept)]
    assert len(faults.log) == (1 if scenario == "any/chunk-split" else 3)


@ANTHROPIC
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
def test_anthropic_raises_an_error_inside_a_stream(faults: Faults, name: str) -> None:
    """The recorded beginning, then APIStatusError with the vendor's overloaded_error."""
    kept, call = anthropic_call(name)
    faults.add("anthropic/stream-error-event", cassette=folder() / name)
    told: list[str] = []
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        for event in call():
            told.append(event.type)
    assert told == [event["type"] for event in events(kept)[:3] if event["type"] != "ping"]
    assert [event.type for event in call()] == [event["type"] for event in message_events(kept)]


@ANTHROPIC
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
def test_anthropic_never_notices_a_stream_that_ends_early(faults: Faults, name: str) -> None:
    """No message_stop, and nothing is raised."""
    kept, call = anthropic_call(name)
    faults.add("anthropic/stream-ends-early", cassette=folder() / name)
    told = [event.type for event in call()]
    wanted = [event["type"] for event in message_events(kept)]
    assert told == wanted[: len(told)]
    assert "message_stop" not in told
    assert [event.type for event in call()] == wanted


# --- jira, github ---------------------------------------------------------------------------------------------------

JIRA_SITE: Final = "https://defectdojo.atlassian.net"
JIRA_FILES: Final = recordings(lambda entry: entry["vendor"] == "jira")


@JIRA_FILES
def test_jira_says_what_was_recorded_after_two_errors(faults: Faults, name: str) -> None:
    """The package waits, retries and reads server and issue as they were recorded."""
    faults.add("jira/rate-limit", cassette=folder() / name)
    jira = JIRA(server=JIRA_SITE, basic_auth=("me", "test"))
    assert [exchange.reply.status for exchange in faults.log] == [429, 429, 200]
    for kept in recorded(name):
        path = urlsplit(kept.request.uri).path.removeprefix("/rest/api/2/issue/")
        if kept.request.method == "GET" and "/" not in path and path != "createmeta":
            assert jira.issue(path).raw == json.loads(said(kept)[1])
    assert sum(1 for exchange in faults.log if exchange.struck) == 2


@JIRA_FILES
@pytest.mark.parametrize(
    ("scenario", "error", "says"),
    [
        ("jira/expired-session", JIRAError, "Client must be authenticated"),
        ("jira/login-page-instead", requests.exceptions.JSONDecodeError, "Expecting value"),
        ("jira/validation-error", JIRAError, "Field 'invalid' is not valid"),
    ],
)
def test_jira_session_says_what_was_recorded_after_one_error(
    faults: Faults, name: str, scenario: str, error: type[Exception], says: str
) -> None:
    """Request by request through the package's own session: one error, and with a new token all that was recorded."""
    faults.add(scenario, cassette=folder() / name, waive="not_retried")  # a person would mend the write first
    session = JIRA(server=JIRA_SITE, token_auth="one", get_server_info=False)._session
    met: list[Exception] = []
    for kept in recorded(name):
        if not kept.request.uri.startswith(JIRA_SITE):
            continue
        for _ in range(2):
            try:
                reply = session.request(kept.request.method, kept.request.uri, data=kept.request.body)
                assert reply.content == said(kept)[1] or reply.json() is None
                break
            except error as one:
                met.append(one)
                session = JIRA(server=JIRA_SITE, token_auth="two", get_server_info=False)._session
    writes = [one.request.uri for one in recorded(name) if one.request.method in ("POST", "PUT")]
    apis = {api for api in ("/rest/api/2/", "/rest/agile/1.0/") if any(api in uri for uri in writes)}
    assert len(met) == (len(apis) if scenario == "jira/validation-error" else 1)  # one by each API that was written to
    assert says in str(met[0])


@recordings(lambda entry: "two_factor" in entry["file"])
def test_github_says_what_was_recorded_after_the_secondary_limit(faults: Faults, name: str) -> None:
    """PyGithub waits twice, meets the recorded demand for a second factor and then the recorded user."""
    faults.add("github/secondary-limit", cassette=folder() / name)
    hub = github.Github(auth=github.Auth.Token("test"))
    with pytest.raises(github.TwoFactorException):
        hub.get_user("sigmavirus24")
    assert hub.get_user("sigmavirus24").login == "sigmavirus24"
    assert [exchange.reply.status for exchange in faults.log] == [403, 403, 401, 200]
