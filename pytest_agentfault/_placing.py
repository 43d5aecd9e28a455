"""
From the words of a mark to the rules of a plan.

What `@pytest.mark.fault`, `faults.add` and a variant of `fault_matrix` have in
common: names of scenarios or fault objects, and keywords that override their
rules. Wrong words are found here, which is at collection for everything that a
mark says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import _discover
from ._errors import RuleError, nearest
from ._rule import WORDS, Rule
from .doors._targets import checked, is_call

if TYPE_CHECKING:
    from .scenario import Library

KEYWORDS: Final = (*WORDS, "raises", "cassette", "checks", "waive", "clock")
CHECKS: Final = "pytest_agentfault.checks"


@dataclass(frozen=True, slots=True)
class Placement:
    """One scenario, or one fault object, as a test asked for it.

    Args:
        name: what reports call it.
        rules: what strikes.
        must_strike: whether it is a failure when none of its rules strikes.
        must_raise: whether it is a failure when the test passes without raising `raises`.
        raises: the errors that count as surfaced: a type, a tuple of types, or `pytest.RaisesExc`.
        cassette: the recording beneath it.
        checks: names of the checks that judge the log.
        guards: whether its faults strike only what is wrong with a request: then it is right that none did, as long
            as one of its rules was asked.
        clock: whether the calendar is on the clock from the start, and not only from the first wait on.
    """

    name: str
    rules: tuple[Rule, ...]
    must_strike: bool = True
    must_raise: bool = True
    raises: Any = None
    cassette: Path | None = None
    checks: tuple[str, ...] = ()
    guards: bool = False
    clock: bool = False


def place(
    what: tuple[Any, ...], words: Mapping[str, Any], library: Library, folder: Path, *, certain: bool = True
) -> tuple[Placement, ...]:
    """The placements that a mark or a call of `faults.add` asks for.

    Args:
        what: names of scenarios, and fault objects.
        words: the keywords; and settings of the faults in the scenarios named, which they take the place of.
        library: where scenarios are found.
        folder: what a relative `cassette` is relative to.
        certain: False for a variant that a pattern chose: it need not strike, nor raise.

    Raises:
        RuleError: a keyword is unknown or has a wrong value.
        ScenarioError: there is no scenario of that name.
    """
    settings = {word: value for word, value in words.items() if word not in KEYWORDS}
    _check_settings(settings, what, library)
    if words.get("clock", True) is not True:
        raise RuleError(
            "`clock` can only be True",
            f"clock={words['clock']!r}",
            "leave it out: a test under a fault is on the clock anyway",
        )
    if not what and words.keys() == {"clock"}:
        return ()  # the clock alone
    if not what:
        raise RuleError(
            "nothing is named that could strike",
            "no argument",
            'name a scenario ("any/rate-limit"; `pytest --fault-list` shows them) or give a fault object',
        )
    overrides = {word: words[word] for word in WORDS if word in words}
    raises = words.get("raises")
    _check_raises(raises)
    cassette = _cassette(words.get("cassette"), folder)
    waived = _check_names(words.get("waive", ()), "waive")
    asked = _check_names(words.get("checks", ()), "checks")
    placed = []
    for item in what:
        name, rules, checks = _rules_of(item, overrides, library)
        rules = tuple(_with_settings(rule, settings) for rule in rules)
        for rule in rules:
            if is_call(rule.to):
                checked(rule)  # now: a wrong name is an error of the mark, not of the test
            for fault in rule.faults:
                if hasattr(fault, "ready"):
                    fault.ready()  # raises where something it needs is not installed
        placed.append(
            Placement(
                name=name,
                rules=rules,
                must_strike=certain,
                must_raise=certain,
                raises=raises,
                cassette=cassette,
                checks=tuple(c for c in dict.fromkeys((*checks, *asked)) if c not in waived),
                guards=all(getattr(fault, "guards", False) for rule in rules for fault in rule.faults),
                clock="clock" in words,
            )
        )
    return tuple(placed)


def _rules_of(item: Any, overrides: dict[str, Any], library: Library) -> tuple[str, tuple[Rule, ...], tuple[str, ...]]:
    if isinstance(item, str):
        scenario = library.get(item)
        rules = scenario.aimed(overrides["to"]) if "to" in overrides else scenario.rules
        others = {word: value for word, value in overrides.items() if word != "to"}
        return scenario.name, tuple(replace(rule, **others) if others else rule for rule in rules), scenario.checks
    if isinstance(item, Rule):
        return item.name or type(item.faults[0]).__name__, (replace(item, **overrides),), ()
    if isinstance(item, type):
        raise RuleError("a fault is given as a class", item.__name__, f"make one: {item.__name__}(...)")
    if "to" not in overrides:
        raise RuleError(
            f"nothing says which requests {type(item).__name__} strikes",
            f"{item!r} without to=",
            'add it: to="POST https://api.openai.com/v1/*" (or to="* *" for every request)',
        )
    name = type(item).__name__
    damages = getattr(item, "damages", "nothing")
    return name, (Rule(faults=(item,), name=name, damages=damages, **overrides),), ()


def _check_settings(settings: Mapping[str, Any], what: tuple[Any, ...], library: Library) -> None:
    """Each further word is a setting of some fault in the scenarios that are named."""
    if not settings:
        return
    faults = [f for name in what if isinstance(name, str) for rule in library.get(name).rules for f in rule.faults]
    words = [_words_of(fault) for fault in faults]
    known = (*KEYWORDS, *dict.fromkeys(name for own in words for name in own))
    for word, value in settings.items():
        if word not in known:
            raise RuleError(f"unknown keyword {word!r}", f"{word}={value!r}", nearest(word, known))
    for own in words:
        given: dict[str, str] = {}
        for word in settings.keys() & own.keys():
            other = given.setdefault(own[word], word)
            if other != word:
                one, same = sorted((word, other))
                raise RuleError(
                    f"`{one}` and `{same}` give one setting of a fault twice",
                    f"{one}={settings[one]!r}, {same}={settings[same]!r}",
                    "drop one of them",
                )


def _with_settings(rule: Rule, settings: Mapping[str, Any]) -> Rule:
    if not settings:
        return rule
    words = [_words_of(fault) for fault in rule.faults]
    own = [{w[word]: value for word, value in settings.items() if word in w} for w in words]
    return replace(rule, faults=tuple(replace(f, **w) if w else f for f, w in zip(rule.faults, own, strict=True)))


def _words_of(fault: Any) -> dict[str, str]:
    """The words of a mark that are settings of this fault: its settings' names, and its own for what it explores by."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(fault).__name__).lower()
    explored_by = getattr(fault, "explored_by", None)
    return {**({name: explored_by} if explored_by else {}), **{setting: setting for setting in _settings_of(fault)}}


