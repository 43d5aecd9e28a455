"""
For those who write a part of their own: the contract of a door, and checks of a fault and of a scenario.

Rule: what is promised here holds for our own parts too; our tests use nothing else.
"""

from ._checks import check_fault as check_fault
from ._checks import check_scenario as check_scenario
from ._contract import DoorContract as DoorContract

__all__ = ["DoorContract", "check_fault", "check_scenario"]
