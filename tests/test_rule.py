"""Which requests a rule means, which hosts it can reach, and what it refuses to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respx.patterns import M

from pytest_agentfault import Reply, Request, Rule
from pytest_agentfault._credentials import credential_digest
from pytest_agentfault._errors import RuleError
from pytest_agentfault._rule import Tally, authority, settings_of, verbs_of


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers in the vendor's place."""

    code: int = 500
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def answer(self, request: Request) -> Reply:
        """In the vendor's place."""
        return Reply.of(self.code)


@dataclass(frozen=True, slots=True)
class AlsoAnswers:
    """Answers, and changes requests."""

    def answer(self, request: Request) -> Reply:
        """In the vendor's place."""
        return Reply.of(500)

    def mutate(self, request: Request) -> Request:
        """On the way out."""
        return request


STRIKES = (Answers(),)


def rule(to: Any = "* *", **settings: Any) -> Rule:
    """A rule whose fault does not matter."""
    return Rule(to, settings.pop("faults", STRIKES), **settings)


@pytest.mark.parametrize(
    ("to", "method", "url", "difference"),
    [
        ("* *", "GET", "http://x/", ""),
        ("GET https://x/v1/*", "GET", "https://x/v1/a/b", ""),
        ("GET https://x/v1/*", "GET", "https://x/v1/", ""),
        ("get https://x/v1", "GET", "https://x/v1", ""),
        ("GET https://x/v1", "get", "https://x/v1", ""),
        ("GET|POST https://x/v1", "POST", "https://x/v1", ""),
        ("*   https://x/v1", "POST", "https://x/v1", ""),
        ("GET https://x/v1", "POST", "https://x/v1", "method is POST, not GET"),
        ("GET|PUT https://x/v1", "POST", "https://x/v1", "method is POST, not GET|PUT"),
        ("GET https://x/v1", "GET", "https://x/v2", "URL https://x/v2 does not match https://x/v1"),
        ("GET https://x/v1", "GET", "https://x/v1/", "URL https://x/v1/ does not match https://x/v1"),
        ("GET https://x/*", "GET", "http://x/", "URL http://x/ does not match https://x/*"),
        (
            "GET https://x/*",
            "PUT",
            "https://y/",
            "method is PUT, not GET; URL https://y/ does not match https://x/*",
        ),
        # without `?` the query is not looked at; with it, it is part of the text
        ("GET https://x/v1", "GET", "https://x/v1?a=1&b=2", ""),
        ("GET https://x/v1?a=1", "GET", "https://x/v1?a=1", ""),
        ("GET https://x/v1?*b=2*", "GET", "https://x/v1?a=1&b=2&c=3", ""),
        ("GET https://x/v1?a=1", "GET", "https://x/v1", "URL https://x/v1 does not match https://x/v1?a=1"),
        ("GET https://x/v1?a=1", "GET", "https://x/v1?a=12", "URL https://x/v1?a=12 does not match https://x/v1?a=1"),
        # only `*` is special
        ("GET https://x/a.b", "GET", "https://x/aXb", "URL https://x/aXb does not match https://x/a.b"),
        ("GET https://x/[a]", "GET", "https://x/a", "URL https://x/a does not match https://x/[a]"),
        ("GET https://*.x.com/*", "GET", "https://a.b.x.com/c", ""),
        ("GET https://*.x.com/*", "GET", "https://x.com/c", "URL https://x.com/c does not match https://*.x.com/*"),
        ("GET *//x/**/z", "GET", "https://x/y/z", ""),
        # a star beside a host's own letters stays inside the host; one that is the whole host does not
        (
            "GET https://*.x.com/*",
            "GET",
            "https://evil/a.x.com/c",
            "URL https://evil/a.x.com/c does not match https://*.x.com/*",
        ),
        ("GET http*://127.0.0.1*/items", "GET", "http://127.0.0.1:81/items", ""),
        ("GET *://*/rest/*", "GET", "https://x/jira/rest/2", ""),
        ("GET https://x*", "GET", "https://x:81/a", ""),
        ("GET https://x/*", "GET", "https://x/a\nb", ""),
    ],
)
def test_which_requests(to: str, method: str, url: str, difference: str) -> None:
    """A glob over the URL and a list of methods; the difference says every way in which a request is another."""
    request = Request(method, url)
    assert rule(to).difference(request) == difference
    assert rule(to).matches(request) is (difference == "")


