"""Certificates of the door `server`, and connections that should not come to be."""

from __future__ import annotations

import ssl

import pytest
from _server import (
    ASKED,
    WELL,
    Vendor,
    certificates,
    connected,
    eventually,
    served,
    told,
    trusting,
    until,
)

from pytest_agentfault import (
    End,
    Refused,
    Rule,
    Why,
)
from pytest_agentfault._errors import UnreachableError
from pytest_agentfault.doors import _certificates
from pytest_agentfault.faults import Refuse

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
