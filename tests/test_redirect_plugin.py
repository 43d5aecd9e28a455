"""What a user of trio, uvloop or tornado gets by the marker alone, and what is left of it: nothing."""

from __future__ import annotations

import textwrap

import pytest
import tornado.simple_httpclient  # noqa: F401 - before any inner run: what is imported twice no longer fits the first
import trio  # noqa: F401
import trustme  # noqa: F401
import uvloop  # noqa: F401
from _loopback import loopback
from _project import Project
from _tapes import written
from test_undone import WATCHING

AGENT = """
import asyncio
import os

import anyio
import httpx
import pytest
import trio
import uvloop
from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from pytest_agentfault.faults import Refuse, Status

HARD = "https://api.vendor.example/items"
URL = os.environ.get("LOOPBACK", HARD)

async def by_httpx(url, sleep, attempts=5):
    async with httpx.AsyncClient() as client:
        for left in reversed(range(attempts)):
            reply = await client.get(url)
            if reply.status_code != 429 or not left:
                return reply.raise_for_status().status_code
            await sleep(float(reply.headers["retry-after"]))

async def on_tornado(url, attempts=5):
    for left in reversed(range(attempts)):
        try:
            return (await AsyncHTTPClient().fetch(url)).code
        except HTTPClientError as error:
            if error.code != 429 or not left:
                raise
            await asyncio.sleep(float(error.response.headers["retry-after"]))

RUNS = {
    "trio": lambda url, *args: trio.run(by_httpx, url, trio.sleep, *args),
    "uvloop": lambda url, *args: uvloop.run(by_httpx(url, asyncio.sleep, *args)),
    "tornado": lambda *args: asyncio.run(on_tornado(*args)),
}
every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
"""


