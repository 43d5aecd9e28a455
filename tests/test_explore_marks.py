"""How a mark says that a fault explores: its settings, the fault's own name, and what is refused at collection."""

from __future__ import annotations

import pytest
from _project import Project
from _readers_of_streams import READERS


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (
            'SplitChunks(at="every-byte"), to="* *", probability=0.5',
            ["*SplitChunks: a run per place leaves nothing to chance", "  there is: probability=0.5"],
        ),
        (
            '"any/chunk-split", at="every-bite"',
            ["*split_chunks: unknown `at`", "  there is: 'every-bite'", "  to do: did you mean 'every-byte'*"],
        ),
        (
            '"any/chunk-split", att="every-byte"',
            ["*unknown keyword 'att'", "  there is: att='every-byte'", "  to do: did you mean 'at'*"],
        ),
        (
            '"any/chunk-split", split_chunks="every-bite"',
            ["*split_chunks: unknown `at`", "  there is: 'every-bite'", "  to do: did you mean 'every-byte'*"],
        ),
        (
            '"any/schema-drift", drift="every-feild"',
            [
                "*drift: unknown `field`",
                "  there is: 'every-feild'",
                "  to do: did you mean 'every-field'? known: Link rel=next, every-field; or a path*begins with $",
            ],
        ),
        (
            '"any/chunk-split", drift="every-field"',
            ["*unknown keyword 'drift'", "  there is: drift='every-field'", "  to do: *known: after, *split_chunks,*"],
        ),
        (
            '"any/schema-drift", explored_by="at"',
            ["*unknown keyword 'explored_by'", "*explored_by='at'", "  to do: *drift, every, field, for_seconds, *"],
        ),
        (
            '"any/chunk-split", split_chunk="every-byte"',
            ["*unknown keyword 'split_chunk'", "*split_chunk='every-byte'", "  to do: did you mean 'split_chunks'*"],
        ),
        (
            '"any/chunk-split", split_chunks="every-byte", at=[7]',
            [
                "*`at` and `split_chunks` give one setting of a fault twice",
                "  there is: at=[[]7], split_chunks='every-byte'",
                "  to do: drop one of them",
            ],
        ),
        (
            "Rule('* *', (SplitChunks(at='every-byte'), SplitChunks(at='every-boundary')))",
            ["*two faults of one rule ask for a run per place", "  there is: SplitChunks and SplitChunks"],
        ),
    ],
    ids=[
        "chance",
        "value",
        "word",
        "value by name",
        "path by name",
        "another fault",
        "no setting",
        "name",
        "twice",
        "two",
    ],
)
def test_what_cannot_be_explored_is_an_error_at_collection(project: Project, mark: str, said: list[str]) -> None:
    """With the test, its line, and the nearest valid word."""
    done = project.run(
        f"""
        from pytest_agentfault import Rule

        @pytest.mark.fault({mark})
        def test_it():
            pass
        """,
        above=READERS,
    )
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(said)


def test_a_setting_of_a_scenario_s_fault_can_be_given(project: Project) -> None:
    """It takes the place of the scenario's own, in `faults.add` as in a mark."""
    done = project.run(
        """
        def test_it(faults):
            faults.add("any/chunk-split", at=[7])
            with opened() as response:
                assert b"".join(response.iter_bytes()) == STREAM
            [exchange] = faults.log
            assert exchange.struck[0].fault.at == [7]
        """,
        above=READERS,
    )
    assert done.parseoutcomes() == {"passed": 1}


@pytest.mark.parametrize(
    ("mark", "place"),
    [
        ('"any/schema-drift", drift="every-field"', "[[]null:$.text]"),
        ('"any/schema-drift", drift="$.text", operation="every"', "[[]wrap:$.text]"),
        ('"any/chunk-split", split_chunks="every-byte"', "[[]*19]"),
    ],
    ids=["drift", "operations", "split_chunks"],
)
def test_a_fault_s_name_stands_for_what_it_explores_by(project: Project, mark: str, place: str) -> None:
    """The name of a scenario's fault as a keyword: `drift` for its field, `split_chunks` for where it cuts."""
    done = project.run(
        f"""
        @pytest.mark.fault({mark})
        def test_it():
            with opened() as response:
                response.read()
        """,
        above=READERS,
    )
    assert done.parseoutcomes().keys() == {"passed"}
    done.stdout.fnmatch_lines([f"test_agent.py::test_it{place} PASSED*"])
