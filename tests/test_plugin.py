"""What a user of the markers, the fixture and the options sees."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

import pytest
from _loopback import Loopback, loopback

RETRYING = """
    import os
    import time

    import httpx
    import pytest

    URL = os.environ["LOOPBACK"]

    def fetch(attempts=5):
        for _ in range(attempts):
            reply = httpx.get(URL + "/items", timeout=60)
            if reply.status_code != 429:
                break
            time.sleep(float(reply.headers.get("retry-after", 1)))
        reply.raise_for_status()
        return reply.json()["items"]
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A real server on loopback, named to the inner tests by an environment variable."""
    with loopback() as running:
        monkeypatch.setenv("LOOPBACK", running.url)
        yield running


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test project of a user, strict about markers and warnings; it loads this plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(
        """
        [pytest]
        addopts = --strict-markers -p pytest_agentfault.plugin -p no:cacheprovider
        filterwarnings = error
        """
    )
    return pytester


def run(project: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    """Run one inner test file, written below the retrying client."""
    project.makepyfile(test_agent=textwrap.dedent(RETRYING) + textwrap.dedent(test))
    return project.runpytest_inprocess("-v", *options)


OUTCOMES = {
    "recovered": (
        '@pytest.mark.fault("any/rate-limit")\ndef test_it(): assert fetch() == [1, 2, 3]',
        {"passed": 1},
        "recovered  test_agent.py::test_it  any/rate-limit (2 of 3 calls)",
    ),
    "held": (
        '@pytest.mark.fault("any/chunk-split")\ndef test_it(): assert fetch() == [1, 2, 3]',
        {"passed": 1},
        "held       test_agent.py::test_it  any/chunk-split (1 of 1 calls)",
    ),
    "surfaced": (
        '@pytest.mark.fault("any/server-error", times=None, raises=httpx.HTTPStatusError)\ndef test_it(): fetch()',
        {"passed": 1},
        "surfaced   test_agent.py::test_it  any/server-error (1 of 1 calls)",
    ),
    "crashed": (
        '@pytest.mark.fault("any/html-instead", raises=httpx.HTTPStatusError)\ndef test_it(): fetch()',
        {"failed": 1},
        "crashed    test_agent.py::test_it  any/html-instead (1 of 1 calls)",
    ),
    "unnoticed": (
        '@pytest.mark.fault("any/html-instead")\ndef test_it(): httpx.get(URL)',
        {"passed": 1},
        "unnoticed  test_agent.py::test_it  any/html-instead (1 of 1 calls)",
    ),
    "hung": (
        '@pytest.mark.fault("any/rate-limit", times=None)\ndef test_it(): fetch(attempts=1000)',
        {"failed": 1},
        "hung       test_agent.py::test_it  any/rate-limit (100 of 100 calls)",
    ),
    "missed": (
        '@pytest.mark.fault("any/rate-limit")\ndef test_it(): pass',
        {"failed": 1},
        "missed     test_agent.py::test_it  any/rate-limit (0 of 0 calls)",
    ),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_word(project: pytest.Pytester, server: Loopback, outcome: str) -> None:
    """The summary says in one word what became of a test under a fault."""
    test, counts, line = OUTCOMES[outcome]
    result = run(project, test)
    result.assert_outcomes(**counts)
    result.stdout.fnmatch_lines([f"*under faults: 1 {outcome}*", line])


def test_a_retry_after_costs_no_real_time(project: pytest.Pytester, server: Loopback) -> None:
    """Twenty seconds of Retry-After pass on the clock alone, and the waits are logged."""
    result = run(
        project,
        """
        def test_it(faults):
            faults.add("any/rate-limit", times=3)
            began = time.monotonic()
            assert fetch() == [1, 2, 3]
            waited = [s.seconds for s in faults.clock.slept if s.who == "time.sleep"]
            assert len(waited) == 3
            assert time.monotonic() - began >= sum(waited)
            assert [x.reply.status for x in faults.log] == [429, 429, 429, 200]
            assert faults.outcome is None
        """,
    )
    result.assert_outcomes(passed=1)
    assert len(server.asked) == 1, "a fault that answers must not reach the server"


WRONG_MARKS = {
    "an unknown scenario": (
        '@pytest.mark.fault("any/rate-limt")',
        [
            "*test_agent.py:*: test_it: @pytest.mark.fault: unknown scenario",
            "*'any/rate-limt'",
            "*did you mean 'any/rate-limit'?*",
        ],
    ),
    "an unknown keyword": (
        '@pytest.mark.fault("any/slow", time=2)',
        ["*@pytest.mark.fault: unknown keyword 'time'", "*there is: time=2", "*did you mean 'times'?*"],
    ),
    "a wrong type": (
        '@pytest.mark.fault("any/slow", times="2")',
        ["*`times` must be a whole number", "*there is: '2'", "*to do: give 1 or more"],
    ),
    "nothing to strike with": (
        "@pytest.mark.fault()",
        ["*nothing is named that could strike", "*pytest --fault-list*"],
    ),
    "a fault without to=": (
        "@pytest.mark.fault(object())",
        ["*nothing says which requests object strikes*", '*add it: to="POST*'],
    ),
    "an object that is no fault": (
        '@pytest.mark.fault(object(), to="* *")',
        ["*this is not a fault", "*has none of the verbs"],
    ),
    "a fault's class": (
        '@pytest.mark.fault(int, to="* *")',
        ["*a fault is given as a class", "*to do: make one: int(...)"],
    ),
    "raises that is no error": (
        '@pytest.mark.fault("any/slow", raises="ValueError")',
        ["*`raises` must be an exception class", "*there is: 'ValueError'"],
    ),
    "a missing cassette": (
        '@pytest.mark.fault("any/slow", cassette="no.yaml")',
        ["*there is no cassette no.yaml", "*there is: no file *no.yaml"],
    ),
    "a cassette that is no path": (
        '@pytest.mark.fault("any/slow", cassette=3)',
        ["*`cassette` must be a path", "*there is: 3"],
    ),
    "an unknown check": (
        '@pytest.mark.fault("any/slow", checks="not_retryed")',
        ["*unknown check in `checks`", "*did you mean 'not_retried'?*"],
    ),
    "a to that is no pattern": (
        '@pytest.mark.fault("any/slow", to="https://x")',
        ["*`to` must be a method and a URL pattern*", "*there is: 'https://x'"],
    ),
}


@pytest.mark.parametrize("case", WRONG_MARKS)
def test_wrong_words_are_found_at_collection(project: pytest.Pytester, server: Loopback, case: str) -> None:
    """A wrong mark stops the run before any test, and names its place and the way out."""
    mark, lines = WRONG_MARKS[case]
    result = run(project, f"{mark}\ndef test_it(): raise AssertionError('ran')")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(lines)


def test_wrong_matrix_is_a_collection_error(project: pytest.Pytester, server: Loopback) -> None:
    """A pattern that selects nothing names the nearest scenario."""
    result = run(project, '@pytest.mark.fault_matrix("opnai/*")\ndef test_it(): pass')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_agent.py:*: test_it: no scenario matches", "*there is: 'opnai/[*]'"])


NEVER_STRUCK = {
    "no call at all": (
        '@pytest.mark.fault("openai/rate-limit")\ndef test_it(): pass',
        ["openai/rate-limit never struck", "*there is: no request came through the door", "*to do: see that the test*"],
    ),
    "another host": (
        '@pytest.mark.fault("openai/rate-limit")\ndef test_it(): fetch()',
        ["*connections to 127.0.0.1:* went past it, where no rule can strike"],
    ),
    "another method": (
        '@pytest.mark.fault("any/rate-limit", to="POST http*://127.0.0.1*/items")\ndef test_it(): fetch()',
        [
            "*there is: 1 requests seen (GET http://127.0.0.1:*/items); the nearest: method is GET, not POST",
            "*to do: correct the rule with to=, as in to='GET http://127.0.0.1:*/items'",
        ],
    ),
    "too few calls": (
        '@pytest.mark.fault("any/rate-limit", after=5)\ndef test_it(): fetch()',
        ["*there is: 1 matching requests, but after=5 leaves them out"],
    ),
    "nothing to change": (
        '@pytest.mark.fault("any/stream-cut")\ndef test_it(): fetch()',
        ["*1 matching requests; in 1 replies the fault found nothing to change", "*200 application/json*"],
    ),
}


@pytest.mark.parametrize("case", NEVER_STRUCK)
def test_a_fault_that_never_struck_fails_and_says_why(project: pytest.Pytester, server: Loopback, case: str) -> None:
    """What was planned and did not happen is a failure, with what was seen and what nearly matched."""
    test, lines = NEVER_STRUCK[case]
    result = run(project, test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)


def test_matrix_keeps_the_bare_id_for_the_baseline(project: pytest.Pytester, server: Loopback) -> None:
    """Every named scenario is one run; the healthy run keeps the test's own id."""
    result = run(
        project,
        """
        @pytest.mark.fault_matrix("any/rate-limit", "any/server-error", raises=httpx.HTTPStatusError)
        @pytest.mark.parametrize("n", [1])
        def test_it(n):
            assert fetch() == [1, 2, 3]
        """,
    )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "test_agent.py::test_it?1? PASSED*",
            "test_agent.py::test_it?any/rate-limit-1? PASSED*",
            "test_agent.py::test_it?any/server-error-1? PASSED*",
        ]
    )


