"""
The faults: one per file, and the file is the registration.

`from pytest_agentfault.faults import Status` finds the class in `status.py`;
there is no list to keep in step.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    import re

    from .. import _discover

    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    if not name.startswith("_") and module in _discover.names(__name__):
        return _discover.the_thing_in(__name__, module)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__dir__())}")


def __dir__() -> list[str]:
    from .. import _discover

    return ["".join(part.title() for part in name.split("_")) for name in _discover.names(__name__)]
