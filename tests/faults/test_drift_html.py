"""The fault `drift_html`: the same page with other names, places, words or columns, read by others' parsers."""

from __future__ import annotations

import gzip
import importlib.util
import warnings
from collections import Counter
from random import Random
from typing import Any

import lxml.html
import pytest
import selectolax.lexbor
from _said import BODYLESS, GET, HEAD, arrives, document, gzipped, refusal, stream, three, unreadable
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentfault._payload import decoded
from pytest_agentfault._reply import Reply
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults._markup import page
from pytest_agentfault.faults.drift_html import DriftHtml
from pytest_agentfault.testing._samples import PAGE

HTML = (("Content-Type", "text/html; charset=utf-8"),)
# As pages in the wild are: unquoted, unclosed, upper case, a script that holds a tag, a comment that holds one too.
WILD = """<!-- <table id=no> --><!doctype HTML>
<HTML LANG=en><head><title>A &amp; B</title><style>.a{color:red}</style>
<script>var x = "<div class='a'>";</script></head>
<body class='top bar'  ><a href="#part" id = 'go'>1,000 go</a>
<ul class=list><li class=a>one<li class="a b">two <b>three</b></ul>
<p>before<div id=part data-x="a > b">text<br>more<img src=x.png alt="1,000.5"></div>
<label for=field>Name</label><input id=field name=q><textarea id=t>1,234.5</textarea>
<table id=prices><tr><th>Item<th>Price<tr><td>Lamp<td>1,249.50<tr><td colspan=2>12,000 in all</table>
</body></HTML>"""
OPERATIONS = ("rename", "move", "wrap", "remove", "replace", "localise", "add_column")


def drifted(source: str, operation: str, selector: str | None = None, seed: int = 0, **more: Any) -> str:
    """The page as the client gets it."""
    fault = DriftHtml(operation, selector, **more, random=Random(seed))
    return arrives(fault.alter(GET, Reply.of(200, source.encode(), HTML))).decode()


@pytest.mark.parametrize(
    ("operation", "selector", "before", "after"),
    [
        ("rename", None, '<p class="a b" id=c>x</p>', '<p class="_ca97811 _3e23e81" id=_2e7d2c0>x</p>'),
        ("rename", "b", "<p class=a><b class=a>x</b></p>", "<p class=a><b class=_ca97811>x</b></p>"),
        (
            "rename",
            None,
            '<a href="#c">x</a><label for="c">y</label><b aria-labelledby="c d">z</b><i id=c></i>',
            '<a href="#_2e7d2c0">x</a><label for="_2e7d2c0">y</label><b aria-labelledby="_2e7d2c0 d">z</b>'
            "<i id=_2e7d2c0></i>",
        ),
        ("rename", None, "<a href='/x#c' data-id=c class=''>x</a><i id=c></i>", None),
        ("move", "i", "<p><b><i>x</i> y</b> z</p>", "<p><b> y</b><i>x</i> z</p>"),
        ("move", "li:first-child", "<ul><li>1</li><li>2</li></ul>", "<ul><li>2</li><li>1</li></ul>"),
        ("move", "li:last-child", "<ul><li>1</li><li>2</li></ul>", "<ul><li>2</li><li>1</li></ul>"),
        ("move", "h1", "<body><h1>1</h1><p>2</p></body>", "<body><p>2</p><h1>1</h1></body>"),
        ("move", "p", "<body><h1>1</h1><p>2</p></body>", "<body><p>2</p><h1>1</h1></body>"),
        ("move", "p", "<h1>1</h1><p>2</p>", "<p>2</p><h1>1</h1>"),
        ("move", "h1", "<h1>1</h1><p>2</p>", "<p>2</p><h1>1</h1>"),
        ("wrap", "div", "<div>x</div>", '<div class="wrapper"><div>x</div></div>'),
        ("wrap", "a", "<p><a>x</a></p>", '<p><span class="wrapper"><a>x</a></span></p>'),
        ("wrap", "td", "<table><tr><td>x<td>y</table>",
         '<table><tr><td><div class="wrapper">x</div><td><div class="wrapper">y</div></table>'),
        ("wrap", "div", "<div>x<div>y</div></div>", '<div class="wrapper"><div>x<div>y</div></div></div>'),
        ("wrap", "img", "<p><img src=a><br></p>", '<p><span class="wrapper"><img src=a></span><br></p>'),
        ("remove", "li", "<ul><li>1<li>2</ul>", "<ul></ul>"),
        ("remove", "ol li", "<ul><li>1<ol><li>2</ol>3<li>4</ul>", "<ul><li>1<ol></ol>3<li>4</ul>"),
        ("replace", "#a", "<ul><li id=a>1<ol><li>2</ol>3<li>4</ul>", "<ul><li id=a>NEW<li>4</ul>"),
        ("remove", "p", "<div><p>1<p>2</div>", "<div></div>"),
        ("replace", "div", "<div id=x>1<i>2</i></div>", "<div id=x>NEW</div>"),
        ("localise", None, "<p>1,249.50 and 12,000 or 3.5, not 3.14.1, 1,2, v1.5 nor 7</p>",
         "<p>1.249,50 and 12.000 or 3,5, not 3.14.1, 1,2, v1.5 nor 7</p>"),
        ("localise", None, "<pre>1,000</pre><script>1,000</script><textarea>1,000</textarea><i title='1,000'>1,000</i>",
         "<pre>1,000</pre><script>1,000</script><textarea>1,000</textarea><i title='1,000'>1.000</i>"),
        ("localise", None, '<html lang="en"><p>1.5</p></html>', '<html lang="de"><p>1,5</p></html>'),
    ],
)  # fmt: skip
def test_what_is_meant_changes_and_all_else_stays(
    operation: str, selector: str | None, before: str, after: str | None
) -> None:
    """Letter by letter: what is not meant is not written anew."""
    expected = before.replace("<i id=c", "<i id=_2e7d2c0") if after is None else after
    assert drifted(before, operation, selector, text="NEW") == expected