POSTED = Request(
    "POST",
    "https://x/v1/chat?q=1",
    (("Content-Type", "application/json"), ("X-Team", "a")),
    b'{"model": "m", "n": [1]}',
)


@pytest.mark.parametrize(
    ("pattern", "request_", "matches"),
    [
        (M(json__model="m"), POSTED, True),
        (M(json__model="n"), POSTED, False),
        (M(json__n=[1]), POSTED, True),
        (M(json__model="m"), Request("GET", "https://x/v1"), False),
        (M(json__model="m"), Request("POST", "https://x/v1", (), b"\xff{"), False),
        (M(path__regex=r"^/v\d/chat$"), POSTED, True),
        (M(path__regex=r"^/v\d$"), POSTED, False),
        (M(headers__contains={"x-team": "a"}), POSTED, True),
        (M(headers__contains={"x-team": "b"}), POSTED, False),
        (M(host="x", method="POST"), POSTED, True),
        (M(params__contains={"q": "1"}), POSTED, True),
        (M(host="x") & ~M(method="POST"), POSTED, False),
        (M(host="y") | M(method="POST"), POSTED, True),
    ],
    ids=str,
)
def test_a_respx_pattern_says_which_requests(pattern: Any, request_: Request, matches: bool) -> None:
    """Any pattern of respx works, for every client, and a body that is no JSON is simply no match."""
    assert rule(pattern).matches(request_) is matches
    told = rule(pattern).difference(request_)
    assert told == ("" if matches else f"{request_.method} {request_.url} does not match {pattern!r}")


@pytest.mark.parametrize(
    ("to", "host", "port", "reaches"),
    [
        ("* *", "x", 443, True),
        ("GET https://x/*", "x", 443, True),
        ("GET https://x/*", "x", 80, False),
        ("GET http://x/*", "x", 80, True),
        ("GET http://x/*", "x", 443, False),
        ("GET https://x/*", "y", 443, False),
        ("GET https://x/*", "x.y", 443, False),
        ("GET https://x:8443/*", "x", 8443, True),
        ("GET https://x:8443/*", "x", 443, False),
        ("GET http://localhost:*", "localhost", 1234, True),
        ("GET https://*.x.com/*", "a.x.com", 443, True),
        ("GET https://*.x.com/*", "x.com", 443, False),
        ("GET https://*.x.com:*/*", "a.x.com", 81, True),
        ("GET https://x.*/*", "x.com", 443, True),
        ("GET */v1/*", "anything", 1, True),
        ("GET *://*/v1/*", "anything", 1, True),
        ("GET https://x", "x", 443, False),  # no URL is without a path
        ("GET http://[::1]:8000/*", "::1", 8000, True),
        ("GET http://[::1]/*", "::1", 80, True),
        ("GET ftp://x/*", "x", 443, False),
        (M(host="x"), "y", 1, True),  # a pattern is asked with the request only
    ],
)
def test_which_hosts(to: Any, host: str, port: int, reaches: bool) -> None:
    """A door lets a host in exactly when some URL there can match, before any URL is known."""
    assert rule(to).may_reach(host, port) is reaches


GLOBS = st.lists(
    st.sampled_from(["*", "https://", "http://", "a", ".", "b", ":8", "/", "c", "?"]), min_size=1, max_size=7
)


@given(
    GLOBS.map("".join),
    st.sampled_from(["http", "https"]),
    st.text("ab.", min_size=1, max_size=4),
    st.sampled_from([80, 443, 8, 88]),
    st.text("abc/?:.8", max_size=6),
)
def test_a_request_that_matches_is_never_kept_from_the_door(
    glob: str, scheme: str, host: str, port: int, rest: str
) -> None:
    """Whatever a rule matches, its host was let in."""
    wide = rule(f"* {glob}")
    if wide.matches(Request("GET", f"{authority(scheme, host, port)}/{rest}")):
        assert wide.may_reach(host, port)


