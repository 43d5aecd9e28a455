"""
The plainest page: what the faults that put a page in the place of a reply show where they are given none.
"""

from __future__ import annotations

from html import escape


def plain_page(title: str) -> str:
    """A whole page with this title and heading."""
    title = escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body>\n<h1>{title}</h1>\n</body>\n</html>\n"
    )
