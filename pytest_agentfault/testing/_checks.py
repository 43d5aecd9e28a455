"""
Checks for those who write a fault or a scenario of their own.

Rule: what is asked of a stranger's part is asked of ours, by the same functions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

from .._errors import AgentFaultError
from .._exchange import Exchange
from .._plan import Plan, drive
from .._reply import Refused, Reply, Request
from .._rule import VERBS, Rule, verbs_of
from .._script import Script, encode
from ._samples import pairs

if TYPE_CHECKING:
    from ..scenario import Scenario

GIVES: Final[dict[str, tuple[type, ...]]] = {
    "connect": (Refused, type(None)),
    "mutate": (Request,),
    "answer": (Reply, type(None)),
    "alter": (Reply,),
    "garble": (Script,),
}
LONG_SECONDS: Final = 1e7
STAND_INS: Final = ("x", "1", "")  # for a `*` in a `to`


def check_fault(fault: Any, *, reply: Reply | None = None, request: Request | None = None) -> None:
    """Check that an object is a fault as rules need it: a frozen value that strikes, legally and repeatably.

    Args:
        fault: the object, with its settings.
        reply: a healthy reply that it must strike; None: one of several samples is enough.
        request: a request that it must strike; None: one of several samples is enough.

    Raises:
        AssertionError: it is not; says what, what is there, and what to do.
    """
    name = type(fault).__name__
    if not verbs_of(fault):
        _fail(f"{name} is no fault", f"{fault!r} has none of the verbs", f"give it one of {', '.join(VERBS)}")
    if not is_dataclass(fault) or not vars(type(fault))["__dataclass_params__"].frozen:
        _fail(
            f"{name} can be changed after it was made",
            "one fault serves many tests, and a change in one would be seen in the next",
            "make it @dataclass(frozen=True, slots=True)",
        )
    struck = False
    for asked, healthy in pairs(request, reply):
        _check_results(fault, asked, healthy)
        first, again = (_struck(Rule("* *", (fault,)), asked, healthy) for _ in range(2))
        if first != again:
            _fail(
                f"{name} does not repeat itself",
                "{!r} at first, then {!r}, by the same seed".format(*_unlike(_said(first), _said(again))),
                "take chance from its field `random` only, and time from nowhere",
            )
        struck = struck or bool(first)
    if not struck:
        _fail(
            f"{name} struck nothing",
            "what came out equals what went in" if reply or request else "none of the samples was changed by it",
            "hand over a reply= and request= that it is made for, or let it change them",
        )


def check_scenario(path: Path | str, *, reply: Reply | None = None) -> Scenario:
    """Check that a scenario file can be read, and that each of its rules strikes a request it is made for.

    Args:
        path: `<vendor>/<what-happens>.toml`.
        reply: a healthy reply of the vendor that each rule must strike; None: one of several samples is enough.

    Raises:
        ScenarioError: it cannot be read; names file, line and key.
        AssertionError: a rule never strikes; says what, what is there, and what to do.
    """
    from ..scenario import bind
    from ..scenario._read import read

    path = Path(path)
    scenario = read(path, f"{path.parent.name}/{path.stem}")
    templates = bind("0", time.time)
    for number, rule in enumerate(scenario.rules, 1):
        always = replace(
            rule, times=None, after=0, every=1, probability=1.0, until=None, after_seconds=0, for_seconds=None
        )
        fitting = list(_requests_for(always, reply))
        if not fitting:
            _fail(
                f"{path}: rule {number} ({rule.to}) is never asked",
                f"each request it could match belongs to an earlier rule: {', '.join(rule.unless) or 'none'}",
                "put the special rules before the general ones",
            )
        if not any(_struck(always, asked, healthy, templates) for asked, healthy in fitting):
            _fail(
                f"{path}: rule {number} ({rule.to}) struck nothing",
                f"{', '.join(type(f).__name__ for f in rule.faults)} left every sample as it was",
                "check the settings of its faults, above all their JSONPath, or hand over a reply= made for them",
            )
    return scenario


def _check_results(fault: Any, asked: Request, healthy: Reply) -> None:
    """Each verb by itself, since a plan would trip over a wrong result without naming its giver."""
    given: dict[str, tuple[Any, ...]] = {
        "connect": (Request("CONNECT", _base(asked) + "/"),),
        "mutate": (asked,),
        "answer": (asked,),
        "alter": (asked, healthy),
        "garble": (encode(healthy, asked),),
    }
    for verb in verbs_of(fault):
        called = f"{type(fault).__name__}.{verb}"
        try:
            result: Any = getattr(fault, verb)(*given[verb])
        except AgentFaultError as error:
            _fail(f"{called} fails: {error.what}", error.there, error.do)
        if verb == "answer" and isinstance(result, Reply) and isinstance(result.last, Refused):
            _fail(f"{called} gives Refused()", "the request is already on its way", "give it the verb `connect`")
        if not isinstance(result, GIVES[verb]):
            kinds = " or ".join("None" if kind is type(None) else f"a {kind.__name__}" for kind in GIVES[verb])
            _fail(f"{called} gives something else than {kinds}", repr(result)[:80], f"return {kinds}")


def _base(asked: Request) -> str:
    parts = urlsplit(asked.url)
    return f"{parts.scheme}://{parts.netloc}"


def _requests_for(rule: Rule, reply: Reply | None) -> Iterator[tuple[Request, Reply]]:
    """Samples moved to a URL and method that the rule looks at."""
    methods, glob = rule.to.split(None, 1)
    wanted = ("POST", "GET") if methods == "*" else methods.upper().split("|")
    for asked, healthy in pairs(None, reply):
        for method in wanted:
            for url in _urls(glob):
                moved = replace(asked, method=method, url=url)
                if rule.matches(moved):
                    yield moved, healthy
                    break


def _urls(glob: str) -> Iterator[str]:
    """URLs that a pattern is likely to match."""
    if glob.startswith("*://"):
        glob = f"https{glob[1:]}"
    begun = (glob,) if "://" in glob else (f"https://{glob.lstrip('*')}", f"https://api.example.com{glob.lstrip('*')}")
    for text in begun:
        for stand_in in STAND_INS:
            yield text.replace("*", stand_in)


def _struck(rule: Rule, asked: Request, healthy: Reply, bind: Any = None) -> tuple[Exchange, ...]:
    """What the rule did to one connection and to one request, now or long afterwards; without what no run repeats."""
    now = 0.0
    plan = Plan([rule], bind=bind, now=lambda: now, epoch=lambda: 0.0)
    if plan.connect(_base(asked)) is None:
        for now in (0.0, LONG_SECONDS):  # noqa: B007  a session dies of old age
            if not any(done.struck for done in plan.log):
                drive(plan.exchange(asked), lambda request: healthy)
    return tuple(replace(done, struck=()) for done in plan.log if done.struck)


def _said(done: tuple[Exchange, ...]) -> bytes:
    return b"".join(each.script.sent for each in done)


def _unlike(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Where two texts begin to differ, with what stands around it."""
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    around = slice(max(place - 15, 0), place + 25)
    return one[around], other[around]


def _fail(what: str, there: str, do: str) -> NoReturn:
    raise AssertionError(str(AgentFaultError(what, there, do)))
