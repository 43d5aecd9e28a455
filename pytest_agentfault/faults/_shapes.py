"""
What a schema change does to one field, one function each.

A new kind of drift is a new function and one line in OPERATIONS. New values
come from Faker, seeded by the rule, so that a failing run can be had again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, Final

from ._paths import Place, found, put

ENUM: Final = re.compile(r"[A-Za-z][A-Za-z]*(?:[_-][A-Za-z]+)*")


def applies(operation: str, value: Any, place: Place) -> bool:
    """True when this operation can change what stands there."""
    if not place and operation in ("remove", "rename"):
        return False
    there = found(value, place)
    match operation:
        case "rename":
            return isinstance(place[-1], str)
        case "null":
            return there is not None
        case "empty_list":
            return isinstance(there, list) and bool(there)
        case "new_enum_value":
            return isinstance(there, str) and len(there) <= 40 and ENUM.fullmatch(there) is not None
        case "add_field":
            return isinstance(there, dict)
        case _:
            return True


def applied(operation: str, value: Any, place: Place, random: Random) -> Any:
    """The value, changed there; changed in place, but for the root itself."""
    return OPERATIONS[operation](value, place, random)


def _remove(value: Any, place: Place, random: Random) -> Any:
    del found(value, place[:-1])[place[-1]]
    return value


def _rename(value: Any, place: Place, random: Random) -> Any:
    """Give a key its other usual spelling; its place among the others stays."""
    holder, old = found(value, place[:-1]), place[-1]
    new = _respelled(str(old))
    while new in holder:
        new += "_v2"
    pairs = [(new if key == old else key, inner) for key, inner in holder.items()]
    holder.clear()
    holder.update(pairs)
    return value


def _null(value: Any, place: Place, random: Random) -> Any:
    return put(value, place, None)


def _retype(value: Any, place: Place, random: Random) -> Any:
    match found(value, place):
        case bool(flag):
            new: Any = "true" if flag else "false"
        case int(number) | float(number):
            new = str(number)
        case str():
            new = _faker(random).pyint()
        case list(items):
            new = items[0] if items else {}
        case dict(fields):
            new = str(next((v for v in fields.values() if isinstance(v, str | int)), "")) or _faker(random).uuid4()
        case _:
            new = _faker(random).word()
    return put(value, place, new)


def _wrap(value: Any, place: Place, random: Random) -> Any:
    there = found(value, place)
    return put(value, place, [there] if isinstance(there, dict) else {"value": there})


def _empty_list(value: Any, place: Place, random: Random) -> Any:
    return put(value, place, [])


def _new_enum_value(value: Any, place: Place, random: Random) -> Any:
    """A word the client has never seen, in the spelling of the old one."""
    old = found(value, place)
    join = "-" if "-" in old else "_"
    faker = _faker(random)
    new = join.join((faker.word(), faker.word())).lower()
    return put(value, place, new.upper() if old.isupper() else new.title() if old[0].isupper() else new)


def _add_field(value: Any, place: Place, random: Random) -> Any:
    holder, faker = found(value, place), _faker(random)
    name = f"{faker.word()}_{faker.word()}"
    while name in holder:
        name += "_v2"
    holder[name] = faker.sentence()
    return value


def _respelled(key: str) -> str:
    if "_" in key.strip("_"):
        return re.sub(r"(?<=[^_])_+(\w)", lambda found: found[1].upper(), key)
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), key)
    return snake if snake != key else f"{key}_v2"


@cache
def _fakers() -> Any:
    from faker.config import DEFAULT_LOCALE
    from faker.factory import Factory

    return lambda: Factory.create(DEFAULT_LOCALE)


def _faker(random: Random) -> Any:
    """A Faker of its own for each use: a shared one would be reseeded by another thread."""
    faker = _fakers()()
    faker.seed_instance(random.getrandbits(64))
    return faker


OPERATIONS: Final[dict[str, Callable[[Any, Place, Random], Any]]] = {
    "remove": _remove,
    "rename": _rename,
    "null": _null,
    "retype": _retype,
    "wrap": _wrap,
    "empty_list": _empty_list,
    "new_enum_value": _new_enum_value,
    "add_field": _add_field,
}
