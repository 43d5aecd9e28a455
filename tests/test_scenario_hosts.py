"""A scenario of several rules, held against other requests by `to=`: which hosts its rules then strike."""

from __future__ import annotations

from pathlib import Path

import pytest
from _scenarios import library

FIXED = """
title = "t"
source = "s"
confidence = "reported"
[[rule]]
to = "POST https://a.test/v1/*"
faults = [{ status = { code = 429 } }]
[[rule]]
to = "{second}"
faults = [{ status = { code = 503 } }]
"""

# the second rule, what `to=` says -> what each rule is then for, and within what
AIMED = {
    "another host": (
        "GET https://b.test/*",
        "* https://mine.test/v1/*",
        ["POST https://mine.test/v1/*", "GET https://mine.test/*"],
    ),
    "any host": ("GET https://b.test/*", "* *://*/v1/*", ["POST https://a.test/v1/*", "GET https://b.test/*"]),
    "no host at all": ("GET https://b.test/*", "POST *", ["POST https://a.test/v1/*", "GET https://b.test/*"]),
    "a rule for any host": (
        "GET https://*/v2/*",
        "* https://mine.test/*",
        ["POST https://a.test/v1/*", "GET https://*/v2/*"],
    ),
    "a rule that names no host": ("GET *", "* https://mine.test/*", ["POST https://mine.test/v1/*", "GET *"]),
}


@pytest.mark.parametrize("case", AIMED)
def test_rules_move_to_the_host_that_is_named(tmp_path: Path, case: str) -> None:
    """Only to a host, and only where none of them is for any host already; each strikes within `to=` alone."""
    second, to, expected = AIMED[case]
    rules = library(tmp_path, FIXED.replace("{second}", second)).get("a/b").aimed(to)
    assert [rule.to for rule in rules] == expected
    assert {rule.within for rule in rules} == {to}
