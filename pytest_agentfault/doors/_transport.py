"""
An asyncio transport that performs scripts: what anyio's streams and aiohttp's connections hold.

Between two segments the loop gets a few turns, so that the client sees each one
alone; a wait is a timer of the loop, so that the shared clock decides when it is
over. Like the blocking socket it turns into a real connection where the client
does not speak HTTP.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Final

from .._baseline import AsyncRelay
from .._errors import PlayedError
from .._plan import adrive
from .._reply import Reply, Request
from .._script import Fin, Next, Reset, Send, Stall, Step, Wait
from .._seams import PassedOn, Thrown, UsedUp, client_tls, passed_by
from ._asking import Following, owed
from ._line import Line
from ._socket import MemorySocket

QUIET_SECONDS: Final = 1.0  # after this a live stream counts as idle: the clock may jump
TURNS_BETWEEN_SEGMENTS: Final = 6  # measured: anyio and aiohttp hand a segment up within four


class MemoryTransport(asyncio.Transport):
    """One end of a connection in memory, for asyncio."""

    def __init__(
        self,
        line: Line,
        protocol: asyncio.BaseProtocol,
        stand_in: MemorySocket,
        dial: Callable[..., Coroutine[Any, Any, tuple[Any, Any]]],
    ) -> None:
        tls = {"ssl_object": stand_in, "sslcontext": line.tls} if line.is_tls else {}
        super().__init__({"peername": (line.host, line.port), "sockname": ("127.0.0.1", 0), "socket": stand_in, **tls})
        self.line = line
        self.stand_in = stand_in
        self._loop = asyncio.get_running_loop()
        # A client that is cached over several loops finds a kept connection of a dead one closed, and dials anew.
        stand_in.is_left = self._loop.is_closed
        self._protocol: Any = protocol
        self._dial = dial
        self._performing = False
        self._closing = False
        self._paused = False
        self._waiting_to_resume = False
        self._relaying: set[asyncio.Task[None]] = set()
        self._held: list[bytes] | None = None  # bytes for a real connection that is being made
        self._real: asyncio.Transport | None = None
        self._drained: asyncio.Future[None] | None = None  # who passes a reply on waits for it

    @property
    def real(self) -> asyncio.Transport | None:
        """The real connection this one has turned into, if it has."""
        return self._real

    def start_tls(self, context: ssl.SSLContext | None) -> None:
        """There is no handshake in memory; the context is kept for a connection that turns real."""
        self.line.tls, self.line.is_tls = context, True
        self._extra.update(ssl_object=self.stand_in, sslcontext=context)  # type: ignore[attr-defined]

    def write(self, data: Any) -> None:
        """Take in the client's bytes and answer what is complete of them."""
        piece = bytes(data)
        if self._real is not None:
            self._real.write(piece)
        elif self._held is not None:
            self._held.append(piece)
        elif not self._closing and piece:
            if not self.line.is_http(piece):
                self._held = [piece]
                self._start(self._turn_real())
                return
            for request in self.line.requests(piece):
                self._answer(request)
            self._perform_soon()

    def writelines(self, pieces: Any) -> None:
        """As `write`, all at once."""
        self.write(b"".join(pieces))

    def _answer(self, request: Request) -> None:
        if self._relaying or hasattr(self.line.serving(request), "asend"):
            self._start(self._relay(request))
        else:
            self.line.answer(request)

    async def _relay(self, request: Request) -> None:
        """Run the exchange of one request, awaiting the upstream that answers it."""
        self.line.clock.may_move_here()
        claim = self.line.claim(request)
        try:
            if claim.due:
                self.line.queue(await adrive(self.line.plan.exchange(request, claim), self._ask))
            elif isinstance(healthy := await self._ask_untouched(request), Reply):
                self.line.queue(self.line.passed_on(claim, healthy))
            else:
                await self._pass_on(healthy, Following(self.line.plan, claim))
        except Thrown as thrown:
            self._lose(thrown.error)
        except Exception as error:
            self.line.plan.problems.append(error)
            self._lose(error)
        self._perform_soon()

    async def _ask(self, request: Request) -> Reply:
        reply = await self._asked(request, "asend")
        assert isinstance(reply, Reply)  # what `asend` gives
        return reply

    async def _ask_untouched(self, request: Request) -> Reply | AsyncRelay:
        return await self._asked(request, "arelay")

    async def _asked(self, request: Request, verb: str) -> Reply | AsyncRelay:
        client_tls.set(self.line.tls)  # a task has a context of its own
        for upstream in self.line.asking(request):
            asking: Any = getattr(upstream, verb, None) or getattr(upstream, "asend", None)
            try:
                if asking is None:
                    return self.line.ask_one(upstream, request)
                reply: Reply | AsyncRelay = await asking(request)
            except PassedOn:
                continue
            except (PlayedError, UsedUp) as error:
                return owed(self.line.plan, request, error)
            return reply
        raise AssertionError("asking() ends in an error")

    async def _pass_on(self, relay: AsyncRelay, following: Following) -> None:
        """Hand on what comes while it comes, and read no faster than the client does."""
        try:
            comes = True
            while comes:
                step, over = await self._read(relay), relay.over
                following.heard(relay)
                comes = over is None and isinstance(step, Send)
                self.line.steps.extend((step, over) if over is not None and isinstance(step, Send) else (step,))
                self._drained = self._loop.create_future()
                self._perform_soon()
                await self._drained
        finally:
            following.ended(relay)
            await relay.close()

    async def _read(self, relay: AsyncRelay) -> Step:
        reading = self._loop.create_task(relay.read())
        try:
            with self.line.clock.busy():  # a stream that says nothing for long does not hold the clock for ever
                await asyncio.wait({reading}, timeout=None if relay.so_far is None else QUIET_SECONDS)
            return await reading
        finally:
            reading.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._relaying.add(task)
        task.add_done_callback(self._relaying.discard)

    def _perform_soon(self, turns: int = 1) -> None:
        if self.line.steps and not self._performing:
            self._go_on(turns)

    def _perform(self, turns: int = 0) -> None:
        """Perform one step, after so many turns of the loop."""
        if turns:
            self._loop.call_soon(self._perform, turns - 1)
            return
        self._performing = False
        if self._closing or not self.line.steps:
            self._tell_drained()
            return
        if self._paused:
            self._waiting_to_resume = True
            return
        match self.line.steps.popleft():
            case Send(data):
                self._deliver(data)
                if self.line.steps and isinstance(self.line.steps[0], Next):
                    self.line.steps.popleft()  # a reply is over: the next one need not wait
                self._perform_soon(TURNS_BETWEEN_SEGMENTS)
            case Wait(seconds):
                self._performing = True
                self._loop.call_later(seconds, self._perform)
            case Stall():
                self.line.clock.when_stuck(self._give_up)
            case Fin():
                self.stand_in.end()
                if not self._protocol.eof_received():
                    self._lose(None)
            case Reset():
                self._lose(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))
            case Next():
                self._go_on(0)

        if not self.line.steps:
            self._tell_drained()

    def _tell_drained(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _go_on(self, turns: int) -> None:
        self._performing = True
        self._loop.call_soon(self._perform, turns)

    def _give_up(self) -> None:
        if not self._closing:
            self._lose(self.line.would_block())

    def _deliver(self, data: bytes) -> None:
        if not isinstance(self._protocol, asyncio.BufferedProtocol):
            self._protocol.data_received(data)
            return
        while data:
            buffer = self._protocol.get_buffer(len(data))
            view = memoryview(buffer)
            size = min(len(view), len(data))
            view[:size] = data[:size]
            self._protocol.buffer_updated(size)
            data = data[size:]

    def _lose(self, error: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        if not self._loop.is_closed():
            self._loop.call_soon(self._protocol.connection_lost, error)

    async def _turn_real(self) -> None:
        """Leave the memory: this connection does not speak HTTP."""
        line = self.line
        with passed_by():
            try:
                tls = {"ssl": line.tls, "server_hostname": line.host} if line.tls is not None else {}
                real, _ = await self._dial(self._loop, lambda: _Through(self), line.host, line.port, **tls)
            except OSError as error:
                self._lose(error)
                return
        self._real = real
        for piece in self._held or ():
            real.write(piece)
        self._held = None

    def hang_up(self) -> None:
        """The test is over: the client finds its connection closed, unless it is a real one by now."""
        if self._real is None and self._held is None:
            if not self._loop.is_closed():
                self._stop_relaying()
            self._lose(None)

    def _stop_relaying(self) -> None:
        for task in self._relaying:
            task.cancel()

    def close(self) -> None:
        """The client closes."""
        self._stop_relaying()
        if self._real is None:
            self._lose(None)
        else:  # it tells the protocol itself that the connection is lost
            self._closing = True
            self._real.close()

    abort = close

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._closing or (self._real is not None and self._real.is_closing())

    def pause_reading(self) -> None:
        """The client has enough for now."""
        self._paused = True
        if self._real is not None:
            self._real.pause_reading()

    def resume_reading(self) -> None:
        """The client takes more."""
        self._paused = False
        if self._real is not None:
            self._real.resume_reading()
        if self._waiting_to_resume:
            self._waiting_to_resume = False
            self._go_on(0)

    def is_reading(self) -> bool:
        """Whether the client takes bytes now."""
        return not self._paused and not self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Memory takes everything at once: there is no write buffer."""

    def get_write_buffer_size(self) -> int:
        """There is no write buffer."""
        return 0

    def can_write_eof(self) -> bool:
        """A client may say that it has written all."""
        return True

    def write_eof(self) -> None:
        """The client has written all."""
        if self._real is not None:
            self._real.write_eof()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who the bytes are handed to."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the bytes to another protocol from now on."""
        self._protocol = protocol


class _Through(asyncio.Protocol):
    """Hands what a real connection says to the protocol that the client has now."""

    def __init__(self, near: MemoryTransport) -> None:
        self._near = near

    def data_received(self, data: bytes) -> None:
        self._near._deliver(data)

    def eof_received(self) -> bool | None:
        result: bool | None = self._near._protocol.eof_received()
        return result

    def connection_lost(self, exc: Exception | None) -> None:
        self._near._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._near._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._near._protocol.resume_writing()
