"""The checks: what each finds in a log, what it lets pass, and its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from pytest_agentfault import Exchange, Fin, Reply, Request, Rule, Script, Strike
from pytest_agentfault._discover import discover
from pytest_agentfault.checks import Finding
from pytest_agentfault.checks.no_repeated_write import no_repeated_write
from pytest_agentfault.checks.not_retried import not_retried
from pytest_agentfault.checks.retry_after_honoured import retry_after_honoured

URL = "https://api.example/orders"
WELL = Reply.of(200)


@dataclass(frozen=True, slots=True)
class Limit:
    """A fault whose name is all that matters here."""

    def answer(self, request: Request) -> Reply:
        """In the vendor's place."""
        return WELL


STRIKE = Strike(Rule("* *", (Limit(),), name="any/limit"), Limit())


@dataclass(frozen=True, slots=True)
class Call:
    """One line of a log, in short."""

    at: float = 0.0
    struck: bool = False
    retry_after: str | None = None
    reached: bool = True
    method: str = "POST"
    url: str = URL
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()


def log_of(*calls: Call) -> list[Exchange]:
    """The log of these calls."""
    log = []
    for number, c in enumerate(calls, 1):
        headers = () if c.retry_after is None else (("Retry-After", c.retry_after),)
        reply = Reply.of(429 if c.struck else 200, b"", headers)
        asked = Request(c.method, c.url, c.headers, c.body)
        struck = (STRIKE,) if c.struck else ()
        baseline = WELL if c.reached else None
        log.append(Exchange(number, asked, baseline, reply, Script((Fin(),)), struck, c.at, c.at))
    return log


LIMIT = Call(struck=True, retry_after="20", reached=False)
KEY = (("Idempotency-Key", "1"),)

CASES: dict[str, tuple[Callable[[Sequence[Exchange]], list[Finding]], list[Call], int]] = {
    # retry_after_honoured
    "came back sooner": (retry_after_honoured, [LIMIT, Call(at=3)], 1),
    "came back at once": (retry_after_honoured, [LIMIT, Call(at=0)], 1),
    "came back in time": (retry_after_honoured, [LIMIT, Call(at=20)], 0),
    "a hair too soon is a reading of the clock": (retry_after_honoured, [LIMIT, Call(at=19.995)], 0),
    "as much too soon as is let pass": (retry_after_honoured, [LIMIT, Call(at=19.99)], 0),
    "a little sooner than that": (retry_after_honoured, [LIMIT, Call(at=19.98)], 1),
    "came back later": (retry_after_honoured, [LIMIT, Call(at=30)], 0),
    "never came back": (retry_after_honoured, [LIMIT], 0),
    "another request came sooner": (retry_after_honoured, [LIMIT, Call(at=1, body=b"other"), Call(at=21)], 0),
    "twice too soon": (retry_after_honoured, [LIMIT, Call(at=1, struck=True, retry_after="5"), Call(at=2)], 2),
    "the vendor's own Retry-After is the vendor's business": (
        retry_after_honoured,
        [Call(retry_after="20"), Call(at=1)],
        0,
    ),
    "a date is not held against the clock": (
        retry_after_honoured,
        [Call(struck=True, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), Call(at=1)],
        0,
    ),
    "no number at all": (retry_after_honoured, [Call(struck=True, retry_after="²"), Call(at=1)], 0),
    "a fraction": (retry_after_honoured, [Call(struck=True, retry_after="0.5"), Call(at=0.2)], 1),
    # not_retried
    "was retried": (not_retried, [LIMIT, Call()], 1),
    "was retried twice: one finding": (not_retried, [LIMIT, LIMIT, Call()], 1),
    "was not retried": (not_retried, [LIMIT, Call(url=URL + "/2")], 0),
    "another body is another request": (not_retried, [LIMIT, Call(body=b"other")], 0),
    "not struck, sent twice": (not_retried, [Call(), Call()], 0),
    # no_repeated_write
    "a write happened twice": (no_repeated_write, [Call(struck=True), Call()], 1),
    "three times is one finding": (no_repeated_write, [Call(struck=True), Call(), Call()], 1),
    "the vendor never saw the first": (no_repeated_write, [LIMIT, Call()], 0),
    "the second never reached the vendor": (no_repeated_write, [Call(struck=True), LIMIT], 0),
    "an idempotency key": (no_repeated_write, [Call(struck=True, headers=KEY), Call(headers=KEY)], 0),
    "another write": (no_repeated_write, [Call(struck=True), Call(body=b"other")], 0),
    "a read may be repeated": (no_repeated_write, [Call(struck=True, method="GET"), Call(method="GET")], 0),
    "the user sent it twice, and nothing struck": (no_repeated_write, [Call(), Call()], 0),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_check_finds(name: str) -> None:
    """How many findings each log has."""
    check, calls, findings = CASES[name]
    assert len(check(log_of(*calls))) == findings


@pytest.mark.parametrize(
    ("check", "calls", "text"),
    [
        (
            retry_after_honoured,
            [LIMIT, Call(at=3)],
            "came back after 3.00 s, asked to wait 20 s\n"
            f"  there is: POST {URL}, calls 1 and 2: 429 with Retry-After: 20\n"
            "  to do: sleep for at least Retry-After before the next attempt; or waive='retry_after_honoured'",
        ),
        (
            not_retried,
            [LIMIT, Call(), Call()],
            "any/limit was retried, and no retry can cure it\n"
            f"  there is: POST {URL} was call 1 and again call 2, 3; the reply was 429\n"
            "  to do: give this error up at once and surface it; or waive the check: waive='not_retried'",
        ),
        (
            no_repeated_write,
            [Call(struck=True), Call(), Call()],
            "a write was sent 3 times\n"
            f"  there is: POST {URL}, calls 1, 2, 3: the vendor carried out the first one, its reply met any/limit\n"
            "  to do: send an Idempotency-Key, or look whether the write happened before repeating it",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_words_of_a_finding(
    check: Callable[[Sequence[Exchange]], list[Finding]], calls: list[Call], text: str
) -> None:
    """What, where, what to do."""
    (finding,) = check(log_of(*calls))
    assert str(finding) == text


@pytest.mark.parametrize("name", sorted(discover("pytest_agentfault.checks")))
def test_every_check_is_a_pure_function_of_the_log(name: str) -> None:
    """It finds nothing in nothing, the same twice, and leaves the log as it was."""
    check = discover("pytest_agentfault.checks")[name]
    log = log_of(LIMIT, Call(at=1), Call(struck=True), Call(at=2))
    before = list(log)
    assert check([]) == []
    assert check(log) == check(log)
    assert log == before
