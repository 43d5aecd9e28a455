"""
A schema that moved: the same reply with a field gone, renamed, null or of another type.

What is done to a field is in `_shapes.py`; this file only chooses the field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from random import Random
from typing import Any, ClassVar, Final

from .._errors import FaultError, nearest
from .._payload import data_of, events_of, has_body, is_stream, parsed, plain, with_data_of, with_payload, written
from .._reply import Reply, Request
from ._choice import drawn
from ._events import with_events
from ._links import PLACE, WAYS, relinked
from ._paths import check_path, objects, path_of, places
from ._settings import check_choice
from ._shapes import OPERATIONS, Hand, applied, applies

EVERY: Final = "every"
EVERY_FIELD: Final = "every-field"


@dataclass(frozen=True, slots=True)
class Drift:
    """The client gets a reply whose JSON no longer has the shape it was written for.

    Args:
        operation: what becomes of the field. Its name: `"remove"`, `"rename"` (snake case for camel
            case and back), `"nest"` (into a new object beside its neighbours), `"flatten"` (its own
            fields move up). Its type: `"null"`, `"retype"` (a number for a text and back, the first
            item for a list, a text for an object), `"wrap"` (an object into a list, anything else
            into `{"value": ...}`), `"wrap_in_data"` (an object, a list or the whole document into
            `{"data": ...}`), `"to_list"`, `"to_object"` (a list's items under their numbers),
            `"empty_list"`, `"id_to_string"`. Its value: `"new_enum_value"`, `"new_date_format"`,
            `"localise_number"` (a text such as `1.234,50`), `"new_cursor"` (to no page),
            `"loop_cursor"` (to the same page again). An object's fields:
            `"add_field"`. None: `"remove"`, or with every field every operation; `"every"`: one run
            for each.
        field: JSONPath of the field; every match is changed, in a stream in every event. None: one
            that the seed chooses among those the operation fits; in a stream by the first event that
            has one, and the same in every event. `"Link rel=next"`: the link to the next page in the
            head, which can be removed or be another cursor; without a path it is struck where nothing
            in the body can be. `"every-field"`: one run for each field, and for that link.
        random: filled in by the rule.

    Raises:
        FaultError: `operation` is unknown, or `field` is not a JSONPath.
    """

    damages: ClassVar[str] = "payload"
    explored_by: ClassVar[str] = "field"

    operation: str | None = None
    field: str | None = None
    random: Random = dataclasses.field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operation is not None:
            check_choice("drift", "operation", self.operation, (*OPERATIONS, EVERY))
        self._check_field()
        if self.operation == EVERY and self.field is None:
            raise FaultError(
                'drift: `operation` = "every" needs to know of which field',
                "no `field`",
                'give field = "every-field", or the JSONPath of one',
            )

    def _check_field(self) -> None:
        if self.field == PLACE and self.operation not in (None, EVERY, *WAYS):
            raise FaultError(
                "drift: a link can only be removed or lead elsewhere",
                f"operation = {self.operation!r} with field = {PLACE!r}",
                f"set one of {', '.join(sorted(WAYS))}",
            )
        if self.field in (None, EVERY_FIELD, PLACE):
            return
        said = self.field if isinstance(self.field, str) and not self.field.startswith("$") else ""
        if said == EVERY or get_close_matches(said, (EVERY_FIELD, PLACE), 1, 0.8):
            raise FaultError(
                "drift: unknown `field`",
                repr(self.field),
                f"{nearest(said, (EVERY_FIELD, PLACE))}; or a path, which begins with $",
            )
        check_path("drift", "field", self.field)

    @property
    def explores(self) -> bool:
        """True where the settings ask for one run per field or per operation: the fault itself then changes nothing."""
        return self.field == EVERY_FIELD or self.operation == EVERY

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply in another shape; the same one where the field is not there."""
        if self.explores:
            return reply
        operation, seed = self.operation or "remove", self.random.getrandbits(64)
        if self.field == PLACE:
            return relinked(operation, reply, request, seed)
        said = plain(reply) if has_body(request, reply) else None
        if said is None:
            return reply
        if not is_stream(said):
            drifted = self._document(parsed(said.body), self.field, seed, request)
            if drifted is not None:
                return with_payload(said, drifted)
            return reply if self.field is not None else relinked(operation, reply, request, seed)
        events = events_of(said.body)
        path = self.field if self.field is not None else self._path(events, seed, request)
        changed = [event if path is None else self._event(event, path, seed, request) for event in events]
        return reply if changed == events else with_events(said, changed)

    def each(self, request: Request, reply: Reply) -> Iterator[tuple[str, Drift]]:
        """The single drifts that would change this reply, each under an id such as `remove:$.fields.summary`.

        Outer fields first, the head's link last; the items of a list are one field (`$.issues[*].key`). No two give
        the same bytes.
        """
        if not self.explores:
            return
        said = plain(reply) if has_body(request, reply) else None
        fitting: dict[str, set[str]] = {}
        if said is not None and self.field != PLACE:
            fitting = _fitting(said, request, None if self.field == EVERY_FIELD else self.field)
        if self.field in (EVERY_FIELD, PLACE):
            fitting[PLACE] = {way for way in WAYS if relinked(way, reply, request, 0) != reply}
        asked = tuple(OPERATIONS) if self.operation in (None, EVERY) else (str(self.operation),)
        seen: set[tuple[bytes, object]] = set()
        for path, operations in fitting.items():
            for operation in (name for name in asked if name in operations):
                one = replace(self, operation=operation, field=path)
                struck = replace(one, random=Random(0)).alter(request, said or reply)
                made = (struck.body, struck.headers)
                if made not in seen:
                    seen.add(made)
                    yield f"{operation}:{path}", one

    def _event(self, event: bytes, path: str, seed: int, request: Request) -> bytes:
        drifted = self._document(parsed(data_of(event) or b""), path, seed, request)
        return event if drifted is None else with_data_of(event, drifted)

    def _document(self, value: Any, path: str | None, seed: int, request: Request) -> bytes | None:
        """The drifted text, None where nothing fits; the same seed for every event, so that all drift in one way."""
        if not isinstance(value, dict | list):
            return None
        operation = self.operation or "remove"
        if path is not None:
            chosen = [p for p in places(path, value) if applies(operation, value, p, request)]
        else:
            place = drawn(value, OPERATIONS[operation].fits, request, Random(seed))
            chosen = [] if place is None else [place]
        hand = Hand(seed, request)
        for place in reversed(chosen):  # so that removing moves nothing still to come
            value = applied(operation, value, place, hand)
        return written(value).encode() if chosen else None

    def _path(self, events: list[bytes], seed: int, request: Request) -> str | None:
        """The field that a stream loses: one of the first event that has any to lose, whichever item it is in."""
        fits = OPERATIONS[self.operation or "remove"].fits
        for event in events:
            value = parsed(data_of(event) or b"")
            if isinstance(value, dict | list):
                place = drawn(value, fits, request, Random(seed), root=False)
                if place is not None:
                    return path_of(place)
        return None


def _fitting(said: Reply, request: Request, path: str | None) -> dict[str, set[str]]:
    """Which operations fit which field of a reply, over all its events and all items of its lists."""
    streamed = is_stream(said)
    texts = map(data_of, events_of(said.body)) if streamed else (said.body,)
    fitting: dict[str, set[str]] = {}
    for value in (parsed(text or b"") for text in texts):
        if not isinstance(value, dict | list):
            continue
        if path is not None:
            pairs = [(path, place) for place in places(path, value)]
        else:
            pairs = [(path_of((*at, key)), (*at, key)) for at, fields in objects(value) for key in fields]
            pairs = pairs if streamed else [("$", ()), *pairs]
        for name, place in pairs:
            known = fitting.setdefault(name, set())
            known.update(op for op in OPERATIONS if op not in known and applies(op, value, place, request))
    return fitting
