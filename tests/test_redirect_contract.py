"""
The door `redirect` held against real sockets, by the clients that the door in memory does not reach.

Both sides are real sockets; what is compared is how a client gets to one, and how it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest
from _redirected import CLIENTS, redirected
from _wire import authority, loopback

from pytest_agentfault import Refused, Script
from pytest_agentfault.testing import CASES, DoorContract, performing

# One of each kind: what happens on an open connection is the door `server`'s, and held to all cases there.
NAMES = (
    "content_length",
    "chunked",
    "gzip",
    "kept_alive",
    "closed_while_idle",
    "big_upload",
    "one_byte_chunks",
    "segment_inside_head",
    "reset_before_head",
    "reset_in_body",
    "cut_before_head",
    "cut_in_body",
    "stall_in_body",
    "no_http",
    "refused",
    "unresolved",
    "connect_timeout",
    "untrusted",
)
# A busy machine needs some time to hand up what came before the silence; tornado takes a reset there for one.
LIMITS = {"stall_in_body": 0.5, "reset_in_body": 0.5}


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of the authority that signs for the loopback server."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


class TestRedirectDoor(DoorContract):
    """The door over http."""

    cases = [replace(case, seconds=LIMITS.get(case.name, case.seconds)) for case in CASES if case.name in NAMES]
    clients = CLIENTS

    def truth(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A real socket, and no door."""
        return loopback(script, self.scheme)

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A host that a plan strikes with exactly this."""
        base = f"{self.scheme}://door.example"
        with redirected(performing(script, f"* {base}/*")) as opened:
            yield base
        assert opened.plan.log, "the client went past the door"
        assert not opened.plan.problems


class TestRedirectDoorOverTls(TestRedirectDoor):
    """The door over https: the client's bundle knows nothing of the door's authority."""

    scheme = "https"

    @pytest.fixture(autouse=True)
    def _trust(self, authority_file: str) -> None:
        self.ca = authority_file


def test_each_kind_of_case_is_there() -> None:
    """No name above is out of date."""
    assert {case.name for case in TestRedirectDoor.cases} == set(NAMES)
