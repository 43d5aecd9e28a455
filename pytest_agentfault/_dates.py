"""
`datetime` and `date` as a test on the clock meets them.

They are names, not values: whatever they make is of the standard library's own
classes, so that what looks at the exact type (orjson, yaml, msgspec) sees no
difference, and nothing of us outlives the test. A class that compares, hashes and
asks for instances like the real one stands in for it wherever its name is looked up.
"""

from __future__ import annotations

import datetime as _module
import sys
from types import ModuleType
from typing import Any, Final

from ._moved import REAL_TIME, offset


def _real(name: str) -> Any:
    """The class of `datetime`, beneath freezegun's."""
    freezegun = sys.modules.get("freezegun.api")
    return getattr(_module, name) if freezegun is None else getattr(freezegun, f"real_{name}")


# Not as names of this module: a `freeze_time` would put its own classes over them.
REAL_KINDS: Final[dict[str, Any]] = {"datetime": _real("datetime"), "date": _real("date")}


def _base(name: str) -> Any:
    return REAL_KINDS[name]


class _StandsFor(type):
    """A class that passes for another one; what is derived from it is a class like any other."""

    real: Any

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.real(*args, **kwargs) if "real" in vars(cls) else super().__call__(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.real) if "real" in vars(cls) else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.real) if "real" in vars(cls) else super().__subclasscheck__(subclass)

    def __eq__(cls, other: object) -> bool:
        return cls is other or vars(cls).get("real") is other

    def __hash__(cls) -> int:
        return hash(vars(cls)["real"]) if "real" in vars(cls) else super().__hash__()


class Date(_base("date"), metaclass=_StandsFor):  # type: ignore[misc]
    """`datetime.date`, on the clock."""

    real = REAL_KINDS["date"]

    @classmethod
    def today(cls) -> Any:
        """The day on the clock, where this machine is."""
        return cls.fromtimestamp(REAL_TIME() + offset())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(REAL_KINDS["date"])


class Datetime(_base("datetime"), metaclass=_StandsFor):  # type: ignore[misc]
    """`datetime.datetime`, on the clock."""

    real = REAL_KINDS["datetime"]

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        """The time on the clock."""
        return cls.fromtimestamp(REAL_TIME() + offset(), tz)

    @classmethod
    def today(cls) -> Any:
        """The time on the clock, where this machine is."""
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        """The time on the clock in UTC, without saying so."""
        return cls.now(_module.UTC).replace(tzinfo=None)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(REAL_KINDS["datetime"])


for _kind, _name in ((Date, "date"), (Datetime, "datetime")):
    _kind.__module__, _kind.__name__, _kind.__qualname__ = "datetime", _name, _name


def reduced(value: Any) -> tuple[Any, ...]:
    """How a value is pickled while these classes stand in the module: by the names that they have there."""
    kind, *how = value.__reduce_ex__(2)
    return {REAL_KINDS["datetime"]: Datetime, REAL_KINDS["date"]: Date}.get(kind, kind), *how


# For who asks whether a class is this very one: the module as it really is.
REAL_MODULE: Final = ModuleType("datetime", _module.__doc__)
vars(REAL_MODULE).update(vars(_module), **REAL_KINDS)
