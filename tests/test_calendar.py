"""The names of time: whatever a module calls them, they tell the clock of the test, and later what they told before."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import logging
import pickle
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic as tick
from time import perf_counter_ns, sleep, time_ns
from types import ModuleType
from typing import Any

import freezegun
import jwt
import orjson
import pydantic
import pytest
import time_machine
import yaml

from pytest_agentfault import ClockWarning
from pytest_agentfault._calendar import _known
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import REAL_MONOTONIC, Clock

HOUR = 3600.0
pydantic.TypeAdapter(int)  # loads the rest of pydantic, which freezegun would load in the midst of a freeze
AT_ONCE = 20.0  # real seconds: far below the hour that is asked for


@pytest.fixture
def patches() -> Iterator[Patches]:
    """Undone at the end; the test is over at once."""
    made, began = Patches(), REAL_MONOTONIC()
    try:
        yield made
    finally:
        made.undo()
    assert REAL_MONOTONIC() - began < AT_ONCE


@pytest.fixture
def clock(patches: Patches) -> Clock:
    """A clock that is on."""
    made = Clock()
    made.install(patches)
    return made


READINGS: dict[str, Callable[[], float]] = {
    "time.time": lambda: time.time(),
    "time.time_ns": lambda: time.time_ns() / 1e9,
    "from time import time_ns": lambda: time_ns() / 1e9,
    "time.monotonic": lambda: time.monotonic(),
    "time.monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "from time import monotonic as tick": lambda: tick(),
    "time.perf_counter": lambda: time.perf_counter(),
    "from time import perf_counter_ns": lambda: perf_counter_ns() / 1e9,
    "time.localtime": lambda: time.mktime(time.localtime()),
    "time.gmtime": lambda: time.mktime(time.gmtime()),
    "time.ctime": lambda: time.mktime(time.strptime(time.ctime())),
    "time.asctime": lambda: time.mktime(time.strptime(time.asctime())),
    "time.strftime": lambda: time.mktime(time.strptime(time.strftime("%Y-%m-%d %H:%M:%S"), "%Y-%m-%d %H:%M:%S")),
    "datetime.now": lambda: datetime.now().timestamp(),
    "datetime.now(UTC)": lambda: datetime.now(UTC).timestamp(),
    "datetime.today": lambda: datetime.today().timestamp(),
    "dt.datetime.now": lambda: dt.datetime.now().timestamp(),
    "logging": lambda: logging.LogRecord("x", 0, "", 0, "", None, None).created,
}


@pytest.mark.parametrize("name", READINGS)
def test_every_name_of_time_moves(clock: Clock, name: str) -> None:
    """An hour of waiting is an hour by each of them, whatever a module has called it."""
    before = READINGS[name]()
    time.sleep(HOUR)
    assert HOUR <= READINGS[name]() - before + 1e-3 < HOUR + AT_ONCE


def test_days_move(clock: Clock) -> None:
    """Two days later it is the day after tomorrow; UTC without a zone as well."""
    today, now = date.today(), dt.datetime.now(UTC).replace(tzinfo=None)
    time.sleep(2 * 24 * HOUR)
    assert date.today() - today == dt.timedelta(days=2)
    assert dt.date.today() == date.today()
    assert dt.timedelta(days=2) <= datetime.utcnow() - now < dt.timedelta(days=2, minutes=1)


def test_a_sleep_bound_early_costs_nothing(clock: Clock) -> None:
    """`from time import sleep` at the top of a module is on the clock, too."""
    sleep(HOUR)
    assert [(s.who, s.seconds) for s in clock.slept] == [("time.sleep", HOUR)]


def test_a_name_that_says_it_is_real_stays_so(clock: Clock) -> None:
    """`REAL_MONOTONIC` of this very module has not moved."""
    before = REAL_MONOTONIC()
    time.sleep(HOUR)
    assert REAL_MONOTONIC() - before < AT_ONCE


def test_values_are_the_standard_librarys_own(clock: Clock) -> None:
    """What looks at the exact type of a value sees no difference."""
    time.sleep(1)
    values: list[Any] = [datetime.now(), datetime.now(UTC), datetime(2026, 1, 1), datetime.fromisoformat("2026-01-01")]
    values += [date.today(), datetime.strptime("2026", "%Y"), datetime.fromtimestamp(0)]
    values += [datetime.combine(date.today(), dt.time())]
    assert {f"{type(v).__module__}.{type(v).__name__}" for v in values} == {"datetime.datetime", "datetime.date"}
    assert orjson.loads(orjson.dumps(values))
    assert yaml.safe_load(yaml.safe_dump(values)) == values
    assert pickle.loads(pickle.dumps(values)) == values


def test_the_class_passes_for_the_real_one(clock: Clock) -> None:
    """Instances, subclasses, tables keyed by it, and models made meanwhile."""
    real, moment = datetime, datetime.now()
    time.sleep(1)
    assert datetime is not real
    assert datetime == real
    assert {real: "found"}[datetime] == "found"
    assert isinstance(moment, datetime)
    assert isinstance(moment, date)
    assert not isinstance(date.today(), datetime)
    assert issubclass(real, datetime)
    assert issubclass(datetime, date)

    class Meeting(datetime):
        """One of one's own."""

    class Model(pydantic.BaseModel):
        at: datetime
        on: date | None = None

    assert type(Meeting(2026, 1, 1)) is Meeting
    assert not isinstance(moment, Meeting)
    assert type(Model.model_validate({"at": "2026-01-01T00:00:00Z", "on": "2026-01-01"}).at) is real
    assert pydantic.TypeAdapter(real).validate_python("2026-01-01T00:00:00") == real(2026, 1, 1)


