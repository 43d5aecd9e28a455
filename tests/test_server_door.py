"""The door `server`, as a client on a bare socket sees it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
from _server import (
    ASKED,
    LIMIT,
    WELL,
    Vendor,
    certificates,
    connected,
    eventually,
    performing,
    served,
    told,
    trusting,
    until,
)

from pytest_agentfault import (
    Data,
    End,
    Fin,
    Head,
    Next,
    Refused,
    Reply,
    Reset,
    Rule,
    Script,
    Send,
    Stall,
    Wait,
    Why,
)
from pytest_agentfault._errors import UnreachableError, WouldBlockForeverError
from pytest_agentfault.doors import _certificates
from pytest_agentfault.doors._drained import Queues
from pytest_agentfault.faults import Refuse, Status

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

STEPS = {
    "segments stay apart": (
        (Send(CHUNKED + b"2\r"), Send(b"\nhe"), Send(b"\r\n0\r\n"), Send(b"\r\n"), Fin()),
        [CHUNKED + b"2\r", b"\nhe", b"\r\n0\r\n", b"\r\n", "end"],
    ),
    "one-byte segments": (
        (*(Send(OK[n : n + 1]) for n in range(9)), Fin()),
        [*(OK[n : n + 1] for n in range(9)), "end"],
    ),
    "chunks in one segment": ((Send(CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), Fin()), None),
    "reset before the head": ((Reset(),), ["reset"]),
    "reset in the body": ((Send(OK[:-1]), Reset()), [OK[:-1], "reset"]),
    "cut in the body": ((Send(OK[:-1]), Fin()), [OK[:-1], "end"]),
    "excess body": ((Send(OK + b"excess"), Fin()), [OK + b"excess", "end"]),
    "bad chunk size": ((Send(CHUNKED), Send(b"zz\r\nno\r\n"), Fin()), [CHUNKED, b"zz\r\nno\r\n", "end"]),
    "garbage": ((Send(b"\x00\x01 not HTTP"), Fin()), [b"\x00\x01 not HTTP", "end"]),
    "slow bytes": ((Send(OK[:5]), Wait(0.01), Send(OK[5:]), Fin()), [OK[:5], OK[5:], "end"]),
}


@pytest.mark.parametrize("case", STEPS)
def test_each_step_arrives_as_it_was_said(case: str) -> None:
    """Segments are read one by one, and the end is the end that was meant."""
    steps, expected = STEPS[case]
    with served(performing(Script(steps))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert told(sock) == (expected or [steps[0].data, "end"])


@pytest.mark.parametrize("case", STEPS)
def test_each_step_arrives_where_the_kernel_tells_nothing(case: str) -> None:
    """Between segments is a pause then, which a busy client may sleep through; bytes and end are the same."""
    steps, expected = STEPS[case]
    with served(performing(Script(steps))) as door, connected(door.port) as sock:
        door.queues.close()
        sock.sendall(ASKED)
        *got, end = told(sock)
        *meant, its_end = expected or [steps[0].data, "end"]
        assert (b"".join(got), end) == (b"".join(meant), its_end)


def test_a_script_of_any_length() -> None:
    """Thousands of segments, and hundreds of requests at once, are as well as one."""
    steps = (*(Send(b"%d\n" % n) for n in range(3000)), Fin())
    with served(performing(Script(steps))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert len(told(sock)) == 3001
    with served(performing(Script((Send(OK), Next())))) as door, connected(door.port) as sock:
        sock.sendall(ASKED * 500)
        got = b""
        while len(got) < 500 * len(OK):
            got += sock.recv(65536)
        assert got == OK * 500
        assert door.plan.problems == []


def test_a_wait_is_a_wait() -> None:
    """Time is real."""
    with served(performing(Script((Wait(0.05), Send(OK), Next())))) as door, connected(door.port) as sock:
        began = time.monotonic()
        sock.sendall(ASKED)
        until(sock, OK)
        assert 0.05 <= time.monotonic() - began < LIMIT


def test_a_connection_is_kept() -> None:
    """Requests follow one another on one connection, also when they come in one segment."""
    with served(performing(Script((Send(OK), Next())))) as door, connected(door.port) as sock:
        for _ in range(3):
            sock.sendall(ASKED)
            assert until(sock, b"ok") == OK
        sock.sendall(ASKED * 2)
        assert until(sock, OK + OK) == OK + OK
        assert len(door.plan.log) == 5


def test_a_kept_connection_is_closed_under_the_client() -> None:
    """The reply is whole, and the connection is gone before the next request."""
    with served(performing(Script((Send(OK), Fin())))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert told(sock) == [OK, "end"]


def test_silence_lasts_until_the_client_goes() -> None:
    """A stalled client gets nothing, and is forgotten once it hangs up."""
    with served(performing(Script((Stall(),)))) as door:
        with connected(door.port) as sock:
            sock.sendall(ASKED)
            eventually(lambda: door.plan.log)
            sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                sock.recv(1)
        eventually(lambda: not door._peers)
    assert door.plan.problems == []


def test_a_client_that_waits_for_ever_is_told_of() -> None:
    """After its patience the server resets, and the plan knows what the client lacks."""
    with served(performing(Script((Stall(),))), patience=0.02) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        assert told(sock) == ["reset"]
    (problem,) = door.plan.problems
    assert isinstance(problem, WouldBlockForeverError)
    assert str(problem) == (
        f"a client waits for ever on http://127.0.0.1:{door.port}\n"
        "  there is: the script is silent, and the client has borne it for 0.02 seconds\n"
        "  to do: give the client a read timeout, as it needs one in production too"
    )


def test_100_continue() -> None:
    """A client that waits for it is told to go on; its body is then read."""
    vendor = Vendor(WELL)
    with served(upstreams=(vendor,)) as door, connected(door.port) as sock:
        sock.sendall(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"body")
        assert until(sock, b"true}").startswith(b"HTTP/1.1 200 OK\r\n")
    assert vendor.asked[0].body == b"body"


BODYLESS = {
    "HEAD": (b"HEAD", WELL, b"Content-Length: 12"),
    "204": (b"GET", Reply.of(204), b"204 No Content"),
    "304": (b"GET", Reply.of(304, headers={"Content-Length": "7"}), b"Content-Length: 7"),
}


@pytest.mark.parametrize("case", BODYLESS)
def test_replies_without_a_body_end_with_their_head(case: str) -> None:
    """The next reply follows the blank line at once."""
    method, reply, within = BODYLESS[case]
    with served(upstreams=(Vendor(reply),)) as door, connected(door.port) as sock:
        for _ in range(2):
            sock.sendall(method + ASKED[3:])
            assert within in until(sock, b"\r\n\r\n")


def test_a_reply_larger_than_the_kernel_takes_at_once() -> None:
    """What the client does not read yet waits for it, and nobody else waits."""
    big = Reply.of(200, bytes(8_000_000))
    with served(upstreams=(Vendor(big),)) as door, connected(door.port) as slow, connected(door.port) as other:
        slow.sendall(ASKED)
        eventually(lambda: door.plan.log)
        other.sendall(b"HEAD" + ASKED[3:])
        until(other, b"\r\n\r\n")
        slow.settimeout(LIMIT)
        assert len(until(slow, bytes(1))) > 0
        got = 0
        while got < 7_000_000:
            got += len(slow.recv(1_000_000))


def test_it_listens_on_loopback_only() -> None:
    """127.0.0.1, whatever the machine is called."""
    with served() as door:
        assert door._listener is not None
        assert door._listener.getsockname() == ("127.0.0.1", door.port)


PORTS = {"taken": "Address already in use", "too high": "0-65535"}


@pytest.mark.parametrize("case", PORTS)
def test_a_port_that_cannot_be_had(case: str) -> None:
    """The error names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as other, served() as door:
        port = other.getsockname()[1] if case == "taken" else 99999
        twin = type(door)(door.plan, [], certificates(), time.monotonic)
        with pytest.raises(UnreachableError) as caught:
            twin.start(port)
    assert caught.value.what == f"the server cannot listen on 127.0.0.1:{port}"
    assert PORTS[case] in caught.value.there
    assert caught.value.do == "end what listens there, or take another port (0: any that is free)"


