"""The fixture `fault_server`: child processes, of whatever kind, under the test's own faults."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator

import pytest
import trustme  # noqa: F401 - before any inner run: a C extension (cryptography's) cannot be imported twice
from _loopback import Loopback, loopback

CASSETTE = """
version: 1
interactions:
- request: {method: POST, uri: "https://api.openai.com/v1/chat/completions", body: "{}", headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '{"ok": true}'}
"""
SHARED = """
    import json
    import os
    import subprocess
    import sys
    import threading
    import time

    import pytest

    def run(fault_server, *command, timeout=60):
        done = subprocess.run(
            command, env={**os.environ, **fault_server.env}, capture_output=True, text=True, timeout=timeout
        )
        print(done.stdout, done.stderr)
        return done.stdout
"""


AGENT = """
import httpx

for _ in range(4):
    reply = httpx.post("https://api.openai.com/v1/chat/completions", json={}, timeout=30)
    print(reply.status_code)
    if reply.status_code == 200:
        break
"""
LOOP = """
import http.client
import os

for _ in range(20):
    connection = http.client.HTTPConnection(os.environ["HTTP_PROXY"].removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "http://v.example/")
        connection.getresponse().read()
    except OSError:
        pass
    finally:
        connection.close()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test project of a user, with one recording and two children."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("OPENAI_BASE_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini(
        """
        [pytest]
        addopts = --strict-markers -p pytest_agentfault.plugin -p no:cacheprovider
        filterwarnings = error
        """
    )
    for name, text in {"chat.yaml": CASSETTE, "agent.py": AGENT, "loop.py": LOOP}.items():
        pytester.path.joinpath(name).write_text(text)
    return pytester


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A real server on loopback, named to the inner tests by an environment variable."""
    with loopback() as running:
        monkeypatch.setenv("VENDOR", running.url)
        yield running


def run(project: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    """Run one inner test file."""
    project.makepyfile(test_child=textwrap.dedent(SHARED) + textwrap.dedent(test))
    return project.runpytest_inprocess("-v", *options)


def test_a_python_agent_with_a_hard_coded_url(project: pytest.Pytester) -> None:
    """httpx in a child process goes through the proxy, is struck, and is judged: it did not wait as it was told."""
    result = run(
        project,
        """
        @pytest.mark.fault("any/rate-limit", cassette="chat.yaml", checks="retry_after_honoured")
        def test_it(fault_server):
            assert run(fault_server, sys.executable, "agent.py").split() == ["429", "429", "200"]
            assert [x.reply.status for x in fault_server.log] == [429, 429, 200]
            assert {x.request.url for x in fault_server.log} == {"https://api.openai.com/v1/chat/completions"}
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Retry-After*", "recovered  test_child.py::test_it  any/rate-limit (2 of 3 calls)"])
    result.stdout.no_fnmatch_line("*AssertionError*")


