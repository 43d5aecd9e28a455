"""Where a request to the server was meant to go: straight, below a base, by a proxy; and who answers it."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest
from _loopback import loopback
from _server import ASKED, LIMIT, WELL, Vendor, connected, eventually, served, told, trusting, until

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._errors import UnreachableError, UpstreamError
from pytest_agentfault.doors._aim import Place, aimed, place_of
from pytest_agentfault.faults import Refuse, Status
from pytest_agentfault.upstreams.live import Live


def test_a_request_that_nobody_answers() -> None:
    """The server stands for no vendor: it says so, and never asks itself."""
    with served(upstreams=(Live(threading.Lock),)) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        answer = b"".join(piece for piece in told(sock) if isinstance(piece, bytes))
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"X-Should-Retry: false\r\n" in answer
    (problem,) = door.plan.problems
    assert isinstance(problem, UpstreamError)
    assert str(problem) == (
        f"nobody answers GET http://127.0.0.1:{door.port}/x\n"
        "  there is: the request names no vendor, and the server stands for none\n"
        f"  to do: ask http://127.0.0.1:{door.port}/https://VENDOR/..., use the server as a proxy, "
        "or say what it stands for (upstream)"
    )


def test_a_slow_vendor_holds_up_nobody() -> None:
    """While one client waits for a real server, another is answered."""
    release = threading.Event()

    class Slow:
        def serves(self, request: Request) -> bool:
            return "slow" in request.url

        def send(self, request: Request) -> Reply:
            assert release.wait(LIMIT)
            return WELL

        async def asend(self, request: Request) -> Reply:  # by which it is known to wait for somebody
            return self.send(request)

    with (
        served(upstreams=(Slow(), Vendor(WELL))) as door,
        connected(door.port) as waiting,
        connected(door.port) as other,
    ):
        waiting.sendall(b"GET /http://slow.example/ HTTP/1.1\r\nHost: a\r\n\r\n")
        other.sendall(ASKED)
        until(other, b"true}")
        assert len(door.plan.log) == 1
        release.set()
        until(waiting, b"true}")


def test_a_live_vendor_behind_a_base() -> None:
    """A reverse proxy: rules see the vendor's URL, and the vendor its own host."""
    with (
        loopback({"ok": 1}) as vendor,
        served(Rule("GET *", (Status(code=503),), times=1), upstreams=(Live(threading.Lock),)) as door,
    ):
        door.base = f"{vendor.url}/v1/"
        for expected in (b"503", b"200"):
            with connected(door.port) as sock:
                sock.sendall(ASKED)
                assert until(sock, b"}" if expected == b"200" else b"\r\n\r\n").startswith(b"HTTP/1.1 " + expected)
        assert [x.request.url for x in door.plan.log] == [f"{vendor.url}/v1/x"] * 2
        assert door.plan.log[0].request.header("host") == vendor.url.removeprefix("http://")
        assert vendor.asked == [("GET", "/v1/x", b"")]


def test_a_base_that_is_none() -> None:
    """It is refused when it is set."""
    with (
        served() as door,
        pytest.raises(UnreachableError, match="this is no base URL of a server"),
    ):
        door.base = "api.x"


AIMS = {
    "straight": ("http://own:1/x?q=1", None, "http://own:1/x?q=1"),
    "straight, with a base": ("http://own:1/x?q=1", "https://v.example/v1", "https://v.example/v1/x?q=1"),
    "below a vendor": ("http://own:1/https://v.example/v1/x?q=1", None, "https://v.example/v1/x?q=1"),
    "below a vendor, one slash": ("http://own:1/https:/v.example/v1", None, "https://v.example/v1"),
    "below a vendor, with a base": ("http://own:1/http://v.example:81", "https://w.example", "http://v.example:81/"),
    "by a proxy": ("http://v.example/x", "https://w.example", "http://v.example/x"),
}


@pytest.mark.parametrize("case", AIMS)
def test_where_a_request_was_meant_to_go(case: str) -> None:
    """One port is server, reverse proxy and proxy; the URL and the Host are the vendor's."""
    url, base, meant = AIMS[case]
    got = aimed(Request("GET", url, (("Host", "own:1"),)), "http://own:1", base)
    assert got.url == meant
    assert got.header("host") in (meant.split("/")[2], "own:1")


@pytest.mark.parametrize(
    ("target", "place"),
    [("a.example:443", Place("a.example", 443)), ("[::1]:80", Place("::1", 80)), ("a.example", None), ("a:0", None)],
)
def test_what_connect_names(target: str, place: Place | None) -> None:
    """A host and a port, and nothing else."""
    if place is not None:
        assert place_of(target) == place
        return
    with pytest.raises(UnreachableError, match="a client asks the proxy for something that is no host"):
        place_of(target)


def connect(sock: socket.socket, target: str) -> bytes:
    """Ask the proxy for a host; the head of its answer."""
    sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return until(sock, b"\r\n\r\n")


