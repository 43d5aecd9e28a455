"""
The functions of `time` as a test on the clock meets them.

Rule 1: each is one object for the whole process. Whoever keeps one beyond the
test (`from time import sleep`, a default argument) keeps a real one: without a
clock it does what the standard library's own does.
Rule 2: the real ones are taken from here alone, even where a test has frozen the
module before this file was loaded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Protocol


def _real(name: str) -> Any:
    """The function of `time`, beneath freezegun's."""
    found, freezegun = getattr(time, name), sys.modules.get("freezegun.api")
    is_fake = freezegun is not None and found is getattr(freezegun, f"fake_{name}", None)
    return getattr(freezegun, f"real_{name}") if is_fake else found


NANO: Final = 1_000_000_000
SECONDS: Final = ("time", "monotonic", "perf_counter")
NANOSECONDS: Final = ("time_ns", "monotonic_ns", "perf_counter_ns")
BROKEN_DOWN: Final = ("localtime", "gmtime", "ctime")

REAL: Final[dict[str, Any]] = {
    name: _real(name) for name in ("sleep", *SECONDS, *NANOSECONDS, *BROKEN_DOWN, "strftime", "asctime")
}


def _kept(real: Callable[..., Any]) -> Callable[..., Any]:
    """The function, as an object that nobody who looks for the functions of `time` finds in a module."""
    return lambda *args: real(*args)


REAL_SLEEP: Final[Callable[[float], None]] = _kept(REAL["sleep"])
REAL_TIME: Final[Callable[[], float]] = _kept(REAL["time"])
REAL_MONOTONIC: Final[Callable[[], float]] = _kept(REAL["monotonic"])

# They wait for other processes, in small steps: a step that costs nothing would run the clock away.
WAITS_FOR_PROCESSES: Final = ("subprocess", "multiprocessing", "pexpect", "psutil")


class Moving(Protocol):
    """The clock that these functions are asked of."""

    offset: float

    def sleeps(self, seconds: float, frame: FrameType) -> bool:
        """Whether this wait of the current thread was on the clock; False: it must be waited for."""
        ...

    def rests(self, seconds: float, wait: Callable[[], Any], frame: FrameType | None) -> Any:
        """Wait really, and let others know that this thread is doing no more than that."""
        ...


clocks: Final[list[Moving]] = []  # the last one counts: a run inside a run has its own


def offset() -> float:
    """By how many seconds the clock is ahead."""
    return clocks[-1].offset if clocks else 0.0


def sleep(seconds: float, /) -> None:
    """`time.sleep`."""
    frame = sys._getframe(1)
    if not clocks or str(frame.f_globals.get("__name__")).startswith(WAITS_FOR_PROCESSES):
        REAL_SLEEP(seconds)
    elif not (clock := clocks[-1]).sleeps(seconds, frame):
        clock.rests(seconds, lambda: REAL_SLEEP(seconds), frame)


def _in_seconds(name: str) -> Callable[[], float]:
    real = REAL[name]

    def moved() -> float:
        return real() + (clocks[-1].offset if clocks else 0.0)  # type: ignore[no-any-return]

    return moved


def _in_nanoseconds(name: str) -> Callable[[], int]:
    real = REAL[name]

    def moved() -> int:
        return real() + int(offset() * NANO)  # type: ignore[no-any-return]

    return moved


def _broken_down(name: str) -> Callable[..., Any]:
    real = REAL[name]

    def moved(seconds: float | None = None, /) -> Any:
        return real(REAL_TIME() + offset() if seconds is None else seconds)

    return moved


def _strftime(layout: str, moment: Any = None, /) -> str:
    return REAL["strftime"](layout, MOVED["localtime"]() if moment is None else moment)  # type: ignore[no-any-return]


def _asctime(moment: Any = None, /) -> str:
    return REAL["asctime"](MOVED["localtime"]() if moment is None else moment)  # type: ignore[no-any-return]


MOVED: Final[dict[str, Callable[..., Any]]] = {
    **{name: _in_seconds(name) for name in SECONDS},
    **{name: _in_nanoseconds(name) for name in NANOSECONDS},
    **{name: _broken_down(name) for name in BROKEN_DOWN},
    "strftime": _strftime,
    "asctime": _asctime,
}
for _name, _function in MOVED.items():
    _function.__name__ = _function.__qualname__ = _name
