"""
Where the names of time are put over, and taken off again.

`time` and `datetime` are modules whose functions everybody copies into his own
(`from datetime import datetime`), so each loaded module is looked through for
them, once per session; a test looks at what is new. Three sets of names come and
go alone: the waits are on from the start to the end; the clocks give way to a
`freeze_time` of the test's own; the calendar comes on with the first wait, since
until then it is right.
"""

from __future__ import annotations

import copyreg
import datetime
import os
import sys
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any, Final

from ._dates import REAL_KINDS, REAL_MODULE, Date, Datetime, reduced
from ._errors import ClockWarning
from ._moved import MOVED, REAL, sleep
from ._seams import Patches

# These keep real time. Who runs tests and measures them; who asks whether a class is this very one, to make a
# schema of it; who waits for other processes; and who must know what is real.
_LEFT_ALONE = """
    pytest _pytest pluggy xdist execnet coverage hypothesis faulthandler cProfile profile pdb unittest timeit
    pydantic pydantic_core msgspec attr attrs cattr cattrs marshmallow mashumaro sqlalchemy typeguard beartype
    subprocess multiprocessing psutil trio uvloop
    pytest_agentfault freezegun time_machine _datetime _pydatetime _strptime
"""
LEFT_ALONE: Final = frozenset(_LEFT_ALONE.split())
REALLY: Final = ("real", "orig")  # a name that says so keeps the real function
_OF_THE_MODULE: Final = frozenset({"_datetime", "_pydatetime"})
WAITING: Final = frozenset({"threading", "queue"})  # they count their waits by a clock of their own

# What each name stands for: its real value, what is put over it, and the set it comes and goes with.
_STANDS_FOR: Final[dict[int, tuple[Any, Any, str]]] = {}
for _name, _ours in MOVED.items():
    _STANDS_FOR[id(_ours)] = _STANDS_FOR[id(REAL[_name])] = (REAL[_name], _ours, "clocks")
for _ours in (Datetime, Date):
    _STANDS_FOR[id(_ours)] = _STANDS_FOR[id(_ours.real)] = (_ours.real, _ours, "dates")
_STANDS_FOR[id(sleep)] = _STANDS_FOR[id(REAL["sleep"])] = (REAL["sleep"], sleep, "waits")
_WHOLE: Final = {id(kept): (datetime, REAL_MODULE, "dates") for kept in (datetime, REAL_MODULE)}
_OURS: Final = {id(ours): real for real, ours, _ in (*_STANDS_FOR.values(), *_WHOLE.values())}
_PICKLED: Final = tuple(REAL_KINDS.values())


class _Known:
    """A module that was looked through."""

    __slots__ = ("kept", "module", "names", "size")

    def __init__(self, name: str, module: ModuleType) -> None:
        self.module, self.kept = module, vars(module)
        self.size = len(self.kept)
        self.names: dict[str, list[tuple[str, Any, Any]]] = {}
        alone = name.partition(".")[0] in LEFT_ALONE or name.startswith("pytest_")
        sought = {} if name in _OF_THE_MODULE else _WHOLE if alone else {**_STANDS_FOR, **_frozen()}
        for word, value in self.kept.copy().items():
            if id(value) in sought and not any(really in word.lower() for really in REALLY):
                real, ours, names = sought[id(value)]
                self.names.setdefault("waits" if name in WAITING else names, []).append((word, real, ours))


_seen: Final[set[str]] = set()
_known: Final[dict[str, _Known]] = {}  # those that hold a name of time
_growing: Final[dict[str, _Known]] = {}  # those that are somebody's own: a test may add to them
_INSTALLED: Final = (os.path.dirname(os.__file__) + os.sep, f"{os.sep}site-packages{os.sep}")


def _modules() -> Iterable[_Known]:
    """Every module that holds a name of time; each is looked through once."""
    for name in sys.modules.keys() - _seen:
        _look_through(name)
    for table in (_growing, _known):
        for name, known in table.copy().items():
            module = sys.modules.get(name)
            if module is not known.module or (table is _growing and known.size != len(vars(module))):
                _look_through(name)
    return _known.values()


def _look_through(name: str) -> None:
    module = sys.modules.get(name)
    for table in (_known, _growing):
        table.pop(name, None)
    _seen.add(name)
    if module is None:
        _seen.discard(name)
    elif type(getattr(module, "__dict__", None)) is dict:
        known = _Known(name, module)
        if known.names:
            _known[name] = known
        file = getattr(module, "__file__", None) or ""
        if not (file.startswith(_INSTALLED[0]) or _INSTALLED[1] in file or name in sys.builtin_module_names):
            _growing[name] = known


