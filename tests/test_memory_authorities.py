"""The standard library's own TLS context: in memory it reads no authorities, anywhere else it is what it always was."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from _memory import Leaves, opened, says, serving
from _wire import authority, loopback, server_context

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._errors import UpstreamError
from pytest_agentfault._script import encode
from pytest_agentfault._seams import Patches
from pytest_agentfault.doors._authorities import NEED_AUTHORITIES, unread

VENDOR = "https://api.vendor.example/x"
OK = says(200, b"ok")
EVERYTHING, ELSEWHERE = Rule("* *", (Leaves(),)), Rule("* https://other.example/*", (Leaves(),))
SCRIPT = encode(Reply.of(200, b"ok", {"Connection": "close"}), Request("GET", "https://x/"))
NOT_TRUSTED = "CERTIFICATE_VERIFY_FAILED"
UNVERIFIED = ssl._create_unverified_context


def made() -> Any:
    """A context as http.client has one made."""
    return ssl._create_default_https_context()


def with_http_client(url: str) -> bytes:
    """http.client, without a context of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", "/x")
        return connection.getresponse().read()
    finally:
        connection.close()


def with_urllib(url: str) -> bytes:
    """urllib.request, with an opener that was not there before."""
    try:
        with urllib.request.build_opener().open(url, timeout=5) as response:
            return response.read()  # type: ignore[no-any-return]
    except urllib.error.URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else error from None


def with_streams(url: str) -> bytes:
    """asyncio, which is told no more than that there is to be TLS."""

    async def go() -> bytes:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=True)
        writer.write(f"GET /x HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        said = await reader.read(2)
        writer.transport.abort()
        return said

    return asyncio.run(go())


CLIENTS = [with_http_client, with_urllib, with_streams]
every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)


@contextmanager
def counted() -> Iterator[list[ssl.SSLContext]]:
    """Which contexts read default authorities meanwhile."""
    read: list[ssl.SSLContext] = []
    real = ssl.SSLContext.set_default_verify_paths

    def set_default_verify_paths(context: ssl.SSLContext) -> None:
        read.append(context)
        real(context)

    patches = Patches()
    patches.set(ssl.SSLContext, "set_default_verify_paths", set_default_verify_paths)
    try:
        yield read
    finally:
        patches.undo()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment names the authority of the server on loopback."""
    path = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def shakes(context: ssl.SSLContext) -> bytes:
    """What the server on loopback says after a real handshake by this context."""
    with loopback(SCRIPT, "https") as url:
        parts = urlsplit(url)
        with (
            socket.create_connection((parts.hostname or "", parts.port or 0), 5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        ):
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return tls.makefile("rb").read()[-2:]


@every_client
def test_in_memory_nothing_is_read(client: Callable[[str], bytes]) -> None:
    """Connections of their own, as urllib makes one for each request, cost no reading."""
    with counted() as read, opened(OK):
        assert [client(VENDOR) for _ in range(3)] == [b"ok"] * 3
    assert read == []


@every_client
@pytest.mark.parametrize("rule", [EVERYTHING, ELSEWHERE], ids=["relayed", "past the door"])
def test_a_real_server_that_is_trusted(client: Callable[[str], bytes], rule: Rule, trusted: Path) -> None:
    """The authority that the environment names vouches for it."""
    with loopback(SCRIPT, "https") as url, opened(rule, live=True) as o:
        assert client(url) == b"ok"
    assert o.plan.problems == []


@every_client
@pytest.mark.parametrize("rule", [EVERYTHING, ELSEWHERE], ids=["relayed", "past the door"])
def test_a_real_server_that_nobody_trusts(client: Callable[[str], bytes], rule: Rule) -> None:
    """It is verified, and fails."""
    with (
        loopback(SCRIPT, "https") as url,
        opened(rule, live=True) as o,
        pytest.raises(Exception) as caught,
    ):  # whose error is the client's business
        client(url)
    said = [str(problem) for problem in o.plan.problems] or [str(caught.value)]
    assert NOT_TRUSTED in said[0]
    assert isinstance(caught.value, UpstreamError | OSError | asyncio.IncompleteReadError)


@pytest.mark.parametrize("trusts", [True, False])
def test_a_connection_that_turns_real_is_verified(trusts: bool, request: pytest.FixtureRequest) -> None:
    """A database over TLS, on a host that a rule reaches."""
    if trusts:
        request.getfixturevalue("trusted")

    def echo(sock: socket.socket) -> None:
        with server_context().wrap_socket(sock, server_side=True) as tls:
            tls.sendall(b"echo " + tls.recv(100))

    with serving(echo) as port, opened(EVERYTHING):
        plain = socket.create_connection(("127.0.0.1", port), 5)
        with made().wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            if trusts:
                tls.sendall(b"\x00secret")
                assert tls.recv(100) == b"echo \x00secret"
            else:
                with pytest.raises(ssl.SSLCertVerificationError, match=NOT_TRUSTED):
                    tls.sendall(b"\x00secret")


def test_it_shows_what_it_would_have_read() -> None:
    """Whoever looks at it finds the default authorities and settings, and in the end the standard library's class."""
    names = ("check_hostname", "verify_mode", "verify_flags", "options", "minimum_version", "protocol")
    real = ssl.create_default_context()
    for look in ("cert_store_stats", "get_ca_certs"):
        with opened(OK):
            context = made()
            assert isinstance(context, ssl.SSLContext)
            assert [getattr(context, name) for name in names] == [getattr(real, name) for name in names]
            assert getattr(context, look)() == getattr(real, look)()
        assert type(context) is ssl.SSLContext
        assert vars(context) == vars(real)