def test_the_marker_is_enough(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two 429s, waited for on the clock, and then the healthy reply of a real server: the agent has recovered."""
    with loopback() as server:
        monkeypatch.setenv("LOOPBACK", server.url + "/items")
        result = project.run(
            """
            @every_run
            @pytest.mark.fault("any/rate-limit", times=2)
            def test_agent(run):
                assert run(URL) == 200
            """,
            above=AGENT,
        )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*under faults: 3 recovered*"])
    assert len(server.asked) == 3


def test_with_the_plugin_of_anyio(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tests run on trio (as a guest) and on uvloop, module after module on one runner: waits cost nothing there."""
    with loopback() as server:
        monkeypatch.setenv("LOOPBACK", server.url + "/items")
        result = project.run(
            """
            @pytest.fixture(scope="module", params=["trio", ("asyncio", {"use_uvloop": True})], ids=["trio", "uvloop"])
            def anyio_backend(request):
                return request.param

            @pytest.mark.anyio
            @pytest.mark.fault(Status(code=429, headers={"Retry-After": "600"}), to="* *", times=2)
            async def test_agent(anyio_backend):
                assert await by_httpx(URL, anyio.sleep) == 200

            @pytest.mark.anyio
            async def test_next():
                async with httpx.AsyncClient() as client:
                    assert (await client.get(URL)).status_code == 200
            """,
            "-p",
            "anyio.pytest_plugin",
            above=AGENT,
        )
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*under faults: 2 recovered*"])


def test_hard_coded_urls(project: Project) -> None:
    """A host that does not exist is struck, over https; what comes out is the client's own error."""
    result = project.run(
        """
        @every_run
        @pytest.mark.fault("any/rate-limit", times=5, raises=(httpx.HTTPStatusError, HTTPClientError), checks=[])
        def test_agent(run):
            run(HARD, 1)

        @every_run
        @pytest.mark.fault(Refuse(), to="* https://api.vendor.example/*", raises=(httpx.ConnectError, OSError))
        def test_refused(run):
            run(HARD, 1)
        """,
        above=AGENT,
    )
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*under faults: 6 surfaced*"])


def test_beside_the_fixture_fault_server(project: Project) -> None:
    """A client on trio that asks the test's own server is served by that, and trusts it by its file, also over TLS."""
    result = project.run(
        """
        import ssl

        @pytest.mark.fault("any/rate-limit", times=6)
        @pytest.mark.parametrize("run", [RUNS["trio"], RUNS["uvloop"]], ids=["trio", "uvloop"])
        def test_agent(run, fault_server, monkeypatch):
            monkeypatch.setenv("SSL_CERT_FILE", fault_server.env["SSL_CERT_FILE"])
            with pytest.raises(httpx.HTTPStatusError):
                run(HARD, 1)
            for url in (fault_server.url, fault_server.https_url):
                with pytest.raises(httpx.HTTPStatusError):
                    run(f"{url}/https://other.example/x", 1)
            assert [x.request.url for x in fault_server.log] == [HARD] + ["https://other.example/x"] * 2
        """,
        above=AGENT,
    )
    result.assert_outcomes(passed=2)


def test_more_faults_in_the_middle_of_a_test(project: Project) -> None:
    """What the fixture `faults` adds strikes from then on."""
    result = project.run(
        """
        @every_run
        def test_agent(run, faults):
            faults.add("any/rate-limit", times=1)
            with pytest.raises((httpx.HTTPStatusError, HTTPClientError), match="429"):
                run(HARD, 1)
            faults.add("any/expired-session")
            with pytest.raises((httpx.HTTPStatusError, HTTPClientError), match="401"):
                run(HARD, 1)
        """,
        above=AGENT,
    )
    result.assert_outcomes(passed=3)


def test_over_a_cassette(project: Project) -> None:
    """What is not struck is answered by the recording, and nobody else is asked."""
    written(project.path, ({"uri": "https://api.vendor.example/items"}, {}))
    result = project.run(
        """
        @every_run
        @pytest.mark.fault("any/rate-limit", times=2, cassette="tape.yaml")
        def test_agent(run, faults):
            assert run(HARD) == 200
            assert [x.reply.status for x in faults.log] == [429, 429, 200]
        """,
        above=AGENT,
    )
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*under faults: 3 recovered*"])


def test_others_cost_nothing(project: Project) -> None:
    """A test without a fault has no patch of this door; one with a fault that needs no real socket has no server."""
    result = project.run(
        """
        import socket, ssl, sys, threading

        def patched():
            return [f for f in (socket.socket.connect, ssl.SSLContext.wrap_bio, uvloop.Loop.create_connection)
                    if "pytest_agentfault" in getattr(f, "__module__", "")]

        def test_none():
            assert not patched()

        @pytest.mark.fault("any/rate-limit")
        def test_memory():
            assert httpx.get(HARD).status_code == 429
            assert len(patched()) == 3
            assert not [t for t in threading.enumerate() if "agentfault" in t.name]
            assert "pytest_agentfault.doors._redirect_server" not in sys.modules

        def test_none_again():
            assert not patched()
        """,
        "-p",
        "no:randomly",
        above=AGENT,
        apart=True,
    )
    result.assert_outcomes(passed=3)


ENDINGS = {
    "passes": ("pass", 0),
    "raises": ("raise RuntimeError", 1),
    "is interrupted": ("raise KeyboardInterrupt", 2),
    "is interrupted by a signal": ("import signal; signal.raise_signal(signal.SIGINT)", 2),
    "exits": ('pytest.exit("enough")', 2),
    "hangs": ("\n    while True: ask()", 1),
}
LEFT = """
    import threading

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(config):
        print("THREADS", [t.name for t in threading.enumerate() if "agentfault" in t.name])
"""


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_patch_is_undone(project: Project, ending: str) -> None:
    """However a test on trio ends, also by Ctrl-C: no name is patched after it, and no server runs."""
    code, exit_code = ENDINGS[ending]
    project.write("conftest.py", textwrap.dedent(WATCHING) + textwrap.dedent(LEFT))
    result = project.run(
        f"""
def ask():
    return [RUNS[name](HARD, 1) for name in RUNS]

@pytest.mark.fault("any/expired-session")
def test_it():
    for name in RUNS:
        try:
            RUNS[name](HARD, 1)
        except Exception:
            pass
    {code}
""",
        "-s",
        above=AGENT,
        apart=True,
    )
    assert result.ret == exit_code
    line = next(line for line in result.outlines if "PATCHED" in line)
    assert int(line.partition("PATCHED")[2].split()[0]) > 15, line
    assert line.endswith("LEFT []"), line
    assert "THREADS []" in result.outlines


def test_a_library_that_is_imported_late_is_followed(project: Project) -> None:
    """trio, uvloop and tornado may be imported in the middle of a test."""
    project.write("agent.py", AGENT)
    result = project.run(
        """
        import sys

        import pytest

        @pytest.mark.fault("any/rate-limit", times=3)
        def test_it():
            assert not {"trio", "uvloop", "tornado"} & set(sys.modules)
            import agent
            for run in agent.RUNS.values():
                with pytest.raises((agent.httpx.HTTPStatusError, agent.HTTPClientError), match="429"):
                    run(agent.HARD, 1)
        """,
        above="",
        apart=True,
    )
    result.assert_outcomes(passed=1)
