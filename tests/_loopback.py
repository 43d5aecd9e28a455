"""A small real server for tests that need a healthy reply: JSON over loopback, counted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Loopback:
    """A running server: where it is, and what it was asked."""

    def __init__(self, url: str, asked: list[tuple[str, str, bytes]]) -> None:
        self.url, self.asked = url, asked


@contextmanager
def loopback(reply: Any = None) -> Iterator[Loopback]:
    """A server that answers every request with this JSON, until the block ends."""
    asked: list[tuple[str, str, bytes]] = []
    body = json.dumps({"ok": True, "items": [1, 2, 3]} if reply is None else reply).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.command, self.path, self.rfile.read(int(self.headers.get("content-length", 0)))))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Loopback(f"http://127.0.0.1:{server.server_port}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A running server, named to the tests of an inner project by the environment variable LOOPBACK."""
    with loopback() as running:
        monkeypatch.setenv("LOOPBACK", running.url)
        yield running
