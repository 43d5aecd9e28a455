"""The fault `page_instead`: a wall in front of pages, and of nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from _said import BODYLESS, GET, HEAD, arrives, document, refusal, stream, three

from pytest_agentfault._reply import Reply
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.page_instead import PageInstead
from pytest_agentfault.testing._samples import PAGE

HTML = (("Content-Type", "text/html; charset=utf-8"),)
REPLY = Reply.of(200, PAGE.encode(), (*HTML, ("Set-Cookie", "session=1"), ("ETag", "x")))


def test_the_wall_has_nothing_of_the_page() -> None:
    """Neither its body nor its headers."""
    said = PageInstead(403, text="<p>Stop</p>", headers={"X-Wall": "1"}).alter(GET, REPLY)
    assert (said.status, arrives(said)) == (403, b"<p>Stop</p>")
    assert said.headers == (("Content-Type", "text/html; charset=utf-8"), ("X-Wall", "1"))


def test_without_a_text_the_title_makes_the_page() -> None:
    """Escaped, in a whole page."""
    assert b"<h1>A &lt; B</h1>" in arrives(PageInstead(title="A < B").alter(GET, REPLY))


@pytest.mark.parametrize(
    "reply", [*BODYLESS, document({}), stream(1), Reply.of(404, PAGE.encode(), HTML), Reply.of(200, b"{}", HTML)]
)
def test_only_pages_have_a_wall(reply: Reply) -> None:
    """Other replies pass, and so does the head of a page alone."""
    fault = PageInstead()
    assert fault.alter(GET, reply) is reply
    assert fault.alter(HEAD, REPLY) is REPLY
    assert (verbs_of(fault), fault.damages) == (("alter",), "payload")


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (
            {"code": 99},
            three("page_instead: `code` must be a final status code", "99", "give a number from 200 to 599"),
        ),
        ({"title": 1}, three("page_instead: `title` must be a text", "1", "put it in quotes")),
        ({"text": 1}, three("page_instead: `text` must be a text", "1", "put it in quotes")),
        (
            {"headers": []},
            three("page_instead: `headers` must be a table of texts", "[]", 'write it like { retry-after = "20" }'),
        ),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(PageInstead, chosen) == text
