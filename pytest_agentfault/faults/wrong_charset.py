"""
A page in one charset that says it is in another.

Only pages with a letter beyond ASCII are struck: for all others every charset of the web gives the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .._errors import FaultError
from .._payload import with_payload
from .._reply import Reply, Request
from ._pages import charset_in_label, charset_of, page_of
from ._settings import check_choice, check_line

HOWS: Final = ("label", "bytes")


@dataclass(frozen=True, slots=True)
class WrongCharset:
    """The client gets a page whose letters beyond ASCII are not in the charset that its label names.

    Args:
        how: `"label"`: not a byte of the page changes, but the head names `charset`; a client that
            reads the page's own `<meta>`, or looks at the bytes, still reads it right. `"bytes"`: the
            page is written in `charset`, and everything goes on naming the old one.
        charset: the charset, by a name of the Encoding standard.

    Raises:
        FaultError: a setting has a wrong value, or there is no such charset.

    Source: WHATWG HTML section 13.2.3; RFC 9110 section 8.3.2.
    """

    how: str = "label"
    charset: str = "iso-8859-1"

    def __post_init__(self) -> None:
        check_choice("wrong_charset", "how", self.how, HOWS)
        check_line("wrong_charset", "charset", self.charset)
        try:
            "a".encode(self.charset)
        except LookupError:
            raise FaultError(
                "wrong_charset: `charset` must be a charset",
                repr(self.charset),
                'name one, such as "iso-8859-1", "windows-1252", "shift_jis" or "utf-8"',
            ) from None

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The page under the wrong name; the same reply where that makes no difference, or it is no page."""
        body = page_of(request, reply)
        if body is None or body.isascii():
            return reply
        charset = charset_of(reply, body)
        text = body.decode(charset)
        if self.how == "bytes":
            written = text.encode(self.charset, "xmlcharrefreplace")
            named = charset_in_label(reply) or charset
            same = written.isascii() or written.decode(named, "replace") == text
            return reply if same else with_payload(reply, written)
        if body.decode(self.charset, "replace") == text:
            return reply
        kind = reply.header("content-type").partition(";")[0].strip() or "text/html"
        return reply.with_header("content-type", f"{kind}; charset={self.charset}")