def test_the_calendar_is_left_alone_until_the_first_wait(clock: Clock) -> None:
    """Until then it is right as it is; who wants it from the start says so."""
    real = datetime
    assert dt.datetime is real
    clock.calendar.want_dates()
    assert dt.datetime is not real


def test_a_token_expires_after_a_wait(clock: Clock) -> None:
    """A JWT of one hour is good for 59 minutes, and then no more."""
    claims = {"exp": datetime.now(UTC) + dt.timedelta(hours=1)}
    token = jwt.encode(claims, "k" * 32, algorithm="HS256")
    time.sleep(HOUR - 60)
    assert jwt.decode(token, "k" * 32, algorithms=["HS256"])
    time.sleep(120)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, "k" * 32, algorithms=["HS256"])


def names_of_time() -> dict[str, Any]:
    """All that the calendar could have changed."""
    kept = {}
    for name, known in _known.items():
        for word in (word for names in known.names.values() for word, _, _ in names):
            kept[f"{name}.{word}"] = vars(known.module).get(word)
    return kept


def test_everything_is_put_back() -> None:
    """Every name of every module holds the very object that it held before."""
    first = Patches()
    Clock().install(first)  # every module is known now
    first.undo()
    before = names_of_time()
    assert {"time.sleep", "datetime.datetime", f"{__name__}.tick", f"{__name__}.datetime", "threading._time"} <= set(
        before
    )
    patches = Patches()
    clock = Clock()
    clock.install(patches)
    clock.advance(1)
    changed = {name for name, value in names_of_time().items() if value is not before[name]}
    assert {"time.sleep", "datetime.datetime", f"{__name__}.tick", f"{__name__}.datetime"} <= changed
    patches.undo()
    assert {name for name, value in names_of_time().items() if value is not before[name]} == set()


MODULE = """
import datetime as dt
import time
from datetime import datetime
from time import monotonic, sleep, time as now
CLASSES = {dt.datetime: "a moment"}
def kept(clock=time.time): return clock()
class Special(datetime): pass
"""


