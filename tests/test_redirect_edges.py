"""The edges of the door `redirect`: whom TLS trusts, what is no HTTP, and every other way to connect a socket."""

from __future__ import annotations

import errno
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx
import pytest
import trio
from _memory import Leaves, Refuses, Says
from _redirected import TRIO, redirected
from _server import Vendor
from _wire import authority

from pytest_agentfault import Fin, Reply, Request, Rule, Why
from pytest_agentfault._script import encode
from pytest_agentfault.doors._redirect_tls import plain
from pytest_agentfault.doors.redirect import _past_every_door
from pytest_agentfault.testing import Ask

VENDOR = "api.vendor.example"
WELL = Reply.of(200, b"ok", {"Connection": "close"})
ASKED = b"GET /x HTTP/1.1\r\nHost: api.vendor.example\r\nConnection: close\r\n\r\n"


def read(sock: socket.socket) -> bytes:
    """All that comes."""
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def asked(sock: socket.socket) -> int:
    """The status that a bare client reads."""
    sock.settimeout(10)
    sock.sendall(ASKED)
    return int(read(sock).split(b" ")[1])


def by_name(host: str = VENDOR, port: int = 80) -> socket.socket:
    """A socket that is connected to a name, which C looks up."""
    sock = socket.socket()
    sock.connect((host, port))
    return sock


def by_number() -> socket.socket:
    """`connect_ex`."""
    sock = socket.socket()
    assert sock.connect_ex((VENDOR, 80)) == 0
    return sock


def by_old_look_up() -> socket.socket:
    """`gethostbyname`."""
    return by_name(socket.gethostbyname(VENDOR))


def by_ipv6() -> socket.socket:
    """An address of IPv6, which nobody looks up."""
    sock = socket.socket(socket.AF_INET6)
    sock.connect(("2001:db8::1", 80, 0, 0))
    return sock


WAYS = [by_name, by_number, by_old_look_up, by_ipv6]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_to_connect_a_socket(way: Callable[[], socket.socket]) -> None:
    """Whatever a socket is connected to is led here, when a rule can match it."""
    with redirected(Rule("* *", (Says(WELL),))) as o, closing(way()) as sock:
        assert asked(sock) == 200
    assert len(o.plan.log) == 1


def test_a_refused_connection_by_number() -> None:
    """`connect_ex` gives the number that the system gives; a name that cannot be looked up is raised there, too."""
    with redirected(Rule("* *", (Refuses(Why.REFUSED),), times=1), Rule("* *", (Refuses(Why.UNRESOLVED),))):
        with closing(socket.socket()) as sock:
            assert sock.connect_ex((VENDOR, 80)) == errno.ECONNREFUSED
        with closing(socket.socket()) as sock, pytest.raises(socket.gaierror):
            sock.connect_ex((VENDOR, 80))


def test_datagrams_are_left_alone() -> None:
    """A socket that is no stream speaks no HTTP."""
    with redirected(Rule("* *", (Says(WELL),))), closing(socket.socket(type=socket.SOCK_DGRAM)) as sock:
        sock.connect(("127.0.0.1", 9))
        assert sock.getpeername() == ("127.0.0.1", 9)


def test_pairs_of_sockets_are_made_past_every_door() -> None:
    """On Windows a pair is made by connecting one to the other: that is no client."""
    with redirected(Rule("* *", (Says(WELL),))) as o:
        assert o.door.place_of("127.0.0.1", 9) is not None
        assert _past_every_door(o.door.place_of)("127.0.0.1", 9) is None


# Whom TLS trusts.


def bundle() -> ssl.SSLContext:
    """A client's own context."""
    return ssl.create_default_context()


def test_the_clients_own_context_is_not_touched() -> None:
    """The handshake succeeds, and the context knows no authority that it did not know before."""
    context = bundle()
    before = context.cert_store_stats(), context.get_ca_certs()
    with redirected(Rule("* *", (Says(WELL),))):
        sock = context.wrap_socket(by_name(port=443), server_hostname=VENDOR)
        with closing(sock):
            assert asked(sock) == 200
            assert sock.version() == "TLSv1.3"
    assert (context.cert_store_stats(), context.get_ca_certs()) == before


