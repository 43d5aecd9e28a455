"""
For those who write a part of their own: the contract of a door, and checks of a fault and of a scenario.

Rule: what is promised here holds for our own parts too; our tests use nothing else.
"""

from ._cases import CASES as CASES
from ._cases import Case as Case
from ._checks import check_fault as check_fault
from ._checks import check_scenario as check_scenario
from ._clients import CLIENTS as CLIENTS
from ._clients import Ask as Ask
from ._clients import Client as Client
from ._contract import DoorContract as DoorContract
from ._contract import performing as performing

__all__ = [
    "CASES",
    "CLIENTS",
    "Ask",
    "Case",
    "Client",
    "DoorContract",
    "check_fault",
    "check_scenario",
    "performing",
]
