"""A body of a GiB from a real server, passed on as it comes: what it takes of memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from ._peak import ROOT
from ._timing import Row, Table

MIB: Final = 1024 * 1024
LIMIT_MIB: Final = 16.0
CLIENTS: Final = ("httpx", "requests", "aiohttp", "httpx, asyncio")
CODE: Final = """
import asyncio, json, socket, sys, threading, time
from contextlib import nullcontext

import aiohttp, httpx, requests
from benchmarks._peak import peak_kib
from pytest_agentfault import Rule
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.faults.status import Status
from pytest_agentfault.upstreams.live import Live

client, mib, ours = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "ours"
listener = socket.create_server(("127.0.0.1", 0))

def serve():
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % (mib << 20))
    piece = bytes(65536)
    for _ in range(mib * 16):
        connection.sendall(piece)
    connection.close()

threading.Thread(target=serve, daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return sum([len(piece) async for piece in reply.content.iter_any()])

async def by_httpx_async():
    async with httpx.AsyncClient(trust_env=False) as asking, asking.stream("GET", url) as reply:
        return sum([len(piece) async for piece in reply.aiter_raw()])

def read():
    if client == "aiohttp":
        return asyncio.run(by_aiohttp())
    if client == "httpx, asyncio":
        return asyncio.run(by_httpx_async())
    if client == "httpx":
        with httpx.stream("GET", url, trust_env=False) as reply:
            return sum(map(len, reply.iter_raw()))
    with requests.get(url, stream=True, timeout=60) as reply:
        return sum(map(len, reply.iter_content(65536)))

before, began = peak_kib(), time.perf_counter()
if ours:
    clock = Clock()
    plan = Plan([Rule("* *", (Status(code=500),), after=1000)], now=clock.now)
    with Patches().under(MemoryDoor(plan, [Live(clock.busy)], clock)):
        size = read()
else:
    size = read()
assert size == mib << 20, size
grown = (peak_kib() - before) / 1024
print(json.dumps([grown, time.perf_counter() - began]))
"""


def tables(quick: bool) -> Sequence[Table]:
    """Peak memory with the door in between, against the same client alone."""
    mib = 8 if quick else 1024
    rows = []
    for client in CLIENTS:
        ours, base = (_run(client, mib, how) for how in ("ours", "alone"))
        grown = ours[0] - base[0]
        rows.append(Row(client, ours[0], base[0], "MiB", grown, grown, grown, LIMIT_MIB, "+"))
        rows.append(
            Row(f"{client}, time", ours[1], base[1], "s", ours[1] / base[1], ours[1] / base[1], ours[1] / base[1])
        )
    return [
        Table(
            "A long body that is passed on",
            f"{mib} MiB from a server in a thread of the same process, read piece by piece, each figure from a process "
            "of its own. Memory is by how much the process's peak grew; flat means the same however long the body.",
            "door",
            "alone",
            rows,
        )
    ]


def _run(client: str, mib: int, how: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, client, str(mib), how], capture_output=True, text=True, check=True, cwd=ROOT
    )
    grown, seconds = json.loads(done.stdout)
    return grown, seconds
