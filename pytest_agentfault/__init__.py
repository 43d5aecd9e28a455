"""Inject true production failures into the tests you already have.

Names are imported when first asked for, so that a test run without faults pays
for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._errors import AgentFaultError as AgentFaultError
    from ._errors import ClockWarning as ClockWarning
    from ._errors import ToolError as ToolError
    from ._errors import UnreachableWarning as UnreachableWarning
    from ._exchange import Exchange as Exchange
    from ._exchange import Strike as Strike
    from ._reply import Data as Data
    from ._reply import Delay as Delay
    from ._reply import End as End
    from ._reply import Head as Head
    from ._reply import How as How
    from ._reply import Lost as Lost
    from ._reply import Refused as Refused
    from ._reply import Reply as Reply
    from ._reply import Request as Request
    from ._reply import Why as Why
    from ._rule import Call as Call
    from ._rule import Rule as Rule
    from ._script import Fin as Fin
    from ._script import Next as Next
    from ._script import Reset as Reset
    from ._script import Script as Script
    from ._script import Send as Send
    from ._script import Stall as Stall
    from ._script import Wait as Wait

_HOMES = {
    "_errors": ("AgentFaultError", "ClockWarning", "ToolError", "UnreachableWarning"),
    "_exchange": ("Exchange", "Strike"),
    "_reply": ("Data", "Delay", "End", "Head", "How", "Lost", "Refused", "Reply", "Request", "Why"),
    "_rule": ("Call", "Rule"),
    "_script": ("Fin", "Next", "Reset", "Script", "Send", "Stall", "Wait"),
}
__all__ = sorted(name for names in _HOMES.values() for name in names)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f".{home}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
