"""
The variants of a method of unittest.

pytest does not parametrise these methods: each variant is an item of its own,
made where its class is collected, so that node ids, `-k`, `--lf` and xdist find
it like any other. Rule: an item without variants is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from ._variants import Variant

VARIANT: Final = "_fault_variant"  # where pytest parametrises: a name in the callspec
CLONED = pytest.StashKey["Variant"]()  # where it does not


def variant_of(item: pytest.Item) -> Variant | None:
    """Which variant of its test an item is; None: the test as it is."""
    return next(_variants_of(item), None)


def variant_names(item: pytest.Item) -> tuple[str, ...]:
    """What stands in an item's name for the variants that it is: of its test, and of that variant in turn."""
    return tuple(variant.name for variant in _variants_of(item))


def _variants_of(item: pytest.Item) -> Iterator[Variant]:
    cloned: Variant | None = item.stash.get(CLONED, None)
    callspec = getattr(item, "callspec", None)
    chosen = callspec.params.get(VARIANT) if callspec is not None else None
    return (variant for variant in (cloned, chosen) if variant is not None)


def is_test_case(collector: pytest.Collector) -> bool:
    """Whether this collects the methods of a class of unittest."""
    return isinstance(collector, pytest.Class) and getattr(collector, "nofuncargs", False)


def with_variants(
    collect: Callable[[], Iterable[Any]], variants_of: Callable[[Any], list[Variant]]
) -> Callable[[], Iterator[Any]]:
    """A class's way to collect, which yields after each method the variants of it."""

    def collected() -> Iterator[Any]:
        for item in collect():
            yield item
            for variant in variants_of(item):
                yield clone_method(item, variant)

    return collected


def clone_method(item: pytest.Function, variant: Variant) -> pytest.Function:
    """A variant of a method as an item of its own.

    Args:
        item: the method as pytest collected it.
        variant: what it is to meet; its name comes behind the method's.
    """
    clone: pytest.Function = _kind(type(item)).from_parent(item.parent, name=f"{item.name}[{variant.name}]")
    clone.originalname = item.name
    clone.stash[CLONED] = variant
    return clone


@cache
def _kind(kind: Any) -> Any:
    """The same kind of item, whose test case has the method under the name of the variant too."""

    class VariantFunction(kind):  # type: ignore[misc]
        def _getinstance(self) -> Any:
            method = self.name.partition("[")[0]
            case = self.parent.obj(method)
            setattr(case, self.name, getattr(case, method))
            case._testMethodName = self.name  # what unittest runs, and what its reports call it
            return case

    return VariantFunction