def test_a_child_under_a_fault_added_by_hand(project: pytest.Pytester) -> None:
    """The outcome is one word, as for a test in one process; faults may be added by hand."""
    result = run(
        project,
        """
        def test_it(fault_server):
            fault_server.add("any/server-error", times=1, cassette="chat.yaml")
            assert run(fault_server, sys.executable, "agent.py").split() == ["503", "200"]
        """,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recovered  test_child.py::test_it  any/server-error (1 of 2 calls)"])


CURL = """
    @pytest.mark.fault("any/connection-reset", cassette="chat.yaml")
    def test_it(fault_server):
        url = "https://api.openai.com/v1/chat/completions"
        retrying = ("--retry", "2", "--retry-all-errors", "--retry-delay", "1")
        out = run(fault_server, "curl", "-sS", *retrying, "-d", "{}", url)
        assert json.loads(out) == {"ok": True}
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_curl(project: pytest.Pytester) -> None:
    """libcurl, which no door in the process reaches, is struck and recovers."""
    result = run(project, CURL)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recovered  test_child.py::test_it  any/connection-reset (1 of 2 calls)"])


NODE = """
    SCRIPT = '''
    const ask = () => fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {method: "POST", body: "{}"});
    (async () => {
        const first = await ask();
        const second = await ask();
        console.log(JSON.stringify([first.status, second.status, await second.json()]));
    })();
    '''

    @pytest.mark.fault("any/server-error", times=1, cassette="chat.yaml")
    def test_it(fault_server):
        assert json.loads(run(fault_server, "node", "-e", SCRIPT)) == [503, 200, {"ok": True}]
        assert fault_server.log[0].request.url == "https://api.openai.com/v1/chat/completions"
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
def test_node(project: pytest.Pytester) -> None:
    """Node's fetch knows of no proxy: the base URL of the SDK leads it here."""
    result = run(project, NODE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recovered  test_child.py::test_it  any/server-error (1 of 2 calls)"])


def test_a_client_of_this_process_is_struck_once(project: pytest.Pytester, vendor: Loopback) -> None:
    """The door in memory leaves the server's own port alone, and time is real."""
    result = run(
        project,
        """
        import httpx

        def test_it(fault_server, faults):
            fault_server.add("any/server-error", times=1)
            fault_server.upstream = os.environ["VENDOR"]
            assert [httpx.get(fault_server.url + "/items").status_code for _ in range(2)] == [503, 200]
            assert httpx.get(fault_server.through(os.environ["VENDOR"]) + "/items").status_code == 200
            assert len(faults.log) == 3
            began = time.perf_counter()
            time.sleep(0.05)
            assert 0.05 <= time.perf_counter() - began < 5
            assert faults.clock.slept == []
        """,
    )
    result.assert_outcomes(passed=1)
    assert [path for _, path, _ in vendor.asked] == ["/items", "/items"]


def test_what_it_offers(project: pytest.Pytester) -> None:
    """URLs, the environment of a child, and the certificate that TLS clients are shown."""
    result = run(
        project,
        """
        import ssl
        import socket

        def test_it(fault_server, monkeypatch):
            port = fault_server.url.rpartition(":")[2]
            assert fault_server.url == fault_server.proxy_url == f"http://127.0.0.1:{port}"
            assert fault_server.https_url == f"https://127.0.0.1:{port}"
            monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/openai")
            env = fault_server.env
            assert {env[n] for n in ("HTTP_PROXY", "https_proxy", "ALL_PROXY")} == {fault_server.url}
            assert env["NO_PROXY"] == env["no_proxy"] == ""
            assert env["ANTHROPIC_BASE_URL"] == f"{fault_server.url}/https://api.anthropic.com"
            assert env["OPENAI_BASE_URL"] == f"{fault_server.url}/https://gateway.example/openai"
            for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
                assert ssl.create_default_context(cafile=env[name])
            assert (fault_server.upstream, fault_server.certificate) == (None, "trusted")
            fault_server.certificate = "expired"
            with socket.create_connection(("127.0.0.1", int(port)), 5) as sock:
                with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                    trusting = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
                    trusting.wrap_socket(sock, server_hostname="127.0.0.1")

        def test_one_authority_for_all(fault_server):
            assert fault_server.env["SSL_CERT_FILE"]
        """,
    )
    result.assert_outcomes(passed=2)


def test_a_child_that_never_gives_up(project: pytest.Pytester) -> None:
    """Its budget spent, it is cut off, and the test fails as hung although nothing was raised in it."""
    result = run(
        project,
        """
        @pytest.mark.fault("any/server-error", times=None)
        def test_it(fault_server):
            run(fault_server, sys.executable, "loop.py")
        """,
        "-o",
        "fault_budget_calls=5",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*the code under test made more than 5 calls, the budget of one test",
            "*to do: let it give up earlier, or raise the ini key `fault_budget_calls`",
            "hung       test_child.py::test_it  any/server-error (5 of 5 calls)",
        ]
    )


def test_a_child_that_is_not_led_through_it(project: pytest.Pytester) -> None:
    """What never struck is a failure, as everywhere."""
    result = run(project, '@pytest.mark.fault("any/server-error")\ndef test_it(fault_server): pass')
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*any/server-error never struck"])


STOPPED = {
    "a pass": "fault_server.url",
    "a failure": "assert False",
    "Ctrl-C": "raise KeyboardInterrupt",
}


@pytest.mark.parametrize("case", STOPPED)
def test_it_stops_with_the_test(project: pytest.Pytester, case: str) -> None:
    """No thread and no port is left, however the test ended."""
    test = f"""
        import pathlib

        def test_it(fault_server):
            pathlib.Path("port").write_text(fault_server.url.rpartition(":")[2])
            {STOPPED[case]}
    """
    project.makepyfile(test_child=textwrap.dedent(SHARED) + textwrap.dedent(test))
    project.makeconftest(
        """
        import pathlib, socket, threading

        def pytest_unconfigure(config):
            assert not [t.name for t in threading.enumerate() if t.name.startswith("agentfault")]
            with socket.socket() as sock:
                assert sock.connect_ex(("127.0.0.1", int(pathlib.Path("port").read_text()))) != 0
            pathlib.Path("gone").touch()
        """
    )
    result = project.runpytest_subprocess()
    assert result.ret == {"a pass": 0, "a failure": 1, "Ctrl-C": 2}[case]
    assert project.path.joinpath("gone").exists(), result.stderr.str()


def test_it_came_too_late(project: pytest.Pytester) -> None:
    """A test that asks for the fixture while it runs is told to name it."""
    result = run(project, "def test_it(request): request.getfixturevalue('fault_server')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*the fixture `fault_server` came too late",
            "*to do: name `fault_server` in the test's or a fixture's arguments",
        ]
    )
