"""Who asked for a wait: the place in the code, as the log of waits shows it."""

from __future__ import annotations

import os
import sys
from asyncio import Future
from collections.abc import Iterator
from types import FrameType
from typing import Any

_PLUMBING = frozenset({"pytest_agentfault", "anyio", "trio", "sniffio", "uvloop", "async_timeout"})


def place_of(frame: FrameType | None) -> str:
    """The innermost place that is neither ours, the standard library's nor an event loop's, as `file:line function`."""
    first = frame
    while frame is not None and _is_plumbing(frame):
        frame = frame.f_back
    return _shown(frame or first)


def place_of_next_timer(loop: Any) -> str:
    """The place in the task that an event loop's next timer wakes; empty: it is no task's."""
    timers = getattr(loop, "_scheduled", None)
    return place_of_task(_task_of(timers[0])) if timers else ""


def place_of_task(task: Any) -> str:
    """Where a waiting task is; empty: it is none."""
    found = ""
    for frame in _awaiting(task):
        if not (found and _is_plumbing(frame)):
            found = _shown(frame)
    return found


def _task_of(timer: Any) -> Any:
    """The task behind a timer: a future that it awaits, or the owner of a time limit."""
    for given in timer._args or ():
        if isinstance(given, Future):
            for callback, _ in given._callbacks or ():
                return getattr(callback, "__self__", None)
    owner = getattr(timer._callback, "__self__", None)
    return getattr(owner, "_task", None) or getattr(owner, "_host_task", None)


def _awaiting(task: Any) -> Iterator[FrameType]:
    """The frames of a waiting task, outermost first."""
    awaited = task.get_coro() if hasattr(task, "get_coro") else None
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):
            frame = getattr(awaited, f"{kind}_frame", None)
            if frame is not None:
                yield frame
                awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await", None)
                break
        else:
            return


def _top_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _is_plumbing(frame: FrameType) -> bool:
    top = _top_of(frame)
    return top in _PLUMBING or top in sys.stdlib_module_names


def _shown(frame: FrameType | None) -> str:
    if frame is None:
        return ""
    file = frame.f_code.co_filename
    _, packages, inside = file.rpartition(f"site-packages{os.sep}")
    short = inside if packages else file.removeprefix(os.getcwd() + os.sep)
    return f"{short}:{frame.f_lineno} {frame.f_code.co_qualname}"
