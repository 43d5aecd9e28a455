"""
The contract held against doors that lie, and its cases against what the engine can say.

What is compared is all that a client's user can see; nothing is expected by us.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from _contract_held import AgainstLoopback, Kept
from _wire import loopback

from pytest_agentfault import Fin, Refused, Script, Send, Why
from pytest_agentfault._script import Step
from pytest_agentfault.faults.bad_framing import BREAKAGES
from pytest_agentfault.testing import CASES, CLIENTS, Ask, Case, Client, DoorContract
from pytest_agentfault.testing._cases import KINDS, WEAK_PLACES, WORDS
from pytest_agentfault.testing._clients import NeverEnded, Piece
from pytest_agentfault.testing._outcome import Failure, Outcome, outcome_of, stable

TOLD_TWICE = ("chunks_cut_inside_utf8", "one_byte_chunks", "reset_in_body", "garbage_plain")


class TestTruth(AgainstLoopback):
    """A real socket repeats itself: otherwise nothing could be compared with it."""

    cases = [case for case in CASES if case.name in TOLD_TWICE]

    @pytest.fixture(autouse=True)
    def _asked_anew(self, _truths_of_this_run: None) -> None:
        self.truths = None

    def door(self, script: Script | Refused) -> AbstractContextManager[str]:
        """A real socket, too."""
        return loopback(script, self.scheme)


class Lying(AgainstLoopback):
    """A door that says its own, whatever it is asked to."""

    attempts = 1
    own = Script((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"), Fin()))

    def door(self, script: Script | Refused) -> AbstractContextManager[str]:
        """Always the same."""
        return loopback(self.own)


URLLIB3 = next(client for client in CLIENTS if client.name == "urllib3")
PLAIN = Case("plain", Script((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"), Fin())))
STACKS = {"httpx", "httpx2", "httpx_aiohttp", "requests", "urllib3", "aiohttp", "urllib.request", "botocore"}


def test_every_stack_and_every_script_is_there() -> None:
    """Eight stacks, both kinds where there are both; each refusal, loss by place and body, cut by wire, and framing."""
    assert {client.module.removesuffix(".httpsession") for client in CLIENTS} == STACKS
    assert {client.name for client in CLIENTS} >= {"httpx_async", "httpx2_async"}
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    bodies = ["", *(f"_{kind}" for kind in KINDS if kind != "plain")]
    lost = {f"{word}_{place}{body}" for word, place, body in product(WORDS.values(), ("after_head", "in_body"), bodies)}
    wanted = lost | {f"{word}_before_head" for word in WORDS.values()}
    wanted |= {f"{wire}_cut_{place}" for wire, place in product(("chunks", "segments", "both"), WEAK_PLACES)}
    assert len(WEAK_PLACES) > 7
    wanted |= {f"{how}_plain" for how in BREAKAGES} | {f"{how}_gzip" for how in BREAKAGES if how != "garbage"}
    assert wanted <= set(names)
    assert {case.script.why for case in CASES if isinstance(case.script, Refused)} == set(Why)
    steps = {type(step) for case in CASES if isinstance(case.script, Script) for step in case.script.steps}
    assert steps == set(get_args(Step))


def test_nothing_is_excused_that_a_door_in_memory_could_do() -> None:
    """Only a door that listens for real has a reason to differ."""
    from test_contract_memory import TestMemoryDoor, TestMemoryDoorOverTls
    from test_contract_transport import TestTransportDoor, TestTransportDoorOverTls

    for kind in (TestMemoryDoor, TestMemoryDoorOverTls, TestTransportDoor, TestTransportDoorOverTls):
        assert kind.explained == {}


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


@pytest.mark.parametrize("named", [("plain", "urllib3"), ("pl*", "*")])
def test_a_difference_with_a_reason_is_expected(named: tuple[str, str]) -> None:
    """What `explained` names may differ, by a name or by many."""
    kind = type("Excused", (Lying,), {})
    kind.explained = {named: "it only ever says no"}
    kind().test_like_a_real_socket(PLAIN, URLLIB3)


def test_a_difference_that_is_gone_fails() -> None:
    """A reason for nothing has to be taken out."""
    kind = type("Excused", (Lying,), {})
    kind.explained = {("plain", "urllib3"): "it only ever says no"}
    with pytest.raises(AssertionError) as caught:
        kind().test_like_a_real_socket(replace(PLAIN, script=Lying.own), URLLIB3)
    assert str(caught.value) == (
        "through this door urllib3 meets 'plain' as on a real socket\n"
        "  there is: a reason in `explained` why it should not: it only ever says no\n"
        "  to do: take it out"
    )


@pytest.mark.parametrize("limit", [0.5, None])
def test_a_case_with_a_limit_of_its_own_gets_a_second_look(limit: float | None) -> None:
    """A short one may be reached on a busy machine; then both sides are asked again, with more patience."""

    class Late(Lying):
        asked = 0

        def door(self, script: Script | Refused) -> AbstractContextManager[str]:
            """Late once, then in time."""
            self.asked += 1
            return loopback(self.own if self.asked == 1 else script)

    late, case = Late(), replace(PLAIN, seconds=limit)
    with nullcontext() if limit else pytest.raises(AssertionError, match="handed up"):
        late.test_like_a_real_socket(case, URLLIB3)
    assert late.asked == (2 if limit else 1)


@pytest.mark.parametrize("looks", [1, 2])
def test_a_door_of_sockets_may_get_a_second_look(looks: int) -> None:
    """Where it says so; a door in memory is looked at once."""

    class Meeting(Lying):
        asked = 0

        def door(self, script: Script | Refused) -> AbstractContextManager[str]:
            """Two pieces that met once, and then came apart."""
            self.asked += 1
            return loopback(self.own if self.asked == 1 else script)

    Meeting.looks = looks
    meeting = Meeting()
    with nullcontext() if looks > 1 else pytest.raises(AssertionError, match="handed up"):
        meeting.test_like_a_real_socket(PLAIN, URLLIB3)
    assert meeting.asked == looks


def test_a_shared_truth_is_asked_for_once() -> None:
    """What the real socket came to is looked at first; where it does not fit, the socket is asked again."""
    wrong, cell = Outcome((500,), (Failure("a", "b"),)), ("http", "plain", "urllib3")
    truths = {cell: (wrong,)}
    lying = Lying()
    lying.truths = truths
    with pytest.raises(AssertionError, match="handed up"):
        lying.test_like_a_real_socket(PLAIN, URLLIB3)
    assert truths[cell] == (wrong, Outcome((200, b"yes")))
    lying.truth = None  # type: ignore[assignment,method-assign]  # whoever asks it fails
    truths[cell] = (wrong, Outcome((200, b"no")))
    lying.test_like_a_real_socket(PLAIN, URLLIB3)


def test_a_run_keeps_its_truth_in_a_folder(tmp_path: Path) -> None:
    """Another worker of the same run finds what one has seen."""
    cell, seen = ("http", "plain", "urllib3"), (Outcome((200, b"yes", None)),)
    assert Kept(tmp_path / "truths").get(cell) is None
    Kept(tmp_path / "truths")[cell] = seen
    assert Kept(tmp_path / "truths").get(cell) == seen


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
        from pytest_agentfault.testing import CASES, DoorContract

        class TestMine(DoorContract):
            cases = CASES[:2]
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
    case = next(case for case in CASES if case.name == "bad_chunk_size_plain")
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


def test_a_context_that_is_hidden_is_told_from_one_that_is_shown() -> None:
    """What `raise ... from None` keeps from the user is a difference that the user sees."""

    def failing(ask: Ask, out: list[Piece]) -> None:
        try:
            raise KeyError("one")
        except KeyError:
            raise ValueError("two") from None

    outcome = outcome_of(failing, Ask("http://door.example/"))
    assert [(f.kind, f.link) for f in outcome.failures] == [
        ("builtins.ValueError", ""),
        ("builtins.KeyError", "hidden"),
    ]


def test_cases_say_over_what_they_make_sense() -> None:
    """A certificate can only be refused where there is one; everything else is said over both."""
    narrow = {case.name: case.schemes for case in CASES if case.schemes != ("http", "https")}
    assert narrow == {"untrusted": ("https",)}
