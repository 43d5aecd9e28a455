"""The certificates that urllib3 trusts: read once for many connections in memory, and anew when they change."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from _memory import opened, says
from _wire import authority

from pytest_agentfault._seams import Patches

VENDOR = "https://api.vendor.example/x"
OK = says(200, b"ok")
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "hostname": {"assert_hostname": "api.vendor.example"},
    "unverified": {"cert_reqs": "CERT_NONE"},
    "oldest_version": {"ssl_minimum_version": ssl.TLSVersion.TLSv1_2},
}


@contextmanager
def counted() -> Iterator[list[Any]]:
    """Which bundles are read meanwhile."""
    read: list[Any] = []
    real = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, cafile: Any = None, *args: Any, **kwargs: Any) -> None:
        read.append(cafile)
        real(context, cafile, *args, **kwargs)

    patches = Patches()
    patches.set(ssl.SSLContext, "load_verify_locations", load)
    try:
        yield read
    finally:
        patches.undo()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of one certificate."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority().cert_pem.bytes())
    return path


def asked(bundle: Path, **settings: Any) -> bytes:
    """What a pool of its own hears, on a connection of its own."""
    with urllib3.PoolManager(retries=False, ca_certs=str(bundle), **settings) as pool:
        return pool.request("GET", VENDOR).data


@pytest.mark.parametrize("name", ["plain", "unverified", "oldest_version"])
def test_a_bundle_is_read_once(bundle: Path, name: str) -> None:
    """Connections that ask for the same certificates share one reading, also in another test."""
    with counted() as read:
        for _ in range(2):
            with opened(OK):
                assert [asked(bundle, **SETTINGS[name]) for _ in range(3)] == [b"ok"] * 3
    assert read == [str(bundle)]


@pytest.mark.parametrize("name", SETTINGS)
def test_whoever_asks_for_more_is_served_as_ever(bundle: Path, name: str) -> None:
    """Each setting of TLS is urllib3's own business, before and after a plain connection."""
    with opened(OK):
        assert [asked(bundle, **SETTINGS[name]), asked(bundle), asked(bundle, **SETTINGS[name])] == [b"ok"] * 3


def test_a_bundle_that_has_changed_is_read_again(bundle: Path) -> None:
    """What counts is what the file holds now."""
    with opened(OK), counted() as read:
        asked(bundle)
        bundle.write_bytes(bundle.read_bytes() + b"\n# one more line\n")
        asked(bundle)
    assert read == [str(bundle)] * 2


def test_a_bundle_that_is_none_fails_each_time(bundle: Path) -> None:
    """A file without certificates is urllib3's error, also the second time and after a good one."""
    with opened(OK):
        assert asked(bundle) == b"ok"
        bundle.write_text("no certificate here\n")
        for _ in range(2):
            with pytest.raises(urllib3.exceptions.SSLError, match="NO_CERTIFICATE_OR_CRL_FOUND"):
                asked(bundle)


def test_requests_reads_its_bundle_once() -> None:
    """Sessions of their own, as SDKs on requests make them, pay for certifi once at most."""
    with opened(OK), counted() as read:
        for _ in range(3):
            assert requests.get(VENDOR, timeout=5).content == b"ok"
    assert len(read) <= 1
