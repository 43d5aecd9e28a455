"""
A reply that is well-formed, plausible and not true: what no parser can notice, and only the caller's own sense can.

What a lie is made of is in `_lies.py` and `_tenants.py`; where pages are in `_cursors.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Final

from .._errors import FaultError
from .._payload import has_body, is_stream, parsed, plain, with_payload, written
from .._reply import Reply, Request
from ._cursors import first_page_of
from ._lies import emptied, stale, swapped, transposed
from ._paths import check_path, found, places, put
from ._settings import check_choice, check_count
from ._tenants import of_another_tenant

HOWS: Final = ("stale", "swapped", "transposed", "emptied", "other_tenant", "first_page")


@dataclass(frozen=True, slots=True)
class Lie:
    """The client gets a reply of the right shape, with values that are plausible and wrong.

    Args:
        how: `"stale"` (every date some days before), `"swapped"` (two fields of one object have each
            other's value), `"transposed"` (two digits of a number change places), `"emptied"` (a full
            list is empty, and what counts it says 0), `"other_tenant"` (ids and names are somebody
            else's, each the same wherever it stands), `"first_page"` (the request loses what says
            which page it wants, so that the first one comes for the second).
        field: JSONPath of what is changed; every match. None: what the seed chooses (`"stale"` and
            `"other_tenant"`: all there is). Not with `"first_page"`.
        other: with `"swapped"`: JSONPath of the other field. None: one of the same kind beside it.
        days: with `"stale"`: how many days before, 1 or more.
        random: filled in by the rule.

    Raises:
        FaultError: a setting has a wrong type or value.
    """

    damages: ClassVar[str] = "payload"

    how: str = "transposed"
    field: str | None = None
    other: str | None = None
    days: int = 7
    random: Random = dataclasses.field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("lie", "how", self.how, HOWS)
        check_path("lie", "field", self.field)
        check_path("lie", "other", self.other)
        check_count("lie", "days", self.days, 1)
        if self.how == "first_page" and self.field is not None:
            raise FaultError(
                "lie: `field` means nothing to a first page", repr(self.field), "drop it, or choose another `how`"
            )
        if self.other is not None and (self.how != "swapped" or self.field is None):
            raise FaultError(
                "lie: `other` is what `field` is swapped with",
                f"how = {self.how!r}, field = {self.field!r}",
                'give how = "swapped" and a `field`, or drop `other`',
            )

    def mutate(self, request: Request) -> Request:
        """The request for the first page, where a first page is the lie; else the same."""
        return first_page_of(request) if self.how == "first_page" else request

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with a lie in it; the same one where there is nothing to lie about, or it is a stream."""
        if self.how == "first_page" or not has_body(request, reply):
            return reply
        said = plain(reply)
        if said is None or is_stream(said):
            return reply
        value = parsed(said.body)
        if not isinstance(value, dict | list):
            return reply
        random = Random(self.random.getrandbits(64))
        before = written(value)
        if self.how == "other_tenant":
            value = self._of_another(value, random)
        else:
            for holder, key, new in self._changes(value, random, request):
                holder[key] = new
        lied = written(value)
        return reply if lied == before else with_payload(said, lied.encode())

    def _changes(self, value: Any, random: Random, request: Request) -> list[tuple[Any, Any, Any]]:
        match self.how:
            case "stale":
                return stale(value, self.field, self.days)
            case "swapped":
                return swapped(value, self.field, self.other, random)
            case "emptied":
                return emptied(value, self.field, random, request)
            case _:
                return transposed(value, self.field, random, request)

    def _of_another(self, value: Any, random: Random) -> Any:
        if self.field is None:
            return of_another_tenant(value, random)
        lied, other = value, of_another_tenant(value, random)  # which is a copy: what stands elsewhere stays
        for place in reversed(places(self.field, value)):
            lied = put(lied, place, found(other, place))
        return lied
