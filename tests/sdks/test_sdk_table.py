"""The recordings and the page that code writes are what the code says, and every shipped scenario has its case."""

from __future__ import annotations

import re

import pytest
import test_any
import test_graphql
import test_limits
import test_sessions
import test_stream_errors
from _cassettes import CASSETTES, FOLDER, path_of, text_of
from _table import PAGE, SDKS, page

from pytest_agentfault.scenario import Library
from pytest_agentfault.upstreams._recording import load


@pytest.mark.parametrize("name", CASSETTES)
def test_each_recording_is_what_the_code_says(name: str) -> None:
    """No recording was changed by hand, and each of them loads."""
    assert path_of(name).read_text(encoding="utf-8") == text_of(name)
    assert len(load(path_of(name)).interactions) == len(CASSETTES[name][1])


def test_there_are_no_other_recordings() -> None:
    """A recording that is no longer made is gone."""
    assert {path.stem for path in FOLDER.iterdir()} == set(CASSETTES)


def test_every_scenario_meets_a_real_sdk() -> None:
    """Each scenario of a vendor stands in a case of its SDK or in the `MET` of one of four files; those for any host
    meet a client in test_any_pack.py and test_web_pack.py.
    """
    met = {case.scenario for cases, _ in SDKS.values() for case in cases} | {
        *test_limits.MET,
        *test_sessions.MET,
        *test_graphql.MET,
        *test_stream_errors.MET,
    }
    assert met >= set(Library().select("*")) - {*Library().select("any/*"), *Library().select("web/*")}
    assert {case.scenario for case in test_any.CASES} <= set(Library().select("any/*"))


def test_no_two_cases_are_one() -> None:
    """A case is told from another by the scenario, the words and the client."""
    names = [case.name for cases in [*(c for c, _ in SDKS.values()), test_any.CASES] for case in cases]
    assert len(names) == len(set(names))


def test_the_page_is_printed_from_the_cases() -> None:
    """`python tests/sdks/_table.py` prints docs/sdks.md; only the versions may differ."""
    assert unversioned(PAGE.read_text(encoding="utf-8")) == unversioned(page())


def unversioned(text: str) -> str:
    """The page without the versions it was printed with."""
    return re.sub(r"^Printed with .*$", "Printed with", text, flags=re.MULTILINE)
