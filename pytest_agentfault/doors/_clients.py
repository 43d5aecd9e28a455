"""
Where libraries go to a connection by a way of their own.

urllib3 and aiohttp do not call the standard library's functions by name, anyio
does its own TLS. Each of these private seams is quarantined in one function
here; tests/test_seams.py fails by name when one moves. A library that is
imported only during the test is followed at that moment.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from .._errors import UnreachableError
from .._seams import Patches
from ._authorities import read_by_urllib3_once, read_when_needed
from ._socket import untrusted_error
from ._transport import MemoryTransport

if TYPE_CHECKING:
    from .memory import MemoryDoor


def _through_urllib3(door: MemoryDoor, patches: Patches) -> None:
    """urllib3 keeps a copy of `create_connection` that knows no module-level default timeout."""
    import urllib3.util.connection as seam

    real = seam.create_connection

    def create_connection(address: tuple[str, int], timeout: Any = None, *args: Any, **kwargs: Any) -> Any:
        host = door.host_behind(address[0])
        if not door.wants(host, address[1]):
            return real(address, timeout, *args, **kwargs)
        return door.connected(host, int(address[1]), timeout)

    patches.set(seam, "create_connection", create_connection)


def _through_aiohttp(door: MemoryDoor, patches: Patches) -> None:
    """aiohttp connects a socket with aiohappyeyeballs, to an address that it looks up and keeps for a while.

    An address kept from another test would lead past the door, or to one that is gone.
    """
    import aiohappyeyeballs
    from aiohttp.connector import TCPConnector
    from aiohttp.helpers import is_ip_address

    real_start, real_resolve = aiohappyeyeballs.start_connection, TCPConnector._resolve_host

    async def start_connection(addr_infos: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        address, port = addr_infos[0][4][:2]
        host = door.host_behind(address)
        # A loop that is not the standard library's (uvloop) wants a real socket: the door `redirect` leads that.
        if not door.wants(host, port) or not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            return await real_start(addr_infos, *args, **kwargs)
        return await door.started(host, port)

    async def resolve_host(connector: Any, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if is_ip_address(host) or not door.wants(host, port):
            return await real_resolve(connector, host, port, *args, **kwargs)
        found = door.resolved(host, port)
        return [
            {"hostname": host, "host": i[4][0], "port": port, "family": i[0], "proto": i[2], "flags": 0} for i in found
        ]

    patches.set(aiohappyeyeballs, "start_connection", start_connection)
    patches.set(TCPConnector, "_resolve_host", resolve_host)


def _through_anyio(door: MemoryDoor, patches: Patches) -> None:
    """anyio does its own TLS over a stream, where `loop.create_connection` is not told of it."""
    from anyio.streams.tls import TLSStream

    real = TLSStream.__dict__["wrap"].__func__

    async def wrap(cls: Any, /, transport_stream: Any, **kwargs: Any) -> Any:
        transport = getattr(transport_stream, "_transport", None)
        if not isinstance(transport, MemoryTransport) or transport.real is not None:
            return await real(cls, transport_stream, **kwargs)
        if transport.stand_in.untrusted:
            raise untrusted_error()
        transport.start_tls(kwargs.get("ssl_context"))
        return transport_stream

    patches.set(TLSStream, "wrap", classmethod(wrap))


def _through_anyio_threads(door: MemoryDoor, patches: Patches) -> None:
    """anyio runs blocking calls in threads of its own, which the loop, and so the clock, does not know of."""
    from anyio._backends._asyncio import AsyncIOBackend

    real = AsyncIOBackend.__dict__["run_sync_in_worker_thread"].__func__

    async def run_sync_in_worker_thread(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        with door.clock.busy():
            return await real(cls, *args, **kwargs)

    patches.set(AsyncIOBackend, "run_sync_in_worker_thread", classmethod(run_sync_in_worker_thread))


SEAMS: Final[dict[str, Callable[[MemoryDoor, Patches], None]]] = {
    "urllib3.util.connection": _through_urllib3,
    "urllib3.connection": read_by_urllib3_once,
    "ssl": read_when_needed,
    "aiohttp.connector": _through_aiohttp,
    "anyio.streams.tls": _through_anyio,
    "anyio._backends._asyncio": _through_anyio_threads,
}


def follow_clients(door: MemoryDoor, patches: Patches) -> None:
    """Patch the seams of the libraries that are loaded, and of the others when they are."""
    follow(SEAMS, door, patches)


def follow(seams: Mapping[str, Callable[[Any, Patches], None]], door: Any, patches: Patches) -> None:
    """Patch these seams, each by the module it is in: now where that is loaded, else when it is."""
    waiting = {name: seam for name, seam in seams.items() if name not in sys.modules}
    for name in seams.keys() - waiting.keys():
        _patch(name, seams[name], door, patches)
    if waiting:
        patches.put_first(sys.meta_path, _Follower(waiting, door, patches))


def _patch(name: str, seam: Callable[[Any, Patches], None], door: Any, patches: Patches) -> None:
    try:
        seam(door, patches)
    except (AttributeError, ImportError, KeyError) as error:
        library = name.partition(".")[0]
        raise UnreachableError(
            f"the way into {library} has moved",
            f"{type(error).__name__}: {error} (in {name})",
            f"use a version of {library} that this plugin was tested with, and report this one",
        ) from error


class _Follower:
    """Lets a module be imported as ever, and patches its seam right after."""

    def __init__(self, waiting: dict[str, Callable[[Any, Patches], None]], door: Any, patches: Patches) -> None:
        self._waiting, self._door, self._patches = waiting, door, patches

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        seam = self._waiting.pop(name, None)
        spec = find_spec(name) if seam else None  # asks the other finders: the name waits no longer
        if seam is None or spec is None or spec.loader is None:
            return None
        spec.loader = _Loader(spec.loader, lambda: _patch(name, seam, self._door, self._patches))
        return spec


class _Loader(Loader):
    """Loads one module as its own loader does, and says when it is there.

    The own loader is never changed: pytest has a single one for all modules it rewrites.
    """

    def __init__(self, real: Loader, then: Callable[[], None]) -> None:
        self._real, self._then = real, then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None  # it comes from a spec
        module.__spec__.loader = module.__loader__ = self._real
        self._real.exec_module(module)
        self._then()
