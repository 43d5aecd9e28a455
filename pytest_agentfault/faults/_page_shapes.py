"""
What the makers of a site do to a page: one function for each operation of `drift_html`.

Each gives back edits of the source, (from, to, text in its place), for the
elements it is handed. A new operation is a new function and one line in
OPERATIONS. Rule: the same name, word or number becomes the same new one on every
page, as it does when a site is made anew; so nothing here is drawn by lot but
the place and the values of a new column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any, Final, TypeAlias

from ._markup import HIDDEN, Element, Page, names

Edit: TypeAlias = tuple[int, int, str]

# What points at an id from elsewhere in the page follows it when it is renamed.
POINTS: Final = names("for headers list form aria-labelledby aria-describedby aria-controls aria-owns aria-details")
# Parts that may stand nowhere but where they stand: what is wrapped is what they hold, and they move among themselves.
PARTS: Final = names(
    "html head body tr td th thead tbody tfoot caption col colgroup li dt dd option optgroup summary legend"
)
INLINE: Final = names(
    "a abbr b bdi bdo button cite code data del dfn em i img input ins kbd label mark meter output progress q "
    "s samp select small span strong sub sup textarea time u var"
)
LABELS: Final = names("th caption label legend button dt summary nav")  # what a site says of itself
VERBATIM: Final = names("pre code textarea kbd samp")
LOCALES: Final[dict[str, tuple[str, str]]] = {  # what stands between thousands, and before decimals (CLDR)
    "de_DE": (".", ","),
    "es_ES": (".", ","),
    "fr_FR": ("\u202f", ","),
    "ru_RU": ("\u00a0", ","),
}
NUMBER: Final = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w]|[.,]\d)")
WORD: Final = re.compile(r"[^\W\d_]{2,}")
NEW_TAB: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Drifting:
    """What an operation is told beside its elements."""

    text: str
    locale: str
    random: Random


def rename(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """Ids and classes under other names, as a build that hashes them writes them; what points at an id follows."""
    ids = {page.text[start:end] for element in chosen for name, start, end in page.attributes(element) if name == "id"}
    edits = []
    inside = set(chosen)
    for element in page.elements:
        for name, start, end in page.attributes(element):
            old = page.text[start:end]
            if name in ("id", "class") and element in inside:
                new = NEW_TAB.sub(lambda found: _hashed(found[0]), old)
            elif name in POINTS:
                new = NEW_TAB.sub(lambda found: _hashed(found[0]) if found[0] in ids else found[0], old)
            elif name == "href" and old.startswith("#") and old[1:] in ids:
                new = "#" + _hashed(old[1:])
            else:
                continue
            edits.append((start, end, new))
    return edits


def move(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """An element stands behind the one that held it; what only its parent can hold, at the parent's other end."""
    edits = []
    for element in chosen:
        holder = element.parent
        text = page.text[element.start : element.end]
        if holder is None:
            last = not page.text[element.end :].strip()
            target = 0 if last else len(page.text)
        elif element.name in PARTS or holder.name in ("body", "html") or holder.name in PARTS:
            last = not page.text[element.end : holder.inner_end].strip()
            target = holder.inner if last else holder.inner_end
        else:
            target = holder.end
        edits += [(element.start, element.end, ""), (target, target, text)]
    return edits


