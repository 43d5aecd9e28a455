"""
httpx's requests and responses, as mocks of httpx understand them, from ours and to ours.

Shared by the mounts of such mocks; httpx is imported when one of them is asked.
"""

from __future__ import annotations

from typing import Any

from .._reply import Data, End, Event, Head, How, Lost, Reply, Request


def httpx_request(request: Request, like: Any = None) -> Any:
    """What a mock is asked with; `extensions` (timeouts and such) are those of the client's own request."""
    import httpx

    extensions = dict(like.extensions) if like is not None else {}
    return httpx.Request(
        request.method, request.url, headers=list(request.headers), content=request.body, extensions=extensions
    )


def reply_of(response: Any) -> Reply:
    """A mocked response as it goes over the wire: each piece of its stream is a chunk."""
    import httpx

    gathered: list[Event] = [_head(response)]
    try:
        # A decorated `async def` may have been given a stream that only a blocking client can read, and reversed.
        gathered.extend(Data(piece) for piece in response.stream if piece)
    except (httpx.TransportError, OSError) as error:
        gathered.append(_lost(error))
    else:
        gathered.append(End())
    return Reply(tuple(gathered))


async def areply_of(response: Any) -> Reply:
    """As `reply_of`, for a stream that must be awaited."""
    import httpx

    if not isinstance(response.stream, httpx.AsyncByteStream):
        return reply_of(response)
    gathered: list[Event] = [_head(response)]
    try:
        async for piece in response.stream:
            if piece:
                gathered.append(Data(piece))
    except (httpx.TransportError, OSError) as error:
        gathered.append(_lost(error))
    else:
        gathered.append(End())
    return Reply(tuple(gathered))


def _head(response: Any) -> Head:
    pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
    reason = response.extensions.get("reason_phrase", b"")
    return Head(response.status_code, pairs, reason.decode("latin-1"))


def _lost(error: Exception) -> Lost:
    """Where a stream fails half-way, the connection does."""
    return Lost(How.STALLED if "Timeout" in type(error).__name__ else How.CUT)
