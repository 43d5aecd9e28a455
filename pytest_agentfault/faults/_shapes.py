"""
What a schema change does to one field, one function each.

A new kind of drift is a new function and one line in OPERATIONS, which says
what it fits. Rule: where it fits it changes something, whatever the value, so
that nobody need compare a long reply with itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from .._reply import Request
from ._cursors import is_cursor, no_page, promises, same_page
from ._paths import Place, found
from ._values import faker, is_date, is_id_name, is_localisable, is_number, localised, otherwise_dated

ENUM: Final = re.compile(r"[A-Za-z][A-Za-z]*(?:[_-][A-Za-z]+)*")


@dataclass(frozen=True, slots=True)
class Hand:
    """What an operation works with: chance, and the request that was answered."""

    seed: int
    request: Request
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def random(self) -> Random:
        """The same chance each time, so that every item of a list and every event drifts in one way."""
        return Random(self.seed)

    def said(self, provider: str) -> Any:
        """What Faker says; once for all items, since to ask it takes longer than to drift."""
        if provider not in self.kept:
            self.kept[provider] = getattr(faker(self.random), provider)()
        return self.kept[provider]


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of drift.

    Args:
        fits: whether it can change a value under this key (None: the whole document).
        change: changes what the holder, an object or a list, has under the key.
    """

    fits: Callable[[Any, Any, Request], bool]
    change: Callable[[Any, Any, Hand], None]


def applies(operation: str, value: Any, place: Place, request: Request) -> bool:
    """True when this operation can change what stands there."""
    return OPERATIONS[operation].fits(found(value, place), place[-1] if place else None, request)


def applied(operation: str, value: Any, place: Place, hand: Hand) -> Any:
    """The value, changed there; changed in place, but for the root itself."""
    if place:
        OPERATIONS[operation].change(found(value, place[:-1]), place[-1], hand)
        return value
    root = [value]
    OPERATIONS[operation].change(root, 0, hand)
    return root[0]


def _is_field(there: Any, key: Any, request: Request) -> bool:
    return isinstance(key, str)


def _has_place(there: Any, key: Any, request: Request) -> bool:
    return key is not None


def _always(there: Any, key: Any, request: Request) -> bool:
    return True


def _of_kind(*kinds: type, full: bool = False) -> Callable[[Any, Any, Request], bool]:
    """Of one of these kinds; `full`: and not empty."""
    return lambda there, key, request: isinstance(there, kinds) and (bool(there) or not full)


def _is_enum(there: Any, key: Any, request: Request) -> bool:
    return isinstance(there, str) and len(there) <= 40 and ENUM.fullmatch(there) is not None


def _is_folded(there: Any, key: Any, request: Request) -> bool:
    return isinstance(key, str) and isinstance(there, dict) and bool(there)


def _can_loop(there: Any, key: Any, request: Request) -> bool:
    return is_cursor(there, key) and same_page(there, request) not in (None, there)


def _remove(holder: Any, key: Any, hand: Hand) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, hand: Hand) -> None:
    """Give a key its other usual spelling; its place among the others stays."""
    _replace(holder, key, {_free(_respelled(key), holder): holder[key]})


