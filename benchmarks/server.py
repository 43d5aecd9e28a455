"""
The door `server` from another process: requests on one kept connection, and how soon it is there.

Beside it LLMock, a mock server for LLM clients, in an environment of its own: it
brings a pytest plugin, which must not be in the one that is measured.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_agentfault import Reply, Request
from pytest_agentfault._plan import Plan
from pytest_agentfault.doors._certificates import Certificates
from pytest_agentfault.doors.server import ServerDoor

from ._timing import Round, Row, Table, difference, in_turns, ratio

LIMIT_US = 1e6 / 3000
LIMIT_START_MS = 50.0
AGAINST_LLMOCK = 0.5
LLMOCK = "0.2.2"
HOME = Path(sys.prefix) / f"llmock-{LLMOCK}"
ASKED = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]})
CLIENT = """
import socket, sys, time
port, times, body = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
asked = (
    b"POST /v1/chat/completions HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nAuthorization: Bearer x\\r\\n"
    b"Content-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(body), body)
)
with socket.create_connection(("127.0.0.1", port), 10) as sock:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask():
        sock.sendall(asked)
        got = sock.recv(65536)
        while b"\\r\\n\\r\\n" not in got:
            got += sock.recv(65536)
        head, _, rest = got.partition(b"\\r\\n\\r\\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        missing = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0]) - len(rest)
        while missing > 0:
            missing -= len(sock.recv(65536))

    for _ in range(100):
        ask()
    began = time.perf_counter()
    for _ in range(times):
        ask()
    print((time.perf_counter() - began) / times)
"""
START = """
import sys, time
from pathlib import Path
import pytest_agentfault._run as run
from pytest_agentfault.scenario import Library
from pytest_agentfault.upstreams.cassette import Recordings
test = run.Run((), Library(), Recordings(), Path(), "0", 100)
began = time.perf_counter()
from pytest_agentfault.doors._certificates import Certificates
from pytest_agentfault.serving import FaultServer
FaultServer(test.serve(Certificates(Path)), test.faults).url
print(time.perf_counter() - began)
test.stop()
"""


def tables(quick: bool) -> Sequence[Table]:
    """One request on a kept connection, and the start of the fixture; then LLMock in turns with it."""
    rounds, times = (1, 200) if quick else (16, 2000)
    with _ours() as port, _llmock(may_install=not quick) as other:
        ways: dict[str, Round] = {"ours": _client(port, times)}
        if other is not None:
            ways["llmock"] = _client(other, times)
        found = in_turns(ways, rounds)
    started = in_turns({"start": lambda: _told(START)}, rounds)["start"]
    nothing = [0.0] * rounds
    against: list[Row] = []
    how = f"LLMock {LLMOCK} as a process of its own (`llmock serve --log-level warning`), asked in turns with ours."
    if "llmock" in found:
        against.append(ratio("one request, keep-alive", found["ours"], found["llmock"], AGAINST_LLMOCK))
    else:
        how += " Not measured here: it could not be installed."
    return [
        Table(
            "The door `server`",
            f"A client process with a bare socket posts {times} chat requests on one connection, {rounds} rounds; "
            f"3,000 a second are {LIMIT_US:.0f} us each. The start is that of the fixture in a process that has "
            "loaded what a test under a fault has.",
            "server",
            "nothing",
            [
                difference("one request, keep-alive", found["ours"], nothing, "us", round(LIMIT_US, 1)),
                difference("start of `fault_server`", started, nothing, "ms", LIMIT_START_MS),
            ],
        ),
        Table("The door `server` against LLMock", how, "server", "LLMock", against),
    ]


@dataclass(frozen=True, slots=True)
class _Chat:
    """A reply of the size that LLMock gives."""

    reply: Reply

    def serves(self, request: Request) -> bool:
        return True

    def send(self, request: Request) -> Reply:
        return self.reply


@contextmanager
def _ours() -> Iterator[int]:
    body = json.dumps({"id": "chatcmpl-1", "choices": [{"message": {"role": "assistant", "content": "x" * 250}}]})
    reply = Reply.of(200, body.encode(), {"Content-Type": "application/json"})
    plan = Plan(max_calls=sys.maxsize)
    with ServerDoor(plan, [_Chat(reply)], Certificates(Path), time.monotonic).opened() as door:
        yield door.port


@contextmanager
def _llmock(may_install: bool) -> Iterator[int | None]:
    """LLMock's port; None: it is not to be had."""
    if not _is_installed(may_install):
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(HOME / "bin" / "llmock"), "serve", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()


def _is_installed(may_install: bool) -> bool:
    script = HOME / "bin" / "llmock"
    if not script.exists() and may_install and os.name == "posix":
        venv.create(HOME, with_pip=True)
        command = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", f"llmock=={LLMOCK}"]
        subprocess.run(command, check=False, capture_output=True)
    return script.exists()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "LLMock ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return


def _client(port: int, times: int) -> Round:
    return lambda: _told(CLIENT, str(port), str(times), ASKED)


def _told(code: str, *arguments: str) -> float:
    """The seconds that a process of its own says."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return float(done.stdout)
