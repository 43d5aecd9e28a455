"""
httpx's messages as ours, and what a transport that reaches no socket has answered.

Rule: httpx and httpx2 differ here by name only. Whatever is not in both is asked
for in this file and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from .._baseline import KEPT_BYTES
from .._reply import Data, End, Head, Headers, How, Lost, Reply, Request
from .._rule import DEFAULT_PORTS, authority
from ._asking import Following


@dataclass(frozen=True, slots=True)
class Library:
    """An HTTP client library of httpx's build, and the library its connections come from.

    Args:
        name: the module its users import.
        core: the module of its connections.
        hides_cause: whether its pool takes the cause off an error in the body, as it does before the head.
    """

    name: str
    core: str
    hides_cause: bool

    @property
    def public(self) -> Any:
        """The module that its users import."""
        return sys.modules[self.name]

    def inside(self, path: str) -> Any:
        """A private module of it."""
        return import_module(f"{self.name}.{path}")

    def in_core(self, path: str = "") -> Any:
        """The core, or a private module of it."""
        return import_module(f"{self.core}.{path}" if path else self.core)


LIBRARIES: Final = (Library("httpx", "httpcore", hides_cause=True), Library("httpx2", "httpcore2", hides_cause=False))


def authority_of(url: Any) -> tuple[str, str, int]:
    """`scheme://host[:port]` of a URL, its host, and its port."""
    port = url.port or DEFAULT_PORTS.get(url.scheme, 0)
    return authority(url.scheme, url.host, port), url.host, port


def request_of(asked: Any, base: str) -> Request:
    """What the client asks; its body must have been read."""
    return Request(asked.method, base + asked.url.raw_path.decode("latin-1"), _text(asked.headers.raw), asked.content)


def changed(library: Library, asked: Any, request: Request) -> Any:
    """The client's request as a fault has changed it on the way out."""
    # Without the old length: the library writes the true one.
    headers = [(k, v) for k, v in request.headers if k.lower() not in ("content-length", "transfer-encoding")]
    return library.public.Request(
        request.method, request.url, headers=headers, content=request.body, extensions=asked.extensions
    )


class Healthy:
    """What the transport answered: the response itself, and as a reply with its pieces as they came.

    A body that fails while it is read is lost there; untouched, the client meets the very same error.
    """

    def __init__(self, library: Library, response: Any) -> None:
        self._library, self.response = library, response
        self._pieces: list[bytes] = []
        self._error: Exception | None = None
        self._headers = _text(response.headers.raw)

    @property
    def _is_ready(self) -> bool:
        """Whether the body is there and can be read any number of times."""
        return isinstance(self.response.stream, self._library.public.ByteStream)

    def read(self) -> Reply:
        """The reply of a blocking transport."""
        if self._is_ready:
            self._pieces = list(self.response.stream)
        elif not self._is_used_up():
            try:
                self._pieces.extend(self.response.stream)
            except Exception as error:
                self._error = error
            finally:
                self.response.stream.close()
            self.response.stream = self._again()
        return self._reply()

    async def aread(self) -> Reply:
        """The reply of an async transport."""
        if self._is_ready:
            self._pieces = list(self.response.stream)
        elif not self._is_used_up():
            try:
                async for piece in self.response.stream:
                    self._pieces.append(piece)
            except Exception as error:
                self._error = error
            finally:
                await self.response.stream.aclose()
            self.response.stream = self._again()
        return self._reply()

    def passed_on(self, following: Following) -> Any:
        """The response, untouched; what comes of its body is kept in the log, as much of it as there is room."""
        if self._is_ready:
            self._pieces = list(self.response.stream)
        elif not self._is_used_up():
            self.response.stream = self._overheard(following)
        following.heard(self)
        return self.response

    @property
    def so_far(self) -> Reply:
        """What has come of it."""
        return self._reply()

    def _overheard(self, following: Following) -> Any:
        """The body of a response, whoever reads it; nothing is read before, nothing held back."""
        real, public, heard = self.response.stream, self._library.public, self._heard

        class Overheard(public.SyncByteStream, public.AsyncByteStream):  # type: ignore[misc, name-defined]
            def __iter__(self) -> Iterator[bytes]:
                with heard(following) as keep:
                    for piece in real:
                        keep(piece)
                        yield piece

            async def __aiter__(self) -> AsyncIterator[bytes]:
                with heard(following) as keep:
                    async for piece in real:
                        keep(piece)
                        yield piece

            def close(self) -> None:
                real.close()

            async def aclose(self) -> None:
                await real.aclose()

        return Overheard()

    @contextmanager
    def _heard(self, following: Following) -> Iterator[Callable[[bytes], None]]:
        room = KEPT_BYTES

        def keep(piece: bytes) -> None:
            nonlocal room
            room -= len(piece)
            if room >= 0:
                self._pieces.append(piece)

        try:
            yield keep
        except Exception as error:
            self._error = error
            raise
        finally:
            following.ended(self)

    def _is_used_up(self) -> bool:
        """A response that another client has read already: what is left of it is its decoded content."""
        if not self.response.is_stream_consumed:
            return False
        self._pieces = [self.response.content]
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        self._headers = tuple(h for h in self._headers if h[0].lower() not in dropped)
        return True

    def _reply(self) -> Reply:
        reason = self.response.extensions.get("reason_phrase", b"").decode("latin-1")
        body = (Data(piece) for piece in self._pieces if piece)
        end = Lost(How.RESET) if self._error else End()
        return Reply((Head(self.response.status_code, self._headers, reason), *body, end))

    def _again(self) -> Any:
        pieces, error, public = self._pieces, self._error, self._library.public

        class Again(public.SyncByteStream, public.AsyncByteStream):  # type: ignore[misc, name-defined]
            def __iter__(self) -> Iterator[bytes]:
                yield from pieces
                if error is not None:
                    raise error

            async def __aiter__(self) -> AsyncIterator[bytes]:
                for piece in self:
                    yield piece

        return Again()


def _text(raw: Any) -> Headers:
    return tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in raw)
