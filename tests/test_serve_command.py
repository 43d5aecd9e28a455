"""`python -m pytest_agentfault`: the server run by hand, and what its log says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import pytest
from _loopback import loopback

from pytest_agentfault import Data, End, Head, How, Lost, Refused, Reply, Request, Rule, Script, Why
from pytest_agentfault import __main__ as command
from pytest_agentfault._exchange import Exchange, Strike
from pytest_agentfault._script import Fin
from pytest_agentfault._serve import line_of, outcome_of
from pytest_agentfault.faults import Status

CASSETTE = """
version: 1
interactions:
- request: {method: GET, uri: "https://api.example.com/v1/things", body: null, headers: {}}
  response: {status: {code: 200, message: OK}, headers: {Content-Type: [application/json]}, body: {string: '{"a": 1}'}}
"""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str) -> int:
    """The status of a GET."""
    try:
        with DIRECT.open(url, timeout=10) as reply:
            reply.read()
            return int(reply.status)
    except HTTPError as error:
        error.close()
        return error.code


def served(capsys: pytest.CaptureFixture[str], *arguments: str, ask: Callable[[str], None]) -> str:
    """Run the command in this process, let `ask` ask its URL, and give back what was printed."""
    told: list[str] = []

    def wait() -> None:
        told.append(capsys.readouterr().out)
        found = re.search(r"http://127\.0\.0\.1:\d+", told[0])
        assert found is not None
        ask(found[0])
        raise KeyboardInterrupt

    assert command.main(["serve", *arguments], wait) == 0
    return told[0] + capsys.readouterr().out


def test_a_log_that_one_can_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A line for each request: what was asked, what came of it, what struck; and a sum."""
    (tmp_path / "run.yaml").write_text(CASSETTE)

    def ask(url: str) -> None:
        assert [get(f"{url}/https://api.example.com/v1/things") for _ in range(4)] == [429, 429, 200, 200]
        assert get(f"{url}/https://api.example.com/v1/nothing") == 502

    said = served(capsys, "any/rate-limit", "--cassette", str(tmp_path / "run.yaml"), ask=ask)
    lines = re.sub(r"(?m)^\d\d:\d\d:\d\d +", "", re.sub(r":\d{4,5}", ":PORT", said)).splitlines()
    assert lines[:3] == [
        "agentfault serves any/rate-limit on http://127.0.0.1:PORT (Ctrl-C ends it)",
        "  as a base URL  http://127.0.0.1:PORT/https://api.example.com/v1   (the vendor's own behind the slash)",
        "  as a proxy     HTTPS_PROXY=http://127.0.0.1:PORT HTTP_PROXY=http://127.0.0.1:PORT",
    ]
    assert lines[3].startswith("  https          trust ")
    assert lines[4:9] == [
        "1  GET     https://api.example.com/v1/things -> 429  [any/rate-limit]",
        "2  GET     https://api.example.com/v1/things -> 429  [any/rate-limit]",
        "3  GET     https://api.example.com/v1/things -> 200",
        "4  GET     https://api.example.com/v1/things -> 200",
        f"no recording for GET https://api.example.com/v1/nothing in {tmp_path / 'run.yaml'}",
    ]
    assert lines[-1] == "4 requests; struck: any/rate-limit 2"


def test_a_reverse_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    """`--upstream`: requests straight to the server go to that base, when they are well."""
    with loopback({"ok": 1}) as vendor:

        def ask(url: str) -> None:
            assert [get(f"{url}/x") for _ in range(3)] == [503, 503, 200]

        said = served(capsys, "any/server-error", "--upstream", vendor.url, ask=ask)
        assert f"stands for {vendor.url}" in said
        assert f"GET     {vendor.url}/x -> 503  [any/server-error]" in said
        assert vendor.asked == [("GET", "/x", b"")]


def test_variables_for_a_shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`--env` writes what a client's shell reads first."""
    path = tmp_path / "agentfault.env"

    def ask(url: str) -> None:
        lines = dict(line.removeprefix("export ").split("=", 1) for line in path.read_text().splitlines())
        assert lines["HTTPS_PROXY"] == f"'{url}'"
        assert Path(lines["SSL_CERT_FILE"].strip("'")).is_file()

    assert f". {path}" in served(capsys, "any/slow", "--env", str(path), ask=ask)