def wrap(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """One more element around it."""
    edits = []
    for element in chosen:
        inside = element.name in PARTS
        start, end = (element.inner, element.inner_end) if inside else (element.start, element.end)
        name = "span" if element.name in INLINE else "div"
        edits += [(start, start, f'<{name} class="wrapper">'), (end, end, f"</{name}>")]
    return edits


def remove(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """The element is gone."""
    return [(element.start, element.end, "") for element in chosen]


def replace(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """Something else stands in it."""
    return [(element.inner, element.inner_end, told.text) for element in chosen]


def localise(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """Words in another language, and every number as it is written there."""
    edits = []
    within = set(chosen)
    for start, end, holder in page.texts:
        if holder is None or holder.within(HIDDEN) or holder.within(VERBATIM):
            continue
        old = page.text[start:end]
        new = NUMBER.sub(lambda found: _number(found, *LOCALES[told.locale]), old)
        if _any_above(holder, within):
            new = WORD.sub(lambda found: _word(found[0], told.locale), new)
        edits.append((start, end, new))
    said = next((element for element in page.elements if element.name == "html"), None)
    if said is not None and any(page.text[start:end] != new for start, end, new in edits):
        edits += [(s, e, told.locale[:2]) for name, s, e in page.attributes(said) if name == "lang"]
    return edits


def add_column(page: Page, chosen: Sequence[Element], told: Drifting) -> list[Edit]:
    """A table has one column more, somewhere before its last one."""
    edits = []
    for table in chosen:
        rows = [[c for c in page.elements if c.parent is row and c.name in ("td", "th")] for row in _rows(page, table)]
        rows = [cells for cells in rows if cells]
        spans = [[_span(page, cell, "colspan") for cell in cells] for cells in rows]
        if not rows or any(_span(page, cell, "rowspan") != 1 for cells in rows for cell in cells):
            continue  # which cell stands in which column is not to be told from a row alone
        place = told.random.randrange(max(map(sum, spans)))
        title = _faker("en_US", told.random.getrandbits(64)).word().title()
        for cells, widths in zip(rows, spans, strict=True):
            edits.append(_new_cell(page, cells, widths, place, title, told.random))
    return edits


def _new_cell(
    page: Page, cells: Sequence[Element], widths: Sequence[int], place: int, title: str, random: Random
) -> Edit:
    """The edit that gives a row its cell in a new column."""
    at = 0
    for cell, width in zip(cells, widths, strict=True):
        if at >= place:
            said = title if cell.name == "th" else str(random.randint(1, 99))
            return (cell.start, cell.start, f"<{cell.name}>{said}</{cell.name}>")
        if at + width > place:
            start, end = next((s, e) for name, s, e in page.attributes(cell) if name == "colspan")
            return (start, end, str(width + 1))
        at += width
    end = cells[-1].end
    return (end, end, "<td></td>")


def _rows(page: Page, table: Element) -> list[Element]:
    return [e for e in page.elements if e.name == "tr" and _nearest(e, "table") is table]


def _nearest(element: Element, name: str) -> Element | None:
    at = element.parent
    while at is not None and at.name != name:
        at = at.parent
    return at


def _span(page: Page, cell: Element, name: str) -> int:
    said = next((page.text[s:e].strip() for key, s, e in page.attributes(cell) if key == name), "1")
    return max(1, int(said)) if said.isdecimal() else 1


def _any_above(element: Element | None, chosen: set[Element]) -> bool:
    while element is not None:
        if element in chosen:
            return True
        element = element.parent
    return False


def _hashed(name: str) -> str:
    digits = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"_{digits[:7]}"


def _number(found: re.Match[str], group: str, point: str) -> str:
    whole, decimals = found[1], found[2] or ""
    return whole.replace(",", group) + decimals.replace(".", point)


@cache
def _word(word: str, locale: str) -> str:
    """The same word in another language: always the same one, in the same letters, large or small."""
    new = str(_faker(locale, word.lower()).word())
    return new.upper() if word.isupper() else new.title() if word[0].isupper() else new.lower()


def _faker(locale: str, seed: int | str) -> Any:
    from faker.factory import Factory

    faker = Factory.create(locale)
    faker.seed_instance(seed)
    return faker


OPERATIONS: Final[dict[str, Callable[[Page, Sequence[Element], Drifting], list[Edit]]]] = {
    "rename": rename,
    "move": move,
    "wrap": wrap,
    "remove": remove,
    "replace": replace,
    "localise": localise,
    "add_column": add_column,
}
