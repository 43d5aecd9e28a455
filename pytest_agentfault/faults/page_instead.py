"""
Another page in front of the page: a consent wall, a sign-in form, a challenge for bots.

The pages themselves are data, in scenarios. `html_instead` answers whatever is asked; this one stands in
front of pages only, so what a page loads beside itself (JSON, images) passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from .._reply import Reply, Request
from ._html import check_page, page_said
from ._pages import page_of


@dataclass(frozen=True, slots=True)
class PageInstead:
    """The client gets this page in place of the web page it asked for; replies that are no HTML pages pass.

    Args:
        code: status code, 200 to 599.
        title: the title and heading of the page.
        text: the whole page, verbatim, in place of the one made from `title`.
        headers: header fields; a `content-type` here wins over `text/html; charset=utf-8`.

    Raises:
        FaultError: a setting has a wrong type or value.
    """

    damages: ClassVar[str] = "payload"

    code: int = 200
    title: str = "Before you continue"
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_page("page_instead", self.code, self.title, self.text, self.headers)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """This page; the same reply where it is no page."""
        if page_of(request, reply) is None:
            return reply
        return page_said(self.code, self.title, self.text, self.headers)
