"""The stacking matrix: over whatever a test has for a server, a fault strikes, or the run fails and says why."""

from __future__ import annotations

import gc
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
from _stacked import FAULTS, STACK, STRUCK, WHEN, cassette, page

# Before any inner run: pytester forgets what an inner run imported, and a half of us that is imported anew
# does not know the half that stayed.
import pytest_agentfault._judging
import pytest_agentfault._run  # noqa: F401
from pytest_agentfault import _discover

for package in ("checks", "doors", "faults", "upstreams"):
    for module in _discover.names(f"pytest_agentfault.{package}"):
        import_module(f"pytest_agentfault.{package}.{module}")

DOCS = Path(__file__).resolve().parents[1] / "docs"
PLUGINS = ("pytest_agentfault.plugin", "pytest_recording.plugin", "respx.plugin", "pytest_httpx", "pytest_socket")
CELLS = """
import pytest
from _stacked import BODY, STACK
from pytest_agentfault.faults import SplitChunks, Status

ROW = STACK[{name!r}]

@pytest.fixture(scope={scope!r})
def asked():
    with ROW.opened() as asked:
        yield asked

def test_before_any_door(asked):
    pass

@pytest.mark.fault(Status(code=429), to="* *", times=1)
def test_answer(asked):
    was = asked()
    assert ROW.ask()[0] == 429
    assert asked() == was
    if ROW.expected[1] == {struck!r}:
        assert ROW.ask() == (200, BODY)
        assert asked() == was + 1

@pytest.mark.fault(SplitChunks(every_bytes=1), to="* *", times=1)
def test_alter(asked, faults):
    was = asked()
    assert ROW.ask() == (200, BODY)
    assert asked() == was + 1
    assert len(faults.log) == 1
    assert len(faults.log[0].reply.events) == len(BODY) + 2
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test project of a user with the plugins that a suite may have."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = " ".join(f"-p {name}" for name in (*PLUGINS, "requests_mock.contrib._pytest_plugin"))
    pytester.makeini(f"[pytest]\naddopts = {plugins} -p no:cacheprovider\nfilterwarnings = error\n")
    return pytester


def test_every_cell(project: pytest.Pytester) -> None:
    """Each thing, set up before our door and after it, under a fault that answers and one that alters."""
    files = {}
    for number, (name, row) in enumerate(STACK.items()):
        for when in row.when:
            text = CELLS.format(name=name, scope=WHEN[when], struck=STRUCK)
            files[f"test_{number}_{when}.py"] = (name, when)
            project.makepyfile(**{f"test_{number}_{when}": text})
    ran = project.inline_run("-q", "--tb=short")
    found, wanted = {}, {}
    for report in ran.getreports("pytest_runtest_logreport"):
        file, _, test = report.nodeid.partition("::test_")
        if report.when == "call" and test in FAULTS:
            name, when = files[file]
            expected = STACK[name].expected[FAULTS.index(test)]
            text = report.longreprtext
            wanted[name, test, when] = expected
            found[name, test, when] = STRUCK if report.passed else expected if expected in text else text
        elif report.failed:
            found[report.nodeid, report.when, ""] = report.longreprtext
    assert found == wanted
    assert len(found) == sum(len(row.when) for row in STACK.values()) * len(FAULTS)


def test_the_page_says_what_was_played() -> None:
    """docs/stacking.md, but for the versions, which are those of the day it was printed."""
    versions = re.compile(r"(?<=[a-z0-9] )\d+(\.\d+)+(?=[,| ])")
    written = (DOCS / "stacking.md").read_text(encoding="utf-8")
    assert versions.sub("V", written) == versions.sub("V", page()), "print it anew: python tests/_stacked.py"


FIXTURES = {
    "respx_mock": "route = {tool}.get(URL).respond(200, content=BODY); count = lambda: route.call_count",
    "httpx_mock": "{tool}.add_response(url=URL, content=BODY); count = lambda: len({tool}.get_requests())",
    "requests_mock": "{tool}.get(URL, content=BODY); count = lambda: {tool}.call_count",
    "vcr": "count = lambda: {tool}.play_count",
}
FIXTURE = """
import pytest
from _tools import BODY, URL, by_httpx, by_requests
from pytest_agentfault.faults import SplitChunks, Status

@pytest.fixture(scope="module")
def vcr_config():
    return {{"record_mode": "none"}}

{mark}
@pytest.mark.parametrize("ask", [by_requests, by_httpx], ids=["requests", "httpx"])
@pytest.mark.fault(Status(code=429), to="* https://api.test/*", times=1)
def test_answer({tool}, ask):
    {use}
    assert (ask()[0], count()) == (429, 0)
    assert (ask(), count()) == ((200, BODY), 1)

