"""A run per place: what a fault that explores makes of one test, and how its runs are told, chosen and ended."""

from __future__ import annotations

import pytest
from _loopback import Loopback, loopback
from _project import Project
from _readers_of_streams import READERS


def globbed(text: str) -> str:
    """A text as a pattern that is only itself."""
    return text.replace("[", "[[]")


def test_each_place_is_a_run_of_its_own(project: Project) -> None:
    """The test as it is keeps its id; each run names its place; the careful reader holds in all of them."""
    done = project.run(
        """
        @pytest.mark.fault(SplitChunks(at="every-boundary"), to="* *")
        def test_lines():
            assert "".join(lines()) == "caf\\u00e9!"
        """,
        above=READERS,
    )
    outcomes = done.parseoutcomes()
    assert "failed" not in outcomes
    assert outcomes["passed"] > 8
    done.stdout.fnmatch_lines(
        ["test_agent.py::test_lines PASSED*", "test_agent.py::test_lines[[]inside_utf8@20] PASSED*"]
    )
    done.stdout.fnmatch_lines([f"*under faults: {outcomes['passed'] - 1} held*"])


def test_the_places_that_break_a_reader_are_named(project: Project) -> None:
    """A reader that takes each read for a whole event fails in some of them, and only there."""
    done = project.run(
        """
        @pytest.mark.fault("any/chunk-split", at="every-byte")
        def test_reads():
            assert "".join(reads()) == "caf\\u00e9!"
        """,
        above=READERS,
    )
    outcomes = done.parseoutcomes()
    assert outcomes["failed"] > 30
    assert outcomes["passed"] >= 2  # as it is, and cut between its events
    done.stdout.fnmatch_lines(["FAILED test_agent.py::test_reads[[]*19] - *"])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_kinds_of_tests(project: Project, workers: str) -> None:
    """Functions and methods, with parameters and without, of unittest, and on asyncio; also on workers of xdist."""
    project.ini("asyncio_mode = auto", "asyncio_default_fixture_loop_scope = function")
    done = project.run(
        """
        import unittest

        cut = pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        STREAM = b"data: 1\\n\\n"

        @cut
        @pytest.mark.parametrize("number", [1, 2])
        def test_function(number):
            assert "".join(map(str, numbers()))

        def numbers():
            with opened() as response:
                response.read()
                yield from response.text.split()

        class TestClass:
            @cut
            def test_method(self):
                assert not hasattr(self, "touched")
                self.touched = True
                assert list(numbers()) == ["data:", "1"]

        class Case(unittest.TestCase):
            @cut
            def test_case(self):
                self.assertEqual(list(numbers()), ["data:", "1"])

        @cut
        async def test_coroutine():
            async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as client:
                assert (await client.get("https://api.example/stream")).text.split() == ["data:", "1"]
        """,
        *("-p", "xdist", "-n", workers, "-p", "pytest_asyncio.plugin"),
        above=READERS,
        apart=True,
    )
    runs = 1 + 8  # as it is, and a cut after each byte but the last
    assert done.parseoutcomes()["passed"] == 5 * runs
    done.stdout.fnmatch_lines_random(
        [
            "*test_agent.py::test_function[[]2-*5]*",
            "*test_agent.py::TestClass::test_method[[]*5]*",
            "*test_agent.py::Case::test_case[[]*5]*",
            "*test_agent.py::test_coroutine[[]*5]*",
        ]
    )


def test_each_exchange_has_its_places(project: Project) -> None:
    """Two different replies are both explored; the same question with the same reply is explored once."""
    done = project.run(
        """
        def reply(request):
            return httpx.Response(200, text=request.url.params["q"])

        @pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        def test_three_calls():
            with httpx.Client(transport=httpx.MockTransport(reply)) as client:
                for q in ("abc", "xyz", "abc"):
                    assert client.get("https://api.example/echo", params={"q": q}).text == q
        """,
        above=READERS,
    )
    assert done.parseoutcomes() == {"passed": 5}
    done.stdout.fnmatch_lines(
        ["*::test_three_calls[[]*1] PASSED*", "*::test_three_calls[[]*2] PASSED*", "*@2:GET /echo] PASSED*"]
    )


def test_fixtures_are_fresh_and_wider_ones_are_kept(project: Project) -> None:
    """A function's fixture is made anew for each run; a module's is made once, and ends after the last run."""
    done = project.run(
        """
        made = []

        @pytest.fixture(scope="module")
        def wide():
            made.append("wide")
            yield
            made.append("end")

        @pytest.fixture
        def narrow(wide):
            made.append("narrow")

        @pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        def test_it(narrow):
            with opened() as response:
                response.read()
            assert made.count("wide") == 1 and "end" not in made
            assert made.count("narrow") == len(made) - 1

        def test_after(wide):
            assert made.count("wide") == 1 and made.count("narrow") == len(STREAM)
        """,
        above=READERS,
    )
    assert "failed" not in done.parseoutcomes()


