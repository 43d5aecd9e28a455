"""A callable named in a mark or to the fixture, as a user's suite sees it."""

from __future__ import annotations

import pytest
from _project import Project


@pytest.fixture
def toolshed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a tool in it."""
    monkeypatch.syspath_prepend(project.path)
    project.write("toolshed.py", "def search(query):\n    return {'found': [query]}\n")
    return project


def test_a_marker_and_the_fixture_name_a_callable(toolshed: Project) -> None:
    """Scenarios and fault objects, from the start of the test or in the middle of it."""
    result = toolshed.run(
        """
        import pytest
        import toolshed
        from pytest_agentfault import ToolError
        from pytest_agentfault.faults.status import Status

        @pytest.mark.fault("any/server-error", to="CALL toolshed:search", times=1, raises=ToolError)
        def test_marked():
            toolshed.search("a")

        @pytest.mark.fault("any/slow", to="CALL toolshed:search")
        def test_slow():
            assert toolshed.search("a") == {"found": ["a"]}

        def test_added(faults):
            assert toolshed.search("a") == {"found": ["a"]}
            faults.add(Status(code=500), to="CALL toolshed:search", times=1)
            with pytest.raises(ToolError):
                toolshed.search("a")
            assert toolshed.search("a") == {"found": ["a"]}

        def test_after():
            assert not hasattr(toolshed.search, "__wrapped__")
        """,
        above="",
    )
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines_random(
        ["surfaced *::test_marked *(1 of 1 calls)", "held *::test_slow *", "recovered *::test_added *(1 of 2 calls)"]
    )


def test_a_wrong_name_is_an_error_of_the_mark(toolshed: Project) -> None:
    """At collection, with file and line, and the nearest name."""
    result = toolshed.run(
        """
        import pytest

        @pytest.mark.fault("any/server-error", to="CALL toolshed:serch")
        def test_marked():
            pass
        """,
        above="",
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: test_agent.py:3: test_marked: @pytest.mark.fault: toolshed has no serch",
            "  there is: to='CALL toolshed:serch'",
            "  to do: did you mean 'search'? known: search",
        ]
    )


def test_a_library_on_libcurl_is_warned_of(toolshed: Project) -> None:
    """It opens its sockets itself; a test that uses the server is not warned."""
    toolshed.write("pycurl.py", "")
    result = toolshed.run(
        """
        import pycurl
        import pytest
        import toolshed
        from pytest_agentfault import UnreachableWarning

        @pytest.mark.fault("any/slow", to="CALL toolshed:search")
        @pytest.mark.filterwarnings("default::pytest_agentfault.UnreachableWarning")
        def test_warned():
            toolshed.search("a")

        @pytest.mark.fault("any/slow", to="CALL toolshed:search")
        def test_through_the_server(fault_server):
            toolshed.search("a")
        """,
        above="",
    )
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*UnreachableWarning: requests through pycurl are not struck",
            "*there is: libcurl opens its sockets itself, where no door of this process reaches",
            "*to do: send them through the fixture `fault_server` (its proxy_url, or url), "
            "or ignore UnreachableWarning where this test does not use it",
        ]
    )
