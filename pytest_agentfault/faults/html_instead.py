"""
A web page where JSON was due: the login page, the proxy's error page, the maintenance page.

The default page is deliberately plain HTML; a vendor's own page is data, given as `text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from .._reply import Reply, Request
from ._html import check_page, page_said


@dataclass(frozen=True, slots=True)
class HtmlInstead:
    """The client gets an HTML page, often under a 200, where it expected JSON.

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
    title: str = "Sign in"
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_page("html_instead", self.code, self.title, self.text, self.headers)

    def answer(self, request: Request) -> Reply:
        """The reply in the vendor's place."""
        return page_said(self.code, self.title, self.text, self.headers)