def test_a_run_that_fails_as_it_is_explores_nothing(project: Project) -> None:
    """Its failure is its own: no word of faults, and no further run."""
    done = project.run(
        """
        @pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        def test_wrong():
            with opened() as response:
                assert response.read() == b"something else"
        """,
        above=READERS,
    )
    assert done.parseoutcomes() == {"failed": 1}
    done.stdout.no_fnmatch_line("*never struck*")
    done.stdout.no_fnmatch_line("*under faults*")


def test_nothing_to_explore_is_a_failure(project: Project) -> None:
    """Where no reply has a place, the test says why; where no request came, too."""
    done = project.run(
        """
        def reply(request):
            return httpx.Response(204)

        @pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        def test_empty():
            opened().__enter__()

        @pytest.mark.fault(SplitChunks(at="every-byte"), to="GET https://other.example/*")
        def test_elsewhere():
            with opened() as response:
                response.read()
        """,
        above=READERS,
    )
    assert done.parseoutcomes() == {"failed": 2}
    done.stdout.fnmatch_lines_random(
        [
            "*SplitChunks never struck",
            "*1 matching requests; in 1 replies the fault found nothing to change*",
            "*https://other.example*",
        ]
    )


def test_one_place_can_be_run_again(project: Project) -> None:
    """--fault-replay runs the test as it is and that one place; nothing else of the file."""
    test = """
        @pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        def test_reads():
            assert "".join(reads()) == "caf\\u00e9!"

        def test_other():
            pass
    """
    first = project.run(test, above=READERS)
    place = next(line.split()[1] for line in first.outlines if line.startswith("FAILED"))
    again = project.pytest("--fault-replay", place)
    assert again.parseoutcomes() == {"failed": 1, "passed": 1, "deselected": 1}
    again.stdout.fnmatch_lines([f"FAILED {globbed(place)} - *"])
    nowhere = project.pytest("--fault-replay", place.replace("]", "999]"))
    assert nowhere.parseoutcomes() == {"passed": 1, "deselected": 1}
    nowhere.stdout.fnmatch_lines(
        [f"*--fault-replay: there is no place *999]; did you mean*{place.replace('[', '[[]')}*"]
    )
    assert nowhere.ret != 0
    wrong = project.pytest("--fault-replay", "test_agent.py::test_raeds[x]")
    wrong.stderr.fnmatch_lines(
        [
            "ERROR: --fault-replay: no such test is here",
            "  there is: test_agent.py::test_raeds*",
            "  to do: did you mean*",
        ]
    )


def test_the_session_stops_where_it_is_told_to(project: Project) -> None:
    """With -x the first place that fails is the last one that is run; what is wider ends all the same."""
    done = project.run(
        """
        @pytest.fixture(scope="module")
        def wide():
            yield
            print("the wide one has ended")

        @pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")
        def test_reads(wide):
            assert "".join(reads()) == "caf\\u00e9!"
        """,
        "-x",
        "-s",
        above=READERS,
    )
    assert done.parseoutcomes() == {"passed": 1, "failed": 1}
    done.stdout.fnmatch_lines(["*the wide one has ended*"])


def test_a_recording_is_that_of_the_test(project: Project) -> None:
    """Every place plays the recording that is named after the test itself."""
    with loopback() as server:
        _record_and_explore(project, server)


def _record_and_explore(project: Project, server: Loopback) -> None:
    test = f"""
        @pytest.mark.vcr
        MARK
        @pytest.mark.parametrize("kind", ["a"])
        def test_items(kind):
            assert httpx.get("{server.url}/items").json()["items"] == [1, 2, 3]
    """
    recorded = project.run(
        test.replace("MARK", ""), "-p", "pytest_recording.plugin", "--record-mode=once", above=READERS, apart=True
    )
    assert recorded.parseoutcomes()["passed"] == 1
    asked = len(server.asked)
    mark = '@pytest.mark.fault(SplitChunks(at="every-byte"), to="* *")'
    done = project.run(
        test.replace("MARK", mark), "-p", "pytest_recording.plugin", "--record-mode=none", above=READERS, apart=True
    )
    assert done.parseoutcomes()["passed"] == 32
    assert len(server.asked) == asked
