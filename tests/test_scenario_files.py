"""Scenario files: every mistake is told with file, line and key, and the nearest that would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from _scenarios import FAULTS, GOOD, library, put

from pytest_agentfault._discover import names
from pytest_agentfault._errors import ScenarioError
from pytest_agentfault.scenario import Library
from pytest_agentfault.scenario._settings import fits, in_words, schema_of

KEYS = "checks, confidence, damages, rule, source, title"
RULE_KEYS = "after, after_seconds, damages, every, faults, for_seconds, probability, times, to, until"
TO = 'write it like "POST https://api.openai.com/v1/*" (* for any method, * in the URL for any text)'
TIMES = "{epoch+1}, {epoch_ms+1}, {http_date+1}, {rfc3339+1}"
CHECKS = ", ".join(names("pytest_agentfault.checks"))
TWO = "two faults of one rule would answer in the vendor's place"


@pytest.mark.parametrize(
    ("change", "line", "what", "there", "do"),
    [
        (("title", "titel"), 1, "unknown key of a scenario", "'titel'", "did you mean 'title'? known: " + KEYS),
        (('title = "t"\n', ""), 1, "`title` is missing", "source, confidence, rule", 'add title = "..."'),
        (('"t"', "3"), 1, "`title` has a wrong type", "3", "give text"),
        (("reported", "memory"), 3, "unknown `confidence`", "'memory'", "known: documented, recorded, reported"),
        (
            ("[[rule]]", 'damages = "paylod"\n[[rule]]'),
            4,
            "unknown `damages`",
            "'paylod'",
            "did you mean 'payload'? known: nothing, payload",
        ),
        (
            ("[[rule]]", "checks = ['not_retryed']\n[[rule]]"),
            4,
            "unknown check",
            "'not_retryed'",
            f"did you mean 'not_retried'? known: {CHECKS}",
        ),
        (("[[rule]]", "checks = 3\n[[rule]]"), 4, "`checks` has a wrong type", "3", "give a list of text"),
        (
            ("[[rule]]", "[rule]"),
            4,
            "a scenario needs at least one rule",
            "{'to': '* https://a.test/*', 'faults': [{'status': {'code': 429}}]}",
            "add a [[rule]] with `to` and `faults`",
        ),
        (
            ("to =", 'damages = "paylod"\nto ='),
            5,
            "unknown `damages`",
            "'paylod'",
            "did you mean 'payload'? known: nothing, payload",
        ),
        (("to =", "two ="), 5, "unknown key of a rule", "'two'", "did you mean 'to'? known: " + RULE_KEYS),
        (("to =", "# to ="), 4, "`to` is missing in a rule", "faults", "add to"),
        (('"* https://a.test/*"', "5"), 5, "`to` has a wrong type", "5", "give text"),
        (
            ('"* https://a.test/*"', '"https://a.test/*"'),
            5,
            "`to` must be a method and a URL pattern, or a respx pattern",
            "'https://a.test/*'",
            TO,
        ),
        (("faults", "times = 0\nfaults"), 6, "`times` must be a whole number", "0", "give 1 or more"),
        (
            ("faults", "until = 'tomorrow'\nfaults"),
            6,
            "unknown `until`",
            "'tomorrow'",
            "known: credential_changes, waited",
        ),
        (
            ("[{ status = { code = 429 } }]", "{ status = 1 }"),
            6,
            "`faults` must be a list of tables with one fault each",
            "{'status': 1}",
            "write it like faults = [{ status = { code = 429 } }]",
        ),
        (
            ("[{ status = { code = 429 } }]", '["s"]'),
            6,
            "`faults` must be a list of tables with one fault each",
            "['s']",
            "write it like faults = [{ status = { code = 429 } }]",
        ),
        (
            ("faults = [{ status = { code = 429 } }]", '[[rule.faults]]\n[rule.faults.status]\ntext = "x"\ncode = 42'),
            9,
            "status: `code` must be a final status code",
            "42",
            "give a number from 200 to 599",
        ),
        (("status", "stattus"), 6, "unknown fault", "'stattus'", f"did you mean 'status'? known: {FAULTS}"),
        (("{ code = 429 }", "429"), 6, "the settings of 'status' must be a table", "429", "write { status = { } }"),
        (
            ("code", "cod"),
            6,
            "unknown setting of 'status'",
            "'cod'",
            "did you mean 'code'? known: code, headers, json, reason, text",
        ),
        (("code = 429", 'code = "429"'), 6, "`code` of 'status' has a wrong type", "'429'", "give a whole number"),
        (
            ("code = 429", "code = 429, headers = { a = 1 }"),
            6,
            "`headers` of 'status' has a wrong type",
            "{'a': 1}",
            "give a table of text",
        ),
        (("{ code = 429 }", '{ text = "x" }'), 6, "`code` of 'status' is missing", "text", "give a whole number"),
        (
            ("code = 429", "code = 42"),
            6,
            "status: `code` must be a final status code",
            "42",
            "give a number from 200 to 599",
        ),
        (
            ("[{ status = { code = 429 } }]", '[\n{ status = { code = 429, text = "{epock+1}" } }]'),
            7,
            "`text` of 'status': unknown template",
            "{epock+1}",
            "did you mean '{epoch+1}'? known: " + TIMES,
        ),
        (
            ("{ status", "{ status = { code = 500 } }, { status"),
            6,
            TWO,
            "Status and Status",
            "put them into two rules, or drop one",
        ),
    ],
)
def test_mistake_is_told_with_file_and_line(
    tmp_path: Path, change: tuple[str, str], line: int, what: str, there: str, do: str
) -> None:
    """Every mistake in a file is an error that names file, line and key, and the nearest that would be right."""
    assert change[0] in GOOD
    mine = library(tmp_path, GOOD.replace(*change, 1))
    with pytest.raises(ScenarioError) as caught:
        mine.get("a/b")
    assert str(caught.value) == f"{tmp_path}/a/b.toml:{line}: {what}\n  there is: {there}\n  to do: {do}"


@pytest.mark.parametrize(
    ("text", "line", "what", "there"),
    [
        ('title = "t"\nsource = \n', 2, "not TOML", "Invalid value (at line 2, column 10)"),
        ('title = """t\n\n', 1, "not TOML", "Unterminated string (at end of document)"),
        ("", 1, "`title` is missing", "an empty file"),
    ],
)
def test_file_that_is_not_toml(tmp_path: Path, text: str, line: int, what: str, there: str) -> None:
    """A file that is not TOML, or empty, says where."""
    with pytest.raises(ScenarioError) as caught:
        library(tmp_path, text).get("a/b")
    assert (caught.value.what, caught.value.there) == (f"{tmp_path}/a/b.toml:{line}: {what}", there)


