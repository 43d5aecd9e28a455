"""
The door in memory held against real sockets, and the contract held against doors that lie.

What is compared is all that a client's user can see; nothing is expected by us.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import pytest
from _wire import authority, loopback

from pytest_agentfault import Fin, Refused, Reply, Request, Rule, Script, Send, Why
from pytest_agentfault._plan import Plan
from pytest_agentfault._seams import Patches
from pytest_agentfault.clock import Clock
from pytest_agentfault.doors.memory import MemoryDoor
from pytest_agentfault.testing import DoorContract
from pytest_agentfault.testing._cases import CASES, Case
from pytest_agentfault.testing._clients import CLIENTS, Ask, Client, NeverEnded, Piece
from pytest_agentfault.testing._outcome import outcome_of, stable


@dataclass(frozen=True, slots=True)
class Exactly:
    """The client meets this script."""

    script: Script

    def answer(self, request: Request) -> Reply:
        """Anything: the script takes its place."""
        return Reply.of(200)

    def garble(self, script: Script) -> Script:
        """The script that was asked for."""
        return self.script


@dataclass(frozen=True, slots=True)
class Never:
    """The client gets no connection."""

    refused: Refused

    def connect(self, request: Request) -> Refused:
        """How it fails."""
        return self.refused


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The certificate of the authority that signs for the loopback server."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


class AgainstLoopback(DoorContract):
    """Any door, compared with a socket on loopback."""

    def truth(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A real socket."""
        return loopback(script, self.scheme)


class TestMemoryDoor(AgainstLoopback):
    """The door in memory, over http, in real time."""

    virtual_time = False

    @contextmanager
    def door(self, script: Script | Refused) -> Iterator[str]:
        """A host that a plan strikes with exactly this."""
        base = f"{self.scheme}://door.example"
        fault = Never(script) if isinstance(script, Refused) else Exactly(script)
        plan, clock, patches = Plan([Rule(f"* {base}/*", (fault,))]), Clock(), Patches()
        if self.virtual_time:
            clock.install(patches)
        with MemoryDoor(plan, [], clock).opened(patches):
            yield base
        assert plan.log, "the client went past the door"
        assert not plan.problems


class TestMemoryDoorOverTls(TestMemoryDoor):
    """The door in memory, over https and with the clock: the real socket speaks true TLS, the door none."""

    scheme = "https"
    virtual_time = True

    @pytest.fixture(autouse=True)
    def _trust(self, authority_file: str) -> None:
        self.ca = authority_file


