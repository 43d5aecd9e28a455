"""
The requests and responses of `requests`, as mocks of it understand them, from ours and to ours.

Shared by the mounts of such mocks; requests is imported when one of them is asked.
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

from .._reply import Headers, Reply, Request


def prepared(request: Request, like: Any = None) -> Any:
    """What a mock is asked with: the client's own prepared request, unless a fault has changed it on its way.

    Its body may be text where the wire has bytes, and tests of the mock compare it.
    """
    import requests

    if like is not None and _is_same(request, like):
        return like.copy()
    made = requests.PreparedRequest()
    made.prepare(request.method, request.url, headers=dict(reversed(request.headers)))
    made.body = request.body or None
    return made


def _is_same(request: Request, like: Any) -> bool:
    body = like.body.encode() if isinstance(like.body, str) else like.body or b""
    target = urlsplit(request.url)
    path_url = (target.path or "/") + (f"?{target.query}" if target.query else "")
    if (request.method, path_url, request.body) != (like.method, like.path_url, body):
        return False
    return all(request.header(_text(name)) == _text(value) for name, value in like.headers.items())


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def reply_of(response: Any) -> Reply:
    """A mocked response as it goes over the wire; it can still be read by whoever keeps it."""
    from urllib3 import HTTPResponse

    raw = response.raw
    if raw is None or response._content is not False:  # a hook of the suite has read it, or made one of its own
        body = response.content or b""
        headers = tuple((k, v) for k, v in _pairs(response.headers) if k.lower() != "content-encoding")
        return Reply.of(response.status_code, body, headers, response.reason or "")
    body = raw.read(decode_content=False) or b""
    headers = _pairs(response.headers if _was_changed(response) else raw.headers)
    response.raw = HTTPResponse(
        io.BytesIO(body), raw.headers, raw.status, reason=raw.reason, preload_content=False, decode_content=False
    )
    return Reply.of(response.status_code, body, headers, _text(response.reason or ""))


def _was_changed(response: Any) -> bool:
    return dict(response.headers.lower_items()) != {k.lower(): v for k, v in response.raw.headers.items()}


def _pairs(headers: Any) -> Headers:
    return tuple((_text(name), _text(value)) for name, value in headers.items())
