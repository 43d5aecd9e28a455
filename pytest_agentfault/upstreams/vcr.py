"""
A cassette that is active in the test itself, through vcrpy or pytest-recording, asked from below.

vcrpy sits above the socket: it replaces whole clients, so that nothing beneath
them is ever reached. For the length of one test its patching is taken away; a
cassette that is entered, or was before (by a fixture with a wider scope), is
registered here instead and answers from below, with its own filters, matchers
and hooks, and with its counts kept true.

Private seams of vcrpy 9 and pytest-recording 0.14 that are leant on here, one
test each in `tests/test_vcr_seams.py`: `CassettePatcherBuilder.build` and its
`_cassette`; `Cassette._save`, `_match_on`, `_path`, `_loaded_count`,
`_played_interactions`; `yamlserializer.deserialize` looked up on its module;
`patch.force_reset` and `patch._AiohttpClientSessionRequest`; `pytest_recording._vcr.use_cassette`.

Rule: vcrpy is imported when the mount is installed, never before: it imports
every HTTP client that is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Lock
from types import CellType, SimpleNamespace, TracebackType
from typing import Any, ClassVar, Final
from unittest.mock import patch

from .._errors import CassetteError
from .._reply import Reply, Request
from .._seams import Patches
from ._index import Index
from ._reading import refusal
from ._recording import Recordings, as_vcr, no_recording
from ._repair import BrokenError, reply_of

# Where vcrpy leaves its mark, as module, class and method; no module is imported to look.
RECORD_FIRST: Final = "record the healthy run first, without the fault, then play it with the fault"
EMPTY: Final = CellType()
MARKS: Final = (
    ("http.client", "HTTPConnection", ""),
    ("urllib3.connectionpool", "HTTPConnectionPool", "ConnectionCls"),
    ("httpx", "HTTPTransport", "handle_request"),
    ("httpx2", "HTTPTransport", "handle_request"),
    ("aiohttp", "ClientSession", "_request"),
)


class Vcr:
    """The client is answered by the cassettes that the test itself has entered, innermost first.

    Args:
        recordings: the session's cache; a cassette's YAML is then parsed once per session.
    """

    tool: ClassVar[str] = "vcr"

    is_recorded: ClassVar[bool] = True  # says each thing once: a retry of what was lost hears it again

    def __init__(self, recordings: Recordings | None = None) -> None:
        self._recordings = recordings or Recordings()
        self._mounted: list[_Mounted] = []
        self._lock = Lock()
        self._taken_over: tuple[Any, ExitStack] | None = None  # a cassette of before, and its patches put aside
        self._lately: tuple[Request, list[_Mounted], list[tuple[_Mounted, Any]]] | None = None

    @property
    def active(self) -> bool:
        """True while a cassette is entered."""
        return bool(self._mounted)

    def install(self, patches: Patches, wanted: bool = True) -> None:
        """From now on a cassette that is entered patches nothing and is asked from below.

        `custom_patches` and `skip_patchers` of such a cassette have nothing left to say.

        Args:
            patches: takes everything off again; `release` comes after it.
            wanted: False: do nothing unless somebody has imported vcrpy already, since that import is slow.
        """
        if not wanted and "vcr" not in sys.modules:
            return
        import vcr.cassette
        import vcr.patch
        from vcr.serializers import yamlserializer

        def build(builder: Any) -> tuple[_Mounted]:
            return (_Mounted(self._mounted, builder),)

        def save(cassette: Any, force: bool = False) -> None:
            # vcrpy also rewrites a file it recorded nothing into (`drop_unused_requests`), and under a
            # fault some interactions are left unplayed on purpose.
            if not any(mounted.cassette is cassette for mounted in self._mounted):
                really_save(cassette, force)
            if self._taken_over is not None and self._taken_over[0] is cassette:  # it ends in this very test
                self._taken_over[1].pop_all()
                self._mounted[:] = [mounted for mounted in self._mounted if mounted.cassette is not cassette]

        patches.set(vcr.patch.CassettePatcherBuilder, "build", build)
        really_save = patches.set(vcr.cassette.Cassette, "_save", save)
        parse = yamlserializer.deserialize
        patches.set(yamlserializer, "deserialize", lambda text: self._recordings.plain(text, parse))
        self._take_over(next(_cassettes_above(), None))
        if "pytest_recording.plugin" in sys.modules:
            _refuse_to_rewrite(patches)

    def release(self) -> None:
        """Give the cassettes that are still active back to vcrpy; call it when the patches are undone.

        A cassette of a fixture with a wider scope outlives the test it was entered in.
        """
        for mounted in self._mounted:
            mounted.hand_back()
        self._mounted.clear()
        if self._taken_over is not None:
            self._taken_over[1].close()
            self._taken_over = None

    def _take_over(self, cassette: Any) -> None:
        """Put the patches of a cassette that was there before us aside, until `release`."""
        if cassette is None:
            return
        import vcr.patch

        aside = ExitStack()
        aside.enter_context(vcr.patch.force_reset())
        if "aiohttp.client" in sys.modules:  # which vcrpy leaves as it is
            session = sys.modules["aiohttp.client"].ClientSession
            aside.enter_context(patch.object(session, "_request", vcr.patch._AiohttpClientSessionRequest))
        self._taken_over = (cassette, aside)
        self._mounted.append(_Mounted(self._mounted, SimpleNamespace(_cassette=cassette, build=lambda: ())))

    def serves(self, request: Request) -> bool:
        """True when a cassette is active and its own filters do not ignore the request."""
        return bool(self._asked(request))

    def send(self, request: Request) -> Reply:
        """What the innermost cassette that can play has recorded for it.

        Raises:
            CassetteError: none of them can, or vcrpy would record: never while a fault is in.
        """
        asked = self._asked(request)
        self._lately = None
        with self._lock:
            for mounted, wanted in asked:
                response = mounted.play(wanted)
                if response is not None:
                    break
            else:
                raise _unplayable(request, *asked[0])
        place, recorded = response
        try:
            return reply_of(recorded, request.method)
        except BrokenError as error:
            raise refusal(mounted.path, place + 1, str(error)) from error

    @staticmethod
    def active_above() -> str | None:
        """The path of a cassette that vcrpy put above the doors, before they were installed; None: there is none."""
        found = next(_cassettes_above(), None)
        return None if found is None else str(found._path)

    def _asked(self, request: Request) -> list[tuple[_Mounted, Any]]:
        """The cassettes that do not ignore a request, innermost first, and the request as each filters it.

        Filters copy the whole request, so `send` takes over what `serves` found.
        """
        lately = self._lately
        if lately is not None and lately[0] is request and lately[1] == self._mounted:
            return lately[2]
        filtered = ((mounted, mounted.cassette.filter_request(as_vcr(request))) for mounted in reversed(self._mounted))
        asked = [(mounted, wanted) for mounted, wanted in filtered if wanted]
        self._lately = (request, [*self._mounted], asked)
        return asked


class _Mounted:
    """One active cassette of vcrpy; the context manager that vcrpy enters in its patchers' place."""

    def __init__(self, among: list[_Mounted], builder: Any) -> None:
        self.cassette = builder._cassette
        self._builder = builder
        self._among = among
        self._index = Index(self.cassette)
        self._patched = ExitStack()

    @property
    def path(self) -> Any:
        return self.cassette._path

    def __enter__(self) -> None:
        self._among.append(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self in self._among:
            self._among.remove(self)
        self._patched.close()

    def hand_back(self) -> None:
        for patcher in self._builder.build():
            self._patched.enter_context(patcher)

    def play(self, wanted: Any) -> tuple[int, Any] | None:
        """The place and the response of the next match, counted as vcrpy counts it; None: there is none."""
        cassette = self.cassette
        if cassette.record_mode == "all" or not (cassette.rewound or cassette.allow_playback_repeats):
            return None
        place = next(self._index.unplayed(wanted), None)
        if place is None:
            return None
        stored, response = cassette.data[place]
        if not cassette.play_counts[place] and place < cassette._loaded_count:
            cassette._played_interactions.append((stored, response))
        cassette.play_counts[place] += 1
        return place, response

    def matching(self, wanted: Any) -> list[int]:
        return list(self._index.matching(wanted))


def _unplayable(request: Request, mounted: _Mounted, wanted: Any) -> CassetteError:
    cassette = mounted.cassette
    stored = [kept for kept, _ in cassette.data]
    matching = mounted.matching(wanted) if cassette.record_mode != "all" and cassette.rewound else []
    if not cassette.write_protected and not matching:
        mode = str(getattr(cassette.record_mode, "value", cassette.record_mode))
        return CassetteError(
            f"{request.method} {request.url} would be recorded into {mounted.path}, which is refused under a fault",
            f"record mode {mode!r} and {len(cassette)} recorded interactions",
            RECORD_FIRST,
        )
    if not cassette.rewound:
        return CassetteError(
            f"no recording for {request.method} {request.url} in {mounted.path}",
            "vcrpy found no cassette there, or an empty one",
            RECORD_FIRST,
        )
    return no_recording(request, wanted, mounted.path, stored, cassette._match_on, matching)


def _refuse_to_rewrite(patches: Patches) -> None:
    """Keep pytest-recording's `rewrite` mode from deleting the file before anything else is asked."""
    import pytest_recording._vcr as glue
    from pytest_recording.utils import merge_kwargs

    def use_cassette(
        name: str, folder: str, record_mode: str, markers: Any, config: Any, *others: Any, **named: Any
    ) -> Any:
        if merge_kwargs(config, markers).get("record_mode", record_mode) == "rewrite":
            raise CassetteError(
                f"the cassette {name} in {folder} would be deleted and recorded anew, which is refused under a fault",
                "record mode 'rewrite'",
                RECORD_FIRST,
            )
        return really_use(name, folder, record_mode, markers, config, *others, **named)

    really_use = patches.set(glue, "use_cassette", use_cassette)


def _cassettes_above() -> Iterator[Any]:
    for module, owner, method in MARKS:
        thing = getattr(sys.modules.get(module), owner, None)
        yield from _cassettes_of(getattr(thing, method, None) if method else thing)


def _cassettes_of(thing: Any) -> Iterator[Any]:
    if (module := sys.modules.get("vcr.cassette")) is None:
        return
    cells = (cell.cell_contents for cell in getattr(thing, "__closure__", None) or () if cell != EMPTY)
    for found in (getattr(thing, "cassette", None), *cells):
        if isinstance(found, module.Cassette):
            yield found