def test_without_trustme_http_is_served(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The greeting says what https would need."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    said = served(capsys, "any/server-error", ask=lambda url: None)
    assert "  https          not to be had: the package trustme is not installed; pip install" in said
    assert said.splitlines()[-1] == "0 requests; struck: nothing"


WRONG = {
    "an unknown scenario": (["any/rate-limt"], "unknown scenario\n  there is: 'any/rate-limt'\n  to do: did you mean"),
    "no base": (["any/slow", "--upstream", "api.example.com"], "this is no base URL of a server"),
    "no cassette": (["any/slow", "--cassette", "no.yaml"], "no.yaml"),
    "a kind of certificate": (["any/slow", "--certificate", "old"], "unknown kind of certificate"),
    "a port": (["any/slow", "--port", "99999"], "the server cannot listen on 127.0.0.1:99999"),
    "a folder": (["any/slow", "--scenarios", "nowhere"], "a folder of scenarios holds none"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_served(capsys: pytest.CaptureFixture[str], case: str) -> None:
    """An error in three parts, and exit code 2."""
    arguments, why = WRONG[case]
    assert command.main(["serve", *arguments], lambda: None) == 2
    said = capsys.readouterr().err
    assert why in said
    assert "\n  to do: " in said


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenarios that can be served, for people and for programs."""
    assert command.main(["list"]) == 0
    assert re.search(r"(?m)^any/rate-limit  +Two 429s", capsys.readouterr().out)
    assert command.main(["list", "--json"]) == 0
    assert "openai/rate-limit" in [s["name"] for s in json.loads(capsys.readouterr().out)]


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"]], ids=["all", "serve"])
def test_help_teaches(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """It shows how to lead a client through, by base URL, proxy and reverse proxy."""
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    said = capsys.readouterr().out
    assert caught.value.code == 0
    for word in ("--cassette", "--upstream", "--env", "OPENAI_BASE_URL=", "127.0.0.1 only"):
        assert word in said


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals for a child")
def test_ctrl_c_ends_it_in_good_order(name: str) -> None:
    """The sum is printed, the exit code is 0, the port is free again."""
    arguments = [sys.executable, "-m", "pytest_agentfault", "serve", "any/server-error"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline().split("127.0.0.1:")[1].split()[0])
        assert get(f"http://127.0.0.1:{port}/x") == 503
        child.send_signal(getattr(signal, name))
        out, err = child.communicate(timeout=20)
    assert out.splitlines()[-1] == "1 requests; struck: any/server-error 1"
    assert (child.returncode, err) == (0, "")
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_a_stream_arrives_as_it_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """curl meets the pieces of a cut body, each a chunk of its own."""
    with loopback({"text": "K\u00f6ln"}) as vendor:

        def ask(url: str) -> None:
            asked = ["curl", "-sS", "--raw", f"{url}/x"]
            done = subprocess.run(asked, capture_output=True, timeout=20, check=True, env={"PATH": os.environ["PATH"]})
            assert done.stdout.count(b"\r\n") > 4
            assert done.stdout.endswith(b"\r\n0\r\n\r\n")

        served(capsys, "any/chunk-split", "--upstream", vendor.url, ask=ask)


def exchange(reply: Reply, *struck: str, method: str = "GET") -> Exchange:
    """One exchange, as a log would have it."""
    fault = Status(code=500)
    strikes = tuple(Strike(Rule("* *", (fault,), name=name), fault) for name in struck)
    return Exchange(7, Request(method, "https://v.example/x"), None, reply, Script((Fin(),)), strikes, 0.0, 0.0)


OUTCOMES = {
    "whole": (Reply.of(204), "204"),
    "refused": (Reply((Refused(Why.UNTRUSTED),)), "no connection (untrusted)"),
    "reset": (Reply((Lost(How.RESET),)), "reset before its head"),
    "stalled": (Reply((Head(200), Lost(How.STALLED))), "200, stalled after 0 bytes of body"),
    "cut": (Reply((Head(200), Data(b"abc"), Lost(How.CUT))), "200, cut after 3 bytes of body"),
    "ended": (Reply((Head(200), Data(b"abc"), End())), "200"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_how_a_reply_is_told(case: str) -> None:
    """In words that one understands without this file."""
    reply, told = OUTCOMES[case]
    assert outcome_of(reply) == told


def test_a_line_of_the_log() -> None:
    """Time, number, method, URL, outcome, and in brackets what struck, once each."""
    said = line_of(exchange(Reply.of(503), "any/a", "any/a", "any/b"))
    assert time.strptime(said[:8], "%H:%M:%S")
    assert said[8:] == "    7  GET     https://v.example/x -> 503  [any/a, any/b]"
    assert "connect https://v.example/x" in line_of(exchange(Reply((Refused(),)), method="CONNECT"))