def _null(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = None


def _retype(holder: Any, key: Any, hand: Hand) -> None:
    match holder[key]:
        case bool(flag):
            new: Any = "true" if flag else "false"
        case int(number) | float(number):
            new = str(number)
        case str():
            new = hand.said("pyint")
        case list(items):
            new = items[0] if items else {}
        case dict(fields):
            new = str(next((v for v in fields.values() if isinstance(v, str | int)), "")) or hand.said("uuid4")
        case _:
            new = hand.said("word")
    holder[key] = new


def _wrap(holder: Any, key: Any, hand: Hand) -> None:
    there = holder[key]
    holder[key] = [there] if isinstance(there, dict) else {"value": there}


def _empty_list(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = []


def _new_enum_value(holder: Any, key: Any, hand: Hand) -> None:
    """A word the client has never seen, in the spelling of the old one."""
    old = holder[key]
    join = "-" if "-" in old else "_"
    new = join.join(hand.said("words")[:2]).lower()
    new = new.upper() if old.isupper() else new.title() if old[0].isupper() else new
    holder[key] = new if new != old else f"{new}{join}{new}"


def _add_field(holder: Any, key: Any, hand: Hand) -> None:
    inner = holder[key]
    inner[_free("_".join(hand.said("words")[:2]), inner)] = hand.said("sentence")


def _to_list(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = [holder[key]]


def _to_object(holder: Any, key: Any, hand: Hand) -> None:
    """The items under their numbers, as languages without lists of their own write them."""
    holder[key] = {str(number): item for number, item in enumerate(holder[key])}


def _flatten(holder: Any, key: Any, hand: Hand) -> None:
    """The inner fields move up: `author.name` is `author_name`."""
    join = "_" if "_" in "".join(map(str, holder)) or not re.search(r"[a-z][A-Z]", "".join(map(str, holder))) else ""
    inner: dict[str, Any] = {}
    for name, value in holder[key].items():
        joined = f"{key}_{name}" if join else f"{key}{name[:1].upper()}{name[1:]}"
        inner[_free(joined, {**holder, **inner})] = value
    _replace(holder, key, inner)


def _wrap_in_data(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = {"data": holder[key]}


def _nest(holder: Any, key: Any, hand: Hand) -> None:
    """The field moves into a new object beside its old neighbours."""
    _replace(holder, key, {_free(hand.said("word"), holder): {key: holder[key]}})


def _new_date_format(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = otherwise_dated(holder[key], key, hand.random)


def _id_to_string(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = str(holder[key])


def _localise_number(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = localised(holder[key], hand.random)


def _new_cursor(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = no_page(holder[key], hand.random)


def _loop_cursor(holder: Any, key: Any, hand: Hand) -> None:
    holder[key] = same_page(holder[key], hand.request)
    if isinstance(holder, dict):
        holder.update(promises(holder, more=True))


def _replace(holder: Any, key: Any, by: dict[str, Any]) -> None:
    """These fields in the place of that one; the others stay where they are."""
    pairs = [pair for old, inner in holder.items() for pair in (by.items() if old == key else ((old, inner),))]
    holder.clear()
    holder.update(pairs)


def _free(name: str, holder: Any) -> str:
    while name in holder:
        name += "_v2"
    return name


def _respelled(key: str) -> str:
    if "_" in key.strip("_"):
        return re.sub(r"(?<=[^_])_+(\w)", lambda found: found[1].upper(), key)
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), key)
    return snake if snake != key else f"{key}_v2"


OPERATIONS: Final[dict[str, Operation]] = {
    "remove": Operation(_has_place, _remove),
    "rename": Operation(_is_field, _rename),
    "null": Operation(lambda there, key, request: there is not None, _null),
    "retype": Operation(_always, _retype),
    "wrap": Operation(_always, _wrap),
    "wrap_in_data": Operation(_of_kind(dict, list), _wrap_in_data),
    "nest": Operation(_is_field, _nest),
    "flatten": Operation(_is_folded, _flatten),
    "to_list": Operation(_of_kind(str, int, float), _to_list),
    "to_object": Operation(_of_kind(list, full=True), _to_object),
    "empty_list": Operation(_of_kind(list, full=True), _empty_list),
    "add_field": Operation(_of_kind(dict), _add_field),
    "new_enum_value": Operation(_is_enum, _new_enum_value),
    "new_date_format": Operation(lambda there, key, request: is_date(there, key), _new_date_format),
    "id_to_string": Operation(lambda there, key, request: is_number(there) and is_id_name(key), _id_to_string),
    "localise_number": Operation(lambda there, key, request: is_localisable(there, key), _localise_number),
    "new_cursor": Operation(lambda there, key, request: is_cursor(there, key), _new_cursor),
    "loop_cursor": Operation(_can_loop, _loop_cursor),
}
