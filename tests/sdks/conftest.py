"""Every case of a table is held to it once its test is over: only then is the outcome known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _cases import Case, as_the_table_says


@pytest.fixture(autouse=True)
def _as_the_table_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """The verdict on a case: its calls, its waits, its outcome."""
    case = getattr(request.node, "callspec", None) and request.node.callspec.params.get("case")
    if not isinstance(case, Case):
        yield
        return
    faults = request.getfixturevalue("faults")
    yield
    as_the_table_says(case, faults)