@pytest.mark.parametrize(
    ("before", "columns"),
    [
        ("<table><tr><th>A<th>B<tr><td>1<td>2</table>", [3, 3]),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td colspan=2>1</td></tr></table>", [3, 3]),
        ("<table><tr><th>A<th>B<th>C<tr><td>1</table>", [4, 2]),
        ("<table><tr><th>A<th>B<th>C<tr><td colspan='2'>1<td>2</table>", [4, 4]),
        ("<table><tr><td><table><tr><td>x</table></table>", [2, 2]),
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_every_row_gains_a_cell_in_the_same_column(before: str, columns: list[int], seed: int) -> None:
    """Never behind the last column, where nobody would see it; a cell over two columns covers a third."""
    soup = BeautifulSoup(drifted(before, "add_column", seed=seed), "lxml")
    rows = [row.find_all(["td", "th"], recursive=False) for row in soup.find_all("tr")]
    assert [sum(int(str(cell.get("colspan", 1))) for cell in row) for row in rows] == columns
    if before.startswith("<table><tr><th>A<th>B<tr>"):
        assert [row[-1].get_text() for row in rows] == ["B", "2"]
    if "colspan='2'" in before:
        assert [row[-1].get_text() for row in rows] == ["C", "2"]
        new = [row.get_text() for row in rows[0]].index(next(c.get_text() for c in rows[0] if len(c.get_text()) > 1))
        assert len(rows[1]) == (
            2 if new == 1 else 3
        )  # between A and B the wide cell grows; elsewhere there is one more


def test_a_table_whose_columns_a_row_does_not_tell_is_left() -> None:
    """A cell over two rows stands in a column of the next row too."""
    text = "<table><tr><td rowspan=2>1<td>2<tr><td>3</table>"
    assert drifted(text, "add_column") == text


@pytest.mark.parametrize("locale", ["de_DE", "es_ES", "fr_FR", "ru_RU"])
def test_labels_speak_another_language(locale: str) -> None:
    """The same word is the same other word everywhere, large or small as it was; what is no label stays."""
    text = drifted("<table><tr><th>Price</th><th>PRICE price</th></tr><tr><td>Lamp</td></tr></table>", "localise",
                   locale=locale)  # fmt: skip
    one, two, lamp = (cell.get_text() for cell in BeautifulSoup(text, "lxml").find_all(["th", "td"]))
    assert one.isalpha()
    assert one.lower() != "price"
    assert two == f"{one.upper()} {one.lower()}"
    assert lamp == "Lamp"
    assert drifted("<p>1,249.50</p>", "localise", locale=locale) != "<p>1,249.50</p>"


def test_letters_that_the_charset_lacks_are_written_as_references() -> None:
    """A page in Latin-1 that speaks Russian is still one in Latin-1."""
    reply = Reply.of(200, "<th>Größe</th>".encode("latin-1"), (("Content-Type", "text/html; charset=latin-1"),))
    said = DriftHtml("localise", locale="ru_RU").alter(GET, reply)
    assert said.body.isascii()
    assert any("\u0430" <= letter <= "\u044f" for letter in lxml.html.fromstring(said.body).text_content().lower())


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("text", [PAGE, WILD], ids=["tidy", "wild"])
def test_three_parsers_read_the_drifted_page(operation: str, text: str) -> None:
    """Each finds as many tags as before, but for those that the operation adds or takes; no tag is torn."""
    said = drifted(text, operation, seed=3)
    assert said != text
    for tags in (tags_by_soup, tags_by_lxml, tags_by_lexbor):
        before, after = tags(text), tags(said)
        if operation in ("rename", "localise"):
            assert after == before
        elif operation == "move":
            assert Counter(after) == Counter(before)
        elif operation in ("wrap", "add_column"):
            assert Counter(before) - Counter(after) == Counter()
        else:
            assert Counter(after) - Counter(before) == Counter()


def tags_by_soup(text: str) -> list[str]:
    """The elements of a page, as html.parser gives them."""
    return [tag.name for tag in BeautifulSoup(text, "html.parser").find_all()]


def tags_by_lxml(text: str) -> list[str]:
    """The same, by libxml2."""
    return [str(tag.tag) for tag in lxml.html.document_fromstring(text).iter("*") if isinstance(tag.tag, str)]


def tags_by_lexbor(text: str) -> list[str]:
    """The same, as a browser has them, but for those a browser adds."""
    root = selectolax.lexbor.LexborHTMLParser(text)
    return [node.tag for node in root.css("*") if node.tag not in ("tbody", "colgroup")]


@pytest.mark.parametrize("operation", ["move", "wrap", "remove", "replace"])
def test_without_a_selector_the_seed_chooses_one(operation: str) -> None:
    """An element with a name and with text in it, the same one by the same seed, and not always the same one."""
    found = {drifted(PAGE, operation, seed=seed, text="NEW") for seed in range(12)}
    assert PAGE not in found
    assert len(found) > 1
    assert drifted(PAGE, operation, seed=5) == drifted(PAGE, operation, seed=5)


@given(st.text("<>/=\"' abp1,.&;!-\n", max_size=60), st.sampled_from(OPERATIONS))
def test_no_text_is_too_odd(text: str, operation: str) -> None:
    """Whatever a page holds, it drifts or stays; every element lies inside the one that holds it."""
    assert isinstance(drifted(f"<p>{text}", operation, text="NEW"), str)
    for element in page(text).elements:
        assert element.start < element.inner <= element.inner_end <= element.end <= len(text)
        assert element.parent is None or element.parent.inner <= element.start <= element.end <= element.parent.end


@pytest.mark.parametrize(
    "reply",
    [
        *BODYLESS,
        document({"html": "<html><p class=a>x</p>"}),
        stream(1),
        unreadable(HTML),
        Reply.of(404, PAGE.encode(), HTML),
        Reply.of(200, b"plain words, 1,000", HTML),
        Reply.of(200, b'"<p class=a>1,000</p>"', HTML),
        Reply.of(200, b'<?xml version="1.0"?><rss class="a"></rss>', HTML),
        Reply.of(200, b"<p class=a>1,000</p>", (("Content-Type", "text/plain"),)),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_no_healthy_page_is_not_struck(operation: str, reply: Reply) -> None:
    """JSON, streams, feeds, plain text, error pages: the same reply comes back."""
    fault = DriftHtml(operation)
    assert fault.alter(GET, reply) is reply
    assert verbs_of(fault) == ("alter",)


def test_a_page_is_told_by_its_bytes() -> None:
    """A wrong content type hides no page; a request for the head alone has none."""
    reply = Reply.of(200, b"<!-- x --> <!DOCTYPE html><p class=a>x", (("Content-Type", "text/plain"),))
    assert DriftHtml().alter(GET, reply) != reply
    assert DriftHtml().alter(HEAD, reply) is reply


@pytest.mark.parametrize(
    ("operation", "selector"),
    [("rename", "i"), ("move", "i"), ("wrap", "i"), ("remove", "i"), ("replace", "i"), ("add_column", None),
     ("localise", "i"), ("rename", None)],
)  # fmt: skip
def test_a_page_without_such_an_element_is_not_struck(operation: str, selector: str | None) -> None:
    """Nothing is there to change."""
    reply = Reply.of(200, b"<html><p>word</p></html>", HTML)
    assert DriftHtml(operation, selector).alter(GET, reply) is reply


def test_white_space_alone_is_no_other_page() -> None:
    """An element that would stand where it stands has not moved."""
    reply = Reply.of(200, b"<body>\n<p>1</p>\n</body>", HTML)
    assert DriftHtml("move", "p").alter(GET, reply) is reply


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "shift_jis", "koi8-r"])
def test_bytes_that_are_not_changed_stay(charset: str) -> None:
    """In whatever charset, labelled or not, compressed or not; the length is right."""
    text = {"shift_jis": "<p class=a>ランプ</p>", "koi8-r": "<p class=a>лампа</p>"}.get(charset, "<p class=a>Größe</p>")
    for label in (f"text/html; charset={charset}", "text/html"):
        headers = (("Content-Type", label), ("Content-Length", "1"))
        reply = Reply.of(200, f"<!doctype html>{text}".encode(charset), headers)
        for sent in (reply, gzipped(reply)):
            said = DriftHtml().alter(GET, sent)
            expected = f"<!doctype html>{text.replace('=a>', '=_ca97811>')}".encode(charset)
            assert said.body == expected
            assert said.header("content-length") == str(len(expected))


def test_bytes_of_no_charset_are_kept() -> None:
    """A broken letter is still the same broken letter."""
    reply = Reply.of(200, b"<p class=a>\xff\xfe\x81\xe2\x82</p>", HTML)
    assert DriftHtml().alter(GET, reply).body == b"<p class=_ca97811>\xff\xfe\x81\xe2\x82</p>"


def test_xhtml_warns_nobody() -> None:
    """BeautifulSoup's advice on XML is not the business of the test."""
    text = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><p class="a">x</p></html>'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "_ca97811" in drifted(text, "rename", "p")


@pytest.mark.parametrize(("operation", "damages"), [("remove", "payload"), ("replace", "payload"), ("move", "nothing")])
def test_what_is_gone_is_damage(operation: str, damages: str) -> None:
    """Where all that the page said is still in it, a test that passes was not misled."""
    assert DriftHtml(operation).damages == damages


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"operation": "renamed"},
            three(
                "drift_html: unknown `operation`",
                "'renamed'",
                "did you mean 'rename'? known: add_column, localise, move, remove, rename, replace, wrap",
            ),
        ),
        (
            {"selector": "table["},
            three(
                "drift_html: `selector` must be a CSS selector",
                "'table[' (Malformed attribute selector at position 5)",
                'write it like "table.prices td:nth-of-type(2)"',
            ),
        ),
        (
            {"selector": " "},
            three(
                "drift_html: `selector` must be a CSS selector",
                "' ' (nothing in it)",
                'write it like "table.prices td:nth-of-type(2)"',
            ),
        ),
        (
            {"selector": 3},
            three(
                "drift_html: `selector` must be a CSS selector",
                "3 (not a text)",
                'write it like "table.prices td:nth-of-type(2)"',
            ),
        ),
        ({"text": None}, three("drift_html: `text` must be a text", "None", "put it in quotes")),
        (
            {"locale": "de"},
            three("drift_html: unknown `locale`", "'de'", "known: de_DE, es_ES, fr_FR, ru_RU"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(DriftHtml, chosen) == text


def test_without_beautifulsoup_it_is_made_but_not_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios can be listed without it; where one is used, the error says what to install."""
    find = importlib.util.find_spec
    monkeypatch.setattr("pytest_agentfault.faults._markup.find_spec", lambda n: None if n in ABSENT else find(n))
    fault = DriftHtml("rename", "p")
    missing = three(
        "drift_html finds elements by BeautifulSoup",
        "beautifulsoup4 is not installed",
        "pip install 'pytest-agentfault[html]'",
    )
    assert refusal(fault.ready, {}) == missing
    assert refusal(fault.alter, {"request": GET, "reply": Reply.of(200, PAGE.encode(), HTML)}) == missing


ABSENT = ("bs4", "soupsieve")


def test_a_compressed_page_is_read() -> None:
    """It arrives as plain text, changed."""
    reply = Reply.of(200, gzip.compress(PAGE.encode()), (*HTML, ("Content-Encoding", "gzip")))
    said = DriftHtml("rename", "h1, main").alter(GET, reply)
    assert decoded(said) == PAGE.replace('id="offers"', 'id="_92ab364"').encode()


def explored(operation: str, source: str) -> dict[str, DriftHtml]:
    """The single drifts of a page."""
    fault = DriftHtml(operation, "every-element", text="NEW")
    reply = Reply.of(200, source.encode(), HTML)
    assert (fault.explores, fault.alter(GET, reply)) == (True, reply)
    found = list(fault.each(GET, reply))
    assert len({name for name, _ in found}) == len(found)
    made = [one.alter(GET, reply).body for _, one in found]
    assert len({*made, reply.body}) == len(found) + 1
    assert not any(one.explores for _, one in found)
    return dict(found)


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        ("rename", ["#go", "ul.list", "li.a", "li.a.b", "#part", "#field", "#t", "#prices"]),
        ("move", ["#go", "ul.list", "li.a", "#part", "#field", "#t", "#prices"]),
        ("remove", ["#go", "ul.list", "li.a", "li.a.b", "#part", "#field", "#t", "#prices"]),
        ("replace", ["#go", "ul.list", "li.a", "li.a.b", "#part", "#field", "#t", "#prices"]),
        ("add_column", ["#prices"]),
    ],
)
def test_every_element_that_can_be_told_from_others(operation: str, named: list[str]) -> None:
    """By its id, else by its name and classes; each run changes the page, and each in another way."""
    found = explored(operation, WILD)
    assert list(found) == [f"{operation}:{selector}" for selector in named]
    assert found[f"{operation}:{named[-1]}"] == DriftHtml(operation, named[-1], text="NEW")


def test_names_that_css_cannot_spell_come_back() -> None:
    """The selector in the id leads to the element."""
    source = "<p id='1a:b'>x</p><p class='sm:w-1/2 &amp;'>y</p><p>z</p><td class=c>1</td><svg><g id=no>x</g></svg>"
    found = explored("remove", source)
    assert list(found) == [r"remove:#\31 a\:b", r"remove:p.sm\:w-1\/2.\&", "remove:td.c"]
    assert list(explored("move", "<table><tr><td class=c>1<td class=d>2</table>")) == []


@pytest.mark.parametrize("reply", [*BODYLESS, document({"a": 1})])
def test_what_is_no_page_has_no_elements(reply: Reply) -> None:
    """There is nothing to explore."""
    assert list(DriftHtml(selector="every-element").each(GET, reply)) == []
    assert list(DriftHtml(selector="p").each(GET, Reply.of(200, b"<html><p id=a>x", HTML))) == []


def test_a_word_that_is_nearly_right_is_refused() -> None:
    """What is wrong, what is there, what to do."""
    assert refusal(DriftHtml, {"selector": "every-elements"}) == three(
        "drift_html: unknown `selector`", "'every-elements'", "did you mean 'every-element'?"
    )
