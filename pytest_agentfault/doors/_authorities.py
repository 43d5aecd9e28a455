"""
The authorities that clients trust: 30 ms to read on end, for each connection anew, and in memory nobody asks for them.

urllib3 makes a context that is its own affair, so connections that ask for the same
share the first one. The standard library hands out a context that its user may
change, so each has one, which reads as soon as anything depends on it.

Rule: whoever comes to a real handshake, or looks, finds what he would have found.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from .._seams import Patches
from ._socket import MemorySocket

if TYPE_CHECKING:
    from .memory import MemoryDoor


def read_by_urllib3_once(door: MemoryDoor, patches: Patches) -> None:
    """urllib3 reads the bundle anew for each connection; in memory the first reading serves for all.

    The first is urllib3's own, so that a bundle that is no bundle fails as ever.
    """
    import urllib3.connection as seam

    real = getattr(seam, "_ssl_wrap_socket_and_match_hostname", None)
    if real is None:  # before urllib3 2.0: slower, nothing else
        return

    def wrap(sock: Any, **kwargs: Any) -> Any:
        if not isinstance(sock, MemorySocket) or sock.real is not None or not _is_plain(kwargs):
            return real(sock, **kwargs)
        wanted = _read_as(kwargs)
        read = _READ.get(wanted)
        if read is not None:
            return real(sock, **{**kwargs, **dict.fromkeys(_BUNDLES), "ssl_context": read})
        wrapped = real(sock, **kwargs)
        if sock.line.tls is not None:
            _READ[wanted] = sock.line.tls
        return wrapped

    patches.set(seam, "_ssl_wrap_socket_and_match_hostname", wrap)


_BUNDLES: Final = ("ca_certs", "ca_cert_dir", "ca_cert_data")
ASKED: Final = ("cert_reqs", "ssl_version", "ssl_minimum_version", "ssl_maximum_version", *_BUNDLES)
_READ: Final[dict[tuple[object, ...], ssl.SSLContext]] = {}  # what a path holds, by the very state of the file


def _is_plain(asked: Mapping[str, Any]) -> bool:
    """Whether a connection asks of its TLS no more than versions and certificates to trust."""
    return not any(value for name, value in asked.items() if name not in (*ASKED, "server_hostname"))


def _read_as(asked: Mapping[str, Any]) -> tuple[object, ...]:
    """What decides the context that urllib3 makes: the settings, and the state of the files they name."""
    paths = [Path(asked[name]) for name in ("ca_certs", "ca_cert_dir") if asked.get(name)]
    states = [(path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.exists()]
    return (*(asked.get(name) for name in ASKED), *states)


def read_when_needed(door: MemoryDoor, patches: Patches) -> None:
    """http.client, and urllib on it, has a default context made where its user gives none.

    Whoever has put a way of his own there (`ssl._create_unverified_context`) keeps it.
    """
    real = ssl._create_default_https_context
    if real is not ssl.create_default_context:
        return

    def create_default_https_context(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        return real(*args, **kwargs) if args or kwargs else unread(real)

    patches.set(ssl, "_create_default_https_context", create_default_https_context)


def unread(make: Callable[..., ssl.SSLContext] = ssl.create_default_context) -> ssl.SSLContext:
    """A default context, whose authorities are read when they are needed.

    Args:
        make: as `ssl.create_default_context`.
    """
    made: Any = make(capath=os.devnull)  # it need not look for the default ones, then; and there are none
    if type(made) is not _PLAIN:  # truststore has put a class of its own there, which asks the system
        return make()
    made.paths = ssl.get_default_verify_paths()
    made.__class__ = _Unread
    return made  # type: ignore[no-any-return]


_PLAIN: Final[Any] = next(kind for kind in ssl.SSLContext.__mro__ if kind.__module__ == "ssl")
_READING: Final = Lock()


class _Unread(_PLAIN):  # type: ignore[misc]
    """A context that has read no authorities yet; it is `ssl.SSLContext` itself once it has.

    It carries all that it needs, so that it may outlive the door.
    """

    __slots__ = ()
    paths: ssl.DefaultVerifyPaths  # as the environment named them when it was made


def _has_read(context: Any) -> Any:
    """The same context, as it would have been from the start."""
    with _READING:
        if type(context) is _Unread:
            if (paths := context.paths) == ssl.get_default_verify_paths():
                context.load_default_certs()
            elif paths.cafile or paths.capath:
                with suppress(OSError):  # default ones that cannot be read are no error
                    context.load_verify_locations(paths.cafile, paths.capath)
            del context.paths
            context.__class__ = _PLAIN
    return context


def _after_reading(name: str) -> Callable[..., Any]:
    def method(context: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(_has_read(context), name)(*args, **kwargs)

    return method


NEED_AUTHORITIES: Final = ("_wrap_socket", "_wrap_bio", "get_ca_certs", "cert_store_stats")
for _name in NEED_AUTHORITIES:
    setattr(_Unread, _name, _after_reading(_name))
_Unread.__module__, _Unread.__name__, _Unread.__qualname__ = "ssl", "SSLContext", "SSLContext"
