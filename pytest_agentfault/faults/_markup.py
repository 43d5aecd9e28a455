"""
Where the elements of a page stand in its text.

A page is changed by cutting and putting in its source, never by writing a tree
out again: what is not touched stays as it was, letter by letter. BeautifulSoup
says which elements a selector means and where their start tags stand; it keeps
no place for an end, so the places are found here, by the same tokeniser of the
standard library. Rule: nothing here knows what is done with an element.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import Any, Final

from .._errors import FaultError


def names(text: str) -> frozenset[str]:
    """A set of names, written as one text."""
    return frozenset(text.split())


VOID: Final = names("area base br col embed hr img input link meta source track wbr")  # HTML 13.1.2
HIDDEN: Final = names("head script style template noscript iframe svg math")  # no text of the page itself
# HTML 13.1.2.4: what a start tag ends without an end tag, and the elements beyond which it ends nothing.
ENDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    name: (names(ended), names(bounds))
    for starts, ended, bounds in (
        ("li", "li", "ul ol menu"),
        ("dt dd", "dt dd", "dl"),
        ("td th", "td th", "tr table"),
        ("tr", "tr td th", "table thead tbody tfoot"),
        ("thead tbody tfoot", "thead tbody tfoot tr td th caption colgroup", "table"),
        ("option", "option", "select datalist optgroup"),
        ("optgroup", "option optgroup", "select"),
    )
    for name in starts.split()
}
CLOSES_P: Final = names(
    "address article aside blockquote details div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr "
    "main nav ol p pre section table ul"
)
ATTRIBUTE: Final = re.compile(r"""(?<=[\s"'/])([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""")


@dataclass(slots=True, eq=False)
class Element:
    """One element, and where it stands: from its start tag to behind its end tag, or to where it ends without one."""

    name: str
    start: int
    inner: int
    parent: Element | None
    inner_end: int = -1
    end: int = -1

    def within(self, names: Iterable[str]) -> bool:
        """True when it is, or stands inside, an element of one of these names."""
        at: Element | None = self
        while at is not None:
            if at.name in names:
                return True
            at = at.parent
        return False


@dataclass(frozen=True, slots=True)
class Page:
    """The elements of a text in their order, and its pieces of text, each as it stands between two marks."""

    text: str
    elements: tuple[Element, ...]
    texts: tuple[tuple[int, int, Element | None], ...]

    def attributes(self, element: Element) -> list[tuple[str, int, int]]:
        """Name and place of the value of each attribute that has one."""
        tag = self.text[element.start : element.inner]
        found = []
        for match in ATTRIBUTE.finditer(tag, 1 + len(element.name)):
            group = next((n for n in (2, 3, 4) if match[n] is not None), 0)
            if group:
                found.append((match[1].lower(), element.start + match.start(group), element.start + match.end(group)))
        return found

    def has_text(self, element: Element) -> bool:
        """True when a reader of the page sees letters or digits in it."""
        return any(
            element.inner <= start < element.inner_end
            and not (holder is not None and holder.within(HIDDEN))
            and re.search(r"\w", self.text[start:end])
            for start, end, holder in self.texts
        )


def page(text: str) -> Page:
    """The places of all elements of a text."""
    reader = _Reader(text)
    reader.feed(text)
    reader.close()
    reader.end_all()
    return Page(text, tuple(reader.elements), tuple(reader.texts))


def selected(of: Page, selector: str) -> list[Element]:
    """The elements that a CSS selector means, in the order of the page."""
    from bs4 import BeautifulSoup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XHTML is read as HTML here, as browsers read it under text/html
        soup = BeautifulSoup(of.text, "html.parser")
    lines = _line_starts(of.text)
    places = [(tag.sourceline, tag.sourcepos) for tag in soup.select(selector)]
    starts = {lines[line - 1] + column for line, column in places if line is not None and column is not None}
    return [element for element in of.elements if element.start in starts]


def check_soup(fault: str) -> None:
    """BeautifulSoup must be installed."""
    if find_spec("bs4") is None:
        raise FaultError(
            f"{fault} finds elements by BeautifulSoup",
            "beautifulsoup4 is not installed",
            "pip install 'pytest-agentfault[html]'",
        )


def check_selector(fault: str, setting: str, selector: object) -> None:
    """A setting must be a CSS selector, or None; judged where what reads it is installed."""
    if selector is None:
        return
    wrong = "not a text" if not isinstance(selector, str) else "" if selector.strip() else "nothing in it"
    if not wrong and find_spec("soupsieve") is not None:
        import soupsieve

        try:
            soupsieve.compile(str(selector))
        except soupsieve.SelectorSyntaxError as error:
            wrong = str(error).partition("\n")[0]
    if wrong:
        raise FaultError(
            f"{fault}: `{setting}` must be a CSS selector",
            f"{selector!r} ({wrong})",
            'write it like "table.prices td:nth-of-type(2)"',
        )


class _Reader(HTMLParser):
    """Keeps where everything stands; ends what HTML ends without an end tag."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.lines = _line_starts(text)
        self.source = text
        self.elements: list[Element] = []
        self.texts: list[tuple[int, int, Element | None]] = []
        self.open: list[Element] = []

    def at(self) -> int:
        line, column = self.getpos()
        return self.lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        start = self.at()
        self._end_implied(tag, start)
        behind = start + len(self.get_starttag_text() or "")
        element = Element(tag, start, behind, self.open[-1] if self.open else None)
        self.elements.append(element)
        if tag in VOID:
            element.inner_end = element.end = behind
        else:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID and self.open[-1].within(("svg", "math")):  # in HTML itself the slash means nothing
            self._end(len(self.open) - 1, self.elements[-1].inner)

    def handle_endtag(self, tag: str) -> None:
        place = next((n for n in range(len(self.open) - 1, -1, -1) if self.open[n].name == tag), None)
        if place is not None:
            start = self.at()
            element = self.open[place]
            self._end(place, start)
            closing = self.source.find(">", start) + 1
            element.end = closing or len(self.source)

    def handle_data(self, data: str) -> None:
        start = self.at()
        self.texts.append((start, start + len(data), self.open[-1] if self.open else None))

    def end_all(self) -> None:
        self._end(0, len(self.source))

    def _end_implied(self, tag: str, at: int) -> None:
        if tag in CLOSES_P and self.open and self.open[-1].name == "p":
            self._end(len(self.open) - 1, at)
        ended, bounds = ENDS.get(tag, (frozenset(), frozenset()))
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place].name in bounds:
                break
            if self.open[place].name in ended:
                self._end(place, at)

    def _end(self, place: int, at: int) -> None:
        for element in self.open[place:]:
            element.inner_end = element.end = at
        del self.open[place:]


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]
