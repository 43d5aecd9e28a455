"""
A site made anew: the same page with other names, in another order, another language, or with a column more.

What is done is in `_page_shapes.py`, where it is done in `_markup.py`; this file chooses the elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from .._reply import Reply, Request
from ._markup import HIDDEN, Element, Page, check_selector, check_soup, page, selected
from ._page_shapes import LABELS, LOCALES, OPERATIONS, Drifting, Edit
from ._pages import charset_of, page_of, with_text
from ._settings import check_choice, check_text

LOSES: Final = ("remove", "replace")
WHOLE: Final = ("html", "body")
CELLS: Final = ("td", "th")  # one of them elsewhere in its row is no site made anew but a wrong table


@dataclass(frozen=True, slots=True)
class DriftHtml:
    """The client gets the page it asked for, but its markup or its language is no longer what it was read by.

    All that is not changed stays as it was, letter by letter; other replies than whole HTML pages pass.

    Args:
        operation: `"rename"` (ids and classes), `"move"`, `"wrap"`, `"remove"`, `"replace"` (what stands
            inside, by `text`), `"localise"` (words, and all numbers of the page) or `"add_column"` (tables).
        selector: CSS selector of the elements; each one that matches is changed. None: every id and class,
            the labels of tables, forms and navigation, or every table; for the others one element with
            an id or a class, chosen by the seed.
        text: with `"replace"`: the HTML in its place.
        locale: with `"localise"`: `"de_DE"`, `"es_ES"`, `"fr_FR"` or `"ru_RU"`.
        random: filled in by the rule.

    Raises:
        FaultError: a setting has a wrong value, or, when it is placed, beautifulsoup4 is not installed.

    Source: WHATWG HTML sections 13.1 and 13.2.
    """

    operation: str = "rename"
    selector: str | None = None
    text: str = ""
    locale: str = "de_DE"
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("drift_html", "operation", self.operation, tuple(OPERATIONS))
        check_selector("drift_html", "selector", self.selector)
        check_text("drift_html", "text", self.text)
        check_choice("drift_html", "locale", self.locale, tuple(LOCALES))

    @property
    def damages(self) -> str:
        """The payload where something is gone from the page; nothing where all of it is still there."""
        return "payload" if self.operation in LOSES else "nothing"

    def ready(self) -> None:
        """What selectors are read by must be installed."""
        check_soup("drift_html")

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The page in another form; the same reply where it is no page, or has no such element."""
        body = page_of(request, reply)
        if body is None:
            return reply
        self.ready()
        charset = charset_of(reply, body)
        source = page(body.decode(charset))
        random = Random(self.random.getrandbits(64))
        for chosen in self._choices(source, random):
            told = Drifting(self.text, self.locale, random)
            drifted = _edited(source.text, OPERATIONS[self.operation](source, chosen, told))
            if "".join(drifted.split()) != "".join(source.text.split()):  # white space alone is no other page
                return with_text(reply, drifted, charset)
        return reply

    def _choices(self, source: Page, random: Random) -> Iterator[list[Element]]:
        """The elements to change; where the seed chooses one, further ones in case that one changes nothing."""
        found = list(source.elements) if self.selector is None else selected(source, self.selector)
        if self.operation == "rename":
            yield found
        elif self.operation == "add_column":
            yield [element for element in found if element.name == "table"]
        elif self.selector is not None:
            yield _outermost(found)
        elif self.operation == "localise":
            yield [element for element in found if element.name in LABELS]
        else:
            fixed = CELLS if self.operation == "move" else ()
            found = [e for e in found if _is_named(source, e) and e.name not in fixed]
            yield from ([element] for element in random.sample(found, len(found)))


def _is_named(source: Page, element: Element) -> bool:
    named = any(name in ("id", "class") for name, _, _ in source.attributes(element))
    return named and element.name not in WHOLE and not element.within(HIDDEN) and source.has_text(element)


def _outermost(found: Sequence[Element]) -> list[Element]:
    """Without those inside another one: what holds them is moved, wrapped or gone as a whole."""
    kept: list[Element] = []
    for element in found:  # in the order of the page: what holds another comes before it
        if not kept or element.start >= kept[-1].end:
            kept.append(element)
    return kept


def _edited(text: str, edits: Sequence[Edit]) -> str:
    pieces, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], edit[1])):
        if start < at:
            continue  # inside what another edit has already put elsewhere
        pieces += [text[at:start], new]
        at = end
    return "".join((*pieces, text[at:]))
