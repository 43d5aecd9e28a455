"""
Where the next page is: cursors, tokens and links in a reply, and what the request itself asked for.

Names only: vendors agree on no shape for pages, but their names are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from json import dumps
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from .._payload import parsed, written
from .._reply import Request
from ._values import alike

# What a reply calls the way to its next page, as letters in lower case; and what a request calls the page it wants.
NEXT: Final = re.compile(
    r"after|continuation(token)?|cursor|endcursor|(odata)?next(cursor|link|marker|page(id|token|url)?|recordsurl|token|url)?"
    r"|paginationtoken"
)
WANTED: Final = re.compile(rf"{NEXT.pattern}|idafter|marker|pageinfo|pagetoken|skiptoken|startcursor|startingafter")
NUMBERED: Final = re.compile(r"(page)?offset|page(index|no|number)?|skip|start(at|index)?")
MORE: Final = re.compile(r"hasmore|hasnext(page)?")
LAST: Final = re.compile(r"(is)?last(page)?|done")


def is_cursor(value: Any, key: object) -> bool:
    """True for what leads to the next page."""
    return (
        NEXT.fullmatch(_plain(key)) is not None
        and isinstance(value, str | int)
        and not isinstance(value, bool)
        and value != ""
    )


def no_page(value: Any, random: Random) -> Any:
    """A cursor of the same shape that leads to no page."""
    if isinstance(value, int):
        return value + random.randint(10**6, 10**7)
    head, question, query = value.rpartition("?")
    if question:
        pairs = parse_qsl(query, keep_blank_values=True)
        # A link whose page nobody could name by its parameter has it in one of them all the same.
        asks = {name for name, _ in pairs if _asks_page(name)} or {name for name, _ in pairs}
        changed = [(name, _elsewhere(text, random) if name in asks else text) for name, text in pairs]
        if changed != pairs:
            return f"{head}?{urlencode(changed)}"
    head, slash, tail = value.rpartition("/") if "://" in value or value.startswith("/") else ("", "", value)
    moved = alike(tail, random)
    return f"{head}{slash}{moved if moved != tail else tail + '0'}"


def _elsewhere(text: str, random: Random) -> str:
    number = _number(text)
    return alike(text, random) if number is None else str(no_page(number, random))


def same_page(value: Any, request: Request) -> Any:
    """The cursor that leads to the very page that was asked for; None: the request does not say it."""
    if isinstance(value, int):
        return next((n for n in map(_number, _asked(request, NUMBERED, WANTED)) if n is not None), value - 1)
    if "://" in value:
        return request.url
    if value.startswith("/"):
        parts = urlsplit(request.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return next((text for text in _asked(request, WANTED) if isinstance(text, str) and text), None)


def promises(holder: Any, more: bool) -> dict[str, bool]:
    """What stands beside the cursor and says whether this page is the last, and what it would say."""
    flags = [key for key, there in holder.items() if isinstance(there, bool)] if isinstance(holder, dict) else []
    said = {key: more for key in flags if MORE.fullmatch(_plain(key))}
    return {**said, **{key: not more for key in flags if LAST.fullmatch(_plain(key))}}


def first_page_of(request: Request) -> Request:
    """The same request for the first page: as if the vendor did not know what says which page is wanted."""
    head, question, query = request.url.partition("?")
    kept = "&".join(pair for pair in query.split("&") if not _asks_page(pair.partition("=")[0]))
    url = f"{head}{question if kept else ''}{kept}"
    value = parsed(request.body) if request.body else None
    parts = _parts(value) if isinstance(value, dict) else []
    pages = [(part, key) for part in parts for key in part if _asks_page(key) and part[key] not in (None, "", 0)]
    if not pages:
        return request if url == request.url else replace(request, url=url)
    for part, key in pages:
        if part is value:
            del part[key]
        else:
            part[key] = None  # a GraphQL variable, which the query declares
    body = _in_the_style_of(request.body)(value).encode()
    headers = tuple((n, str(len(body)) if n.lower() == "content-length" else v) for n, v in request.headers)
    return replace(request, url=url, headers=headers, body=body)


def _in_the_style_of(body: bytes) -> Callable[[Any], str]:
    """How this client writes JSON: recordings are matched by the text, too."""
    styles: tuple[Callable[[Any], str], ...] = (written, dumps, partial(dumps, separators=(",", ":")))
    return next((style for style in styles if style(parsed(body)).encode() == body), written)


def _asked(request: Request, *names: re.Pattern[str]) -> Iterator[Any]:
    """What a request says under one of these names, in its query or its JSON body."""
    value = parsed(request.body) if request.body else None
    said = [pair for part in _parts(value) for pair in part.items()] if isinstance(value, dict) else []
    for name, told in (*parse_qsl(urlsplit(request.url).query), *said):
        if any(pattern.fullmatch(_plain(name)) for pattern in names):
            yield told


def _parts(value: dict[str, Any]) -> list[dict[str, Any]]:
    variables = value.get("variables")  # of a GraphQL request
    return [value, variables] if isinstance(variables, dict) else [value]


def _asks_page(name: str) -> bool:
    return WANTED.fullmatch(_plain(name)) is not None or NUMBERED.fullmatch(_plain(name)) is not None


def _number(value: Any) -> int | None:
    return int(value) if re.fullmatch(r"\d{1,15}", str(value)) else None


def _plain(key: object) -> str:
    return re.sub(r"[^a-z]", "", key.lower()) if isinstance(key, str) else ""