def test_a_swept_scenario_without_effect_is_skipped(project: pytest.Pytester, server: Loopback) -> None:
    """What a pattern sweeps in and has nothing to strike here is skipped, with the reason."""
    result = run(project, '@pytest.mark.fault_matrix("any/stream-*")\ndef test_it(): fetch()', "-rs")
    assert result.parseoutcomes()["passed"] == 1
    assert "failed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(["SKIPPED*any/stream-cut never struck*"])


def test_option_fault_runs_a_suite_that_knows_nothing_of_faults(project: pytest.Pytester, server: Loopback) -> None:
    """`--fault` adds a run per scenario to every test without a fault of its own."""
    test = """
        def test_plain(): assert fetch() == [1, 2, 3]
        def test_offline(): pass
        @pytest.mark.fault("any/slow")
        def test_own(): fetch()
    """
    result = run(project, test, "--fault", "any/rate-*")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["test_agent.py::test_plain?any/rate-limit? PASSED*"])
    result = project.runpytest_inprocess("--fault", "any/rat-limit")
    result.stdout.fnmatch_lines(["*did you mean 'any/rate-limit'?*"])


def test_option_fault_off_places_nothing(project: pytest.Pytester, server: Loopback) -> None:
    """`--fault-off` runs every test on its healthy replies."""
    test = """
        @pytest.mark.fault("any/server-error", times=None)
        def test_marked(): assert fetch() == [1, 2, 3]
        @pytest.mark.fault_matrix("any/*")
        def test_matrix(): assert fetch() == [1, 2, 3]
    """
    run(project, test, "--fault-off").assert_outcomes(passed=2)


