"""
A cassette as it is kept for a session: parsed once, indexed, never written.

What has been played is a test's own affair and lives in the upstream that plays
it; a `Recording` is immutable and shared by every test of the session. Matching
is vcrpy's: a request's key is what its default matchers compare, so equal keys
are a match and finding one takes the same time in a long cassette as in a short.

Rule: no state here but the cache, and that belongs to whoever made it.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, Final, TypeAlias

from .._errors import CassetteError, PlayedError
from .._reply import Reply, Request
from ._reading import interactions_in, refusal
from ._repair import BrokenError, body_of, halves_of, method_and_uri_of, pairs_of, reply_of

Key: TypeAlias = tuple[Any, ...]
MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Interaction:
    """One recorded exchange: its number in the file from 1, vcrpy's own `Request`, and the reply it plays."""

    number: int
    request: Any
    reply: Reply


@dataclass(frozen=True, slots=True)
class Recording:
    """All interactions of one cassette file, and where to find those that match a request."""

    path: Path
    interactions: tuple[Interaction, ...]
    places: dict[Key, list[int]] = field(repr=False)
    keys: dict[tuple[str, str], Key] = field(repr=False)
    hosts: frozenset[tuple[str, int]] = field(repr=False)

    def matching(self, request: Request) -> tuple[Key, Sequence[int]]:
        """The key of a request, and the places of the interactions that match it, in their order."""
        key = self.keys.get((request.method, request.url))
        if key is None:  # not spelled as it was recorded; it may still be the same by vcrpy's matchers
            key = key_of(as_vcr(request))
        return key, self.places.get(key, ())


def as_vcr(request: Request) -> Any:
    """vcrpy's own request object, with the first value of each header, as vcrpy keeps them."""
    from vcr.request import Request as VcrRequest

    headers: dict[str, str] = {}
    for name, value in reversed(request.headers):
        headers[name] = value
    return VcrRequest(request.method, request.url, request.body, headers)


def key_of(asked: Any) -> Key:
    """What vcrpy's default matchers compare of a request: method, scheme, host, port, path, query."""
    return (asked.method, asked.scheme, asked.host, asked.port, asked.path or "/", tuple(asked.query))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Leave the garbage be while thousands of objects are made that all stay.

    Measured on 10,000 interactions of YAML: 7.0 s with the collector, 2.3 s without, and linear.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@_without_collecting()
def load(path: Path) -> Recording:
    """Read a cassette file.

    Raises:
        CassetteError: the file or one of its interactions cannot be used; the text says which and why.
    """
    from vcr.request import Request as VcrRequest

    kept: list[Interaction] = []
    places: dict[Key, list[int]] = {}
    keys: dict[tuple[str, str], Key] = {}
    hosts = set()
    for place, interaction in enumerate(interactions_in(path)):
        try:
            asked, answered = halves_of(interaction)
            method, uri = method_and_uri_of(asked)
            headers = dict(reversed(pairs_of(asked.get("headers"))))
            stored = VcrRequest(method, uri, body_of(asked), headers)
            reply = reply_of(answered, method)
        except BrokenError as error:
            raise refusal(path, place + 1, str(error), "mend that interaction, or record the cassette again") from error
        key = keys[method, uri] = key_of(stored)
        places.setdefault(key, []).append(place)
        hosts.add((stored.host, stored.port))
        kept.append(Interaction(place + 1, stored, reply))
    return Recording(path, tuple(kept), places, keys, frozenset(hosts))


class Recordings:
    """The cassettes of one session, each file parsed once for as long as it does not change."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[int, int], Recording]] = {}
        self._plain: dict[bytes, bytes] = {}
        self._lock = RLock()  # `load` may come by vcrpy's deserialiser, whose patched form asks `plain`

    def load(self, path: Path) -> Recording:
        """The recording in this file.

        Raises:
            CassetteError: the file or one of its interactions cannot be used; the text says which and why.
        """
        with self._lock:
            whole = path.absolute()
            try:
                stat = whole.stat()
            except OSError:
                return load(path)  # which says what is wrong with it
            version = (stat.st_mtime_ns, stat.st_size)
            known = self._kept.get(whole)
            if known is None or known[0] != version:
                known = self._kept[whole] = (version, load(path))
            return known[1]

    @_without_collecting()
    def plain(self, text: str, parse: Callable[[str], Any]) -> Any:
        """What `parse` makes of this text, as fresh objects each time, parsed once."""
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            packed = self._plain.get(digest)
            if packed is None:
                data = parse(text)
                try:
                    packed = self._plain[digest] = pickle.dumps(data)
                except (TypeError, AttributeError, pickle.PicklingError, RecursionError):
                    return data
        # Only what was pickled three lines above, in this process, is ever loaded; it takes a
        # hundredth of the time of the YAML, and vcrpy may change its copy as it likes.
        return pickle.loads(packed)  # noqa: S301


def no_recording(
    request: Request,
    asked: Any,
    path: object,
    stored: Sequence[Any],
    match_on: Sequence[Any],
    matching: Collection[int],
) -> CassetteError:
    """The error for a request that a cassette has no recording for, or no unplayed one.

    Args:
        request: as it came from the client.
        asked: the same as vcrpy's request, its filters applied.
        path: the cassette's file.
        stored: the recorded requests, vcrpy's.
        match_on: the matchers of the cassette.
        matching: the places of the recordings that match, all of them played.
    """
    what = f"no recording for {request.method} {request.url} in {path}"
    if matching:
        numbers = ", ".join(str(place + 1) for place in matching)
        many = len(matching) > 1
        there = f"all {len(matching)} matching recordings were" if many else "the one matching recording was"
        return PlayedError(
            what,
            f"{there} played (interaction{'s' if many else ''} {numbers})",
            "the code asked more often than it did when this was recorded: record it anew, or ask less often (only a "
            "request whose last reply was struck is given the same recording again)",
        )
    near = sorted(((_differences(asked, one, match_on), n) for n, one in enumerate(stored, 1)), key=lambda d: len(d[0]))
    named = "; ".join(
        f"interaction {n}: {stored[n - 1].method} {stored[n - 1].uri} differs in {', '.join(wrong)}"
        for wrong, n in near[:MOST_NAMED]
    )
    return CassetteError(
        what, f"nearest: {named}" if named else "an empty cassette", "record this request too, or name another cassette"
    )


def _differences(asked: Any, stored: Any, match_on: Sequence[Any]) -> list[str]:
    from vcr.matchers import get_matchers_results

    _, wrong = get_matchers_results(asked, stored, match_on)
    return [f"{name} ({said})" if said and len(said) <= 120 and "\n" not in said else name for name, said in wrong]
