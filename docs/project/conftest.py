"""The shop: a small real server on loopback, and a client that knows where it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest
from shop import Shop

STORY = ["Once there was a shop in Köln, ", "it sold what it had, ", "and it had 5 €."]


class Handler(BaseHTTPRequestHandler):
    """Every order is the same, and the story never changes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """An order, or the story."""
        if self.path == "/story":
            events = [json.dumps({"text": text}, ensure_ascii=False) for text in STORY]
            self._say("text/event-stream", "".join(f"data: {event}\n\n" for event in [*events, "end"]))
        else:
            self._say("application/json", json.dumps({"number": 7, "item": "lamp", "price": "12.50"}))

    def do_POST(self) -> None:
        """An order is placed."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._say("application/json", json.dumps({"number": 7}))

    def _say(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""


@pytest.fixture(scope="session")
def vendor() -> Iterator[str]:
    """The base URL of the shop."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(vendor: str) -> Iterator[Shop]:
    """A client of the shop, which gets a new token each time it signs in."""
    numbers = count(1)
    shop = Shop(vendor, lambda: f"token-{next(numbers)}")
    yield shop
    shop.close()