def test_tls_that_is_put_on_before_the_connection() -> None:
    """A socket may be wrapped first and connected then."""
    with redirected(Rule("* *", (Says(WELL),))):
        sock = bundle().wrap_socket(socket.socket(), server_hostname=VENDOR)
        with closing(sock):
            sock.connect((VENDOR, 443))
            assert asked(sock) == 200


def test_a_handshake_by_hand() -> None:
    """A client that begins the handshake itself does so, and not before."""
    with redirected(Rule("* *", (Says(WELL),))):
        plain = by_name(port=443)
        wrapped = bundle().wrap_socket(plain, server_hostname=VENDOR, do_handshake_on_connect=False)
        with closing(wrapped) as sock:
            assert sock.version() is None
            sock.do_handshake()
            assert asked(sock) == 200


def test_a_socket_that_is_put_under_tls_too_early_fails_as_ever() -> None:
    """Not connected yet, it is connected as it is; not blocking, its handshake cannot be awaited."""
    with redirected(Rule("* *", (Says(WELL),))):
        with closing(by_name(port=443)) as plain:
            plain.setblocking(False)
            with pytest.raises(ValueError, match="do_handshake_on_connect should not be specified"):
                bundle().wrap_socket(plain, server_hostname=VENDOR)
        sock = bundle().wrap_socket(socket.socket(), server_hostname=VENDOR)
        with closing(sock):
            sock.connect((VENDOR, 443))
            assert asked(sock) == 200


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("API.Vendor.example", "api.vendor.example"),
        (b"API.vendor.example", "api.vendor.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("a" * 64 + ".Example", "a" * 64 + ".example"),
    ],
)
def test_names_are_compared_as_certificates_have_them(host: str | bytes, name: str) -> None:
    """Whoever says a name, and how."""
    assert plain(host) == name


