"""
A recorded cassette as the place the healthy reply comes from: the one a marker names.

The file is only ever read. vcrpy's words hold: each interaction is played at
most once, those that match a request in the order of the file.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import ClassVar, Final
from urllib.parse import urlsplit

from .._reply import Reply, Request
from .._rule import DEFAULT_PORTS
from ._recording import Key, Recordings, as_vcr, no_recording

__all__ = ["Cassette", "Recordings"]

MATCH_ON: Final = ("method", "scheme", "host", "port", "path", "query")  # vcrpy's own default


class Cassette:
    """The client is answered with what was recorded in this file.

    Args:
        path: a cassette of vcrpy, pytest-recording, betamax or Ruby's VCR, in YAML or JSON.
        recordings: the session's cache, so that a file is parsed once; None: one of its own.

    Raises:
        CassetteError: the file is missing, empty, unsafe, or cannot be understood.
    """

    is_recorded: ClassVar[bool] = True  # says each thing once: a retry of what was lost hears it again

    def __init__(self, path: Path, recordings: Recordings | None = None) -> None:
        self.path = path
        self._recording = (recordings or Recordings()).load(path)
        self._next: dict[Key, int] = {}
        self._lock = Lock()

    @property
    def unplayed(self) -> list[int]:
        """The numbers, from 1, of the interactions that were not played yet."""
        left = (places[self._next.get(key, 0) :] for key, places in self._recording.places.items())
        return sorted(place + 1 for places in left for place in places)

    def serves(self, request: Request) -> bool:
        """True for every request, except to a loopback server that the file has no recording of."""
        parts = urlsplit(request.url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        return not is_loopback(host) or (host, port) in self._recording.hosts

    def send(self, request: Request) -> Reply:
        """The next recorded reply that matches.

        Raises:
            CassetteError: nothing matches, or all that does was played; the text names the nearest recordings.
        """
        key, places = self._recording.matching(request)
        with self._lock:
            turn = self._next.get(key, 0)
            if turn < len(places):
                self._next[key] = turn + 1
                return self._recording.interactions[places[turn]].reply
        import vcr.matchers

        matchers = [getattr(vcr.matchers, name) for name in MATCH_ON]
        stored = [kept.request for kept in self._recording.interactions]
        raise no_recording(request, as_vcr(request), self.path, stored, matchers, places)


def is_loopback(host: str) -> bool:
    """True for a name or address of this machine itself (RFC 6761 section 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
