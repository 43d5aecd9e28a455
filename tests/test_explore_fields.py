"""A run per field: the runs of `every-field`, and the table in which they end."""

from __future__ import annotations

import pytest
from _project import Project
from _readers_of_streams import READERS


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "workers"])
def test_every_field_ends_in_a_table(project: Project, workers: tuple[str, ...]) -> None:
    """One run per field and operation; the table says which fields the code needs, and what their loss came to."""
    done = project.run(
        """
        from pytest_agentfault.faults.drift import Drift

        class Incomplete(Exception):
            pass

        def reply(request):
            return httpx.Response(200, json={"key": "PROJ-1", "fields": {"summary": "Login fails", "votes": 3}})

        @pytest.mark.fault(Drift(field="every-field", operation="remove"), to="* *", raises=Incomplete)
        def test_summary():
            with httpx.Client(transport=httpx.MockTransport(reply)) as client:
                issue = client.get("https://api.example/issue").json()
            if "key" not in issue:
                raise Incomplete
            assert issue["fields"]["summary"] == "Login fails"
        """,
        *workers,
        above=READERS,
        apart=bool(workers),
    )
    assert done.parseoutcomes() == {"passed": 3, "failed": 2}
    done.stdout.fnmatch_lines(
        [
            "*under faults: 1 surfaced, 1 unnoticed, 2 crashed*",
            "*field sensitivity of test_agent.py::test_summary*",
            "the code needs 3 of 4 fields (4 changes tried)",
            "needed * lost * what came of each change",
            "$.fields * crashed *crashed: remove",
            "$.fields.summary * crashed *crashed: remove",
            "$.key * surfaced *surfaced: remove",
            "no change of these made a difference: $.fields.votes",
        ]
    )


def test_the_link_to_the_next_page_is_a_place_of_every_field(project: Project) -> None:
    """A reader of pages that ends too early, or reads one twice, needs the link; the table calls it by its name."""
    done = project.run(
        """
        def reply(request):
            page = int(request.url.params.get("page", 1))
            link = {"link": f'<https://api.example/items?page={page + 1}>; rel="next"'} if page < 3 else {}
            return httpx.Response(200, json=[page], headers=link)

        @pytest.mark.fault("any/schema-drift", drift="every-field", times=None)
        def test_pages():
            url, read = "https://api.example/items", []
            with httpx.Client(transport=httpx.MockTransport(reply)) as client:
                while url:
                    page = client.get(url)
                    read += page.json()
                    url = page.links.get("next", {}).get("url")
            assert read == [1, 2, 3]
        """,
        above=READERS,
    )
    done.stdout.fnmatch_lines_random(
        [
            "FAILED test_agent.py::test_pages[[]remove:Link rel=next] - *",
            "FAILED test_agent.py::test_pages[[]loop_cursor:Link rel=next] - *",
            "FAILED test_agent.py::test_pages[[]remove:Link rel=next@2:GET /items] - *",
            "Link rel=next  *crashed * crashed: loop_cursor, new_cursor, remove",
        ]
    )
    done.stdout.no_fnmatch_line("*Link rel=next@3*")
