"""
Who waits: clients with a retry loop, each told to try again at most three times.

Rule: what a caller says of itself is asserted by test_sdk_waits.py; docs/waits.md is printed from it.
"""

from __future__ import annotations

from typing import Final

from _loop_callers import LOOPS
from _model_callers import MODELS
from _service_callers import SERVICES

CALLERS: Final = (*MODELS, *SERVICES, *LOOPS)