def _settings_of(fault: Any) -> list[str]:
    return [setting.name for setting in fields(fault) if setting.name != "random"] if is_dataclass(fault) else []


def _check_raises(raises: Any) -> None:
    kinds = raises if isinstance(raises, tuple) else (raises,)
    for kind in kinds:
        is_error = isinstance(kind, type) and issubclass(kind, BaseException)
        if kind is not None and not is_error and not hasattr(kind, "matches"):
            raise RuleError(
                "`raises` must be an exception class",
                repr(kind),
                "give a class, a tuple of classes or pytest.RaisesExc",
            )


def _cassette(named: Any, folder: Path) -> Path | None:
    if named is None:
        return None
    if not isinstance(named, str | Path):
        raise RuleError("`cassette` must be a path", repr(named), 'write it like cassette="cassettes/run.yaml"')
    path = folder / named
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*") if p.is_file()) if path.parent.is_dir() else []
        raise RuleError(
            f"there is no cassette {named}", f"no file {path}", f"{nearest(path.name, near)} (in {path.parent})"
        )
    return path


def _check_names(given: Any, word: str) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    known = _discover.names(CHECKS)
    for name in names:
        if name not in known:
            raise RuleError(f"unknown check in `{word}`", repr(name), nearest(str(name), known))
    return names