RULES = """\
title = "TITLE"
source = "s"
confidence = "reported"
[[rule]]
to = "* https://a.test/1"
faults = [{ slow = { seconds = 1.0 } }]
[[rule]]
to = "* https://a.test/2"
times = 1
faults = [{ slow = { seconds = 2.0 } }]
[[rule]]
to = "* https://a.test/3"
times = 2
faults = [{ slow = { seconds = 3.0 } }]
"""


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        (('title = "TITLE"\nsource = "s"', 'title = 3\nsource = "title"'), 1, "`title` has a wrong type"),
        (("times = 1", "times = 0"), 9, "`times` must be a whole number"),
        (("times = 2", "times = 0"), 13, "`times` must be a whole number"),
        (("seconds = 2.0", 'seconds = "2"'), 10, "`seconds` of 'slow' has a wrong type"),
        (('to = "* https://a.test/2"\n', ""), 7, "`to` is missing in a rule"),
    ],
    ids=["the first word", "the middle rule", "the last rule", "a setting in the middle", "missing in the middle"],
)
def test_of_several_rules_the_line_is_in_the_right_one(
    tmp_path: Path, change: tuple[str, str], place: int, what: str
) -> None:
    """The same words in the rules before and behind are not meant."""
    with pytest.raises(ScenarioError) as caught:
        library(tmp_path, RULES.replace(*change)).get("a/b")
    assert caught.value.what == f"{tmp_path}/a/b.toml:{place}: {what}"


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file in another encoding is refused by name."""
    path = put(tmp_path, "")
    path.write_bytes(b"title = '\xff'")
    with pytest.raises(ScenarioError) as caught:
        Library([tmp_path]).get("a/b")
    assert caught.value.what == f"{path}: this scenario cannot be read"


def test_line_is_that_of_the_right_rule_and_fault(tmp_path: Path) -> None:
    """The same key in an earlier rule, an earlier fault or a comment is not taken for the wrong one."""
    text = """\
        title = "code = 1"
        source = "s"
        confidence = "reported"
        # [[rule]]
        [[rule]]
        to = "* https://a.test/1"
        faults = [{ status = { code = 429 } }]
        [[rule]]
        to = "* https://a.test/2"
        # code = "no"
        faults = [
          { slow = { seconds = 1.0 } },
          { slow = { seconds = 2.0 } },
          { "_scenarios:Teapot" = { brew = "code = 1" } },
          { slow = { seconds = 3.0 } },
          { slow = { seconds = "four" } },
        ]
        """
    with pytest.raises(ScenarioError) as caught:
        library(tmp_path, text).get("a/b")
    assert caught.value.what == f"{tmp_path}/a/b.toml:16: `seconds` of 'slow' has a wrong type"


def test_fault_of_ones_own_by_import_path(tmp_path: Path) -> None:
    """A fault that is no plugin's is named by where it is imported from, and checked like any other."""
    scenario = library(tmp_path, GOOD.replace("status = { code = 429", '"_scenarios:Teapot" = { brew = "tea"')).get(
        "a/b"
    )
    assert scenario.rules[0].faults[0].brew == "tea"


