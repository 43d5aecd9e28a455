"""
Find the one thing each module of a package is for.

The file is the registration: `faults/rate_limit.py` *is* the fault named
"rate_limit". There is no list to keep in step.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


@cache
def names(package: str) -> tuple[str, ...]:
    """The names of the public modules in a package, without importing one of them."""
    found = iter_modules(import_module(package).__path__)
    return tuple(sorted(info.name for info in found if not info.name.startswith("_")))


@cache
def the_thing_in(package: str, name: str) -> Any:
    """The class (`RateLimit`) or function (`rate_limit`) that the module `rate_limit` is named after.

    Raises:
        TypeError: the module holds neither.
    """
    module: ModuleType = import_module(f"{package}.{name}")
    wanted = "".join(part.title() for part in name.split("_"))
    thing = getattr(module, wanted, None) or getattr(module, name, None)
    if thing is None:
        raise TypeError(
            f"{module.__file__} must define a class {wanted} or a function {name}, "
            "because a file is named after the one thing it holds"
        )
    return thing


def discover(package: str) -> dict[str, Any]:
    """All things of a package by name: imports every module of it."""
    return {name: the_thing_in(package, name) for name in names(package)}
