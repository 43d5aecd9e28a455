"""
The same record of somebody else: its ids and names changed, and each the same wherever it stands.

What an id or a name is, is told by the names of fields. New ones have the shape
of the old (`cus_Nf1` stays a `cus_` of three), names come from Faker.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, Final

from ._steps import containers
from ._values import alike, faker, is_id_name

IDS: Final = re.compile(r"(?:.*_)?(?:key|uuid|guid|sid|gid|slug|tenant|arn)$")
PERSON: Final = re.compile(
    r"(?:.*_)?(?:display|full|real|first|last|given|family|user|customer|contact|company|account|org|tenant)_name$"
    r"|(?:.*_)?(?:login|username|company|organization|customer|tenant)$"
)
# Objects whose `name` is somebody's.
SOMEBODY: Final = re.compile(
    r"(?:.*_)?(?:account|assignee|author|buyer|client|company|contact|creator|customer|guest|member|org|organization"
    r"|owner|payer|recipient|reporter|seller|sender|team|tenant|user|workspace)s?$"
)
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]+")
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+")
SHORTEST: Final = 3  # of what is also changed inside other texts


def of_another_tenant(value: Any, random: Random) -> Any:
    """The value with other ids and names; equal to the old one where it has none."""
    new = _others(value, random)
    if not new:
        return value
    names = [old for old in new if isinstance(old, str) and not TOKEN.fullmatch(old) and len(old) >= SHORTEST]
    inside = re.compile("|".join([*map(re.escape, sorted(names, key=len, reverse=True)), TOKEN.pattern]))

    def moved(there: Any, key: Any) -> Any:
        if isinstance(there, dict):
            return {name: moved(inner, name) for name, inner in there.items()}
        if isinstance(there, list):
            return [moved(inner, key) for inner in there]
        if isinstance(there, str):
            return inside.sub(lambda met: _known(new, met[0]), there) if there not in new else new[there]
        # A bare number is an id only where it says so: elsewhere it may count something.
        return new.get(there, there) if _is_id(key) and isinstance(there, int) else there

    return moved(value, None)


def _known(new: dict[Any, Any], text: str) -> str:
    if len(text) < SHORTEST:
        return text
    if text in new:
        return str(new[text])
    return str(new[int(text)]) if text.isdecimal() and len(text) < 20 and int(text) in new else text


def _others(value: Any, random: Random) -> dict[Any, Any]:
    """Each id and name of a value, and another one in its place."""
    made, new = faker(random), dict[Any, Any]()
    for place, holder in containers(value):
        above = next((key for key in reversed(place) if isinstance(key, str)), "")
        somebody = bool(SOMEBODY.fullmatch(_snake(above)))
        pairs = holder.items() if isinstance(holder, dict) else [(above, item) for item in holder]
        for key, there in pairs:
            if there in ("", None) or isinstance(there, bool | dict | list | float) or there in new:
                continue
            if _is_id(key):
                new[there] = _fresh(there, new, random)
            elif isinstance(there, str) and EMAIL.fullmatch(there):
                new[there] = made.email()
            elif isinstance(there, str) and (PERSON.fullmatch(_snake(key)) or (somebody and key == "name")):
                new[there] = _named(key, there, made)
    return {old: other for old, other in new.items() if other != old}


def _is_id(key: Any) -> bool:
    return is_id_name(key) or (isinstance(key, str) and IDS.fullmatch(_snake(key)) is not None)


def _fresh(old: Any, taken: dict[Any, Any], random: Random) -> Any:
    """Another id of the same shape that nothing else in the reply has."""
    text = str(old)
    head, mark, tail = text.rpartition("_")  # cus_Nf1: the part before says what it is
    used = {*taken, *taken.values()}
    for longer in range(100):
        other = head + mark + alike(tail, random) + "".join(str(random.randint(1, 9)) for _ in range(longer // 3))
        new = int(other) if isinstance(old, int) else other
        if new not in used:
            return new
    return old


def _named(key: str, old: str, made: Any) -> str:
    kind = _snake(key)
    if re.search(r"company|org|tenant|account|customer$", kind):
        return str(made.company())
    if re.search(r"login|user", kind) and " " not in old:
        return str(made.user_name())
    if re.search(r"first|given", kind):
        return str(made.first_name())
    if re.search(r"last|family", kind):
        return str(made.last_name())
    return str(made.name())


def _snake(key: Any) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", str(key)).lower()
