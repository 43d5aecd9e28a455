"""
From a TOML file to a scenario, and what is wrong with the file.

Rule: every error names the file, the line and the key, and the nearest valid one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from .._discover import names as names_in
from .._discover import the_thing_in
from .._errors import FaultError, RuleError, ScenarioError, nearest
from .._rule import VERBS, WORDS, Rule
from ._hosts import Scenario
from ._lines import Lines
from ._settings import fits, fitted, in_words, settings_of
from ._template import filler_of

FAULTS: Final = "pytest_agentfault.faults"
CHECKS: Final = "pytest_agentfault.checks"
CONFIDENCE: Final = ("recorded", "documented", "reported")
DAMAGES: Final = ("nothing", "payload")
KEYS: Final = ("title", "source", "confidence", "damages", "checks", "rule")
RULE_KEYS: Final = (*WORDS, "damages", "faults")


def read(path: Path, name: str) -> Scenario:
    """Read one scenario file.

    Raises:
        ScenarioError: something in it cannot be used; names file, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ScenarioError(
            f"{path}: this scenario cannot be read", str(e), "give a readable TOML file in UTF-8"
        ) from e
    lines = Lines(path, text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise ScenarioError(f"{lines.at_toml_error(str(e))}: not TOML", str(e), "see https://toml.io/en/v1.0.0") from e
    _check_keys(lines, data, KEYS, "key of a scenario")
    for key in ("title", "source", "confidence"):
        if not data.get(key):
            raise ScenarioError(
                f"{path}:1: `{key}` is missing", ", ".join(data) or "an empty file", f'add {key} = "..."'
            )
        _check_type(lines, key, data[key], str)
    _check_choice(lines, "confidence", data["confidence"], CONFIDENCE)
    _check_choice(lines, "damages", data.setdefault("damages", "nothing"), DAMAGES)
    checks = data.setdefault("checks", [])
    _check_type(lines, "checks", checks, list[str])
    for check in checks:
        if check not in names_in(CHECKS):
            raise ScenarioError(f"{lines.of('checks')}: unknown check", repr(check), nearest(check, names_in(CHECKS)))
    tables = data.get("rule")
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        raise ScenarioError(
            f"{lines.of('rule')}: a scenario needs at least one rule",
            "none" if tables is None else repr(tables),
            "add a [[rule]] with `to` and `faults`",
        )
    rules: list[Rule] = []
    for number, table in enumerate(tables):
        earlier = tuple(dict.fromkeys(rule.to for rule in rules if rule.to != table.get("to")))
        rules.append(_rule(lines.in_rule(number), table, name, data["damages"], earlier))
    return Scenario(
        name, data["title"], data["source"], data["confidence"], data["damages"], tuple(checks), tuple(rules), path
    )


@cache
def fault_by_name(name: str) -> type:
    """The class of a fault: `status`, one of an installed package, or any `package.module:Class`.

    Raises:
        FaultError: there is none of this name, or it is no fault.
    """
    if ":" in name:
        return _a_fault(_imported(name), name)
    if name in names_in(FAULTS):
        return _a_fault(the_thing_in(FAULTS, name), name)
    installed = {point.name: point for point in entry_points(group=FAULTS)}
    if name in installed:
        return _a_fault(installed[name].load(), name)
    raise FaultError("unknown fault", repr(name), nearest(name, (*names_in(FAULTS), *installed)))


def _rule(lines: Lines, table: dict[str, Any], name: str, damages: str, earlier: tuple[str, ...]) -> Rule:
    _check_keys(lines, table, RULE_KEYS, "key of a rule")
    for key in ("to", "faults"):
        if key not in table:
            raise ScenarioError(
                f"{lines.here}: `{key}` is missing in a rule", ", ".join(table) or "nothing", f"add {key}"
            )
    _check_type(lines, "to", table["to"], str)
    entries = table["faults"]
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) and len(e) == 1 for e in entries):
        raise ScenarioError(
            f"{lines.of('faults')}: `faults` must be a list of tables with one fault each",
            repr(entries),
            "write it like faults = [{ status = { code = 429 } }]",
        )
    faults, place = [], lines
    for entry in entries:
        ((fault, settings),) = entry.items()
        place = place.behind(fault)
        faults.append(_fault(place, fault, settings))
    given = {"damages": damages, **{key: value for key, value in table.items() if key != "faults"}}
    try:
        return Rule(**given, faults=tuple(faults), name=name, unless=earlier)
    except RuleError as e:
        key = next((key for key in RULE_KEYS if f"`{key}`" in e.what), "faults")
        raise ScenarioError(f"{lines.of(key)}: {e.what}", e.there, e.do) from e


def _fault(lines: Lines, name: str, given: Any) -> Any:
    """The fault that one entry of `faults` names, with its settings; `lines` begin at its name."""
    try:
        kind = fault_by_name(name)
    except FaultError as e:
        raise ScenarioError(f"{lines.here}: {e.what}", e.there, e.do) from e
    if not isinstance(given, dict):
        raise ScenarioError(
            f"{lines.here}: the settings of {name!r} must be a table", repr(given), f"write {{ {name} = {{ }} }}"
        )
    known = settings_of(kind)
    for key, value in given.items():
        if key not in known:
            raise ScenarioError(f"{lines.of(key)}: unknown setting of {name!r}", repr(key), nearest(key, known))
        if not fits(value, known[key].hint):
            raise ScenarioError(
                f"{lines.of(key)}: `{key}` of {name!r} has a wrong type",
                f"{value!r:.80}",
                f"give {in_words(known[key].hint)}",
            )
        try:
            filler_of(value)
        except ScenarioError as e:
            raise ScenarioError(f"{lines.of(e.there)}: `{key}` of {name!r}: {e.what}", e.there, e.do) from e
    for key, setting in known.items():
        if setting.required and key not in given:
            raise ScenarioError(
                f"{lines.here}: `{key}` of {name!r} is missing",
                ", ".join(given) or "no setting at all",
                f"give {in_words(setting.hint)}",
            )
    try:
        return kind(**{key: fitted(value, known[key].hint) for key, value in given.items()})
    except FaultError as e:
        blamed = next((key for key in given if f"`{key}`" in e.what or f"{key}=" in e.what), None)
        place = lines.here if blamed is None else lines.of(blamed)
        raise ScenarioError(f"{place}: {e.what}", e.there, e.do) from e


def _check_keys(lines: Lines, table: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for key in table:
        if key not in known:
            raise ScenarioError(f"{lines.of(key)}: unknown {what}", repr(key), nearest(key, known))


def _check_type(lines: Lines, key: str, value: object, hint: Any) -> None:
    if not fits(value, hint):
        raise ScenarioError(f"{lines.of(key)}: `{key}` has a wrong type", f"{value!r:.80}", f"give {in_words(hint)}")


def _check_choice(lines: Lines, key: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise ScenarioError(f"{lines.of(key)}: unknown `{key}`", repr(value), nearest(str(value), known))


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as e:
        raise FaultError("this fault cannot be imported", f"{name}: {e}", "write it as package.module:Class") from e


def _a_fault(thing: Any, name: str) -> type:
    if not isinstance(thing, type) or not hasattr(thing, "__dataclass_fields__") or not _has_verb(thing):
        raise FaultError(
            "this is not a fault",
            f"{name} is {thing!r}",
            "make it a dataclass with one of the methods " + ", ".join(VERBS),
        )
    return thing


def _has_verb(kind: type) -> bool:
    return any(callable(getattr(kind, verb, None)) for verb in VERBS)
