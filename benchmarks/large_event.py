"""One event of 64 MiB in a stream, split and delivered: what it takes of memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from ._peak import ROOT
from ._timing import Row, Table

LIMIT: Final = 2.0
ROWS: Final = {
    "split in HTTP chunks": ("given", "split_chunks = {chunks}", LIMIT),
    "split in TCP segments": ("given", "split_chunks = {segments}", LIMIT),
    "split at every named place": ("given", "split_chunks = {}", LIMIT),
    "made, and split": ("made", "rewrite_events, split_chunks", LIMIT),
    "made": ("made", "rewrite_events", LIMIT),
    "split every 4 KiB": ("given", "split_chunks = {every_bytes}", None),
}
CODE: Final = """
import json, socket, sys, threading, time

import httpx2
from benchmarks._peak import peak_kib
from pytest_agentfault import Reply, Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.faults.rewrite_events import RewriteEvents
from pytest_agentfault.faults.split_chunks import SplitChunks

given, how, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
SMALL = b'data: {"a": 1}\\n\\ndata: {"b": 2}\\n\\ndata: [DONE]\\n\\n'
FAULTS = {
    "split_chunks = {chunks}": [SplitChunks(at=[size // 2])],
    "split_chunks = {segments}": [SplitChunks(at=[size // 2], wire="segments")],
    "split_chunks = {}": [SplitChunks()],
    "split_chunks = {every_bytes}": [SplitChunks(4096)],
    "rewrite_events, split_chunks": [RewriteEvents("large_event", size), SplitChunks(at=[size // 2, "inside_done"])],
    "rewrite_events": [RewriteEvents("large_event", size)],
}

class Told:
    def __init__(self, reply):
        self.reply = reply

    def serves(self, request):
        return True

    def send(self, request):
        return self.reply

def through_the_door(body, faults):
    clock = Clock()
    plan = Plan([Rule("* *", tuple(faults))], now=clock.now)
    told = Told(Reply.of(200, body, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
    del body
    with Patches().under(MemoryDoor(plan, [told], clock)):
        read = got("http://door.test/")
    assert plan.log[0].struck
    return read

def got(url):
    with httpx2.Client(trust_env=False) as client, client.stream("GET", url) as reply:
        return sum(map(len, reply.iter_raw()))

def serve(listener):
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
    for _ in range(size >> 16):
        connection.sendall(bytes(65536))
    connection.close()

through_the_door(SMALL, [SplitChunks(at=[7])])
began, before = time.perf_counter(), peak_kib()
if given == "alone":
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    read = got(f"http://127.0.0.1:{listener.getsockname()[1]}/")
elif given == "made":
    read = through_the_door(SMALL, FAULTS[how])
else:
    read = through_the_door(b'data: {"a": "' + b"x" * (size - 17) + b'"}\\n\\n' + SMALL, FAULTS[how])
assert read >= size, read
grown = (peak_kib() - before) / 1024
print(json.dumps([grown, time.perf_counter() - began]))
"""


def tables(quick: bool) -> Sequence[Table]:
    """Peak memory of a stream whose one event is large, against that event's size."""
    mib = 4 if quick else 64
    alone = _run("alone", "", mib)
    rows = []
    for what, (given, how, limit) in ROWS.items():
        grown, seconds = _run(given, how, mib)
        times = (grown - alone[0]) / mib
        rows.append(Row(what, grown, alone[0], "MiB", times, times, times, limit))
        rows.append(Row(f"{what}, time", seconds, alone[1], "s", *[seconds / alone[1]] * 3))
    return [
        Table(
            "A large event",
            f"A stream with an event of {mib} MiB, read piece by piece by `httpx2`; each figure is from a process of "
            "its own. Memory is by how much the process's peak grew, the recorded stream itself included; what is "
            "judged is that less what the client alone takes for as much from a server, in sizes of the event. made: "
            "the recorded stream is small, and `rewrite_events` makes one of its events large.",
            "door",
            "alone",
            rows,
        )
    ]


def _run(given: str, how: str, mib: int) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, given, how, str(mib << 20)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    grown, seconds = json.loads(done.stdout)
    return grown, seconds
