"""The smallest part of a fault that a test fails under: how it is found, told, bounded, and run again."""

from __future__ import annotations

import pytest
from _project import Project
from hypothesis import given
from hypothesis import strategies as st
from test_explore import READERS

from pytest_agentfault._shrink import Parts, smallest


@given(
    st.integers(1, 200).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1), min_size=1)))
)
def test_what_must_be_there_together_is_found(drawn: tuple[int, set[int]]) -> None:
    """Exactly the parts without which nothing fails are left, however many there were."""
    size, guilty = drawn
    found = smallest(tuple(range(size)), lambda parts: guilty <= set(parts), most=10**6)
    assert set(found.parts) == guilty
    assert found.is_sure


def test_one_of_many_is_found_in_few_runs() -> None:
    """A single guilty part is looked for by halves."""
    found = smallest(tuple(range(10_000)), lambda parts: 7_777 in parts, most=60)
    assert found.parts == (7_777,)
    assert found.runs <= 28


def test_the_runs_are_bounded() -> None:
    """With the runs spent, what was found so far is given, and said to be unsure."""
    asked: list[Parts] = []

    def fails(parts: Parts) -> bool:
        asked.append(parts)
        return {3, 60} <= set(parts)

    found = smallest(tuple(range(64)), fails, most=5)
    assert len(asked) == found.runs == 5
    assert not found.is_sure
    assert {3, 60} <= set(found.parts)
    assert fails(found.parts)


BROKEN = """
    @pytest.mark.fault(SplitChunks(at=["one_byte"]), to="* *")
    def test_reads():
        text = "".join(lines_of_reads())
        assert text == "caf\\u00e9!"

    def lines_of_reads():
        with opened() as response:
            for piece in response.iter_bytes():
                yield piece.decode()  # a character in two pieces ends it

    def reply(request):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"caf\\xc3\\xa9!")
"""


def test_a_failure_tells_its_smallest_plan(project: Project) -> None:
    """Of seven cuts, the one inside the character: counted, pictured, with the line of the test, and how to run it."""
    done = project.run(BROKEN, above=READERS)
    assert done.parseoutcomes() == {"failed": 1}
    done.stdout.fnmatch_lines(
        [
            "*agentfault: the smallest plan*",
            "1 of 5 parts of SplitChunks are enough (* reruns)",
            "the test fails at *test_agent.py:*",
            "*caf\\xc3|\\xa9!*",
            "reproduce it: pytest --fault-replay 'test_agent.py::test_reads@4'",
            "*under faults: 1 crashed*",
        ]
    )


def test_a_smallest_plan_can_be_run_again(project: Project) -> None:
    """Only its test runs, under that cut alone; a cut that is harmless passes."""
    other = "\n    def test_other():\n        pass\n"
    project.run(BROKEN + other, above=READERS)
    again = project.pytest("-v", "--fault-replay", "test_agent.py::test_reads@4")
    assert again.parseoutcomes() == {"failed": 1, "deselected": 1}
    again.stdout.fnmatch_lines(["*UnicodeDecodeError*"])
    again.stdout.no_fnmatch_line("*the smallest plan*")
    held = project.pytest("-v", "--fault-replay", "test_agent.py::test_reads@2,3")
    assert held.parseoutcomes() == {"passed": 1, "deselected": 1}
    held.stdout.fnmatch_lines(["*under faults: 1 held*"])


def test_a_cut_of_the_framing_can_be_run_again(project: Project) -> None:
    """A part that is no offset in the body has a word before its number."""
    project.run(
        """
        @pytest.mark.fault(SplitChunks(at=["inside_framing"], wire="segments"), to="* *")
        def test_it(faults):
            with opened() as response:
                response.read()
            assert len(faults.log[0].script.steps) == 3
        """,
        above=READERS,
    )
    again = project.pytest("--fault-replay", "test_agent.py::test_it@sent:17")
    assert again.parseoutcomes() == {"passed": 1}


def test_a_failure_that_is_not_the_fault_s_is_said_to_be_none(project: Project) -> None:
    """A test that fails without the fault too is told so, after one silent run."""
    done = project.run(
        """
        runs = []

        @pytest.mark.fault(SplitChunks(at=["one_byte"]), to="* *")
        def test_it():
            runs.append(1)
            list(lines())
            assert len(runs) > 2

        def test_count():
            assert len(runs) == 2
        """,
        above=READERS,
    )
    assert done.parseoutcomes() == {"failed": 1, "passed": 1}
    done.stdout.fnmatch_lines(["the test fails in the same way without this fault"])


def test_a_failure_that_does_not_come_again_is_said_so(project: Project) -> None:
    """A flaky test is not shrunk to something that is not true."""
    done = project.run(
        """
        runs = []

        @pytest.mark.fault(SplitChunks(at=["one_byte"]), to="* *")
        def test_it():
            runs.append(1)
            list(lines())
            assert len(runs) > 1
        """,
        above=READERS,
    )
    done.stdout.fnmatch_lines(["it did not fail again with the * parts of the reply that was struck first"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--fault-shrink=0", []),
        (
            "--fault-shrink=1",
            ["* are enough (3 reruns; stopped after 1, --fault-shrink allows more)"],
        ),
    ],
)
def test_how_far_to_go_can_be_told(project: Project, option: str, said: list[str]) -> None:
    """Not at all, or only so far; what is then known is told as that."""
    done = project.run(BROKEN, option, above=READERS)
    assert done.parseoutcomes() == {"failed": 1}
    done.stdout.fnmatch_lines(said)
    if not said:
        done.stdout.no_fnmatch_line("*the smallest plan*")


def test_fewer_than_none_is_an_error(project: Project) -> None:
    """With what to give instead."""
    done = project.run(BROKEN, "--fault-shrink=-1", above=READERS)
    done.stderr.fnmatch_lines(["ERROR: --fault-shrink: -1 reruns", "  to do: give 0 (none) or more"])


def test_a_debugger_opens_once(project: Project) -> None:
    """With --pdb a failure is looked at by hand, and not run again."""
    debugger = """
    class Closed:
        opened = []

        def reset(self):
            pass

        def interaction(self, *_):
            self.opened.append(1)
            assert len(self.opened) == 1

        quitting = False
    """
    done = project.run(debugger + BROKEN, "--pdb", "--pdbcls=test_agent:Closed", above=READERS, apart=True)
    done.stdout.no_fnmatch_line("*the smallest plan*")
    assert done.parseoutcomes() == {"failed": 1}


def test_what_is_expected_to_fail_is_left_alone(project: Project) -> None:
    """An xfail is no failure; nothing is run again for it."""
    done = project.run(
        BROKEN.replace("    @pytest", "    runs = []\n\n    @pytest.mark.xfail(strict=True)\n    @pytest", 1).replace(
            "        text =", "        runs.append(1)\n        text =", 1
        )
        + "\n    def test_count():\n        assert len(runs) == 1\n",
        above=READERS,
    )
    assert done.parseoutcomes() == {"xfailed": 1, "passed": 1}


def test_a_verdict_is_shrunk_like_an_error(project: Project) -> None:
    """`raises=` that did not come is a failure too, and is the same one only with the same words."""
    done = project.run(
        """
        @pytest.mark.fault(SplitChunks(at=["one_byte"]), to="* *", raises=ZeroDivisionError)
        def test_it():
            list(lines())
        """,
        above=READERS,
    )
    assert done.parseoutcomes() == {"failed": 1}
    done.stdout.fnmatch_lines(["1 of * parts of SplitChunks are enough*"])
