"""The word for what a test came to, and why a fault never struck."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_agentfault import Data, End, Exchange, Head, How, Lost, Refused, Reply, Request, Rule
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault._verdict import Outcome, outcome_of_pass, why_never_struck
from pytest_agentfault.faults.rate_limit import RateLimit

URL = "https://api.example/items"


@dataclass(frozen=True, slots=True)
class Says:
    """Puts this reply in the place of any other."""

    reply: Reply

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        return self.reply


@dataclass(frozen=True, slots=True)
class Refuses:
    """Refuses the connection."""

    def connect(self, request: Request) -> Refused:
        """Before there is a request."""
        return Refused()


WELL, STRUCK_WELL = Reply.of(200, b"ok"), Reply.of(200, b"altered")
BAD, CUT = Reply.of(429), Reply((Head(200), Data(b"o"), Lost(How.CUT)))
NOTHING, PAYLOAD = "nothing", "payload"


def calls(*said: tuple[Reply, str | None] | Reply, urls: tuple[str, ...] = (), method: str = "GET") -> list[Exchange]:
    """A log: each reply, with what it damages if a fault gave it."""
    log: list[Exchange] = []
    for place, item in enumerate(said):
        reply, damages = item if isinstance(item, tuple) else (item, None)
        plan = Plan([Rule("* *", (Says(reply),), damages=damages)] if damages else [])
        asked = Request(method, urls[place] if urls else URL)
        log.append(drive(plan.exchange(asked), lambda _, reply=reply, d=damages: WELL if d else reply))  # type: ignore[misc]
    return log


OUTCOMES: dict[str, tuple[list[Exchange], Outcome]] = {
    "nothing was called": ([], Outcome.MISSED),
    "nothing struck": (calls(WELL, BAD), Outcome.MISSED),
    "struck, then well": (calls((BAD, NOTHING), WELL), Outcome.RECOVERED),
    "struck twice, then well": (calls((BAD, NOTHING), (BAD, NOTHING), WELL), Outcome.RECOVERED),
    "struck, and the next failed by itself": (calls((BAD, NOTHING), BAD), Outcome.HELD),
    "struck, never well: whoever passes then did without": (calls((BAD, NOTHING)), Outcome.HELD),
    "a struck reply that is well": (calls((STRUCK_WELL, NOTHING)), Outcome.HELD),
    "damaged, and taken as it was": (calls((STRUCK_WELL, PAYLOAD)), Outcome.UNNOTICED),
    "damaged, then fetched clean": (calls((STRUCK_WELL, PAYLOAD), WELL), Outcome.RECOVERED),
    "damaged twice": (calls((STRUCK_WELL, PAYLOAD), (STRUCK_WELL, PAYLOAD)), Outcome.UNNOTICED),
    "damaged twice, the second fetched clean": (
        calls((STRUCK_WELL, PAYLOAD), (STRUCK_WELL, PAYLOAD), WELL),
        Outcome.RECOVERED,
    ),
    "clean first, damaged last": (calls(WELL, (STRUCK_WELL, PAYLOAD)), Outcome.UNNOTICED),
    "damaged, then something else was clean": (
        calls((STRUCK_WELL, PAYLOAD), WELL, urls=(URL, URL + "/other")),
        Outcome.UNNOTICED,
    ),
    "damaged, then the same with another query was clean": (
        calls((STRUCK_WELL, PAYLOAD), WELL, urls=(URL + "?page=1", URL + "?page=2")),
        Outcome.RECOVERED,
    ),
    "damaged, then the first status that is a failure": (
        calls((STRUCK_WELL, PAYLOAD), Reply.of(400)),
        Outcome.UNNOTICED,
    ),
    "damaged, then the last status that is none": (
        calls((STRUCK_WELL, PAYLOAD), Reply.of(399)),
        Outcome.RECOVERED,
    ),
    "damaged, then the same failed": (calls((STRUCK_WELL, PAYLOAD), BAD), Outcome.UNNOTICED),
    "damaged, then lost": (calls((STRUCK_WELL, PAYLOAD), CUT), Outcome.UNNOTICED),
    "lost, then well": (calls((CUT, NOTHING), WELL), Outcome.RECOVERED),
    "lost, then well although a harmless fault struck": (
        calls((CUT, NOTHING), (STRUCK_WELL, NOTHING)),
        Outcome.RECOVERED,
    ),
    "one recovered, one unnoticed: the worst counts": (
        calls((BAD, NOTHING), WELL, (STRUCK_WELL, PAYLOAD), urls=(URL, URL, URL + "/2")),
        Outcome.UNNOTICED,
    ),
    "one held, one recovered": (
        calls((STRUCK_WELL, NOTHING), (BAD, NOTHING), WELL, urls=(URL + "/2", URL, URL)),
        Outcome.RECOVERED,
    ),
}


@pytest.mark.parametrize(
    ("code", "replies", "outcome"),
    [(429, 1, Outcome.HELD), (200, 1, Outcome.UNNOTICED), (200, 2, Outcome.RECOVERED)],
)
def test_a_refusal_that_looks_well(code: int, replies: int, outcome: Outcome) -> None:
    """Whoever passes on a refusal with a status of 200 and asks no more has not noticed; a 429 cannot be overlooked."""
    seconds = [0.0]
    plan = Plan([Rule("* *", (RateLimit(1, left=0, code=code, json={"errors": []}),))], now=lambda: seconds[0])
    for _ in range(replies):
        drive(plan.exchange(Request("POST", URL)), lambda _: WELL)
        seconds[0] += 60
    assert outcome_of_pass(plan.log) is outcome


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_word_for_a_test_that_passed(name: str) -> None:
    """Recovered, held, unnoticed or missed, from the log alone."""
    log, outcome = OUTCOMES[name]
    assert outcome_of_pass(log) is outcome


@pytest.mark.parametrize(
    ("url", "outcome"),
    [(URL, Outcome.RECOVERED), ("https://other.example/", Outcome.HELD), ("https://api.example.org/", Outcome.HELD)],
)
def test_a_refused_connection_is_recovered_by_any_request_to_that_host(url: str, outcome: Outcome) -> None:
    """Nothing was asked when it was refused: only the host can be compared."""
    plan = Plan([Rule("* *", (Refuses(),))])
    assert plan.connect("https://api.example") == Refused()
    assert outcome_of_pass([*plan.log, *calls(WELL, urls=(url,))]) is outcome


def test_another_method_is_another_call() -> None:
    """A GET does not make good what a POST got."""
    log = [*calls((STRUCK_WELL, PAYLOAD), method="POST"), *calls(WELL)]
    assert outcome_of_pass(log) is Outcome.UNNOTICED


def test_the_words_are_closed() -> None:
    """Reports and users can count on these seven."""
    assert [o.value for o in Outcome] == [
        "recovered",
        "held",
        "surfaced",
        "crashed",
        "unnoticed",
        "hung",
        "missed",
    ]


# --- why a fault never struck


@dataclass(frozen=True, slots=True)
class Never:
    """Finds nothing to change."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        return reply


