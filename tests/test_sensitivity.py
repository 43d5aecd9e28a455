"""The table of field sensitivity: which fields the code needs, and what becomes of their loss."""

from __future__ import annotations

from random import Random

import pytest

from pytest_agentfault._sensitivity import Row, rows_of, table_of
from pytest_agentfault._verdict import Outcome

RUNS = [
    ("$.id", "remove", "unnoticed"),
    ("$.id", "retype", "unnoticed"),
    ("$.fields.summary", "remove", "surfaced"),
    ("$.fields.summary", "null", "unnoticed"),
    ("$.fields.summary", "retype", "crashed"),
    ("$.fields.status.name", "remove", "crashed"),
    ("$.fields.status.name", "rename", "crashed"),
    ("$.fields.status.name", "new_enum_value", "recovered"),
    ("$.fields.labels[*]", "to_list", "hung"),
    ("$.self", "remove", "held"),
    ("$.expand", "remove", "missed"),
    ("$.fields", "remove", "surfaced"),
]


def test_rows_say_what_is_needed_and_what_its_loss_does() -> None:
    """Needed fields first, the silent ones before the loud ones; what was not lost stands behind what was."""
    assert rows_of(RUNS) == [
        Row(
            "$.fields.summary",
            True,
            "unnoticed",
            (("unnoticed", ("null",)), ("crashed", ("retype",)), ("surfaced", ("remove",))),
        ),
        Row(
            "$.fields.status.name",
            True,
            "crashed",
            (("crashed", ("remove", "rename")), ("recovered", ("new_enum_value",))),
        ),
        Row("$.fields", True, "surfaced", (("surfaced", ("remove",)),)),
        Row("$.fields.labels[*]", True, "", (("hung", ("to_list",)),)),
        Row("$.id", False, "unnoticed", (("unnoticed", ("remove", "retype")),)),
        Row("$.self", False, "held", (("held", ("remove",)),)),
        Row("$.expand", False, "missed", (("missed", ("remove",)),)),
    ]


def test_the_table_can_be_read() -> None:
    """The exact text."""
    assert table_of(RUNS) == (
        "the code needs 4 of 7 fields (12 changes tried)\n"
        "needed                lost       what came of each change\n"
        "$.fields.summary      unnoticed  unnoticed: null; crashed: retype; surfaced: remove\n"
        "$.fields.status.name  crashed    crashed: remove, rename; recovered: new_enum_value\n"
        "$.fields              surfaced   surfaced: remove\n"
        "$.fields.labels[*]    -          hung: to_list\n"
        "no change of these made a difference: $.id, $.self, $.expand"
    )


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([], ""),
        (
            [("$.a", "remove", "held")],
            "the code needs 0 of 1 field (1 change tried)\nno change of these made a difference: $.a",
        ),
        (
            [("$.a", "remove", "crashed")],
            "the code needs 1 of 1 field (1 change tried)\n"
            "needed  lost       what came of each change\n"
            "$.a     crashed    crashed: remove",
        ),
    ],
    ids=["none", "none needed", "all needed"],
)
def test_a_part_that_is_empty_is_left_out(runs: list[tuple[str, str, str]], text: str) -> None:
    """No heading without lines."""
    assert table_of(runs) == text


def test_the_same_change_in_several_tests_counts_with_all_it_came_to() -> None:
    """One test notices, another does not: the field is needed, and its loss can go unnoticed."""
    (row,) = rows_of([("$.a", "remove", "surfaced"), ("$.a", "remove", "unnoticed"), ("$.a", "remove", "surfaced")])
    assert row == Row("$.a", True, "unnoticed", (("unnoticed", ("remove",)), ("surfaced", ("remove",))))


def test_the_order_of_the_runs_does_not_matter() -> None:
    """Workers report as they finish."""
    shuffled = [*RUNS]
    for seed in range(5):
        Random(seed).shuffle(shuffled)
        assert table_of(shuffled) == table_of(RUNS)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_too_wide(width: int) -> None:
    """Long paths keep both ends, and long lists go on below."""
    operations = [f"operation_{n}" for n in range(12)]
    path = "$.data.issues.nodes[*].assignee.organization.settings.language"
    runs = [(path, operation, "crashed") for operation in operations] + [
        (f"{path}.{n}", "null", "held") for n in range(9)
    ]
    text = table_of(runs, width)
    assert max(map(len, text.splitlines())) <= width
    assert ("$.data.issue...ization.settings.language" in text) == (width == 100)
    assert all(f"language.{n}" in text for n in range(9))
    assert all(operation in text for operation in operations)


def test_every_outcome_has_its_place() -> None:
    """A word that the verdict knows is never sorted as unknown."""
    rows = rows_of([(word.value, "remove", word.value) for word in Outcome])
    assert [row.field for row in rows] == ["hung", "crashed", "surfaced", "recovered", "unnoticed", "held", "missed"]
