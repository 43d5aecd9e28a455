"""
A site made anew: the same page with other names, in another order, another language, or with a column more.

What is done is in `_page_shapes.py`, where it is done in `_markup.py`; this file chooses the elements.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from random import Random
from typing import ClassVar, Final

from .._errors import FaultError
from .._reply import Reply, Request
from ._markup import HIDDEN, Element, Page, check_selector, check_soup, page, selected
from ._page_shapes import LABELS, LOCALES, OPERATIONS, Drifting, Edit
from ._pages import charset_of, page_of, with_text
from ._settings import check_choice, check_text

LOSES: Final = ("remove", "replace")
WHOLE: Final = ("html", "body")
EVERY_ELEMENT: Final = "every-element"
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
            an id or a class, chosen by the seed. `"every-element"`: one run for each id, and for each
            kind of element by its classes.
        text: with `"replace"`: the HTML in its place.
        locale: with `"localise"`: `"de_DE"`, `"es_ES"`, `"fr_FR"` or `"ru_RU"`.
        random: filled in by the rule.

    Raises:
        FaultError: a setting has a wrong value, or, when it is placed, beautifulsoup4 is not installed.

    Source: WHATWG HTML sections 13.1 and 13.2.
    """

    explored_by: ClassVar[str] = "selector"

    operation: str = "rename"
    selector: str | None = None
    text: str = ""
    locale: str = "de_DE"
    random: Random = field(default_factory=Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_choice("drift_html", "operation", self.operation, tuple(OPERATIONS))
        if self.selector != EVERY_ELEMENT:
            check_selector("drift_html", "selector", self.selector)
            if get_close_matches(self.selector or "", [EVERY_ELEMENT], 1, 0.8):
                raise FaultError(
                    "drift_html: unknown `selector`", repr(self.selector), f"did you mean {EVERY_ELEMENT!r}?"
                )
        check_text("drift_html", "text", self.text)
        check_choice("drift_html", "locale", self.locale, tuple(LOCALES))

    @property
    def damages(self) -> str:
        """The payload where something is gone from the page; nothing where all of it is still there."""
        return "payload" if self.operation in LOSES else "nothing"

    @property
    def explores(self) -> bool:
        """True where the settings ask for one run per element: the fault itself then changes nothing."""
        return self.selector == EVERY_ELEMENT

    def ready(self) -> None:
        """What selectors are read by must be installed."""
        check_soup("drift_html")

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The page in another form; the same reply where it is no page, or has no such element."""
        body = None if self.explores else page_of(request, reply)
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

    def each(self, request: Request, reply: Reply) -> Iterator[tuple[str, DriftHtml]]:
        """The single drifts that would change this page, each under an id such as `rename:tr.offer`.

        In the order of the page; elements of one name and the same classes are drifted as one. No two give the same
        page.
        """
        body = page_of(request, reply) if self.explores else None
        if body is None:
            return
        source = page(body.decode(charset_of(reply, body)))
        fixed = CELLS if self.operation == "move" else ()
        chosen = (e for e in source.elements if e.name not in (*WHOLE, *fixed) and not e.within(HIDDEN))
        seen = {reply.body}
        for selector in dict.fromkeys(_selector_of(source, element) for element in chosen):
            one = replace(self, selector=selector or None)
            made = replace(one, random=Random(0)).alter(request, reply).body if selector else reply.body
            if made not in seen:
                seen.add(made)
                yield f"{self.operation}:{selector}", one

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


def _selector_of(source: Page, element: Element) -> str:
    """What tells an element from others: its id, else its name and classes; empty where it has neither."""
    import soupsieve

    told = {name: html.unescape(source.text[start:end]) for name, start, end in source.attributes(element)}
    id_, classes = told.get("id", "").strip(), told.get("class", "").split()
    if id_:
        return f"#{soupsieve.escape(id_)}"
    return element.name + "".join(f".{soupsieve.escape(name)}" for name in classes) if classes else ""


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