class Calendar:
    """The names of time of one test."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._patches: Patches | None = None
        self._on: dict[str, list[tuple[dict[str, Any], str, Any, Any]]] = {}
        self._loaded: set[str] = set()
        self._dates_wanted = False
        self._noticed = False

    def install(self, patches: Patches) -> None:
        """Waits and clocks from now on; the calendar when it is wanted."""
        self._patches = patches
        self._loaded = set(sys.modules)
        patches.at_last(self._uninstall)
        self._put_on("waits")
        if "freezegun.api" in sys.modules:
            self._beside_freezegun()
        else:
            patches.put_first(sys.meta_path, _WhenLoaded("freezegun.api", self))
        if not _is_frozen():
            self._put_on("clocks")
        self._notice_time_machine()

    def want_dates(self) -> None:
        """`datetime` is to tell the time on the clock, too."""
        if self._dates_wanted or self._patches is None:
            return
        with self._lock:
            self._dates_wanted = True
            if "clocks" in self._on:
                self._put_on("dates")
        self._notice_time_machine()

    def give_way(self) -> None:
        """Somebody else tells the time."""
        with self._lock:
            for names in ("dates", "clocks"):
                self._take_off(names)

    def come_back(self) -> None:
        """He does so no more."""
        with self._lock:
            if self._patches is not None and not _is_frozen():
                self._put_on("clocks")
                if self._dates_wanted:
                    self._put_on("dates")

    def _uninstall(self) -> None:
        with self._lock:
            self._patches = None
            for names in ("dates", "clocks", "waits"):
                self._take_off(names)
            for name in sys.modules.keys() - self._loaded:  # what was loaded meanwhile has taken over our names
                kept = getattr(sys.modules.get(name), "__dict__", None)
                if type(kept) is dict:
                    for word, value in kept.copy().items():
                        if id(value) in _OURS and name.partition(".")[0] != "pytest_agentfault":
                            kept[word] = _OURS[id(value)]

    def _put_on(self, names: str) -> None:
        if names in self._on:
            return
        undo = self._on[names] = []
        for known in _modules():
            for word, real, ours in known.names.get(names, ()):
                if known.kept.get(word) is real:
                    known.kept[word] = ours
                    undo.append((known.kept, word, ours, real))
        if names == "dates":
            for kind in _PICKLED:
                copyreg.dispatch_table.setdefault(kind, reduced)

    def _take_off(self, names: str) -> None:
        for kept, word, ours, real in reversed(self._on.pop(names, ())):
            if kept.get(word) is ours:
                kept[word] = real
        for kind in _PICKLED if names == "dates" else ():
            if copyreg.dispatch_table.get(kind) is reduced:
                del copyreg.dispatch_table[kind]

    def _notice_time_machine(self) -> None:
        hatch: Any = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
        if self._noticed or hatch is None or not hatch.is_travelling():
            return
        self._noticed = True
        warnings.warn(
            ClockWarning(
                "time-machine is active in a test on the shared clock\n"
                "  there is: a calendar that time-machine has set; waits of this test move it on from there, "
                "and monotonic clocks and event loops with it\n"
                "  to do: nothing, if that is meant; else drop time-machine here and use `faults.clock.advance`"
            ),
            stacklevel=2,
        )

    def _beside_freezegun(self) -> None:
        """A `freeze_time` begun meanwhile finds the names of time as without us, and we come back after it."""
        from freezegun import api

        assert self._patches is not None
        kind: Any = api._freeze_time
        real_start, real_stop = kind.start, kind.stop

        def start(freezer: Any) -> Any:
            self.give_way()
            freezer.real_asyncio = False  # it would take event loops off this clock, and they do not stand still on it
            return real_start(freezer)

        def stop(freezer: Any) -> None:
            real_stop(freezer)
            self.come_back()

        self._patches.set(kind, "start", start)
        self._patches.set(kind, "stop", stop)


def _frozen() -> dict[int, tuple[Any, Any, str]]:
    """The same for what stands under the names of time while a `freeze_time` is on."""
    if not _is_frozen():
        return {}
    from freezegun import api

    fakes = {id(getattr(api, f"fake_{name}", None)): (REAL[name], MOVED[name], "clocks") for name in MOVED}
    dates = {id(fake): _STANDS_FOR[id(ours)] for fake, ours in ((api.FakeDatetime, Datetime), (api.FakeDate, Date))}
    return {**fakes, **dates}


def _is_frozen() -> bool:
    return bool(getattr(sys.modules.get("freezegun.api"), "freeze_factories", None))


class _WhenLoaded:
    """Lets freezegun be loaded as if we were not here: it looks for the real functions of time then."""

    def __init__(self, name: str, calendar: Calendar) -> None:
        self._name, self._calendar = name, calendar

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self._name:
            return None
        self._name = ""  # the other finders are asked
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return None
        loader: Any = _Loader(spec.loader, self._calendar)
        spec.loader = loader
        return spec


class _Loader:
    """Another loader, in real time."""

    def __init__(self, real: Any, calendar: Calendar) -> None:
        self._real, self._calendar = real, calendar

    def create_module(self, spec: Any) -> Any:
        return self._real.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._real
        self._calendar.give_way()
        try:
            self._real.exec_module(module)
        finally:
            self._calendar.come_back()
        if self._calendar._patches is not None:
            self._calendar._beside_freezegun()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