def test_connect_opens_tls_with_a_certificate_for_the_host() -> None:
    """A hard-coded https URL is struck and answered as itself."""
    with served(
        Rule("* https://v.example/*", (Status(code=503, text="no"),), times=1), upstreams=(Vendor(WELL),)
    ) as door:
        for expected in (b"no", b"true}"):
            with connected(door.port) as sock:
                assert connect(sock, "v.example:443") == b"HTTP/1.1 200 Connection Established\r\n\r\n"
                with trusting().wrap_socket(sock, server_hostname="v.example") as tls:
                    tls.sendall(ASKED)
                    until(tls, expected)
        assert [x.request.url for x in door.plan.log] == ["https://v.example/x"] * 2


def test_connect_and_plain_http_behind_it() -> None:
    """Some clients tunnel for http too."""
    with served(Rule("* *", (Status(code=503, text="no"),))) as door, connected(door.port) as sock:
        connect(sock, "v.example:8080")
        sock.sendall(ASKED)
        until(sock, b"no")
        assert door.plan.log[0].request.url == "http://v.example:8080/x"


@pytest.mark.parametrize("why", ["refused", "untrusted", "timeout"])
def test_connect_to_a_host_that_refuses(why: str) -> None:
    """A proxy's client meets a reset, a wrong certificate, or silence; once, as the rule says."""
    with served(Rule("* *", (Refuse(why=why),), times=1), upstreams=(Vendor(WELL),)) as door:
        with connected(door.port) as sock:
            if why == "untrusted":
                connect(sock, "v.example:443")
                with pytest.raises(ssl.SSLCertVerificationError):
                    trusting().wrap_socket(sock, server_hostname="v.example")
            else:
                sock.settimeout(0.1)
                with pytest.raises(ConnectionResetError if why == "refused" else TimeoutError):
                    connect(sock, "v.example:443")
        with connected(door.port) as sock:
            connect(sock, "v.example:443")
            with trusting().wrap_socket(sock, server_hostname="v.example") as tls:
                tls.sendall(ASKED)
                until(tls, b"true}")
    assert door.plan.problems == []


def test_a_host_that_no_rule_can_match_is_passed_on() -> None:
    """The proxy is a pipe then: nothing is read, nothing is kept, and its own TLS would stay its own."""
    with loopback({"ok": 1}) as other, served(Rule("* https://v.example/*", (Status(code=503),))) as door:
        with connected(door.port) as sock:
            connect(sock, other.url.removeprefix("http://"))
            sock.sendall(ASKED)
            until(sock, b"}")
        assert other.asked == [("GET", "/x", b"")]
        assert door.plan.log == []
        assert door.plan.passed == {other.url.removeprefix("http://")}
        eventually(lambda: not door._tunnels)


def test_what_is_not_http_is_passed_on() -> None:
    """A rule for every host also meets databases: they are left alone."""
    with socket.create_server(("127.0.0.1", 0)) as database, served(Rule("* *", (Status(code=503),))) as door:
        with connected(door.port) as sock:
            connect(sock, f"127.0.0.1:{database.getsockname()[1]}")
            sock.sendall(b"\x00\x00\x00\x08startup")
            there, _ = database.accept()
            with there:
                assert there.recv(100) == b"\x00\x00\x00\x08startup"
                there.sendall(b"hello")
                assert sock.recv(100) == b"hello"
        eventually(lambda: not door._tunnels)
        assert door.plan.problems == []


def test_nobody_behind_the_proxy() -> None:
    """A host that is passed on and not there is a 502, as from any proxy."""
    with socket.socket() as bound, served() as door, connected(door.port) as sock:
        bound.bind(("127.0.0.1", 0))
        assert connect(sock, f"127.0.0.1:{bound.getsockname()[1]}").startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


BAD_HOSTS = {
    "no port": ("v.example", "a client asks the proxy for something that is no host"),
    "a host without a certificate": ("v..example:443", "no certificate can be made for 'v..example'"),
}


@pytest.mark.parametrize("case", BAD_HOSTS)
def test_a_proxy_asked_for_a_host_that_cannot_be(case: str) -> None:
    """The client is told in the proxy's answer, and the plan keeps it."""
    target, why = BAD_HOSTS[case]
    with served(Rule("* *", (Status(code=503),))) as door, connected(door.port) as sock:
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = b"".join(piece for piece in told(sock) if isinstance(piece, bytes)).decode()
    assert answer.startswith("HTTP/1.1 502 Bad Gateway\r\n")
    assert why in answer
    assert [why in str(problem) for problem in door.plan.problems] == [True]


def test_an_http_proxy_request() -> None:
    """A request that names its whole URL is meant for that."""
    vendor = Vendor(WELL)
    with served(upstreams=(vendor,)) as door, connected(door.port) as sock:
        sock.sendall(b"GET http://v.example/x HTTP/1.1\r\nHost: v.example\r\n\r\n")
        until(sock, b"true}")
    assert vendor.asked[0].url == "http://v.example/x"
