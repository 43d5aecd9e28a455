"""Templates in scenarios: what is filled, what is literal, and what is an error."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from pytest_agentfault import Reply, Request
from pytest_agentfault._errors import ScenarioError
from pytest_agentfault.faults.status import Status
from pytest_agentfault.scenario import bind
from pytest_agentfault.scenario._template import filler_of

NOON = 1_770_000_000.25  # 2026-02-02T02:40:00Z
ASKED = Request("PUT", "https://api.example.com/v1/things?page=2", (("X-Trace", 'a"b'), ("Accept", "*/*")))


@dataclass(frozen=True, slots=True)
class Told:
    """A fault with every kind of setting that can hold a template."""

    text: str = ""
    table: dict[str, Any] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    count: int = 0
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def answer(self, request: Request) -> Reply:
        """Nothing of interest."""
        return Reply.of(200)


def filled(text: str, seed: str = "1") -> str:
    """The text as it is when ASKED is struck."""
    return str(bind(seed, lambda: NOON)(Told(text), ASKED).text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{epoch}", "1770000000"),
        ("{epoch+60}", "1770000060"),
        ("{epoch-0.5}", "1769999999"),
        ("{epoch_ms}", "1770000000250"),
        ("{epoch_ms+60}", "1770000060250"),
        ("{http_date+60}", "Mon, 02 Feb 2026 02:41:00 GMT"),
        ("{rfc3339+60}", "2026-02-02T02:41:00Z"),
        ("{request.method} {request.path}", "PUT /v1/things"),
        ("{request.url}", "https://api.example.com/v1/things?page=2"),
        ("{request.header.accept}", "*/*"),
        ("{request.header.X-Missing}", ""),
        ("from {epoch} to {epoch+1}.", "from 1770000000 to 1770000001."),
        ('{"at":{epoch},"who":"{request.header.x-trace}"}', '{"at":1770000000,"who":"a\\"b"}'),
    ],
)
def test_template_is_filled_from_request_and_clock(text: str, expected: str) -> None:
    """Each template stands for a part of the request that is struck, or for the time then, moved by seconds."""
    assert filled(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{}",
        '{"error":{"message":"x","code":429}}',
        "{id}",
        "{request}",
        "{ viewer { id } }",
        "/repos/{owner}/{repo}",
        "{time}",
        "{user.name}",
        "{epochal: 1}",
        "{date}",
        "{0}",
    ],
)
def test_other_braces_are_literal(text: str) -> None:
    """What is not plainly meant as a template stays as it is, and the fault is not even copied."""
    fault = Told(text)
    assert bind("1", lambda: NOON)(fault, ASKED) is fault


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("{epock+60}", "did you mean '{epoch+60}'? known: {epoch+60}, {epoch_ms+60}, {http_date+60}, {rfc3339+60}"),
        ("{epoh_+60}", "did you mean '{epoch+60}'? known: {epoch+60}, {epoch_ms+60}, {http_date+60}, {rfc3339+60}"),
        ("{epoch60}", "did you mean '{epoch}'? known: {epoch_ms}, {epoch}, {http_date}, {rfc3339}"),
        ("{epoch + 60}", "did you mean '{epoch+60}'? known: {epoch+60}, {epoch_ms+60}, {http_date+60}, {rfc3339+60}"),
        ("{htp_date}", "did you mean '{http_date}'? known: {epoch_ms}, {epoch}, {http_date}, {rfc3339}"),
        ("{rfc3399+1}", "did you mean '{rfc3339+1}'? known: {epoch+1}, {epoch_ms+1}, {http_date+1}, {rfc3339+1}"),
        (
            "{request.headers.x}",
            "did you mean '{request.header.x}'? "
            "known: {request.header.x}, {request.method}, {request.path}, {request.url}",
        ),
        (
            "{requests.url}",
            "did you mean '{request.url}'? "
            "known: {request.header.NAME}, {request.method}, {request.path}, {request.url}",
        ),
        ("{faker.uuid44}", "did you mean {faker.uuid4}? known: the providers of Faker, without arguments"),
        ("{faker.zzzzzz}", "known: the providers of Faker, without arguments"),
        ("{fakr.uuid4}", "known: {faker.PROVIDER}"),
    ],
)
def test_near_miss_is_an_error_that_names_the_nearest(text: str, nearest: str) -> None:
    """What is nearly a template is an error, so that no reply ever holds a misspelt one."""
    with pytest.raises(ScenarioError) as caught:
        filler_of(f"at {text}.")
    assert str(caught.value) == f"unknown template\n  there is: {text}\n  to do: {nearest}"


def test_tables_and_lists_are_filled_and_the_rest_is_kept() -> None:
    """Templates are found at any depth of a setting; other settings, and the rule's Random, stay the same objects."""
    fault = Told(table={"a": {"b": ["{epoch}", 1]}, "c": "x"}, items=("{request.method}", "y"), count=3)
    told = bind("1", lambda: NOON)(fault, ASKED)
    assert told.table == {"a": {"b": ["1770000000", 1]}, "c": "x"}
    assert told.items == ("PUT", "y")
    assert (told.count, told.random) == (3, fault.random)


def test_faker_values_follow_from_the_seed() -> None:
    """The same seed gives the same values in the same order, another seed gives others."""
    assert filled("{faker.uuid4}", "a") == filled("{faker.uuid4}", "a") != filled("{faker.uuid4}", "b")


def test_each_request_is_filled_anew() -> None:
    """A fault that strikes twice reads the clock and the request twice."""
    seconds = iter([0.0, 5.0])
    fill, fault = bind("1", lambda: next(seconds)), Status(code=429, headers={"reset": "{epoch+1} {request.method}"})
    assert fill(fault, ASKED).headers == {"reset": "1 PUT"}
    assert fill(fault, Request("GET", "https://x.test/")).headers == {"reset": "6 GET"}


def test_fault_that_is_no_dataclass_passes_through() -> None:
    """Any object with a verb is a fault; only dataclasses have settings to fill."""
    fault = object()
    assert bind("1", lambda: NOON)(fault, ASKED) is fault


def test_faker_is_imported_only_for_its_own_templates() -> None:
    """A scenario without a Faker template does not pay for importing Faker."""
    code = (
        "import sys; from pytest_agentfault.scenario import Library; "
        "Library().get('openai/rate-limit'); print('faker' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