def test_fault_list(project: pytest.Pytester) -> None:
    """`--fault-list` shows name and title of every scenario; as JSON it feeds a CI matrix."""
    result = project.runpytest_inprocess("--fault-list")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["any/rate-limit *", "openai/rate-limit *"])
    result = project.runpytest_inprocess("--fault-list=json")
    listed = json.loads("\n".join(result.outlines))
    assert {"name", "title", "damages", "confidence", "source"} == set(listed[0])
    assert "jira/expired-session" in [scenario["name"] for scenario in listed]


def test_header_says_seed_and_doors(project: pytest.Pytester, server: Loopback) -> None:
    """The header line names what a run can be repeated with."""
    result = run(project, "def test_it(): pass", "--fault-seed=7")
    result.stdout.fnmatch_lines(["agentfault: seed 7, doors memory, transport, callable"])


def test_a_seed_repeats_every_choice(project: pytest.Pytester, server: Loopback) -> None:
    """The same seed drifts the same field, another seed may drift another."""
    test = """
        @pytest.mark.fault("any/schema-drift")
        def test_it(faults):
            httpx.get(URL)
            print("BODY", faults.log[0].reply.body)
    """

    def body(seed: str) -> str:
        lines = run(project, test, "-s", f"--fault-seed={seed}").outlines
        return next(line for line in lines if "BODY" in line)

    assert body("1") == body("1")
    assert len({body(str(seed)) for seed in range(6)}) > 1