@pytest.fixture
def loaded_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """Imports a module of the user's; it is gone afterwards."""
    (tmp_path / "loaded_late.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: importlib.import_module("loaded_late")
    sys.modules.pop("loaded_late", None)


def test_a_module_loaded_meanwhile_keeps_nothing_of_us(loaded_late: Callable[[], Any]) -> None:
    """It tells the clock's time while the test lasts, and the real one ever after, also where it kept a function."""
    patches, clock = Patches(), Clock()
    clock.install(patches)
    clock.advance(HOUR)
    module = loaded_late()
    assert module.datetime.now().timestamp() - datetime.now().timestamp() < 1
    assert abs(module.kept() - time.time()) < 1
    patches.undo()
    assert (module.datetime, module.sleep, module.monotonic, module.now) == (datetime, sleep, tick, time.time)
    assert module.datetime is datetime
    assert module.dt.datetime is datetime
    assert abs(module.kept() - time.time()) < 1
    assert module.CLASSES[datetime] == "a moment"
    assert abs(module.Special.now().timestamp() - time.time()) < 1


# --- others that tell the time


def test_freeze_time_within_a_test(clock: Clock) -> None:
    """As long as it lasts, time is what it says; waits cost nothing all the same, and loops do not stand still."""
    time.sleep(HOUR)
    moved = time.time()
    with freezegun.freeze_time("2031-05-06 07:08:09", real_asyncio=True) as frozen:
        assert datetime.now() == datetime(2031, 5, 6, 7, 8, 9)
        assert (date.today(), time.time()) == (date(2031, 5, 6), 1935817689.0)
        frozen.tick(60)
        assert time.monotonic() == tick()
        time.sleep(HOUR)
        sleep(HOUR)
        import asyncio

        asyncio.run(asyncio.sleep(HOUR))
        assert datetime.now() == datetime(2031, 5, 6, 7, 9, 9)
    assert 3 * HOUR <= time.time() - moved < 3 * HOUR + AT_ONCE
    assert 3 * HOUR <= datetime.now().timestamp() - moved < 3 * HOUR + AT_ONCE
    assert threading.Event().wait(HOUR) is False


def test_freeze_time_around_a_test() -> None:
    """A freeze that was there before stays, and ends as ever."""
    with freezegun.freeze_time("2031-05-06"):
        patches, clock = Patches(), Clock()
        clock.install(patches)
        clock.advance(HOUR)
        assert datetime.now() == datetime(2031, 5, 6)
        assert clock.wall() == time.time()
        patches.undo()
        assert datetime.now() == datetime(2031, 5, 6)
    assert datetime.now() > datetime(2026, 1, 1)
    assert type(datetime.now()) is datetime


def test_a_freeze_that_ends_within_a_test(patches: Patches) -> None:
    """From then on the time is the clock's."""
    freezer = freezegun.freeze_time("2031-05-06")
    freezer.start()
    clock = Clock()
    clock.install(patches)
    clock.advance(HOUR)
    freezer.stop()
    real = subprocess.run([sys.executable, "-c", "import time; print(time.time())"], capture_output=True, check=True)
    assert HOUR <= time.time() - float(real.stdout) < HOUR + AT_ONCE
    assert abs(datetime.now().timestamp() - time.time()) < 1


def test_a_freeze_that_outlives_a_test() -> None:
    """A fixture for many tests begins it under the clock: it goes on as if the clock had never been."""
    patches, clock = Patches(), Clock()
    clock.install(patches)
    clock.advance(HOUR)
    freezer = freezegun.freeze_time("2031-05-06")
    freezer.start()
    patches.undo()
    assert datetime.now() == datetime(2031, 5, 6)
    freezer.stop()
    assert abs(datetime.now().timestamp() - time.time()) < 1
    assert type(datetime.now()) is datetime


def test_freezegun_loaded_within_a_test() -> None:
    """It finds the real functions, and works within the test and after it."""
    code = """
        import json, sys, time, datetime
        from time import time as early
        from pytest_agentfault.clock import Clock
        from pytest_agentfault._seams import Patches
        real, patches, clock = time.time, Patches(), Clock()
        clock.install(patches)
        clock.advance(3600)
        assert "freezegun" not in sys.modules
        import freezegun
        assert freezegun.api.real_time is real, freezegun.api.real_time
        with freezegun.freeze_time("2031-05-06"):
            within = datetime.datetime.now().year
        moved = time.time() - real() > 3599
        patches.undo()
        with freezegun.freeze_time("2031-05-06"):
            after = early()
        print(json.dumps([within, moved, after, time.time is real]))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [2031, True, 1935792000.0, True]


def test_time_machine_is_told_of(patches: Patches) -> None:
    """Its date is where the calendar begins, waits move on from there, and the test is told so."""
    with time_machine.travel(datetime(2031, 5, 6, tzinfo=UTC), tick=False):
        clock = Clock()
        with pytest.warns(ClockWarning) as told:
            clock.install(patches)
        time.sleep(HOUR)
        assert datetime.now(UTC) == datetime(2031, 5, 6, 1, tzinfo=UTC)
        assert time.time() == datetime(2031, 5, 6, 1, tzinfo=UTC).timestamp()
        patches.undo()
    assert [str(w.message) for w in told] == [
        "time-machine is active in a test on the shared clock\n"
        "  there is: a calendar that time-machine has set; waits of this test move it on from there, and monotonic "
        "clocks and event loops with it\n"
        "  to do: nothing, if that is meant; else drop time-machine here and use `faults.clock.advance`"
    ]


# --- private seams, by name


def test_seam_freezegun_start_and_stop() -> None:
    """A freeze begins and ends by two methods of one class, and is on while a list of the module holds something."""
    from freezegun import api

    freezer: Any = freezegun.freeze_time("2031-05-06")
    assert type(freezer) is api._freeze_time
    assert callable(api._freeze_time.start)
    assert callable(api._freeze_time.stop)
    assert hasattr(freezer, "real_asyncio")
    freezer.start()
    assert len(api.freeze_factories) == 1
    freezer.stop()
    assert api.freeze_factories == []
    for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "localtime", "gmtime", "strftime"):
        assert callable(getattr(api, f"real_{name}"))
        assert callable(getattr(api, f"fake_{name}"))
    assert (api.real_datetime, api.real_date) == (datetime, date)


def test_seam_time_machine_says_when_it_is_active() -> None:
    """By a function that is meant for asking."""
    assert not time_machine.escape_hatch.is_travelling()
    with time_machine.travel(0):
        assert time_machine.escape_hatch.is_travelling()


def test_seam_threading_and_queue_count_by_a_name() -> None:
    """They count down their waits by a name of their own that can be put over."""
    import queue

    assert threading._time is time.monotonic  # type: ignore[attr-defined]
    assert vars(queue)["time"] is time.monotonic
    assert isinstance(threading, ModuleType)
