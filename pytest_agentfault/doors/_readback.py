"""
A script read back by the client library itself, without a socket.

A real `HTTP11Connection` of httpcore (or httpcore2), over its own network
stream, over something in memory that performs the steps: what parses, what is
handed up and what fails, and how, is the library's own doing.

Private seams, one test each in tests/test_transport_door_seams.py: `SyncStream`,
`AnyIOStream` and `TrioStream` of the core's `_backends`, `map_exceptions` of its
`_exceptions`; `ResponseStream`, `AsyncResponseStream` and
`map_httpcore_exceptions` of the library's `_transports.default`.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, NoReturn

from .._reply import Refused, Request, Why
from .._script import Fin, Next, Reset, Script, Send, Stall, Wait
from ._line import Line, Signals
from ._messages import Library
from ._socket import MemorySocket, untrusted_error

CONNECT_PATIENCE_SECONDS: Final = 127.0  # Linux gives up on an unanswered SYN after about this long


class Played(Line):
    """A connection whose steps are known beforehand: what the client writes is taken and not asked about again."""

    def play(self, script: Script, is_tls: bool) -> Played:
        """Line the steps up."""
        self.is_tls = is_tls
        self.steps.extend(script.steps)
        return self

    @property
    def is_untouched(self) -> bool:
        """It is not a connection that could turn real."""
        return False

    def is_http(self, first: bytes) -> bool:
        """It is HTTP: the library has just made it."""
        return True

    def requests(self, data: bytes) -> Iterator[Request]:
        """None that anybody should answer."""
        return iter(())


def read_back(library: Library, request: Any, line: Played, signals: Signals) -> Any:
    """The response that a blocking client makes of the steps; raises as it does on a socket."""
    stream = library.in_core("_backends.sync").SyncStream(MemorySocket(line, signals, None, socket.create_connection))
    core, default = library.in_core(), library.inside("_transports.default")
    asked = _core_request(core, request)
    with default.map_httpcore_exceptions(), _as_by_a_pool():
        answered = core.HTTP11Connection(origin=asked.url.origin, stream=stream).handle_request(asked)
    return _response(library, answered, default.ResponseStream(_Pooled(answered.stream, library.hides_cause)))


async def aread_back(library: Library, request: Any, line: Played) -> Any:
    """The response that an async client makes of the steps; raises as it does on a socket."""
    if _is_trio():
        stream = library.in_core("_backends.trio").TrioStream(_TrioEnd(line))
    else:
        stream = library.in_core("_backends.anyio").AnyIOStream(_AnyioEnd(line))
    core, default = library.in_core(), library.inside("_transports.default")
    asked = _core_request(core, request)
    with default.map_httpcore_exceptions(), _as_by_a_pool():
        connection = core.AsyncHTTP11Connection(origin=asked.url.origin, stream=stream)
        answered = await connection.handle_async_request(asked)
    return _response(library, answered, default.AsyncResponseStream(_AsyncPooled(answered.stream, library.hides_cause)))


def refuse(library: Library, request: Any, refused: Refused, line: Line) -> NoReturn:
    """Fail as a blocking client whose connection never comes to be."""
    error: OSError
    match refused.why:
        case Why.REFUSED:
            error = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        case Why.TIMEOUT:
            limit = _connect_limit(request)
            line.clock.wait(CONNECT_PATIENCE_SECONDS if limit is None else limit)
            error = TimeoutError("timed out")
        case why:
            error = _name_or_trust(why)
    with _connecting(library):
        raise error


async def arefuse(library: Library, request: Any, refused: Refused, line: Line) -> NoReturn:
    """Fail as an async client whose connection never comes to be."""
    with _connecting(library):
        match refused.why:
            case Why.REFUSED:
                where = (line.host, line.port)
                refusal = ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {where}")
                raise OSError("All connection attempts failed") from refusal
            case Why.TIMEOUT:
                await _time_out(_connect_limit(request), line)
            case why:
                raise _name_or_trust(why)


async def _time_out(limit: float | None, line: Line) -> NoReturn:
    if _is_trio():
        line.clock.wait(CONNECT_PATIENCE_SECONDS if limit is None else limit)
        raise TimeoutError
    import anyio

    with anyio.fail_after(limit):
        await asyncio.sleep(CONNECT_PATIENCE_SECONDS)
    raise TimeoutError("timed out")


def _name_or_trust(why: Why) -> OSError:
    if why is Why.UNRESOLVED:
        return socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return untrusted_error()


def _connect_limit(request: Any) -> float | None:
    limit: float | None = request.extensions.get("timeout", {}).get("connect")
    return limit


@contextmanager
def _connecting(library: Library) -> Iterator[None]:
    core, default = library.in_core(), library.inside("_transports.default")
    kinds = {TimeoutError: core.ConnectTimeout, OSError: core.ConnectError}
    with default.map_httpcore_exceptions(), _as_by_a_pool(), library.in_core("_exceptions").map_exceptions(kinds):
        yield


@contextmanager
def _as_by_a_pool() -> Iterator[None]:
    """Every error of a client comes through a pool, which takes the cause off it."""
    try:
        yield
    except BaseException as error:
        raise error from None


class _Pooled:
    """A body as a pool hands it up."""

    def __init__(self, stream: Any, hides_cause: bool) -> None:
        self._stream, self._hides_cause = stream, hides_cause

    def __iter__(self) -> Iterator[bytes]:
        with _as_by_a_pool() if self._hides_cause else nullcontext():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _AsyncPooled:
    """The same for async clients."""

    def __init__(self, stream: Any, hides_cause: bool) -> None:
        self._stream, self._hides_cause = stream, hides_cause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_by_a_pool() if self._hides_cause else nullcontext():
            async for piece in self._stream:
                yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _core_request(core: Any, request: Any) -> Any:
    url = request.url
    return core.Request(
        method=request.method,
        url=core.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _response(library: Library, answered: Any, stream: Any) -> Any:
    return library.public.Response(
        status_code=answered.status, headers=answered.headers, stream=stream, extensions=answered.extensions
    )


def _is_trio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


class _End:
    """The far end of an async connection: performs steps when it is read."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._rest = b""

    async def _next(self, most: int) -> bytes | Fin | Reset:
        """The next bytes, or how it ends."""
        steps = self._line.steps
        while not self._rest:
            step = steps[0] if steps else Stall()
            match step:
                case Send(data):
                    steps.popleft()
                    self._rest = data
                case Wait(seconds):
                    await self._wait(seconds)
                    steps.popleft()
                case Next():
                    steps.popleft()
                case Stall():
                    await self._stall()
                case _:
                    return step
        piece, self._rest = self._rest[:most], self._rest[most:]
        return piece

    async def _wait(self, seconds: float) -> None:
        raise NotImplementedError

    async def _stall(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is held."""


class _AnyioEnd(_End):
    """What an `anyio` byte stream is to httpcore."""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        import anyio

        found = await self._next(max_bytes)
        match found:
            case Fin():
                raise anyio.EndOfStream
            case Reset():
                reset = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
                raise anyio.BrokenResourceError from reset
        return found

    async def send(self, item: bytes) -> None:
        """Taken, at once."""

    def extra(self, attribute: Any, default: Any = None) -> Any:
        return default

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _stall(self) -> None:
        stuck = asyncio.get_running_loop().create_future()
        self._line.clock.when_stuck(lambda: None if stuck.done() else stuck.set_exception(self._line.would_block()))
        await stuck


class _TrioEnd(_End):
    """What a trio stream is to httpcore; trio's time is not the shared clock's, so the clock is moved by hand."""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        import trio

        await trio.lowlevel.checkpoint()
        found = await self._next(max_bytes or 65536)
        match found:
            case Fin():
                return b""
            case Reset():
                reset = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
                raise trio.BrokenResourceError(f"socket connection broken: {reset}") from reset
        return found

    async def send_all(self, data: bytes) -> None:
        """Taken, at once."""

    async def _wait(self, seconds: float) -> None:
        left = self._left()
        if seconds > left:
            self._line.steps[0] = Wait(seconds - left)
        self._pass(seconds, left)

    async def _stall(self) -> None:
        left = self._left()
        if left == float("inf"):
            raise self._line.would_block()
        self._pass(float("inf"), left)

    def _pass(self, seconds: float, left: float) -> None:
        import trio

        self._line.clock.wait(min(seconds, left))
        if seconds > left:
            raise trio.TooSlowError

    @staticmethod
    def _left() -> float:
        import trio

        return trio.current_effective_deadline() - trio.current_time()
