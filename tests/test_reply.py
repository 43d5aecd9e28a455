"""The HTTP level: what may follow what, and what a reply says of itself."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentfault import Data, Delay, End, Head, How, Lost, Refused, Reply, Request, Why
from pytest_agentfault._errors import FaultError
from pytest_agentfault._reply import Event, first_of

HEAD, DATA, DELAY, END = Head(200), Data(b"x"), Delay(1.0), End()
REFUSED, LOST = Refused(), Lost(How.RESET)

# The grammar in letters, written down a second time: an oracle that shares nothing with TRANSITIONS.
LETTERS = {"H": HEAD, "A": DATA, "D": DELAY, "E": END, "R": REFUSED, "L": LOST}
LEGAL = re.compile(r"D*(R|L|H[DA]*(E|L))")

BEFORE_HEAD = "put Delay, Head, Refused, Lost in its place"
IN_BODY = "put Delay, Data, End, Lost in its place"
OVER = "put nothing in its place"


def spelled(word: str) -> tuple[Event, ...]:
    """The events that these letters stand for."""
    return tuple(LETTERS[letter] for letter in word)


@pytest.mark.parametrize(
    "word",
    ["HE", "HL", "R", "L", "DHE", "DR", "DL", "DDHDADAE", "HAAL", "HDE", "HDL", "HAE"],
)
def test_a_legal_sequence_is_a_reply(word: str) -> None:
    """Each of these can happen on a real connection."""
    assert Reply(spelled(word)).events == spelled(word)


@pytest.mark.parametrize(
    ("word", "number", "state", "do"),
    [
        ("A", 0, "before its head", BEFORE_HEAD),
        ("E", 0, "before its head", BEFORE_HEAD),
        ("DA", 1, "before its head", BEFORE_HEAD),
        ("HH", 1, "in its body", IN_BODY),
        ("HR", 1, "in its body", IN_BODY),
        ("HAHE", 2, "in its body", IN_BODY),
        ("HEE", 2, "over", OVER),
        ("HEA", 2, "over", OVER),
        ("HED", 2, "over", OVER),
        ("HEH", 2, "over", OVER),
        ("HEL", 2, "over", OVER),
        ("HER", 2, "over", OVER),
        ("LE", 1, "over", OVER),
        ("LH", 1, "over", OVER),
        ("RD", 1, "over", OVER),
        ("RR", 1, "over", OVER),
        ("HLL", 2, "over", OVER),
    ],
)
def test_an_event_out_of_place_is_named(word: str, number: int, state: str, do: str) -> None:
    """The error says which event, where the reply is, and what may stand there."""
    with pytest.raises(FaultError) as caught:
        Reply(spelled(word))
    assert str(caught.value) == (
        f"illegal reply: event {number} is {LETTERS[word[number]]!r:.80}\n"
        f"  there is: the reply is {state} there\n"
        f"  to do: {do}"
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [("", "before its head"), ("D", "before its head"), ("H", "in its body"), ("HDAD", "in its body")],
)
def test_a_reply_must_end(word: str, state: str) -> None:
    """A reply that just stops is no reply: silence has to be said with Lost."""
    with pytest.raises(FaultError) as caught:
        Reply(spelled(word))
    assert str(caught.value) == (
        "illegal reply: it never ends\n"
        f"  there is: the reply is {state} after its last event\n"
        "  to do: finish it with End(), Lost(...) or Refused()"
    )


@given(st.text("HADERL", max_size=8))
def test_exactly_the_grammar_is_legal(word: str) -> None:
    """Whatever the order, a reply exists if and only if the grammar has it."""
    try:
        Reply(spelled(word))
    except FaultError:
        assert not LEGAL.fullmatch(word)
    else:
        assert LEGAL.fullmatch(word)


def test_something_that_is_no_event_is_refused() -> None:
    """A foreign object among the events is named like any other that is out of place."""
    with pytest.raises(FaultError, match=r"illegal reply: event 1 is b'bytes'"):
        Reply((HEAD, b"bytes", END))  # type: ignore[arg-type]


def test_a_long_event_is_shortened_in_the_error() -> None:
    """A megabyte of body does not drown the message."""
    with pytest.raises(FaultError) as caught:
        Reply((Data(b"x" * 1_000_000),))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("reply", "status", "body", "last", "whole"),
    [
        (Reply.of(200, b"abc"), 200, b"abc", End(), True),
        (Reply.of(204), 204, b"", End(), True),
        (Reply((HEAD, Data(b"a"), DELAY, Data(b"b"), LOST)), 200, b"ab", LOST, False),
        (Reply((DELAY, LOST)), None, b"", LOST, False),
        (Reply((Refused(Why.TIMEOUT),)), None, b"", Refused(Why.TIMEOUT), False),
    ],
)
def test_a_reply_says_what_it_is(reply: Reply, status: int | None, body: bytes, last: Event, whole: bool) -> None:
    """Status, body and ending are read off the events, with or without a head."""
    assert (reply.status, reply.body, reply.last, reply.whole) == (status, body, last, whole)
    assert (reply.head is None) == (status is None)


def test_of_takes_a_table_or_pairs() -> None:
    """Headers are given as a table, or as pairs where one name comes twice."""
    pairs = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert Reply.of(200, headers={"A": "1"}).headers == (("A", "1"),)
    assert Reply.of(200, b"", pairs, "Fine") == Reply((Head(200, pairs, "Fine"), End()))


@pytest.mark.parametrize(
    ("name", "value"), [("retry-after", "1"), ("RETRY-AFTER", "1"), ("Retry-After", "1"), ("absent", "default")]
)
def test_a_header_is_found_in_any_case(name: str, value: str) -> None:
    """Of two headers of one name the first counts; an absent one is the default."""
    headers = (("X", "0"), ("Retry-After", "1"), ("retry-after", "2"))
    assert first_of(headers, name, "default") == value
    assert Reply.of(429, headers=headers).header(name, "default") == value
    assert Request("GET", "http://x/", headers).header(name, "default") == value


def test_without_a_head_there_are_no_headers() -> None:
    """A lost reply answers every question about headers with the default."""
    assert Reply((LOST,)).headers == ()
    assert Reply((LOST,)).header("Retry-After") == ""


@pytest.mark.parametrize(
    ("value", "after"),
    [("9", (("B", "2"), ("a", "9"))), (None, (("B", "2"),))],
)
def test_with_header_replaces_every_one_of_the_name(value: str | None, after: tuple[tuple[str, str], ...]) -> None:
    """Setting a header leaves exactly one of it, taking it out leaves none, other events stay."""
    reply = Reply((DELAY, Head(200, (("A", "1"), ("B", "2"), ("a", "3"))), DATA, LOST))
    assert reply.with_header("a", value) == Reply((DELAY, Head(200, after), DATA, LOST))


def test_a_header_cannot_be_put_on_no_head() -> None:
    """A reply without a head stays as it is."""
    assert Reply((LOST,)).with_header("A", "1") == Reply((LOST,))


@given(st.lists(st.binary(max_size=3), max_size=6), st.sampled_from([END, LOST]))
def test_with_data_changes_the_body_only(pieces: list[bytes], last: Event) -> None:
    """Head, what came before it and the ending stay; empty pieces are dropped, since they end a chunked body."""
    before = Reply((DELAY, HEAD, Data(b"old"), DELAY, Data(b"old"), last))
    after = before.with_data(pieces)
    assert after.body == b"".join(pieces)
    assert after.events[:2] == before.events[:2]
    assert after.last == last
    assert [e.data for e in after.events if isinstance(e, Data)] == [p for p in pieces if p]


def test_values_cannot_be_changed_and_are_equal_by_content() -> None:
    """Whether a fault changed anything is decided by comparing replies."""
    with pytest.raises(FrozenInstanceError):
        HEAD.status = 500  # type: ignore[misc]
    assert Reply.of(200, b"x") == Reply.of(200, b"x") != Reply.of(200, b"y")
    assert len({Reply.of(200, b"x"), Reply.of(200, b"x")}) == 1


def test_with_data_of_a_reply_without_a_head_changes_nothing() -> None:
    """Where there is no head there is no body to change: what comes before the loss stays."""
    lost = Reply((Delay(1.0), Lost(How.RESET)))
    assert lost.with_data([]) == lost