{mark}
@pytest.mark.parametrize("ask", [by_requests, by_httpx], ids=["requests", "httpx"])
@pytest.mark.fault("any/connection-reset", to="* https://api.test/*", times=1)
def test_alter({tool}, ask):
    {use}
    with pytest.raises(Exception):
        ask()
    assert count() == 1
    assert ask() == (200, BODY)
"""


@pytest.mark.parametrize("tool", FIXTURES)
def test_the_fixtures_and_marks_of_the_tools(project: pytest.Pytester, tool: str) -> None:
    """As a suite uses them: respx's, pytest-httpx's and requests-mock's fixture, pytest-recording's mark."""
    with cassette() as path:
        mark = f"@pytest.mark.vcr({path!r})" if tool == "vcr" else ""
        project.makepyfile(FIXTURE.format(tool=tool, mark=mark, use=FIXTURES[tool].format(tool=tool)))
        project.runpytest_inprocess("-q").assert_outcomes(passed=4)


def test_recording_under_a_fault_is_refused(project: pytest.Pytester) -> None:
    """By the mark of pytest-recording, in a record mode that would write."""
    project.makepyfile(
        """
        import pytest, requests
        from pytest_agentfault.faults import SplitChunks

        @pytest.mark.vcr(record_mode="once")
        @pytest.mark.fault(SplitChunks(every_bytes=1), to="* *", times=1)
        def test_it():
            requests.get("https://api.test/", timeout=5)
        """
    )
    result = project.runpytest_inprocess("-q", "--record-mode=once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*would be recorded into *, which is refused under a fault*"])
    assert not list(project.path.glob("**/*.yaml"))


BLOCKS = {
    "pytest-socket, disable_socket": ("@pytest.mark.disable_socket", "SocketBlockedError"),
    "pytest-socket, allow_hosts": ('@pytest.mark.allow_hosts(["127.9.9.9"])', "SocketConnectBlockedError"),
    "pytest-recording, block_network": ("@pytest.mark.block_network", "RuntimeError(*Network is disabled for host"),
}
# A block that raises in `socket.connect` leaves the socket to the collector.
LEFT_OPEN = ("-W", "ignore::pytest.PytestUnraisableExceptionWarning", "-W", "ignore:A test tried")
BLOCKED = """
import pytest, requests, httpx
from pytest_agentfault.faults import Status

{mark}
@pytest.mark.fault(Status(code=429), to="* {struck}/*", times=1)
def test_it():
    assert requests.get("{struck}/x", timeout=5).status_code == 429
    for ask in (requests.get, httpx.get):
        with pytest.raises(Exception) as caught:
            ask("{url}/x", timeout=5)
        print("BLOCKED", repr(caught.value))
"""


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_the_network_holds_for_what_is_not_struck(project: pytest.Pytester, block: str) -> None:
    """The fault still strikes, in memory; a connection past the door meets the block."""
    mark, words = BLOCKS[block]
    project.makepyfile(BLOCKED.format(mark=mark, url="http://127.0.0.1:9", struck="https://api.test"))
    result = project.runpytest_inprocess("-q", "-s", *LEFT_OPEN)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*BLOCKED {words}*"] * 2)
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_the_network_holds_for_the_healthy_reply(project: pytest.Pytester, block: str) -> None:
    """A reply that would have to come from the real server does not; the run fails with the block's own words."""
    mark, words = BLOCKS[block]
    project.makepyfile(BLOCKED.format(mark=mark, url="http://127.0.0.1:9", struck="http://127.0.0.1:9"))
    result = project.runpytest_inprocess("-q", "-s", *LEFT_OPEN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*BLOCKED {words}*"] * 2)
    gc.collect()


def test_a_tool_that_is_first_imported_in_the_test_is_named(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers above every door, and the never-struck text says which it is and what to do."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "responses"]:
        monkeypatch.delitem(sys.modules, name)
    project.makepyfile(
        """
        import pytest, requests
        from pytest_agentfault.faults import Status

        URL, BODY = "https://api.test/x", b"well"

        @pytest.mark.fault(Status(code=429), to="* https://api.test/*")
        def test_it():
            import responses

            with responses.RequestsMock() as mock:
                mock.get(URL, body=BODY)
                assert requests.get(URL, timeout=5).content == BODY
        """
    )
    result = project.runpytest_inprocess("-q")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Status never struck",
            "*there is: no request came through the door; responses (first imported in the test itself: "
            "import it where the test's module begins) answers above it",
        ]
    )
