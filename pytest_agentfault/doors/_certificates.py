"""
Certificates for the door `server`: an authority of its own, a leaf per host, and three that no client should accept.

Rule: nothing is made before somebody speaks TLS or asks for the authority's file,
and then once; trustme is imported here and nowhere else.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from .._errors import UnreachableError, nearest

if TYPE_CHECKING:
    import trustme

KINDS: Final = ("trusted", "untrusted", "expired", "wrong_name")
SELF: Final = ("127.0.0.1", "localhost")


def check_kind(kind: str) -> str:
    """The kind of certificate, if there is one of that name.

    Raises:
        UnreachableError: there is none.
    """
    if kind not in KINDS:
        raise UnreachableError("unknown kind of certificate", repr(kind), nearest(str(kind), KINDS))
    return kind


class Certificates:
    """What the server proves itself with; one for a whole session, since clients are told of its authority by file.

    Args:
        folder: gives the folder for the authority's files; asked once, when they are first needed.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self._lock = Lock()

    @cached_property
    def authority(self) -> trustme.CA:
        """The authority that signs for every host."""
        authority: trustme.CA = _trustme().CA()
        return authority

    @cached_property
    def authority_file(self) -> Path:
        """The authority's certificate alone, in PEM: for clients that add it to what they trust anyway."""
        path = self._home / "authority.pem"
        self.authority.cert_pem.write_to_path(str(path))
        return path

    @cached_property
    def bundle_file(self) -> Path:
        """The authority's certificate and all that this machine trusts, in PEM: for clients that trust one file."""
        path = self._home / "bundle.pem"
        path.write_bytes(self.authority_file.read_bytes() + b"\n" + _trusted_here())
        return path

    @cached_property
    def _home(self) -> Path:
        return self._folder()

    def context(self, host: str, kind: str = "trusted") -> ssl.SSLContext:
        """What a TLS server for this host presents.

        Args:
            host: a name or an address.
            kind: trusted, untrusted (signed by an authority that nobody knows), expired, or wrong_name.

        Raises:
            UnreachableError: no certificate can be made for such a host, or trustme is not installed.
        """
        with self._lock:
            key = (host, kind)
            if key not in self._contexts:
                self._contexts[key] = self._made(host, kind)
            return self._contexts[key]

    def _made(self, host: str, kind: str) -> ssl.SSLContext:
        authority = _trustme().CA() if kind == "untrusted" else self.authority
        names = ("wrong-name.invalid",) if kind == "wrong_name" else SELF if host in SELF else (host,)
        long_ago = datetime.now(UTC) - timedelta(days=365)
        dates: dict[str, Any] = (
            {"not_before": long_ago, "not_after": long_ago + timedelta(days=90)} if kind == "expired" else {}
        )
        try:
            leaf = authority.issue_cert(*names, **dates)
        except ValueError as error:
            raise UnreachableError(
                f"no certificate can be made for {host!r}",
                f"{type(error).__name__}: {error}",
                "let the client ask for a host name as DNS has them, or for an address",
            ) from error
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        context.set_alpn_protocols(["http/1.1"])
        return context


def _trustme() -> Any:
    if find_spec("trustme") is None:
        raise UnreachableError(
            "https needs certificates, and nobody here can make them",
            "the package trustme is not installed",
            "pip install 'pytest-agentfault[server]'",
        )
    return import_module("trustme")


def _trusted_here() -> bytes:
    """The certificates that clients of this machine trust: named by the environment, certifi's, or the system's."""
    named = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or ""
    if not Path(named).is_file() and find_spec("certifi") is not None:
        named = import_module("certifi").where()
    if not Path(named).is_file():
        named = ssl.get_default_verify_paths().cafile or ""
    return Path(named).read_bytes() if Path(named).is_file() else b""
