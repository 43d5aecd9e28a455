"""
How a client comes to trust the server that it is redirected to.

The TLS object of a redirected connection, and nothing else, is given a context
that trusts our authority (`SSLObject.context` can be set, as servers do by name of
host). It keeps what its own context has given it: whether it verifies at all, the
name it expects, versions, protocols. The client's own context is not touched, so
nothing of our authority is left in it after the test, and it does not matter where
the client has its bundle from (certifi, the system, a file). Measured, one TLS
object: 19 us either way; loading our authority into a copy of the context: 275 us.

Rule: a connection that is not redirected never gets here.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

from .._errors import UnreachableError
from ._certificates import SELF, Certificates


class Trust:
    """What clients are made to trust, and whom they trusted themselves.

    Args:
        certificates: the server's own.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._contexts: dict[str, ssl.SSLContext] = {}

    @cached_property
    def context(self) -> ssl.SSLContext:
        """A client's context that trusts the server's authority, and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self._certificates.authority.cert_pem.bytes().decode("ascii"))
        return context

    def context_of(self, host: str) -> ssl.SSLContext | None:
        """The context with which a client would have gone to this host."""
        return self._contexts.get(plain(host))

    def give(self, wrapped: Any, host: str | bytes, own: ssl.SSLContext) -> None:
        """Let one connection trust us.

        Args:
            wrapped: its TLS object or socket, before the handshake.
            host: the name it expects.
            own: the context it comes from.
        """
        name = plain(host)
        self._contexts[name] = own
        with suppress(UnreachableError):  # no certificates can be made: the server, which needs one, tells of it
            wrapped.context = self._beside(own) if name in SELF else self.context

    def _beside(self, own: ssl.SSLContext) -> ssl.SSLContext:
        """On loopback, a name does not say whether it is us: there the client's own authorities count too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ours = ssl.PEM_cert_to_DER_cert(self._certificates.authority.cert_pem.bytes().decode("ascii"))
        context.load_verify_locations(cadata=b"".join((ours, *own.get_ca_certs(binary_form=True))))
        return context


def plain(host: str | bytes) -> str:
    """A host's name as certificates have it; trio and anyio give it in bytes."""
    if isinstance(host, bytes):
        return host.decode("ascii", "replace").lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()


def trusting_objects(real: Callable[..., Any], trust_for: Callable[[str], Trust | None]) -> Callable[..., Any]:
    """`SSLContext.wrap_bio`, of which only the name of the host tells whether the connection is redirected."""

    def wrap_bio(
        context: ssl.SSLContext,
        incoming: Any,
        outgoing: Any,
        server_side: bool = False,
        server_hostname: Any = None,
        session: Any = None,
    ) -> Any:
        trust = trust_for(plain(server_hostname)) if server_hostname and not server_side else None
        if trust is None:
            return real(context, incoming, outgoing, server_side, server_hostname, session)
        made = real(context, incoming, outgoing, server_side, server_hostname)
        trust.give(made, server_hostname, context)
        return made

    return wrap_bio


def trusting_sockets(real: Callable[..., Any], trust_for: Callable[[Any], Trust | None]) -> Callable[..., Any]:
    """`SSLContext.wrap_socket`; the handshake must come after, not in it."""

    def wrap_socket(
        context: ssl.SSLContext,
        sock: Any,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: Any = None,
        session: Any = None,
    ) -> Any:
        trust = None if server_side else trust_for(sock)
        if trust is None:
            return real(
                context, sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, server_hostname, session
            )
        if do_handshake_on_connect and sock.gettimeout() == 0.0:  # the standard library's own refusal
            return real(context, sock, server_side, True, suppress_ragged_eofs, server_hostname)
        made = real(context, sock, server_side, False, suppress_ragged_eofs, server_hostname)
        trust.give(made, server_hostname or "", context)
        made.do_handshake_on_connect = do_handshake_on_connect
        if do_handshake_on_connect:
            try:
                made.do_handshake()
            except BaseException:
                made.close()
                raise
        return made

    return wrap_socket
