"""The fault `html_instead`: a page where JSON was due."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from _said import GET, arrives, refusal, three

from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.html_instead import HtmlInstead


def titles(page: str) -> list[str]:
    """The texts a browser would show for title and heading."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            if data.strip():
                found.append(data)

    Reader(convert_charrefs=True).feed(page)
    return found


@pytest.mark.parametrize("title", ["Sign in", "Größe <b>& more"])
def test_the_page_has_the_title(title: str) -> None:
    """Title and heading say it, escaped as HTML wants it."""
    fault = HtmlInstead(title=title)
    reply = fault.answer(GET)
    assert (reply.status, reply.headers) == (200, (("Content-Type", "text/html; charset=utf-8"),))
    assert titles(arrives(reply).decode()) == [title, title]
    assert verbs_of(fault) == ("answer",)


def test_a_page_of_the_vendors_own_is_sent_as_it_is() -> None:
    """Text, code and headers as given."""
    reply = HtmlInstead(503, text="<h1>Maintenance", headers={"content-type": "text/html"}).answer(GET)
    assert (reply.status, reply.headers, reply.body) == (503, (("content-type", "text/html"),), b"<h1>Maintenance")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"code": 0}, three("html_instead: `code` must be a final status code", "0", "give a number from 200 to 599")),
        ({"title": None}, three("html_instead: `title` must be a text", "None", "put it in quotes")),
        ({"text": 5}, three("html_instead: `text` must be a text", "5", "put it in quotes")),
        (
            {"headers": {"": "x"}},
            three("html_instead: not a header name", "''", "use letters, digits and hyphens (RFC 9110 section 5.1)"),
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(HtmlInstead, settings) == text