@given(
    GLOBS.map("".join),
    st.text("ab.", min_size=1, max_size=4),
    st.sampled_from([80, 443, 8]),
    st.text("abc/", max_size=4),
)
def test_a_literal_url_reaches_only_its_own_host(glob: str, host: str, port: int, rest: str) -> None:
    """A pattern without a star lets in no host but the one it names."""
    literal = glob.replace("*", "")
    reached = rule(f"* {literal or 'x'}").may_reach(host, port)
    assert not reached or any(literal.startswith(f"{authority(s, host, port)}/") for s in ("http", "https"))


@pytest.mark.parametrize(
    ("scheme", "host", "port", "text"),
    [
        ("https", "x", 443, "https://x"),
        ("http", "x", 80, "http://x"),
        ("http", "x", 443, "http://x:443"),
        ("https", "::1", 443, "https://[::1]"),
        ("https", "::1", 80, "https://[::1]:80"),
    ],
)
def test_authority(scheme: str, host: str, port: int, text: str) -> None:
    """The port is said only where it is not the scheme's own; IPv6 stands in brackets."""
    assert authority(scheme, host, port) == text


TO = (
    "`to` must be a method and a URL pattern, or a respx pattern",
    'write it like "POST https://api.openai.com/v1/*" (* for any method, * in the URL for any text)',
)
PROBABILITY = ("`probability` must be a share of the requests", "give a number over 0, up to 1")


