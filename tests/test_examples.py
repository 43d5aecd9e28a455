"""The example projects run as their readers would run them, and show what they promise to show."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PROJECTS = sorted(ini.parent.name for ini in EXAMPLES.glob("*/pytest.ini"))

# The seven failure modes, each by a scenario that the triage agent's suite must be struck by.
MODES = {
    "429": "openai/rate-limit",
    "expired session": "jira/expired-session",
    "schema drift": "any/schema-drift",
    "malformed JSON": "openai/malformed-tool-arguments",
    "Jira's error formats": "jira/validation-error",
    "invalid GraphQL": "linear/invalid-query",
    "chunk-split streams": "openai/stream-chunk-split",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What became of every test of every project under its faults: `outcome: scenario (struck of calls)`."""
    found: dict[str, list[str]] = {}
    for project in PROJECTS:
        report = tmp_path_factory.mktemp(project) / "report.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"],
            cwd=EXAMPLES / project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{project}:\n{done.stdout}\n{done.stderr}"
        properties = ElementTree.parse(report).iter("property")
        found[project] = [p.get("value", "") for p in properties if p.get("name") == "pytest_agentfault"]
    return found


@pytest.mark.parametrize(
    "project",
    [
        "booking_agent",
        "custom_scenario",
        "hand_rolled_sse",
        "page_reader",
        "refund_chain",
        "triage_agent",
        "two_providers",
    ],
)
def test_each_project_passes_under_its_faults(outcomes: dict[str, list[str]], project: str) -> None:
    """Every suite is green, and every project has tests under faults."""
    assert project in PROJECTS
    assert outcomes[project], "no test of this project was under a fault"


@pytest.mark.parametrize("mode", MODES)
def test_the_main_job_meets_every_failure_mode(outcomes: dict[str, list[str]], mode: str) -> None:
    """The triage agent is really struck by each of the seven failure modes."""
    struck = [o for o in outcomes["triage_agent"] if MODES[mode] in o and "(0 of" not in o]
    assert struck, outcomes["triage_agent"]


def test_the_broken_parser_is_found(outcomes: dict[str, list[str]]) -> None:
    """`any/chunk-split` breaks the parser that takes a read for an event, and not the fixed one."""
    words = sorted(o.partition(":")[0] for o in outcomes["hand_rolled_sse"] if "any/chunk-split" in o)
    assert words == ["crashed", "held"]


def test_a_wall_taken_for_an_empty_page_is_unnoticed(outcomes: dict[str, list[str]]) -> None:
    """The naive reader passes in front of every wall, on nothing; the careful one never does."""
    told = outcomes["page_reader"]
    walls = [o for o in told if any(word in o for word in ("wall", "challenge", "shell"))]
    assert sorted({o.partition(":")[0] for o in walls}) == ["surfaced", "unnoticed"]
    assert len(walls) == 2 * 6 + 1
    held = [o for o in told if o.startswith("held")]
    assert {o.split()[1] for o in held} >= {f"web/{name}" for name in ("renamed-classes", "extra-column")}


def test_the_lie_is_paid_for_and_the_mended_agent_notices(outcomes: dict[str, list[str]]) -> None:
    """The careless agent pays what a lie at step three says; the careful one asks again, or does not pay."""
    words = Counter(o.partition(":")[0] for o in outcomes["booking_agent"] if re.search(": (Lie|Drift) ", o))
    assert words == {"crashed": 5, "recovered": 5, "surfaced": 5}


def test_cassettes_say_where_they_come_from() -> None:
    """Every example recording names the reference server, and holds no credential."""
    cassettes = sorted(EXAMPLES.glob("*/tests/cassettes/**/*.yaml"))
    assert cassettes
    for cassette in cassettes:
        text = cassette.read_text()
        assert "x-reference-server" in text.lower(), cassette
        assert "Bearer" not in text, cassette
        assert "authorization:" not in text.lower(), cassette
