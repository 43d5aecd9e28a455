"""
The peak of a process's memory.

Not `getrusage`: what it calls the peak is the parent's, where the parent was larger when it started the process.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Final

STATUS: Final = Path("/proc/self/status")
ROOT: Final = Path(__file__).parents[1]  # where a process of its own finds this file


def peak_kib() -> int:
    """The most memory that this process has had resident, in KiB."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS tells it in bytes; no page is made there
    (told,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(told.split()[1])
