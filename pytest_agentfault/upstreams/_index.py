"""
Which recordings of a live vcrpy cassette match a request, without a walk through all of them.

vcrpy asks every matcher about every interaction for every request. Most matchers
are its own and compare one thing that can be looked up; those make the key under
which an interaction is kept. The matchers then still decide, so that whatever a
suite's own matchers say holds here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any


class Index:
    """The interactions of one cassette by what its matchers compare."""

    def __init__(self, cassette: Any) -> None:
        self._cassette = cassette
        self._known: list[Any] = []
        self._places: dict[Any, list[int]] = {}
        self._fronts: dict[Any, int] = {}
        self._counts: Any = None

    def matching(self, wanted: Any) -> Iterator[int]:
        """The places of all interactions that match."""
        yield from self._among(wanted, 0)

    def unplayed(self, wanted: Any) -> Iterator[int]:
        """The places of those that may be played now."""
        counts, repeats = self._cassette.play_counts, self._cassette.allow_playback_repeats
        if counts is not self._counts:  # somebody rewound the cassette
            self._counts = counts
            self._fronts.clear()
        key, places = self._look_up(wanted)
        front = self._fronts.get(key, 0)
        if not repeats:
            while front < len(places) and counts[places[front]]:
                front += 1
            self._fronts[key] = front
        return (place for place in self._among(wanted, front) if repeats or not counts[place])

    def _among(self, wanted: Any, front: int) -> Iterator[int]:
        from vcr.matchers import requests_match

        _, places = self._look_up(wanted)
        data, match_on = self._cassette.data, self._cassette._match_on
        empty = not wanted.body
        for number in range(front, len(places)):
            stored = data[places[number]][0]
            if empty and stored.body is None:
                wanted.body = None  # "no body" and "an empty body" look the same on the wire
            elif empty:
                wanted.body = b""
            if requests_match(wanted, stored, match_on):
                yield places[number]

    def _look_up(self, wanted: Any) -> tuple[Any, list[int]]:
        data = self._cassette.data
        if self._known and (len(data) < len(self._known) or data[len(self._known) - 1] is not self._known[-1]):
            self._known, self._places = [], {}
            self._fronts.clear()
        for place in range(len(self._known), len(data)):
            self._known.append(data[place])
            self._places.setdefault(self._key(data[place][0]), []).append(place)
        key = self._key(wanted)
        return key, self._places.get(key, [])

    def _key(self, asked: Any) -> Any:
        parts = _parts()
        return tuple(parts[matcher](asked) for matcher in self._cassette._match_on if matcher in parts)


@cache
def _parts() -> dict[Any, Any]:
    """What each of vcrpy's own matchers compares, or something coarser; the others have no part in a key."""
    from vcr import matchers

    return {
        matchers.method: lambda asked: asked.method,
        matchers.uri: lambda asked: (asked.scheme, asked.host, asked.port, asked.path or "/", tuple(asked.query)),
        matchers.scheme: lambda asked: asked.scheme,
        matchers.host: lambda asked: asked.host,
        matchers.port: lambda asked: asked.port,
        matchers.path: lambda asked: asked.path or "/",
        matchers.query: lambda asked: tuple(asked.query),
    }
