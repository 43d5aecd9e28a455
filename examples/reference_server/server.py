"""
The loopback server: finds the vendor by the first part of the path and writes its answer.

Rule: every reply says where it comes from (`X-Reference-Server`), so that no one
takes a cassette of the examples for a recording of the true vendor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from . import anthropic_api, desk_api, jira_api, linear_api, openai_api, parcel_api, shop_site, stay_api
from .wire import Answer, Asked, answer_json

VENDORS: dict[str, tuple[str, Callable[[Asked], Answer | None]]] = {
    "openai": ("https://api.openai.com", openai_api.answer),
    "cloud": (jira_api.CLOUD, jira_api.answer_cloud),
    "datacenter": (jira_api.DATA_CENTER, jira_api.answer_data_center),
    "linear": ("https://api.linear.app", linear_api.answer),
    "anthropic": ("https://api.anthropic.com", anthropic_api.answer),
    "desk": (desk_api.BASE, desk_api.answer),
    "parcel": ("https://api.parcel.example", parcel_api.answer),
    "shop": (shop_site.SITE, shop_site.answer),
    "stay": ("https://api.stay.example", stay_api.answer),
}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a read."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a write."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet: the recorder says what it does."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        prefix, _, path = parts.path.lstrip("/").partition("/")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, f"/{path}", parse_qs(parts.query), headers, body)
        found = VENDORS[prefix][1](asked) if prefix in VENDORS else None
        self._write(found or answer_json({"message": f"the reference server has no {self.command} {self.path}"}, 404))

    def _write(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in {"Date": "Thu, 01 Jan 2026 00:00:00 GMT", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("X-Reference-Server", "pytest-agentfault")
        if not answer.streamed:
            self.send_header("Content-Length", str(sum(map(len, answer.pieces))))
            self.end_headers()
            self.wfile.write(b"".join(answer.pieces))
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (*answer.pieces, b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


@contextmanager
def running(port: int = 0) -> Iterator[str]:
    """Serve on loopback for the length of the block; gives the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