class TestTruth(AgainstLoopback):
    """A real socket repeats itself: otherwise nothing could be compared with it."""

    cases = [
        case for case in CASES if case.name in ("chunk_inside_utf8", "one_byte_chunks", "reset_in_body", "garbage")
    ]

    def door(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A real socket, too."""
        return self.truth(script)


class Lying(AgainstLoopback):
    """A door that says its own, whatever it is asked to."""

    attempts = 1
    own = Script((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"), Fin()))

    def door(self, script: Script | Refused) -> AbstractContextManager[str]:
        """Always the same."""
        return loopback(self.own)


URLLIB3 = next(client for client in CLIENTS if client.name == "urllib3")
PLAIN = replace(
    CASES[0], name="plain", script=Script((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"), Fin()))
)


def test_it_is_the_contract_we_promise() -> None:
    """At least 15 scripts by 8 clients, none of them excused."""
    assert len(CASES) >= 15
    assert len(CLIENTS) >= 8
    assert not TestMemoryDoor.explained
    assert not TestMemoryDoorOverTls.explained
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_door_that_says_something_else_is_told_what() -> None:
    """The failure names the client, the case, what was handed up on either side, and the way out."""
    with pytest.raises(AssertionError) as caught:
        Lying().test_like_a_real_socket(PLAIN, URLLIB3)
    assert str(caught.value) == (
        "through this door urllib3 does not meet 'plain' as on a real socket\n"
        "  there is: handed up [200, b'yes'], not [200, b'no']\n"
        f"  to do: make the door perform {PLAIN.script} as a socket does, or give the reason in `explained`"
    )


def test_a_door_that_fails_otherwise_is_told_how() -> None:
    """Exceptions are compared by class, by how they are chained, and by text."""
    with pytest.raises(AssertionError) as caught:
        Lying().test_like_a_real_socket(replace(PLAIN, script=Refused(Why.REFUSED)), URLLIB3)
    there = str(caught.value).split("\n    ")
    assert there[0].endswith("handed up [], not [200, b'no']")
    kinds = "['urllib3.exceptions.NewConnectionError', 'builtins.ConnectionRefusedError']"
    assert there[1] == f"kinds of the exceptions: {kinds}, not none"


def test_a_difference_with_a_reason_is_an_expected_failure() -> None:
    """What `explained` names does not fail the run, and shows its reason."""

    class Excused(Lying):
        explained = {("plain", "urllib3"): "it only ever says no"}

    with pytest.raises(pytest.xfail.Exception, match="it only ever says no"):
        Excused().test_like_a_real_socket(PLAIN, URLLIB3)


def test_a_client_that_is_not_installed_is_skipped() -> None:
    """Nobody has to install all the clients."""
    absent = Client("absent", "no_such_client", lambda ask, out: None)
    with pytest.raises(pytest.skip.Exception, match="the client absent is not installed"):
        Lying().test_like_a_real_socket(PLAIN, absent)


@pytest.mark.parametrize("side", ["door", "truth"])
def test_both_sides_must_be_given(side: str) -> None:
    """A subclass that forgets one is told which."""
    with pytest.raises(NotImplementedError, match="a context manager that yields a base URL"):
        getattr(DoorContract(), side)(PLAIN.script)


def test_a_user_subclasses_it(pytester: pytest.Pytester) -> None:
    """Cases and clients can be narrowed; other tests of the class are left alone."""
    pytester.makepyfile(
        """
        from contextlib import nullcontext
        from pytest_agentfault.testing import DoorContract

        class TestMine(DoorContract):
            cases = DoorContract.cases[:2]
            clients = [c for c in DoorContract.clients if c.name == "urllib_request"]
            seconds = 0.01

            def door(self, script):
                return nullcontext("http://127.0.0.1:1")

            truth = door

            def test_of_my_own(self):
                pass
        """
    )
    pytester.runpytest("-p", "no:randomly", "-p", "no:asyncio").assert_outcomes(passed=3)


def test_a_client_that_never_ends_is_an_outcome() -> None:
    """Some clients wait for ever on what they cannot parse: that is compared too."""
    case = next(case for case in CASES if case.name == "bad_chunk_size")
    aiohttp = next(client for client in CLIENTS if client.name == "aiohttp")
    with loopback(case.script) as base:
        outcome = outcome_of(aiohttp.run, Ask(f"{base}/x", seconds=0.05))
    assert [failure.kind for failure in outcome.failures] == [f"{NeverEnded.__module__}.NeverEnded"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("HTTPPool(host='127.0.0.1', port=8080): no", "HTTPPool(host='<host>', port=<port>): no"),
        ("Connect call failed ('127.64.0.1', 443)", "Connect call failed ('<host>', <port>)"),
        ("no answer from https://door.example:8443/x", "no answer from <base>/x"),
        ("<Sock at 0x7f00AA> after 0.301 s", "<Sock at <id>> after <number> s"),
        ("cancel scope 7f31a0b2; reason", "cancel scope <id>; reason"),
        ("received 20 bytes, expected 53", "received 20 bytes, expected 53"),
    ],
)
def test_texts_lose_only_what_no_run_repeats(text: str, same: str) -> None:
    """Ports, addresses, ids and durations go; numbers that mean something stay."""
    assert stable(text, "https://door.example:8443/x") == same


def test_a_chain_in_a_circle_ends() -> None:
    """An exception that is its own context is told once."""

    def going_round(ask: Ask, out: list[Piece]) -> None:
        first, second = ValueError("one"), KeyError("two")
        first.__context__, second.__context__ = second, first
        raise first

    outcome = outcome_of(going_round, Ask("http://door.example/"))
    assert [(f.kind, f.link) for f in outcome.failures] == [
        ("builtins.ValueError", ""),
        ("builtins.KeyError", "context"),
    ]


def test_cases_say_over_what_they_make_sense() -> None:
    """A certificate can only be refused where there is one."""
    schemes = {case.name: case.schemes for case in CASES}
    assert schemes["untrusted"] == ("https",)
    assert Case("mine", PLAIN.script).schemes == ("http", "https")
