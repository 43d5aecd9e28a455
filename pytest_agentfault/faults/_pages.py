"""
Which replies are web pages, and their text without losing a byte of it.

Rule: what is not changed comes back as it was. A text is decoded only in a
charset that gives the very same bytes again.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from .._payload import decoded, has_body, parsed, with_payload
from .._reply import Reply, Request

HTML: Final = ("text/html", "application/xhtml+xml")
DOCUMENT: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<!--.*?-->|<\?xml[^>]*>)*+<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)
TAG: Final = re.compile(rb"<[a-zA-Z!]")
IN_LABEL: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
IN_PAGE: Final = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
PRESCAN: Final = 1024  # WHATWG HTML 13.2.3.2: how far into a page its own word on its charset is looked for
BOM: Final = b"\xef\xbb\xbf"  # of UTF-8; pages in UTF-16 are next to none, and pass as no pages
KEEPS_ALL: Final = "latin-1"


def page_of(request: Request, reply: Reply) -> bytes | None:
    """The bytes of a healthy web page, content coding undone; None where the reply is none, whatever its label says."""
    if not has_body(request, reply) or not 200 <= (reply.status or 0) < 300:
        return None
    body = decoded(reply) or b""
    if DOCUMENT.match(body):
        return body
    kind = reply.header("content-type").partition(";")[0].strip().lower()
    is_one = kind in HTML and TAG.search(body) is not None and not isinstance(parsed(body), dict | list | str)
    return body if is_one and not body.lstrip().startswith(b"<?xml") else None


def charset_in_label(reply: Reply) -> str:
    """The charset that the head names; empty where it names none."""
    found = IN_LABEL.search(reply.header("content-type"))
    return _known(found[1]) if found else ""


def charset_of(reply: Reply, body: bytes) -> str:
    """The charset a reader takes for a page: its byte order mark, its label, its own word, or what its bytes are."""
    marked = "utf-8" if body.startswith(BOM) else ""
    meant = IN_PAGE.search(body[:PRESCAN])
    own = _known(meant[1].decode("ascii", "replace")) if meant else ""
    for name in (marked, charset_in_label(reply), own, "utf-8", "cp1252"):
        if name and _fits(name, body):
            return name
    return KEEPS_ALL


def with_text(reply: Reply, text: str, charset: str) -> Reply:
    """The same reply with this text; letters its charset lacks become character references."""
    return with_payload(reply, text.encode(charset, "xmlcharrefreplace"))


def _known(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return ""
    return "cp1252" if known in ("iso8859-1", "ascii") else known  # WHATWG Encoding 4.2: how browsers take the labels


def _fits(name: str, body: bytes) -> bool:
    try:
        return body.decode(name).encode(name) == body
    except (UnicodeError, LookupError):  # a codec may also be one of bytes, such as hex
        return False
