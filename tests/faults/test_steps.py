"""The plain JSONPaths that are walked without a library: they lead where jsonpath-ng says they lead."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from _said import JSON_VALUES
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpath_ng.ext import parse

from pytest_agentfault.faults._paths import _keys, found, places
from pytest_agentfault.faults._steps import containers, path_of, steps_of, walked

VALUE = {
    "a": {"b": 1, "x y": [{"b": 2}, {"b": {"b": 3}}, "b"]},
    "b": [[1, 2], [], {"a": None}],
    "it's": {"back\\slash": 0},
    "c": "text",
}
PATHS = [
    "$",
    "$.a",
    "$.a.b",
    "$.a.'x y'",
    '$.a."x y"[1]',
    "$['a']['b']",
    '$["a"].b',
    "$.b[0][1]",
    "$.b[9]",
    "$.b[*]",
    "$.b[*][*]",
    "$.b[*].a",
    "$.a[*]",
    "$.c[*]",
    "$.c[0]",
    "$.a[0]",
    "$.*",
    "$.*.*",
    "$..b",
    "$..b.b",
    "$..b..b",
    "$..*",
    "$..'x y'[*].b",
    "$.nonesuch",
    "$.a.b.c",
]
NOT_PLAIN = [
    "a.b",
    "$.a[-1]",
    "$.b[0:1]",
    "$.b[?(@.a)]",
    "$.a.`len`",
    "$.a|$.b",
    "$.a-b",
    "$a",
    "$..",
    "$..[*]",
    "$.a b",
]
NAMES = st.text(max_size=6) | st.sampled_from(["a", "b", "a_b"])
NAMED = st.recursive(
    st.none() | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


def by_library(path: str, value: Any) -> set[Any]:
    """Where jsonpath-ng leads."""
    return {_keys(match) for match in parse(path).find(value)}


@pytest.mark.parametrize("path", PATHS)
def test_a_plain_path_leads_where_the_library_says(path: str) -> None:
    """Each place once, outer ones before inner ones."""
    steps = steps_of(path)
    assert steps is not None
    led = walked(steps, VALUE)
    assert set(led) == by_library(path, VALUE)
    assert len(set(led)) == len(led)
    assert not any(led[n][: len(later)] == later for n in range(len(led)) for later in led[n + 1 :])


@pytest.mark.parametrize("path", NOT_PLAIN)
def test_another_path_is_left_to_the_library(path: str) -> None:
    """Filters, slices, and what may be no path at all."""
    assert steps_of(path) is None


@pytest.mark.parametrize("path", ["$.a", "$..a", "$..*", "$.*.b", "$.a[*].b", "$[0].a", "$[*]", "$..a.b"])
@settings(deadline=None, max_examples=60)
@given(value=NAMED)
def test_any_value_is_walked_like_the_library_walks_it(path: str, value: Any) -> None:
    """Whatever is in it."""
    steps = steps_of(path)
    assert steps is not None
    assert set(walked(steps, value)) == by_library(path, value)


@settings(deadline=None, max_examples=200)
@given(value=NAMED)
def test_the_path_of_a_place_leads_back_to_it(value: Any) -> None:
    """Whatever the names are: quotes, backslashes, line ends, nothing; the items of a list are one."""
    for at, holder in containers(value):
        for key in holder if isinstance(holder, dict) else ():
            path = path_of((*at, key))
            assert steps_of(path) is not None, path
            assert (*at, key) in places(path, value)


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ((), "$"),
        (("a", 0, "b_1"), "$.a[*].b_1"),
        ((0, 1), "$[*][*]"),
        (("x y", "it's", "\\"), "$['x y']['it\\'s']['\\\\']"),
        (("", "a-b"), "$['']['a-b']"),
    ],
)
def test_a_path_is_written_shortly(place: Any, path: str) -> None:
    """Quoted only where the name needs it."""
    assert path_of(place) == path


@settings(deadline=None, max_examples=60)
@given(value=JSON_VALUES)
def test_containers_are_all_there_and_outer_ones_first(value: Any) -> None:
    """Every object and list once; each after the one it stands in."""
    led = [place for place, _ in containers(value)]
    assert all(found(value, place) is there for place, there in containers(value))
    assert len(set(led)) == len(led)
    assert all(not place or led.index(place[:-1]) < led.index(place) for place in led)
    assert len(led) == str(_shape(value)).count("[")


def _shape(value: Any) -> Any:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else [_shape(one) for one in inner]


def test_a_plain_path_needs_no_library() -> None:
    """A fault with one is made and strikes without jsonpath-ng's import."""
    code = (
        "import sys; from pytest_agentfault.faults import Drift; from pytest_agentfault import Reply, Request\n"
        "reply = Reply.of(200, b'{\"a\": [{\"b\": 1}]}', {'Content-Type': 'application/json'})\n"
        "assert Drift('remove', '$.a[*].b').alter(Request('GET', 'https://a.test/'), reply).body == b'{\"a\":[{}]}'\n"
        "assert 'jsonpath_ng' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