KINDS = {
    "unittest": """
        import unittest
        @pytest.mark.fault("any/rate-limit")
        class TestIt(unittest.TestCase):
            def test_passes(self):
                self.assertEqual(fetch(), [1, 2, 3])
        class TestOther(unittest.TestCase):
            @pytest.mark.fault("any/html-instead", raises=ValueError)
            def test_surfaces(self):
                fetch()
    """,
    "class mark": """
        @pytest.mark.fault("any/rate-limit")
        class TestIt:
            def test_one(self): fetch()
            def test_two(self): fetch()
    """,
    "module mark": """
        pytestmark = pytest.mark.fault("any/rate-limit")
        def test_one(): fetch()
        def test_two(): fetch()
    """,
    "pytest-asyncio": """
        import asyncio
        @pytest.mark.asyncio
        @pytest.mark.fault("any/slow", times=1)
        async def test_one():
            async with httpx.AsyncClient(timeout=60) as client:
                assert (await client.get(URL)).json()["ok"]
        @pytest.mark.asyncio
        @pytest.mark.fault("any/server-error", times=None, raises=httpx.HTTPStatusError)
        async def test_two():
            async with httpx.AsyncClient(timeout=60) as client:
                (await client.get(URL)).raise_for_status()
    """,
    "anyio": """
        @pytest.fixture
        def anyio_backend(): return "asyncio"
        @pytest.mark.anyio
        @pytest.mark.fault("any/slow", times=1)
        async def test_one():
            async with httpx.AsyncClient(timeout=60) as client:
                assert (await client.get(URL)).json()["ok"]
        @pytest.mark.anyio
        @pytest.mark.fault("any/server-error", times=None, raises=httpx.HTTPStatusError)
        async def test_two():
            async with httpx.AsyncClient(timeout=60) as client:
                (await client.get(URL)).raise_for_status()
    """,
    "stacked marks": """
        @pytest.mark.fault("any/rate-limit", times=1)
        @pytest.mark.fault("any/slow")
        def test_one(): fetch()
        @pytest.mark.fault("any/rate-limit", "any/slow")
        def test_two(): fetch()
    """,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_test_is_reached(project: pytest.Pytester, server: Loopback, kind: str) -> None:
    """Functions, methods, unittest classes and coroutines, marked in every place pytest knows."""
    plugins = {
        "pytest-asyncio": ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"),
        "anyio": ("-p", "anyio"),
    }
    run(project, KINDS[kind], *plugins.get(kind, ())).assert_outcomes(passed=2)


HARNESSES = {
    "xdist": ("-p", "xdist", "-n", "2"),
    "random order": ("-p", "randomly"),
    "entry points": (),
}


@pytest.mark.parametrize("harness", HARNESSES)
def test_other_harnesses(
    project: pytest.Pytester, server: Loopback, harness: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcomes arrive from workers, in any order, and where the plugin is found by its entry point."""
    if harness == "entry points":
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
        project.makeini("[pytest]\naddopts = --strict-markers")
    project.makepyfile(
        test_agent=textwrap.dedent(RETRYING)
        + '@pytest.mark.fault_matrix("any/rate-limit", "any/slow")\ndef test_it(): assert fetch() == [1, 2, 3]'
    )
    result = project.runpytest_subprocess("-v", *HARNESSES[harness])
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*under faults: 1 recovered, 1 held*"])


def test_a_failure_says_what_struck(project: pytest.Pytester, server: Loopback) -> None:
    """An injected fault confesses: in a note on the error, and in a header of the reply."""
    result = run(
        project,
        """
        @pytest.mark.fault("any/server-error", times=None)
        def test_it():
            reply = httpx.get(URL)
            assert reply.headers["x-agentfault"] == "any/server-error"
            reply.raise_for_status()
        """,
    )
    result.stdout.fnmatch_lines(["*pytest-agentfault struck: any/server-error on call 1 (GET http://127.0.0.1:* -> 5*"])


def test_declared_error_that_does_not_come_is_a_failure(project: pytest.Pytester, server: Loopback) -> None:
    """`raises=` means that the error must come out."""
    result = run(project, '@pytest.mark.fault("any/rate-limit", raises=(KeyError, ValueError))\ndef test_it(): fetch()')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["any/rate-limit did not surface as KeyError or ValueError"])


def test_skip_and_xfail_keep_their_meaning(project: pytest.Pytester, server: Loopback) -> None:
    """A test that skips itself is not judged, and xfail sees the verdict."""
    test = """
        @pytest.mark.fault("any/slow")
        def test_skips(): pytest.skip("later")
        @pytest.mark.xfail(strict=True)
        @pytest.mark.fault("any/server-error", times=None)
        def test_known(): fetch()
    """
    run(project, test).assert_outcomes(skipped=1, xfailed=1)


def test_error_in_a_fixture_is_told(project: pytest.Pytester, server: Loopback) -> None:
    """Doors stand before fixtures run, and a fixture that breaks under a fault counts as crashed."""
    test = """
        @pytest.fixture
        def items(): return fetch()
        @pytest.mark.fault("any/server-error", times=None)
        def test_it(items): pass
    """
    result = run(project, test)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["crashed    test_agent.py::test_it  any/server-error (1 of 1 calls)"])


def test_fixture_faults_asked_for_too_late(project: pytest.Pytester, server: Loopback) -> None:
    """A test that asks for the fixture only while it runs is told to name it."""
    result = run(project, "def test_it(request): request.getfixturevalue('faults')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the fixture `faults` came too late"])


def test_checks_judge_the_log(project: pytest.Pytester, server: Loopback) -> None:
    """A check named in the mark turns its finding into a failure; `waive` takes it back."""
    test = """
        @pytest.mark.fault("any/rate-limit", checks="not_retried")
        def test_it(): fetch()
        @pytest.mark.fault("any/rate-limit", checks=["not_retried"], waive="not_retried")
        def test_waived(): fetch()
    """
    result = run(project, test)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["any/rate-limit was retried, and no retry can cure it"])


def test_outcomes_are_in_junit_files(project: pytest.Pytester, server: Loopback) -> None:
    """The outcome is a property of the test case."""
    run(project, '@pytest.mark.fault("any/rate-limit")\ndef test_it(): fetch()', "--junitxml=out.xml")
    assert 'value="recovered: any/rate-limit (2 of 3 calls)"' in (project.path / "out.xml").read_text()


def test_own_scenarios_and_hosts(project: pytest.Pytester, server: Loopback) -> None:
    """A team's own scenarios come from an ini directory; a self-hosted vendor from `fault_hosts`."""
    folder = project.mkdir("own") / "acme"
    folder.mkdir()
    (folder / "teapot.toml").write_text(
        'title = "A teapot"\nsource = "https://www.rfc-editor.org/rfc/rfc2324"\nconfidence = "documented"\n'
        '[[rule]]\nto = "* https://api.acme.example/*"\ntimes = 1\nfaults = [{ status = { code = 418 } }]\n'
    )
    project.makeini(
        f"""
        [pytest]
        addopts = --strict-markers -p pytest_agentfault.plugin -p no:cacheprovider
        fault_scenarios = own
        fault_hosts = acme = {server.url}
        """
    )
    test = """
        @pytest.mark.fault("acme/teapot")
        def test_it(): assert httpx.get(URL + "/pot").status_code == 418
    """
    run(project, test).assert_outcomes(passed=1)


def test_hook_adds_scenarios(project: pytest.Pytester, server: Loopback) -> None:
    """Another plugin or a conftest adds directories by hook."""
    folder = project.mkdir("hooked") / "acme"
    folder.mkdir()
    (folder / "down.toml").write_text(
        'title = "Down"\nsource = "https://acme.example"\nconfidence = "reported"\n'
        '[[rule]]\nto = "* *"\nfaults = [{ status = { code = 503 } }]\n'
    )
    project.makeconftest(
        "from pathlib import Path\ndef pytest_agentfault_scenarios(config): return [Path(__file__).parent / 'hooked']"
    )
    run(project, '@pytest.mark.fault("acme/down")\ndef test_it(): httpx.get(URL)').assert_outcomes(passed=1)


def test_fault_hosts_without_a_host_is_a_usage_error(project: pytest.Pytester) -> None:
    """A line of `fault_hosts` that names no host is shown with how to write it."""
    project.makeini("[pytest]\naddopts = -p pytest_agentfault.plugin\nfault_hosts = jira")
    result = project.runpytest_inprocess("--fault-list")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*fault_hosts: this line names no host", "*there is: 'jira'"])
