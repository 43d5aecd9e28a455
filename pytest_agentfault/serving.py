"""
What the fixture `fault_server` gives: the same faults, for clients that are not in this process.

A child process, a Node agent, curl or a stdio server that calls out is struck by
the test's own plan, through a server on loopback; log, outcome and checks are the
test's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .doors._aim import check_base
from .doors.server import HOST, ServerDoor

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._run import Faults

PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
TRUST_ONE_FILE: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "GIT_SSL_CAINFO")
TRUST_ALSO: Final = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
# The variables by which SDKs are told of another base, and the base they have without.
BASES: Final[Mapping[str, str]] = {
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "ANTHROPIC_BASE_URL": "https://api.anthropic.com",
    "GOOGLE_GEMINI_BASE_URL": "https://generativelanguage.googleapis.com",
    "GROQ_BASE_URL": "https://api.groq.com",
    "CO_API_URL": "https://api.cohere.com",
    "OPENROUTER_BASE_URL": "https://openrouter.ai/api/v1",
    "DEEPSEEK_BASE_URL": "https://api.deepseek.com",
    "XAI_BASE_URL": "https://api.x.ai/v1",
}


class FaultServer:
    """A server on loopback through which this test's faults strike clients of other processes.

    Attributes:
        url: `http://127.0.0.1:PORT`.
        https_url: the same over TLS, with a certificate of the server's own authority.
        proxy_url: the same as a proxy for http and https.
        env: variables for a child process, to be put over its own: `{**os.environ, **fault_server.env}`.
        log: the exchanges so far, oldest first.
        upstream: the base URL that requests straight to `url` are meant for; None: the server's own.
        certificate: what TLS clients are shown: trusted, untrusted, expired or wrong_name.
    """

    def __init__(self, door: ServerDoor, faults: Faults) -> None:
        self._door, self._faults = door, faults

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{HOST}:{self._door.port}"

    @property
    def https_url(self) -> str:
        """The same over TLS, with a certificate of the server's own authority."""
        return f"https://{HOST}:{self._door.port}"

    @property
    def proxy_url(self) -> str:
        """The same as a proxy for http and https."""
        return self.url

    def through(self, base: str) -> str:
        """The base URL by which a client reaches a vendor through this server.

        Args:
            base: the vendor's own, as in `"https://api.openai.com/v1"`.

        Raises:
            UnreachableError: it is no base URL.
        """
        return f"{self.url}/{check_base(base)}"

    @property
    def env(self) -> dict[str, str]:
        """Variables for a child process, to be put over its own: `{**os.environ, **fault_server.env}`."""
        return environment(self._door)

    @property
    def log(self) -> list[Exchange]:
        """The exchanges so far, oldest first."""
        return self._faults.log

    @property
    def upstream(self) -> str | None:
        """The base URL that requests straight to `url` are meant for; None: the server's own."""
        return self._door.base

    @upstream.setter
    def upstream(self, base: str | None) -> None:
        self._door.base = base

    @property
    def certificate(self) -> str:
        """What TLS clients are shown: trusted, untrusted, expired or wrong_name."""
        return self._door.certificate

    @certificate.setter
    def certificate(self, kind: str) -> None:
        self._door.certificate = kind

    def add(self, *what: Any, **words: Any) -> None:
        """Let more faults strike from now on; the words are those of the marker `fault`.

        Args:
            *what: names of scenarios, or fault objects (with `to=`).
            **words: to, times, after, every, probability, until, raises, cassette, checks, waive.

        Raises:
            AgentFaultError: a name or a word is wrong.
        """
        self._faults.add(*what, **words)


def environment(door: ServerDoor) -> dict[str, str]:
    """The variables by which a child process is led through the server.

    A proxy reaches hard-coded URLs; bases reach SDKs whose HTTP library knows of
    no proxy (Node's `fetch` before 24). A base that is set already is kept, behind ours.

    Raises:
        UnreachableError: trustme is not installed, so that there is no authority to trust.
    """
    url = f"http://{HOST}:{door.port}"
    told = {name: url for proxy in PROXIES for name in (proxy, proxy.lower())}
    told |= {"NO_PROXY": "", "no_proxy": "", "NODE_USE_ENV_PROXY": "1"}
    told |= dict.fromkeys(TRUST_ONE_FILE, str(door.certificates.bundle_file))
    told |= dict.fromkeys(TRUST_ALSO, str(door.certificates.authority_file))
    for name, default in BASES.items():
        told[name] = f"{url}/{check_base(os.environ.get(name) or default)}"
    return told
