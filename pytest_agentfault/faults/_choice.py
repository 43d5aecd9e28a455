"""
One field among all of a value, by chance: counted first, named last.

A reply of 2 MB has some 60,000 fields. To write down the place of each costs
more than to read the reply did, so only objects are noted, each with the one it
stands in, and a place is put together for the field that was drawn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import Any

from .._reply import Request
from ._steps import HOLDERS, Place


def drawn(
    value: Any, fits: Callable[[Any, Any, Request], bool], request: Request, random: Random, *, root: bool = True
) -> Place | None:
    """The place of one field that fits, or of the whole value; None: there is none.

    Args:
        value: an object or a list.
        fits: asked with what stands there, its key (None: the whole value) and the request.
        request: what the value answers.
        random: draws; each field that fits is as likely as the next.
        root: whether the whole value may be drawn.
    """
    holders: list[Any] = [value]
    above: list[tuple[int, str | int]] = [(-1, "")]
    counts: list[tuple[int, int]] = [(-1, 1)] if root and fits(value, None, request) else []
    for number, holder in enumerate(holders):  # which grows meanwhile
        fields = isinstance(holder, dict)
        count = 0
        for key, there in holder.items() if fields else enumerate(holder):
            if there.__class__ in HOLDERS:
                holders.append(there)
                above.append((number, key))
            if fields and fits(there, key, request):
                count += 1
        if count:
            counts.append((number, count))
    if not counts:
        return None
    ends = list(accumulate(count for _, count in counts))
    draw = random.randrange(ends[-1])
    number, count = counts[bisect_right(ends, draw)]
    if number < 0:
        return ()
    fitting = [key for key, there in holders[number].items() if fits(there, key, request)]
    place: Place = (fitting[draw - ends[bisect_right(ends, draw)] + count],)
    while number:
        number, key = above[number]
        place = (key, *place)
    return place
