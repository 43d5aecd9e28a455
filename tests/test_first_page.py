"""`any/first-page-again` and `any/page-cursor-loops` over a recording: what a client of pages makes of them."""

from __future__ import annotations

import json

import pytest
import yaml
from _project import Project

# Two clients: one adds up what it is given, the other looks whether it has it already.
READERS = """
import httpx
import pytest

URL = "https://api.shop.example/orders"

def ask(cursor):
    return httpx.get(URL, params={"cursor": cursor} if cursor else {}, timeout=10).json()

def all_orders():
    orders, cursor = [], None
    while True:
        page = ask(cursor)
        orders += page["orders"]
        cursor = page["next_cursor"]
        if not cursor:
            return orders

class Repeated(Exception):
    pass

def each_order_once():
    orders, cursor, seen = [], None, set()
    while True:
        page = ask(cursor)
        if seen & set(page["orders"]) or page["next_cursor"] in seen:
            raise Repeated(page["orders"])
        seen |= {*page["orders"], cursor, page["next_cursor"]}
        orders += page["orders"]
        cursor = page["next_cursor"]
        if not cursor:
            return orders
"""


@pytest.fixture
def pages(project: Project) -> Project:
    """A project with the recording of three pages, each said once."""
    said = [("", [1, 2], "b2"), ("?cursor=b2", [3, 4], "c3"), ("?cursor=c3", [5], None)]
    kept = [
        {
            "request": {"method": "GET", "uri": f"https://api.shop.example/orders{query}", "headers": {}, "body": None},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"]},
                "body": {"string": json.dumps({"orders": orders, "next_cursor": cursor})},
            },
        }
        for query, orders, cursor in said
    ]
    (project.path / "tape.yaml").write_text(yaml.dump({"version": 1, "interactions": kept}))
    return project


CASES = {
    "the first page comes for the second, and is added up": (
        """
        @pytest.mark.fault("any/first-page-again", cassette="tape.yaml")
        def test_it(faults):
            assert all_orders() == [1, 2, 1, 2, 3, 4, 5]
            assert [x.asked is not None for x in faults.log] == [False, True, False, False]
        """,
        "recovered",  # the second page was asked for again, and came: only the numbers are wrong
    ),
    "the first page comes for the third": (
        """
        @pytest.mark.fault("any/first-page-again", after=2, cassette="tape.yaml")
        def test_it(): assert all_orders() == [1, 2, 3, 4, 1, 2, 3, 4, 5]
        """,
        "crashed",  # the recording says the second page once only
    ),
    "a client that looks says so": (
        """
        @pytest.mark.fault("any/first-page-again", cassette="tape.yaml", raises=Repeated)
        def test_it(): each_order_once()
        """,
        "surfaced",
    ),
    "a cursor that loops is followed for ever": (
        """
        @pytest.mark.fault("any/page-cursor-loops", cassette="tape.yaml")
        def test_it(): all_orders()
        """,
        "hung",
    ),
    "a cursor that loops is seen by a client that looks": (
        """
        @pytest.mark.fault("any/page-cursor-loops", cassette="tape.yaml", raises=Repeated)
        def test_it(): each_order_once()
        """,
        "surfaced",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_a_client_of_pages(pages: Project, case: str) -> None:
    """The vendor's own first page comes from the recording once more; nothing of it is made up."""
    test, outcome = CASES[case]
    result = pages.run(test, above=READERS)
    assert f"1 {outcome}" in result.stdout.str(), result.stdout.str()