def test_what_its_user_does_to_it_is_done_to_it_alone() -> None:
    """An authority of his own counts beside the default ones, and for nobody else."""
    with opened(ELSEWHERE):
        mine, other = made(), made()
        authority().configure_trust(mine)
        mine.set_alpn_protocols(["http/1.1"])
        assert shakes(mine) == b"ok"
        assert mine.cert_store_stats()["x509"] == other.cert_store_stats()["x509"] + 1
        with pytest.raises(ssl.SSLCertVerificationError, match=NOT_TRUSTED):
            shakes(other)
        lax = made()
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        assert shakes(lax) == b"ok"


@pytest.mark.parametrize("trusts", [True, False])
def test_it_may_outlive_the_door(trusts: bool, request: pytest.FixtureRequest) -> None:
    """urllib keeps the first one for the whole process: it verifies in the tests to come."""
    if trusts:
        request.getfixturevalue("trusted")
    with opened(OK):
        context = made()
    if trusts:
        assert shakes(context) == b"ok"
    else:
        with pytest.raises(ssl.SSLCertVerificationError, match=NOT_TRUSTED):
            shakes(context)


def test_the_environment_counts_as_it_was(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it named when the context was made is read, though it names something else by now."""
    with opened(OK):
        then = made()
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted.with_name("none.pem")))
        now = made()
        monkeypatch.delenv("SSL_CERT_FILE")
    assert shakes(then) == b"ok"
    assert now.cert_store_stats()["x509"] == 0


def test_many_threads_find_it_read() -> None:
    """Handshakes that begin at once wait for one reading."""
    with opened(ELSEWHERE), counted() as read:
        context, found = made(), list[int]()
        threads = [
            threading.Thread(target=lambda: found.append(context.cert_store_stats()["x509_ca"])) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [ssl.create_default_context().cert_store_stats()["x509_ca"]] * 8
    assert len([one for one in read if one is context]) == 1


def test_a_way_of_the_users_own_is_left_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where he lets every server pass, it is so in memory too."""
    monkeypatch.setattr(ssl, "_create_default_https_context", UNVERIFIED)
    with opened(OK):
        assert ssl._create_default_https_context is UNVERIFIED


def test_a_class_of_somebody_else_is_left_as_it_is() -> None:
    """truststore puts one of its own in the place of `ssl.SSLContext`, which asks the system."""
    asked: list[dict[str, Any]] = []

    class Own(ssl.SSLContext):
        """Not the standard library's."""

    def make(**settings: Any) -> Own:
        asked.append(settings)
        return Own(ssl.PROTOCOL_TLS_CLIENT)

    assert type(unread(make)) is Own
    assert asked[-1] == {}


def test_a_context_that_is_asked_for_with_more_is_made_at_once(trusted: Path) -> None:
    """A purpose or a file is the caller's own affair, and so is `create_default_context` itself."""
    with opened(OK), counted() as read:
        server: Any = ssl._create_default_https_context
        assert server(ssl.Purpose.CLIENT_AUTH).verify_mode is ssl.CERT_NONE
        assert server(cafile=str(trusted)).cert_store_stats()["x509"] == 1
        assert read == []
        own = ssl.create_default_context()
        assert read == [own]
        assert type(own) is ssl.SSLContext


def test_seam_default_https_context() -> None:
    """http.client has its context made by a function of ssl's, without an argument, looked up at that moment."""
    asked: list[tuple[Any, ...]] = []
    patches = Patches()
    real = patches.set(ssl, "_create_default_https_context", lambda *args: asked.append(args) or real(*args))
    try:
        assert real is ssl.create_default_context
        http.client.HTTPSConnection("x")
    finally:
        patches.undo()
    assert asked == [()]


def test_seam_what_needs_authorities() -> None:
    """A context begins TLS, for sockets and for objects, by two methods of its own, and may change its class."""
    begun: list[str] = []
    assert all(callable(getattr(ssl.SSLContext, name)) for name in NEED_AUTHORITIES)

    class Watched(ssl.SSLContext):
        __slots__ = ()

        def _wrap_socket(self, *args: Any, **kwargs: Any) -> Any:
            begun.append("socket")
            return super()._wrap_socket(*args, **kwargs)  # type: ignore[misc]

        def _wrap_bio(self, *args: Any, **kwargs: Any) -> Any:
            begun.append("object")
            return super()._wrap_bio(*args, **kwargs)  # type: ignore[misc]

    context = Watched(ssl.PROTOCOL_TLS_CLIENT)
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x")
    with pytest.raises(ssl.SSLCertVerificationError):
        shakes(context)
    assert begun == ["object", "socket"]
    context.__class__ = ssl.SSLContext
    assert type(unread()) is not type(context)