def test_a_client_that_expects_another_name_fails() -> None:
    """The certificate is for the host that was dialled: a client that expects another one is told so."""
    with (
        redirected(Rule("* *", (Says(WELL),))),
        closing(by_name(port=443)) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        bundle().wrap_socket(plain, server_hostname="other.example")


def test_an_untrusted_certificate_is_one() -> None:
    """A rule that says so leaves the client without an authority that vouches; who does not verify does not notice."""
    careless = bundle()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    with redirected(Rule("* *", (Refuses(Why.UNTRUSTED),), times=2), upstreams=(Vendor(WELL),)) as o:
        with closing(by_name(port=443)) as plain, pytest.raises(ssl.SSLCertVerificationError, match="local issuer"):
            bundle().wrap_socket(plain, server_hostname=VENDOR)
        with closing(careless.wrap_socket(by_name(port=443), server_hostname=VENDOR)) as sock:
            assert asked(sock) == 200
    assert not o.plan.problems


def test_other_connections_trust_as_ever() -> None:
    """While one is redirected, a connection that is not meets the authorities of its own context, and no other."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(server_side)
    knowing = bundle()
    authority().configure_trust(knowing)
    with redirected(Rule(f"* https://{VENDOR}/*", (Says(WELL),))):
        with closing(bundle().wrap_socket(by_name(port=443), server_hostname=VENDOR)) as sock:
            assert asked(sock) == 200
        with tls_server(server_side) as port:
            with closing(knowing.wrap_socket(by_name("127.0.0.1", port), server_hostname="127.0.0.1")) as sock:
                assert asked(sock) == 200
            with closing(by_name("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
                bundle().wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_local_server_with_an_authority_of_its_own_is_asked_as_its_client_would() -> None:
    """The client trusts it; so does the door in the client's stead, over memory (trio) and over a socket."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(server_side)
    knowing = bundle()
    authority().configure_trust(knowing)

    async def go() -> int:
        async with httpx.AsyncClient(verify=knowing) as client:
            return (await client.get(f"https://127.0.0.1:{port}/x")).status_code

    with tls_server(server_side) as port, redirected(Rule("* *", (Leaves(),)), live=True) as o:
        assert trio.run(go) == 200
        with closing(knowing.wrap_socket(by_name("127.0.0.1", port), server_hostname="127.0.0.1")) as sock:
            assert asked(sock) == 200
    assert len(o.plan.log) == 2
    assert not o.plan.problems


@contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[int]:
    """A server that says the same to whoever trusts it."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                wrapped = context.wrap_socket(self.request, server_side=True)
            except OSError:  # it is not trusted
                return
            with wrapped:
                wrapped.recv(65536)
                for step in encode(WELL, Request("GET", "https://x/")).steps:
                    wrapped.sendall(getattr(step, "data", b"")) if step != Fin() else None

    with serving(Handler) as port:
        yield port


# What is no HTTP.


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    """A real server on loopback, of any protocol."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Echo(socketserver.BaseRequestHandler):
    """A database: whoever speaks is answered."""

    def handle(self) -> None:
        """Until there is no more."""
        while data := self.request.recv(65536):
            self.request.sendall(data.upper())


class Greets(socketserver.BaseRequestHandler):
    """MySQL, SMTP: the server speaks first."""

    def handle(self) -> None:
        """Greets, and answers."""
        self.request.sendall(b"220 hello\r\n")
        self.request.sendall(self.request.recv(65536).upper())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_database_is_passed_on(host: str) -> None:
    """A client that does not speak HTTP to a host that a rule reaches speaks to whom it meant."""
    with serving(Echo) as port, redirected(Rule("* *", (Says(WELL),))) as o, closing(by_name(host, port)) as sock:
        sock.settimeout(10)
        for _ in range(2):
            sock.sendall(b"\x00\x01select")
            assert sock.recv(100) == b"\x00\x01SELECT"
    assert not o.plan.log
    assert not o.plan.problems
    assert f"{host}:{port}" in o.plan.passed


def test_a_database_over_tls_is_passed_on() -> None:
    """What a client says over TLS that is no HTTP is said to whom it meant, whom its own context has to trust."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(server_side)
    knowing = bundle()
    authority().configure_trust(knowing)

    class TlsEcho(Echo):
        def handle(self) -> None:
            with suppress(OSError), server_side.wrap_socket(self.request, server_side=True) as self.request:
                super().handle()

    with serving(TlsEcho) as port, redirected(Rule("* *", (Says(WELL),))) as o:
        with closing(knowing.wrap_socket(by_name("127.0.0.1", port), server_hostname="127.0.0.1")) as sock:
            sock.settimeout(10)
            for word in (b"\x00select", b"\x00" + b"x" * 70_000):
                sock.sendall(word)
                got = b""
                while len(got) < len(word):
                    got += sock.recv(65536)
                assert got == word.upper()
        with closing(bundle().wrap_socket(by_name("127.0.0.1", port), server_hostname="127.0.0.1")) as sock:
            sock.settimeout(10)
            sock.sendall(b"\x00select")
            assert sock.recv(100) == b""
    assert not o.plan.log
    assert not o.plan.problems


def test_a_server_that_speaks_first_is_heard() -> None:
    """A client that waits to be greeted is, by whom it meant."""
    with serving(Greets) as port, redirected(Rule("* *", (Says(WELL),))) as o:
        sock = by_name("127.0.0.1", port)
        with closing(sock):
            sock.settimeout(10)
            assert sock.recv(100) == b"220 hello\r\n"
            sock.sendall(b"ehlo")
            assert sock.recv(100) == b"EHLO"
    assert not o.plan.log


def test_a_client_that_takes_its_time_is_served() -> None:
    """Somebody who connects, and speaks HTTP only later, is struck like any other."""
    with redirected(Rule("* *", (Says(WELL),))) as o, closing(by_name("127.0.0.1", 9)) as sock:
        threading.Event().wait(0.4)
        assert asked(sock) == 200
    assert len(o.plan.log) == 1


def test_without_trustme_https_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates need an extra; http needs none."""
    from pytest_agentfault.doors import _certificates

    monkeypatch.setattr(_certificates, "find_spec", lambda name: None)
    out: list[Any] = []
    with redirected(Rule("* *", (Says(WELL),))) as o:
        TRIO[0].run(Ask(f"http://{VENDOR}/x", seconds=5), out)
        with pytest.raises(httpx.ConnectError):
            TRIO[0].run(Ask(f"https://{VENDOR}/x", seconds=5), out)
    assert out[0] == 200
    assert "pip install 'pytest-agentfault[server]'" in str(o.plan.problems[0])