def test_it_is_gone_when_it_is_stopped() -> None:
    """Its port, its connections and its thread; stopping twice does no harm."""
    with served(performing(Script((Stall(),)))) as door, connected(door.port) as sock:
        sock.sendall(ASKED)
        eventually(lambda: door.plan.log)
        door.stop()
        assert told(sock)[-1] in ("end", "reset")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", door.port), LIMIT)
    assert not door.reactor._thread.is_alive()


CERTIFICATES = {
    "trusted": None,
    "untrusted": "unable to get local issuer certificate|self.signed certificate",
    "expired": "certificate has expired",
    "wrong_name": "IP address mismatch|Hostname mismatch",
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_certificates(kind: str) -> None:
    """One that holds, and three that a client must refuse, each for its own reason."""
    why = CERTIFICATES[kind]
    with served(upstreams=(Vendor(WELL),)) as door, connected(door.port) as sock:
        door.certificate = kind
        if why is None:
            with trusting().wrap_socket(sock, server_hostname="127.0.0.1") as tls:
                tls.sendall(ASKED)
                assert until(tls, b"true}").startswith(b"HTTP/1.1 200")
                assert door.plan.log[0].request.url == f"https://127.0.0.1:{door.port}/x"
        else:
            with pytest.raises(ssl.SSLCertVerificationError, match=why):
                trusting().wrap_socket(sock, server_hostname="127.0.0.1")
            eventually(lambda: not door._peers)
    assert door.plan.problems == []


def test_an_unknown_kind_of_certificate() -> None:
    """The nearest one is named."""
    with served() as door, pytest.raises(UnreachableError, match="did you mean 'expired'"):
        door.certificate = "expird"


def test_a_client_that_does_not_know_the_authority_is_told_of() -> None:
    """Without the environment a client refuses every certificate: that is a finding, not a silence."""
    with served() as door, connected(door.port) as sock:
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(sock, server_hostname="127.0.0.1")
        eventually(lambda: door.plan.problems)
    (problem,) = door.plan.problems
    assert str(problem).startswith(f"a client does not accept the certificate for https://127.0.0.1:{door.port}\n")
    assert str(problem).endswith("start it with the server's environment (`env`), or let it trust the authority's file")


def test_without_trustme_https_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain HTTP works; the first need of a certificate names the extra."""
    monkeypatch.setitem(__import__("sys").modules, "trustme", None)
    bare = _certificates.Certificates(certificates()._folder)
    with pytest.raises(UnreachableError) as caught:
        bare.context("127.0.0.1")
    assert str(caught.value) == (
        "https needs certificates, and nobody here can make them\n"
        "  there is: the package trustme is not installed\n"
        "  to do: pip install 'pytest-agentfault[server]'"
    )


REFUSALS = {Why.REFUSED: "reset", Why.UNRESOLVED: "reset", Why.TIMEOUT: "silence"}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("why", REFUSALS, ids=lambda why: why.value)
def test_a_connection_that_should_not_come_to_be(why: Why, scheme: str) -> None:
    """Who listens has accepted already: a reset at once, or silence, is the nearest."""
    with served(Rule("* *", (Refuse(why=why.value),), times=1), upstreams=(Vendor(WELL),)) as door:
        with connected(door.port) as sock:
            sock.sendall(ASKED if scheme == "http" else b"\x16\x03\x01\x00\x05hello")
            if REFUSALS[why] == "reset":
                assert told(sock) == ["reset"]
            else:
                sock.settimeout(0.05)
                with pytest.raises(TimeoutError):
                    sock.recv(1)
        with connected(door.port) as sock:
            sock.sendall(ASKED)
            until(sock, b"true}")
        assert [x.reply.last for x in door.plan.log] == [Refused(why), End()]


def test_an_untrusted_certificate_by_rule() -> None:
    """A rule's `untrusted` is the certificate of an authority that nobody knows, for as often as the rule says."""
    with served(Rule("* *", (Refuse(why="untrusted"),), times=1), upstreams=(Vendor(WELL),)) as door:
        with connected(door.port) as sock, pytest.raises(ssl.SSLCertVerificationError):
            trusting().wrap_socket(sock, server_hostname="127.0.0.1")
        with connected(door.port) as sock, trusting().wrap_socket(sock, server_hostname="127.0.0.1") as tls:
            tls.sendall(ASKED)
            until(tls, b"true}")
    assert door.plan.problems == []


WRONG = {
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "a client speaks HTTP/2"),
    "an upgrade": (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "for an upgrade"),
    "no HTTP": (b"hello, is it me?\r\n\r\n", "does not speak HTTP/1.1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_client_that_does_not_speak_http_1(case: str) -> None:
    """It is told so in a reply it can show, and the plan keeps it."""
    said, why = WRONG[case]
    with served() as door, connected(door.port) as sock:
        sock.sendall(said)
        answer = b"".join(piece for piece in told(sock) if isinstance(piece, bytes))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert why in answer.decode()
    assert [why in str(problem) for problem in door.plan.problems] == [True]


def test_the_budget_of_calls_ends_a_loop() -> None:
    """A client that goes on for ever is cut off each time it asks again."""
    with served(Rule("* *", (Status(code=503),)), max_calls=3) as door:
        for _ in range(3):
            with connected(door.port) as sock:
                sock.sendall(ASKED)
                until(sock, b"\r\n\r\n")
        with connected(door.port) as sock:
            sock.sendall(ASKED)
            assert told(sock) == ["reset"]
    assert door.plan.hung


def test_many_clients_at_once() -> None:
    """Every request is counted, and a rule strikes as often as it says."""
    with served(Rule("* *", (Status(code=503, text="}"),), times=7), upstreams=(Vendor(WELL),)) as door:

        def ask() -> None:
            with connected(door.port) as sock:
                for _ in range(20):
                    sock.sendall(ASKED)
                    until(sock, b"}")

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT * 4)
    assert len(door.plan.log) == 320
    assert sum(bool(x.struck) for x in door.plan.log) == 7


def test_the_kernel_is_asked_for_what_a_client_has_read() -> None:
    """On Linux the queue of a loopback socket is known to the byte; elsewhere nothing is."""
    queues = Queues()
    with socket.create_server(("127.0.0.1", 0)) as listener, connected(listener.getsockname()[1]) as client:
        server, _ = listener.accept()
        ports = (client.getsockname()[1], listener.getsockname()[1])
        with server:
            server.sendall(b"hello")
            if queues.unread(*ports) is not None:
                eventually(lambda: queues.unread(*ports) == 5)
                client.recv(3)
                assert queues.unread(*ports) == 2
        assert queues.unread(1, ports[1]) in (0, None)
    queues.close()
    assert queues.unread(*ports) is None


def test_a_chunked_stream_keeps_its_boundaries() -> None:
    """One `Data` is one HTTP chunk and one segment."""
    reply = Reply((Head(200), Data(b"a"), Data(b"bc"), End()))
    with served(upstreams=(Vendor(reply),)) as door, connected(door.port) as sock, suppress(TimeoutError):
        sock.sendall(ASKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert told(sock)[1:] == [b"1\r\na\r\n", b"2\r\nbc\r\n", b"0\r\n\r\n", "end"]
