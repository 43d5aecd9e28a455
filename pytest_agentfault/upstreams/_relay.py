"""
A real server's reply that is passed on while it comes.

The client gets the server's bytes as they are, framing and all, so that nothing
is held back and nothing said anew; beside them the reply is followed only as
far as the log needs it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Final

from .._reply import Reply
from .._script import Fin, Next, Reset, Send, Step
from ._spoken import Spoken

READ_BYTES: Final = 65536


class _Followed:
    """What both kinds of relay have in common: bytes go through, and are heard on their way."""

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken

    @property
    def so_far(self) -> Reply | None:
        """What has come of the reply; None: not even its head."""
        return self._spoken.so_far

    @property
    def over(self) -> Step | None:
        """How it ends, once it is whole; that the server closes as we asked it to, its client need not know."""
        if not self._spoken.whole:
            return None
        return Next() if self._spoken.keeps else Fin()

    def _heard(self, data: bytes | None) -> Step:
        """What the client meets; no bytes: the server has closed, None: reset."""
        if not self._spoken.done:  # bytes that are no HTTP are passed on, too: what to make of them is the client's say
            self._spoken.receive(data)
        if data is None:
            return Reset()
        return Send(data) if data else Fin()


class BlockingRelay(_Followed):
    """A reply that is read from a blocking socket.

    Args:
        spoken: follows the reply.
        wire: the connection to the server, the request sent.
        busy: a context manager; while it is open the shared clock does not jump.
    """

    def __init__(self, spoken: Spoken, wire: socket.socket, busy: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(spoken)
        self._wire, self._busy = wire, busy

    def read(self, seconds: float | None) -> Step:
        """The next bytes, or how it ends.

        Raises:
            TimeoutError: nothing has come for `seconds`.
        """
        with self._busy():
            self._wire.settimeout(seconds)
            try:
                return self._heard(self._wire.recv(READ_BYTES))
            except ConnectionResetError:
                return self._heard(None)

    def fileno(self) -> int:
        """A descriptor that is readable when more has come."""
        return self._wire.fileno()

    def close(self) -> None:
        """No more of it is wanted; whoever is just reading it in another thread reads its end."""
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._wire.close()


class AsyncRelay(_Followed):
    """A reply that is read in an event loop.

    Args:
        spoken: follows the reply.
        reader: the server's end.
        writer: ours, the request sent.
    """

    def __init__(self, spoken: Spoken, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(spoken)
        self._reader, self._writer = reader, writer

    async def read(self) -> Step:
        """The next bytes, or how it ends; how long that may take is the client's own business."""
        try:
            return self._heard(await self._reader.read(READ_BYTES))
        except ConnectionResetError:
            return self._heard(None)

    async def close(self) -> None:
        """No more of it is wanted."""
        # Not close(): over TLS that waits for the server's goodbye, longer than the loop may live.
        self._writer.transport.abort()
        await asyncio.sleep(0)
