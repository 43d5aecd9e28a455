"""What a user sees who hands over something that cannot be used, or whose client cannot be reached."""

from __future__ import annotations

import pytest
from _loopback import Loopback
from _project import Project

TAPE = """
interactions:
- request: {method: GET, uri: "https://api.example.com/a", body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '{"n": 1}'}
version: 1
"""

CASSETTES = {
    "empty": ("", ["*tape.yaml*", "*there is: *", "*to do: *"]),
    "not a cassette": ("- 1\n- 2\n", ["*tape.yaml*", "*there is: *", "*to do: *"]),
    "unsafe": (
        TAPE.replace("body: null", "body: !!python/object/apply:os.system ['touch ran']"),
        ["*tape.yaml*", "*interaction 1*python/object/apply:os.system*", "*to do: *"],
    ),
}


@pytest.mark.parametrize("case", CASSETTES)
def test_a_cassette_that_cannot_be_played_is_an_error_at_set_up(project: Project, case: str) -> None:
    """It is named before the test runs; nothing in it is executed and nothing is written to it."""
    text, lines = CASSETTES[case]
    tape = project.write("tape.yaml", text)
    result = project.run('@pytest.mark.fault("any/slow", cassette="tape.yaml")\ndef test_it(): raise SystemExit')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(lines)
    assert tape.read_text() == text
    assert not (project.path / "ran").exists()


def test_a_missing_cassette_is_told_the_nearest_file(project: Project) -> None:
    """A folder of nearly that name is no cassette."""
    project.write("tape.yaml", TAPE)
    project.write("tape.yam/inside.yaml", TAPE)
    result = project.run('@pytest.mark.fault("any/slow", cassette="tape.yml")\ndef test_it(): pass')
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*there is no cassette tape.yml",
            f"*there is: no file {project.path}/tape.yml",
            f"*to do: did you mean 'tape.yaml'? known: pytest.ini, tape.yaml, test_agent.py (in {project.path})",
        ]
    )


def test_an_unmatched_request_fails_the_test_even_if_swallowed(project: Project) -> None:
    """A request that the cassette does not hold is named with the nearest recording, whatever the agent does."""
    tape = project.write("tape.yaml", TAPE)
    result = project.run(
        """
        @pytest.mark.fault("any/chunk-split", cassette="tape.yaml")
        def test_swallows():
            with httpx.Client() as client:
                assert client.get("https://api.example.com/a").json() == {"n": 1}
                try:
                    client.get("https://api.example.com/b")
                except Exception:
                    pass
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "no recording for GET https://api.example.com/b in *tape.yaml",
            "*there is: nearest: interaction 1: GET https://api.example.com/a differs in path*",
            "*to do: record this request too, or name another cassette",
        ]
    )
    assert tape.read_text() == TAPE


SPEECH = {
    "HTTP/2": (
        r'b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"',
        ["a client speaks HTTP/2 to http://127.0.0.1:*", "*there is: the HTTP/2 connection preface", "*http2=False*"],
    ),
    "a websocket": (
        r'b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"',
        [
            "a client asks http://127.0.0.1:* for an upgrade",
            "*there is: Upgrade: websocket",
            "*to do: narrow the rule's `to` so that it leaves this host out*",
        ],
    ),
    "a broken request": (
        r'b"GET / HTTP/1.1\r\nno colon here\r\n\r\n"',
        ["a client on http://127.0.0.1:* does not speak HTTP/1.1", "*there is: *", "*to do: narrow the rule's `to`*"],
    ),
}


@pytest.mark.parametrize("speech", SPEECH)
def test_a_client_that_no_fault_can_follow_fails_the_test(project: Project, server: Loopback, speech: str) -> None:
    """What a client says that is not HTTP/1.1 is told, also when the code under test swallows the error."""
    said, lines = SPEECH[speech]
    result = project.run(
        f"""
        import socket

        @pytest.mark.fault("any/slow")
        def test_it():
            host, port = URL.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), 5) as wire:
                try:
                    wire.sendall({said})
                except Exception:
                    pass
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)


def test_a_read_that_would_never_end_fails_loudly(project: Project, server: Loopback) -> None:
    """A client without a time limit under a stall does not hang the run: it is told to set one."""
    result = project.run(
        """
        @pytest.mark.fault("any/stall")
        def test_it(): httpx.get(URL, timeout=None)
        @pytest.mark.fault("any/stall")
        def test_async():
            import asyncio
            async def ask():
                async with httpx.AsyncClient(timeout=None) as client:
                    await client.get(URL)
            asyncio.run(ask())
        """,
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*a client waits for ever on http://127.0.0.1:*",
            "*the script is silent from here on (any/stall struck it), and the client has set no time limit*",
            "*to do: give the client a read timeout, as it needs one in production too",
        ]
    )


def test_an_illegal_reply_of_a_users_fault_is_named(project: Project, server: Loopback) -> None:
    """A fault of one's own that builds an impossible reply fails with the event and what may stand there."""
    result = project.run(
        """
        from pytest_agentfault import Data, End, Reply
        class Headless:
            def answer(self, request): return Reply((Data(b"x"), End()))
        @pytest.mark.fault(Headless(), to="* *")
        def test_it(): httpx.get(URL)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*illegal reply: event 0 is Data(data=b'x')", "*the reply is before its head there", "*put Delay, Head*"]
    )


def test_a_server_that_is_down_is_told_apart(project: Project) -> None:
    """Where the healthy reply should come from a real server that is not there, the error says so."""
    result = project.run(
        """
        @pytest.mark.fault("any/connection-reset")
        def test_it(): httpx.get("http://127.0.0.1:9/")
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no healthy reply for GET http://127.0.0.1:9/", "*ConnectionRefusedError*"])


def test_a_scenario_file_that_is_not_toml(project: Project) -> None:
    """The file and the line are named at collection."""
    project.write("own/acme/down.toml", 'title = "x\n')
    project.ini("fault_scenarios = own")
    result = project.run('@pytest.mark.fault("acme/down")\ndef test_it(): pass')
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*down.toml:1: *"])


def test_a_budget_that_is_no_number(project: Project) -> None:
    """The ini key is checked before any test runs."""
    project.ini("fault_budget_calls = many")
    result = project.run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*`fault_budget_calls` must be a whole number", "*there is: 'many'"])