@pytest.mark.parametrize(
    ("settings", "what", "there", "do"),
    [
        ({"to": "https://x/*"}, TO[0], "'https://x/*'", TO[1]),
        ({"to": ""}, TO[0], "''", TO[1]),
        ({"to": "GET"}, TO[0], "'GET'", TO[1]),
        ({"to": "GET https://x/ y"}, TO[0], "'GET https://x/ y'", TO[1]),
        ({"to": "GET,POST https://x/"}, TO[0], "'GET,POST https://x/'", TO[1]),
        ({"to": "GET| https://x/"}, TO[0], "'GET| https://x/'", TO[1]),
        ({"to": 7}, TO[0], "7", TO[1]),
        ({"to": None}, TO[0], "None", TO[1]),
        ({"times": 0}, "`times` must be a whole number", "0", "give 1 or more"),
        ({"times": 1.5}, "`times` must be a whole number", "1.5", "give 1 or more"),
        ({"times": "2"}, "`times` must be a whole number", "'2'", "give 1 or more"),
        ({"times": True}, "`times` must be a whole number", "True", "give 1 or more"),
        ({"after": -1}, "`after` must be a whole number", "-1", "give 0 or more"),
        ({"after": None}, "`after` must be a whole number", "None", "give 0 or more"),
        ({"every": 0}, "`every` must be a whole number", "0", "give 1 or more"),
        ({"every": None}, "`every` must be a whole number", "None", "give 1 or more"),
        ({"probability": 0}, PROBABILITY[0], "0", PROBABILITY[1]),
        ({"probability": 1.01}, PROBABILITY[0], "1.01", PROBABILITY[1]),
        ({"probability": True}, PROBABILITY[0], "True", PROBABILITY[1]),
        ({"probability": "0.5"}, PROBABILITY[0], "'0.5'", PROBABILITY[1]),
        ({"probability": float("nan")}, PROBABILITY[0], "nan", PROBABILITY[1]),
        (
            {"until": "waitd"},
            "unknown `until`",
            "'waitd'",
            "did you mean 'waited'? known: credential_changes, waited",
        ),
        ({"until": 3}, "unknown `until`", "3", "known: credential_changes, waited"),
        (
            {"damages": "payloads"},
            "unknown `damages`",
            "'payloads'",
            "did you mean 'payload'? known: nothing, payload",
        ),
        (
            {"faults": ()},
            "a rule strikes with at least one fault",
            "none",
            "name a scenario or give faults=",
        ),
        (
            {"faults": ("status",)},
            "this is not a fault",
            "'status', which has none of the verbs",
            "give it one of the methods connect, mutate, answer, alter, garble",
        ),
        (
            {"faults": (Answers(), AlsoAnswers())},
            "two faults of one rule would answer in the vendor's place",
            "Answers and AlsoAnswers",
            "put them into two rules, or drop one",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_bad_setting_is_refused(settings: dict[str, Any], what: str, there: str, do: str) -> None:
    """Each wrong setting is refused when the rule is built, in three parts."""
    with pytest.raises(RuleError) as caught:
        rule(**settings)
    assert str(caught.value) == f"{what}\n  there is: {there}\n  to do: {do}"


@pytest.mark.parametrize("verb", ["connect", "mutate", "answer", "alter", "garble"])
def test_any_object_with_a_verb_is_a_fault(verb: str) -> None:
    """No base class: one method is enough."""
    kind = type("Anything", (), {verb: lambda self, *args: args[-1]})
    assert verbs_of(kind()) == (verb,)
    assert rule(faults=(kind(),)).faults


def test_something_named_like_a_verb_is_no_verb() -> None:
    """Only what can be called counts."""
    assert verbs_of(type("Odd", (), {"answer": 42})()) == ()


def test_settings_of_a_fault_are_its_fields() -> None:
    """The hidden `random` is not a setting."""
    assert list(settings_of(Answers)) == ["code"]


PLACES = {
    "times=2": ({"times": 2}, "XX...."),
    "after=2": ({"after": 2}, "..XXXX"),
    "every=3": ({"every": 3}, "X..X.."),
    "after=1, every=2": ({"after": 1, "every": 2}, ".X.X.X"),
    "after=1, every=2, times=2": ({"after": 1, "every": 2, "times": 2}, ".X.X.."),
    "all": ({}, "XXXXXX"),
}


def due(ruled: Rule, asked: list[Request], seed: int = 0) -> str:
    """Which of these requests is due, as a row of letters; each one due is counted as struck."""
    tally, letters = Tally(Random(seed)), ""
    for request in asked:
        is_due = tally.is_due(ruled, request, 0.0)
        tally.struck += is_due
        letters += "X" if is_due else "."
    return letters


@pytest.mark.parametrize("name", PLACES)
def test_counting(name: str) -> None:
    """`after` skips, `every` takes each n-th from the first one that is not skipped, `times` bounds."""
    settings, expected = PLACES[name]
    assert due(rule(**settings), [Request("GET", "http://x/")] * 6) == expected


def test_probability_follows_the_seed() -> None:
    """The same seed strikes the same requests, another one others, and about the asked share."""
    half, many = rule(probability=0.5), [Request("GET", "http://x/")] * 400
    assert due(half, many, 1) == due(half, many, 1) != due(half, many, 2)
    assert 150 < due(half, many, 1).count("X") < 250


def with_header(name: str, value: str) -> Request:
    """A request with one header."""
    return Request("GET", "http://x/", ((name, value),))


@pytest.mark.parametrize("name", ["Authorization", "cookie", "X-Api-Key", "api-key", "X-Goog-Api-Key", "X-Auth-Token"])
def test_credentials_are_told_apart_wherever_they_stand(name: str) -> None:
    """Vendors put the credential into different headers; its digest never shows it."""
    first, second = credential_digest(with_header(name, "secret-1")), credential_digest(with_header(name, "secret-2"))
    assert first != second
    assert "secret" not in first
    assert first == credential_digest(with_header(name.upper(), "secret-1"))


def test_other_headers_are_no_credential() -> None:
    """A request id that changes with each attempt does not look like a new session."""
    assert credential_digest(with_header("x-request-id", "1")) == credential_digest(with_header("x-request-id", "2"))


@pytest.mark.parametrize("name", ["access_token", "API_KEY", "key", "token", "refresh_token", "client_secret", "sig"])
def test_a_message_never_shows_a_credential_of_a_query(name: str) -> None:
    """Its name stays, so that the URL can be known again."""
    asked = Request("GET", f"https://x/a?page=2&{name}=s3cret&b=1#s")
    assert Rule("* https://y/*", (Answers(),)).difference(asked) == (
        f"URL https://x/a?page=2&{name}=...&b=1#s does not match https://y/*"
    )
