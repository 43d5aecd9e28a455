"""
A schema that moved: the same reply with a field gone, renamed, null or of another type.

What is done to a field is in `_shapes.py`; this file only chooses the field.
"""

from __future__ import annotations

import dataclasses
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from .._payload import (
    data_of,
    decoded,
    events_of,
    has_body,
    is_stream,
    json_of,
    parsed,
    with_data_of,
    with_payload,
    written,
)
from .._reply import Reply, Request
from ._paths import Place, all_places, check_path, places
from ._settings import check_choice
from ._shapes import OPERATIONS, applied, applies


@dataclass(frozen=True, slots=True)
class Drift:
    """The client gets a reply whose JSON no longer has the shape it was written for.

    Args:
        operation: `"remove"`, `"rename"`, `"null"`, `"retype"`, `"wrap"`, `"empty_list"`,
            `"new_enum_value"` or `"add_field"`.
        field: JSONPath of the field (of the object, for `add_field`); every match is changed, in a
            stream in every event. None: one field of a JSON reply, chosen by the seed.
        random: filled in by the rule.

    Raises:
        FaultError: `operation` is unknown, or `field` is not a JSONPath.
    """

    damages: ClassVar[str] = "payload"

    operation: str = "remove"
    field: str | None = None
    random: Random = dataclasses.field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("drift", "operation", self.operation, tuple(OPERATIONS))
        check_path("drift", "field", self.field)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply in another shape; the same one where the field is not there."""
        body = decoded(reply)
        if not body or not has_body(request, reply):
            return reply
        seed = self.random.getrandbits(64)
        if is_stream(reply):
            drifted = b"".join(self._event(event, seed) for event in events_of(body)) if self.field else body
        else:
            drifted = self._document(json_of(reply), body, seed)
        return reply if drifted == body else with_payload(reply, drifted)

    def _event(self, event: bytes, seed: int) -> bytes:
        data = data_of(event) or b""
        drifted = self._document(parsed(data), data, seed)
        return event if drifted == data else with_data_of(event, drifted)

    def _document(self, value: Any, text: bytes, seed: int) -> bytes:
        """The drifted text; the same seed for every event, so that a stream drifts in one way."""
        if not isinstance(value, dict | list):
            return text
        random = Random(seed)
        drifted = deepcopy(value)
        for place in reversed(self._chosen(value, random)):  # backwards, so that removing moves nothing still to come
            drifted = applied(self.operation, drifted, place, Random(seed))
        return text if _same(drifted, value) else written(drifted).encode()

    def _chosen(self, value: Any, random: Random) -> list[Place]:
        if self.field is not None:
            return sorted((p for p in set(places(self.field, value)) if applies(self.operation, value, p)), key=_order)
        every = [p for p in ((), *all_places(value)) if applies(self.operation, value, p)]
        return [random.choice(every)] if every else []


def _order(place: Place) -> list[tuple[bool, str | int]]:
    return [(isinstance(key, str), key) for key in place]  # outer before inner, and list items as they stand


def _same(one: Any, other: Any) -> bool:
    return written(one) == written(other)  # not ==: 1, 1.0 and True are equal in Python, and different in JSON
