"""
The contract as a page: `python tests/contract/_contract_page.py` prints docs/contract.md from the contracts themselves.

Rule: a door, client, conversation or difference is told because a contract has it; nothing is listed here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import packages_distributions, version
from itertools import groupby
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _contract_table import UNREACHED

from pytest_agentfault.testing import Client, DoorContract
from pytest_agentfault.testing._cases import GROUPS

MODULES = ("test_contract_memory", "test_contract_transport", "test_contract_server", "test_contract_redirect")

OPENING = """\
# The contract: every door against a real socket

<!-- Printed by `python tests/contract/_contract_page.py`, and held to it by tests/contract/test_contract_page.py. -->

Each conversation below is held by each client twice in one test run: through a door, and on a real loopback socket that
performs the same steps (over https it speaks true TLS). What the client's user has in hand must be the same: the
status, the pieces of the body in which it is handed up before the end or the failure, the class of the exception, its
text without what no run repeats (ports, durations, ids), and the classes and texts of the whole chain behind it, by
`__cause__` or by context. Nothing is expected beforehand; the real socket says what is right, on every Python.

A door of your own is held to it by subclassing [`DoorContract`](doors.md#a-door-of-your-own).
"""
NO_TLS = """
No TLS is spoken by `memory` and `transport`: a socket in memory, and a transport without one, have nobody to shake
hands with, and hard-coded https URLs need no certificate. Over https their outcomes are held against true TLS all the
same, with a client that trusts the server's certificate, and with one that does not (`untrusted`).
"""
STRICT = """
Each line is asserted: where it is a difference no more, the test fails until the line is taken out.
"""


def contracts() -> Iterator[tuple[str, type[DoorContract]]]:
    """Every contract of ours, with the name of its door."""
    for module in MODULES:
        for name, kind in vars(import_module(module)).items():
            if isinstance(kind, type) and issubclass(kind, DoorContract) and name.startswith("Test"):
                yield name.removeprefix("Test").partition("Door")[0].lower(), kind


def page() -> str:
    """docs/contract.md as it should be."""
    return "\n".join((OPENING, "## Doors\n", _doors(), NO_TLS, "## Clients\n", _clients(), "", _cases(), _unlike()))


def _doors() -> str:
    rows = []
    for door, kinds in groupby(contracts(), key=lambda pair: pair[0]):
        held = [kind for _, kind in kinds]
        tests = sum(len(kind.clients) * sum(kind.scheme in c.schemes for c in kind.cases) for kind in held)
        over = ", ".join(kind.scheme for kind in held)
        names = _names(client.name for client in held[0].clients)
        rows.append((f"`{door}`", over, names, len({c.name for kind in held for c in kind.cases}), tests))
    return _table(("Door", "Over", "Clients", "Conversations", "Comparisons"), rows)


def _clients() -> str:
    found = {client.name: client for _, kind in contracts() for client in kind.clients}
    return _table(("Client", "Played with"), [(f"`{c.name}`", _played_with(c)) for c in found.values()])


def _played_with(client: Client) -> str:
    """The packages that a client stands on, by its module and its name, with their versions."""
    homes = packages_distributions()
    words = (client.module, *client.name.split("_"))
    named = dict.fromkeys(home for word in words for home in homes.get(word.partition(".")[0], ()))
    return ", ".join(f"{name} {version(name)}" for name in named) or "Python's own"


def _cases() -> str:
    rows = [(group, len(cases), _names(case.name for case in cases)) for group, cases in GROUPS.items()]
    return "## Conversations\n\n" + _table(("What happens", "How many", "Their names"), rows)


def _unlike() -> str:
    found: dict[tuple[str, str, str], dict[tuple[str, str], None]] = {}
    for door, kind in contracts():
        for (case, client), reason in kind.explained.items():
            found.setdefault((door, case, reason), {})[kind.scheme, client] = None
    rows: list[Sequence[object]] = []
    for (door, case, reason), cells in found.items():
        over = ", ".join(dict.fromkeys(scheme for scheme, _ in cells))
        clients = list(dict.fromkeys(client for _, client in cells))
        rows.append((f"`{door}`", f"`{case}`", over, "all" if clients == ["*"] else _names(clients), reason))
    lines = "\n## Differences that cannot be removed\n\n"
    lines += _table(("Door", "Conversation", "Over", "Clients", "Why"), rows) + "\n" + STRICT
    unreached = [
        (f"`{door}`", _names(client for client, its in clients.items() if its == reason), reason)
        for door, clients in UNREACHED.items()
        for reason in dict.fromkeys(clients.values())
    ]
    return lines + "\nA door does not reach these clients at all:\n\n" + _table(("Door", "Clients", "Why"), unreached)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