def test_lists_become_tuples_where_the_fault_wants_them(tmp_path: Path) -> None:
    """A TOML list is handed over as the tuple the fault declares."""
    text = GOOD.replace("status = { code = 429", '"_scenarios:Teapot" = { brew = "tea", leaves = ["a", "b"]')
    assert library(tmp_path, text).get("a/b").rules[0].faults[0].leaves == ("a", "b")


@pytest.mark.parametrize(
    ("hint", "good", "bad", "words", "schema"),
    [
        (str, "x", 1, "text", {"type": "string"}),
        (int, 1, True, "a whole number", {"type": "integer"}),
        (int, 1, 1.0, "a whole number", {"type": "integer"}),
        (float, 1, True, "a number", {"type": "number"}),
        (bool, True, 1, "true or false", {"type": "boolean"}),
        (int | None, 1, "x", "a whole number", {"type": "integer"}),
        (str | int, 1, 1.5, "text or a whole number", {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (Literal["a", "b"], "a", "c", "one of 'a', 'b'", {"enum": ["a", "b"]}),
        (list[int], [1], ["x"], "a list of a whole number", {"type": "array", "items": {"type": "integer"}}),
        (Sequence[str], ["x"], "x", "a list of text", {"type": "array", "items": {"type": "string"}}),
        (tuple[str, ...], ["x"], [1], "a list of text", {"type": "array", "items": {"type": "string"}}),
        (list, [1], 1, "a list", {"type": "array", "items": {}}),
        (
            Mapping[str, str],
            {"a": "b"},
            {"a": 1},
            "a table of text",
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        (dict, {"a": 1}, 1, "a table", {"type": "object", "additionalProperties": True}),
        (Any, object(), None, "any value", {}),
        (Path, object(), None, "any value", {}),
    ],
)
def test_settings_are_what_their_annotations_say(
    hint: Any, good: object, bad: object, words: str, schema: dict[str, Any]
) -> None:
    """One reading of a fault's annotations checks values, words errors and writes the schema."""
    assert fits(good, hint)
    assert bad is None or not fits(bad, hint)
    assert (in_words(hint), schema_of(hint)) == (words, schema)