def told(
    rules: list[Rule],
    requests: list[Request],
    above: str = "",
    dialled: tuple[tuple[str, int], ...] = (),
    **broken: Any,
) -> str:
    """The text for a plan of these rules after these requests."""
    plan = Plan(rules)
    for host, port in dialled:
        plan.wants(host, port)
    for request in requests:
        flow = plan.exchange(request)
        if broken:
            next(flow)
            flow.close()
        else:
            drive(flow, lambda _: Reply((Head(200, (("Content-Type", "text/plain"),)), Data(b"ok"), End())))
    pairs = list(zip(plan.rules, plan.tallies, strict=True))
    return str(why_never_struck("any/thing", pairs, plan, above))


GET = Request("GET", URL)
CALL_OUT = (
    "see that the test really calls out ({}): a mock or a fake client that answers inside the client "
    "leaves nothing to strike"
)
REASONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "nothing came": (
        {"rules": [Rule("GET https://api.example/*", (Never(),))], "requests": []},
        "no request came through the door",
        CALL_OUT.format("GET https://api.example/*"),
    ),
    "nothing came, for two rules": (
        {"rules": [Rule("GET https://a/*", (Never(),)), Rule("GET https://b/*", (Never(),))], "requests": []},
        "no request came through the door",
        CALL_OUT.format("GET https://a/*, GET https://b/*"),
    ),
    "connections went past": (
        {
            "rules": [Rule("GET https://api.example/*", (Never(),))],
            "requests": [],
            "dialled": (("b.example", 443), ("a.example", 80), ("api.example", 443)),
        },
        "no request came through the door; connections to a.example:80, b.example:443 went past it, "
        "where no rule can strike",
        CALL_OUT.format("GET https://api.example/*"),
    ),
    "a tool answers above": (
        {"rules": [Rule("* *", (Never(),))], "requests": [], "above": "respx"},
        "no request came through the door; respx answers above it",
        CALL_OUT.format("* *"),
    ),
    "another request": (
        {
            "rules": [Rule("POST https://api.example/*", (Never(),))],
            "requests": [GET, GET, Request("PUT", "https://b.example/x?y=1")],
        },
        f"3 requests seen (GET {URL}; PUT https://b.example/x?y=1); the nearest: method is GET, not POST",
        f"correct the rule with to=, as in to='GET {URL}'",
    ),
    "another request, nearest of two rules": (
        {
            "rules": [Rule("POST https://b.example/*", (Never(),)), Rule("GET https://api.example/item", (Never(),))],
            "requests": [Request("GET", URL + "?q=1")],
        },
        f"1 requests seen (GET {URL}?q=1); the nearest: URL {URL}?q=1 does not match https://api.example/item",
        f"correct the rule with to=, as in to='GET {URL}'",
    ),
    "the count left them out": (
        {"rules": [Rule("* *", (Never(),), after=5)], "requests": [GET, GET]},
        "2 matching requests, but after=5 leaves them out",
        "lower `after` or `every`, or let the test make more calls",
    ),
    "every count that could": (
        {"rules": [Rule("* *", (Never(),), after=5, every=2, probability=0.5)], "requests": [GET]},
        "1 matching requests, but after=5, every=2, probability=0.5 leaves them out",
        "lower `after` or `every`, or let the test make more calls",
    ),
    "nothing to change": (
        {"rules": [Rule("* *", (Never(),))], "requests": [GET, GET]},
        "2 matching requests; in 2 replies the fault found nothing to change",
        "use a fault that applies to such replies (the last was 200 text/plain, 2 bytes), or narrow `to`",
    ),
    "no healthy reply": (
        {"rules": [Rule("* *", (Never(),))], "requests": [GET], "closed": True},
        "1 matching requests, and no healthy reply for them to strike",
        "see the error of the upstream; an `alter` fault needs the reply it alters",
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_why_a_fault_never_struck(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what was seen, what nearly matched, and what to change."""
    for library in ("pycurl", "curl_cffi"):
        monkeypatch.delitem(sys.modules, library, raising=False)
    settings, there, do = REASONS[name]
    assert told(**settings) == f"any/thing never struck\n  there is: {there}\n  to do: {do}"


def test_libcurl_is_named_where_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no door in this process can reach is said, when it is there."""
    monkeypatch.setitem(sys.modules, "pycurl", sys)
    assert told([Rule("* *", (Never(),))], []).endswith("; pycurl cannot be reached in process")


def test_a_long_list_is_cut() -> None:
    """Eight requests are shown, each once."""
    asked = [Request("GET", f"{URL}/{n}") for n in range(20)]
    text = told([Rule("POST *", (Never(),))], asked)
    assert text.count("GET https://api.example/items/") == 9  # eight, and the one to correct the rule with
    assert "20 requests seen" in text
