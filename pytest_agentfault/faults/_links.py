"""
The way to the next page in a reply's head: `Link: <https://...>; rel="next"`.

GitHub, GitLab, Okta and Shopify page so. The head's other links, the parameters and the
body stay as they are. Sources: RFC 8288 section 3;
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api,
https://developer.okta.com/docs/api/#link-header (each link a header of its own).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Final

from .._reply import Reply, Request
from ._cursors import no_page, same_page

PLACE: Final = "Link rel=next"  # what settings, ids and tables call it
LINK: Final = re.compile(r'(\s*,\s*)?<([^>]*)>((?:\s*;\s*[^\s;,="]+(?:\s*=\s*(?:"(?:\\.|[^"\\])*"|[^\s;,"]*))?)*)')
REL: Final = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))', re.IGNORECASE)

# Where the link leads instead; empty: there is none.
WAYS: Final[dict[str, Callable[[str, Request, Random], str]]] = {
    "remove": lambda url, request, random: "",
    "new_cursor": lambda url, request, random: str(no_page(url, random)),
    "loop_cursor": lambda url, request, random: str(same_page(url if "://" in url else "/", request)),
}


def relinked(operation: str, reply: Reply, request: Request, seed: int) -> Reply:
    """The reply with another way to the next page in its head; the same one where it has none there."""
    way = WAYS.get(operation)
    if way is None:
        return reply

    def link(found: re.Match[str]) -> str:
        before, url, parameters = found.groups("")
        if not _leads_on(parameters):
            return found[0]
        new = way(url, request, Random(seed))
        return f"{before}<{new}>{parameters}" if new else ""

    said = [(name, LINK.sub(link, value) if name.lower() == "link" else value) for name, value in reply.headers]
    if tuple(said) == reply.headers:
        return reply
    told = ((name, value.lstrip(" ,") if name.lower() == "link" else value) for name, value in said)
    return reply.with_headers((name, value) for name, value in told if value or name.lower() != "link")


def _leads_on(parameters: str) -> bool:
    """Whether a link's relation types have `next` among them."""
    found = REL.search(parameters)
    return found is not None and "next" in (found[1] or found[2] or "").lower().split()
