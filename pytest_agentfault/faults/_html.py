"""
A page in the place of a reply: what the faults that put one there share.

Where they are given none, it is the plainest page.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from .._reply import Reply
from ._answer import HTML, said
from ._settings import check_code, check_headers, check_text


def check_page(fault: str, code: int, title: str, text: str | None, headers: Mapping[str, str]) -> None:
    """The settings of a page are such that it can be sent."""
    check_code(fault, code)
    check_text(fault, "title", title)
    check_text(fault, "text", text, optional=True)
    check_headers(fault, headers)


def page_said(code: int, title: str, text: str | None, headers: Mapping[str, str]) -> Reply:
    """The reply with this page; without a `text`, one that has this title and heading."""
    return said(code, _plain(title) if text is None else text, HTML, headers)


def _plain(title: str) -> str:
    title = escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body>\n<h1>{title}</h1>\n</body>\n</html>\n"
    )
