"""What real SDKs make of drift and lies: most crash somewhere behind the reply, some hand on what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import github
import pytest
from _cassettes import CLOUD, path_of
from _project import Project
from _real import folder
from test_jira import issue
from test_openai import RESPONSE, chat, chat_stream, client

from pytest_agentfault._run import Faults
from pytest_agentfault.faults import Drift, Lie

PAGES = "github/octokit.rb__utilizes_auto_pagination.json"
FOUND = "user:pengwynn user:defunkt"


def response() -> str:
    """A response of OpenAI."""
    return client().responses.create(**RESPONSE).output_text


CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "chat": (chat, "openai_chat"),
    "stream": (chat_stream, "openai_chat_stream"),
    "response": (response, "openai_response"),
    "jira": (partial(issue, CLOUD, "2"), "jira_v2"),
}
NONE = "'NoneType' object"
CRASHES: list[tuple[str, Any, type[Exception], str]] = [
    ("chat", Drift("remove", "$.choices"), TypeError, f"{NONE} is not subscriptable"),
    ("chat", Drift("wrap_in_data", "$"), TypeError, f"{NONE} is not subscriptable"),
    ("chat", Drift("empty_list", "$.choices"), IndexError, "list index out of range"),
    ("chat", Drift("to_object", "$.choices"), KeyError, "0"),
    ("chat", Drift("flatten", "$.choices[*].message"), AttributeError, f"{NONE} has no attribute 'content'"),
    ("stream", Drift("nest", "$.choices[*].delta"), AttributeError, f"{NONE} has no attribute 'content'"),
    ("stream", Drift("to_list", "$.choices[*].delta.content"), TypeError, "expected str instance, list found"),
    ("response", Drift("rename", "$.output[*].content"), TypeError, f"{NONE} is not iterable"),
    ("jira", Drift("remove", "$.fields.summary"), AttributeError, "has no attribute 'summary'"),
    ("jira", Drift("nest", "$.fields.summary"), AttributeError, "has no attribute 'summary'"),
    ("jira", Drift("wrap_in_data", "$"), AttributeError, "has no attribute 'fields'"),
    ("jira", Drift("null", "$.fields"), AttributeError, f"{NONE} has no attribute 'summary'"),
]
HANDED_ON: list[tuple[str, Any, type]] = [
    ("chat", Drift("retype", "$.choices[*].message.content"), int),
    ("chat", Drift("to_list", "$.choices[*].message.content"), list),
    ("chat", Drift("wrap", "$.choices[*].message.content"), dict),
    ("stream", Drift("remove", "$.choices[*].delta.content"), str),
    ("jira", Drift("retype", "$.fields.summary"), int),
    ("jira", Drift("null", "$.fields.summary"), type(None)),
]
UNSEEN: list[tuple[str, Any]] = [
    ("chat", Drift("new_enum_value", "$.choices[*].finish_reason")),
    ("chat", Drift("new_date_format", "$.created")),
    ("chat", Lie("transposed", "$.usage.total_tokens")),
    ("response", Drift("new_enum_value", "$.status")),
    ("jira", Lie("other_tenant")),
]


def named(case: tuple[Any, ...]) -> str:
    """The call and the fault."""
    fault = case[1]
    return f"{case[0]} {getattr(fault, 'operation', None) or fault.how} {fault.field or ''}".rstrip()


def called(faults: Faults, case: tuple[Any, ...]) -> Any:
    """What the SDK gives under the fault."""
    call, tape = CALLS[case[0]]
    faults.add(case[1], to="* *", cassette=path_of(tape))
    return call()


@pytest.mark.parametrize("case", CRASHES, ids=named)
def test_a_shape_that_is_not_looked_at_crashes_later(
    faults: Faults, case: tuple[str, Any, type[Exception], str]
) -> None:
    """No SDK says that the reply is not what it should be: Python says that something is not there."""
    with pytest.raises(case[2], match=case[3]):
        called(faults, case)
    assert any(exchange.struck for exchange in faults.log)


@pytest.mark.parametrize("case", HANDED_ON, ids=named)
def test_a_wrong_type_is_handed_on(faults: Faults, case: tuple[str, Any, type]) -> None:
    """What is annotated as a text comes as something else, or as nothing, and nobody says so."""
    given = called(faults, case)
    assert type(given) is case[2]
    assert not given or case[2] is not str


@pytest.mark.parametrize("case", UNSEEN, ids=named)
def test_what_is_not_read_makes_no_difference(faults: Faults, case: tuple[str, Any]) -> None:
    """The text is the recorded one."""
    given = called(faults, case)
    assert given in ("Gr\u00fc\u00dfe, \u4e16\u754c! \U0001f30d It works.", "Login fails on Safari")
    assert any(exchange.struck for exchange in faults.log)


def users() -> list[str]:
    """Everyone found, page by page, as PyGithub follows the `Link` header."""
    found = github.Github(per_page=1).search_users(FOUND)
    return [user.login for user in found]


@pytest.mark.shared
@pytest.mark.skipif(not (folder() / PAGES).is_file(), reason="no recordings")
def test_pygithub_follows_a_cursor_that_loops_for_ever(project: Project) -> None:
    """The budget of calls ends it, and nothing else would."""
    test = f"""
    @pytest.mark.fault("any/page-cursor-loops", cassette={str(folder() / PAGES)!r})
    def test_it(): list(github.Github(per_page=1).search_users({FOUND!r}))
    """
    result = project.run(test, above="import github\nimport pytest\n")
    result.stdout.re_match_lines([r"hung +test_agent\.py::test_it  any/page-cursor-loops \(100 of 100 calls\)"])


@pytest.mark.shared
@pytest.mark.skipif(not (folder() / PAGES).is_file(), reason="no recordings")
def test_pygithub_gives_the_first_page_twice(faults: Faults) -> None:
    """The vendor's own first page, from the recording, once more; then the second."""
    faults.add("any/first-page-again", cassette=folder() / PAGES)
    assert users() == ["defunkt", "defunkt", "pengwynn"]
