"""
What one recorded interaction says, whatever its recorder made of it.

Cassettes in the wild lie: a gzip header over plain bytes, values that are lists
or not, bodies in five spellings. Each spelling is read here, once, into a
request's parts or a `Reply`; what cannot be understood raises `BrokenError` with
the cause, and the caller adds the file and the number of the interaction.

Rule: nothing is guessed. A new spelling gets its own `case`, with the recorder
that writes it named beside it.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from .._reply import Headers, Reply, first_of
from .._reply import Request as Asked
from .._script import FRAMING, TOKEN, is_bodyless

BODY_LIMIT: Final = 256 * 1024 * 1024
FOLD: Final = re.compile(r"\s*[\r\n]+\s*")  # RFC 9112 section 5.2: a folded line is one line
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class BrokenError(ValueError):
    """An interaction cannot be understood; the text is the cause."""


def halves_of(interaction: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The recorded request and response of one interaction."""
    match interaction:
        case {"request": Mapping() as request, "response": Mapping() as response}:
            return request, response
        case Mapping():
            missing = [half for half in ("request", "response") if not isinstance(interaction.get(half), Mapping)]
            keys = ", ".join(map(str, interaction)) or "none"
            raise BrokenError(f"it has no {' and no '.join(missing)} (its keys: {keys})")
    raise BrokenError(f"it is a {type(interaction).__name__}, not a table of request and response")


def method_and_uri_of(request: Mapping[str, Any]) -> tuple[str, str]:
    """The method, in capitals, and the absolute URI; go-vcr and ExVCR write `url`, Ruby's VCR small letters."""
    method, uri = request.get("method"), request.get("uri", request.get("url"))
    if not isinstance(method, str) or not method:
        raise BrokenError(f"its request's method is {method!r}")
    if not isinstance(uri, str) or not uri:
        raise BrokenError(f"its request's uri is {uri!r}")
    try:
        parts = urlsplit(uri)
        known = bool(parts.hostname) and (parts.port or True)
    except ValueError as error:
        raise BrokenError(f"its request's uri {uri!r} cannot be read: {error}") from error
    if not known:
        raise BrokenError(f"its request's uri {uri!r} has no host")
    return method.upper(), uri


def reply_of(response: Mapping[str, Any], method: str) -> Reply:
    """The recorded response as a legal reply: one `Data`, true content coding, no framing headers.

    Framing is left out because `encode` writes it anew; only a reply without a
    body (HEAD, 204, 304) keeps its content-length, which nobody can recompute.

    Raises:
        BrokenError: it has no usable status, or its headers or body cannot be read.
    """
    status, reason = _status_of(response)
    bodyless = is_bodyless(Asked(method, ""), status)
    body = b"" if bodyless else body_of(response)
    headers = clean(pairs_of(response.get("headers")))
    length = first_of(headers, "content-length")
    coding = first_of(headers, "content-encoding")
    drop = set(FRAMING)
    if bodyless and length.isdigit():
        drop.discard("content-length")
    if coding and not bodyless and not is_coded(body, coding):
        drop.add("content-encoding")
    return Reply.of(status, body, tuple(h for h in headers if h[0].lower() not in drop), reason)


def _status_of(response: Mapping[str, Any]) -> tuple[int, str]:
    reason: object = ""
    match response.get("status", response.get("status_code", response.get("code"))):
        case {"code": code, **rest}:
            reason = rest.get("message")
        case str(line):  # go-vcr: "200 OK"
            code, _, reason = line.partition(" ")
        case code:
            pass
    try:
        number = int(code)
    except (TypeError, ValueError):
        raise BrokenError(f"its response's status is {code!r}") from None
    if not 200 <= number <= 999:
        raise BrokenError(f"its response's status {number} ends no exchange in HTTP/1.1")
    text = FOLD.sub(" ", reason).strip() if isinstance(reason, str) else ""
    return number, "" if CONTROL.search(text) or not _fits_latin1(text) else text


def pairs_of(headers: Any) -> Headers:
    """Name and value of each header line: from a table of lists or of texts, from pairs, from `Name: value` lines."""
    lines: Iterable[tuple[Any, Any]]
    match headers:
        case None:
            return ()
        case Mapping():
            lines = headers.items()
        case list() | tuple():  # vcrpy's old tornado stub: tuples; vcrpy before 1.0: whole lines
            lines = [_pair(line) for line in headers]
        case _:
            raise BrokenError(f"its headers are a {type(headers).__name__}, not a table")
    return tuple((_text(name), _text(value)) for name, values in lines for value in _each(values))


def _pair(line: Any) -> tuple[Any, Any]:
    match line:
        case str() if ":" in line:
            name, _, value = line.partition(":")
            return name, value
        case [name, value]:
            return name, value
    raise BrokenError(f"its header line {line!r:.80} is not a name and a value")


def _each(values: Any) -> list[Any] | tuple[Any, ...]:
    return values if isinstance(values, list | tuple) else (values,)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bytes():
            return value.decode("latin-1")
        case bool() | int() | float():
            return str(value)
        case date():
            return value.isoformat()
    raise BrokenError(f"its headers hold a {type(value).__name__} where a text must be")


def clean(headers: Headers) -> Headers:
    """The header lines as a client's parser takes them: no HTTP/2 pseudo-headers, folded lines made one."""
    kept = []
    for name, value in headers:
        name, value = name.strip(), FOLD.sub(" ", value).strip()
        if name.startswith(":"):  # RFC 9113 section 8.3: `:status` and its kind belong to HTTP/2
            continue
        if not name or not name.isascii() or not TOKEN.issuperset(name.encode()):
            raise BrokenError(f"{name!r} is not a header's name (RFC 9110 section 5.6.2)")
        if CONTROL.search(value):
            raise BrokenError(f"the value of its header {name} holds a control character")
        kept.append((name, value if _fits_latin1(value) else value.encode().decode("latin-1")))
    return tuple(kept)


def _fits_latin1(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def body_of(half: Mapping[str, Any]) -> bytes:
    """The body bytes of a recorded request or response, content coding still applied."""
    if half.get("body") is None and "parsed_body" in half:  # pydantic-ai's serializer
        return _json(half["parsed_body"])
    return bytes_of(half.get("body", half.get("content")))  # `content`: vcrpy's httpx stub before 6.0


def bytes_of(body: Any) -> bytes:
    """A body in any of the spellings recorders use, as bytes."""
    match body:
        case None:
            return b""
        case bytes() | bytearray():
            return bytes(body)
        case str():
            return body.encode("utf-8", "surrogatepass")
        case bool() | int() | float():  # a hand-written `string: 42`
            return json.dumps(body).encode()
        case {"base64_string": str(text)} if text:  # betamax
            return _unbase64(text)
        case {"string": str(text), "encoding": str(codec)}:  # Ruby's VCR, betamax
            return _encoded(text, codec)
        case {"string": inner} if not isinstance(inner, Mapping):
            return bytes_of(inner)
        case Mapping() if body:
            raise BrokenError(f"its body is a table without a `string` (its keys: {', '.join(map(str, body))})")
        case Mapping():
            return b""
        case _ if callable(getattr(body, "read", None)):  # vcrpy: a file that was uploaded
            return bytes_of(body.read())
        case Iterator():  # vcrpy: an upload from a generator
            return b"".join(bytes_of(piece) for piece in body)
    raise BrokenError(f"its body is a {type(body).__name__}, not text or bytes")


def _unbase64(text: str) -> bytes:
    try:
        return b64decode(text)
    except ValueError as error:
        raise BrokenError(f"its base64_string is not base64: {error}") from error


def _encoded(text: str, codec: str) -> bytes:
    try:
        return text.encode(codec)
    except (LookupError, UnicodeError):
        return text.encode("utf-8", "surrogatepass")


def _json(value: Any) -> bytes:
    """A parsed body as JSON again; bounded, since a few YAML aliases can stand for gigabytes."""
    pieces, size = [], 0
    try:
        for piece in json.JSONEncoder(ensure_ascii=False, default=_iso).iterencode(value):
            pieces.append(piece)
            size += len(piece)
            if size > BODY_LIMIT:
                raise BrokenError(f"its parsed_body is more than {BODY_LIMIT >> 20} MiB of JSON")
    except (TypeError, RecursionError) as error:
        raise BrokenError(f"its parsed_body is not JSON: {error}") from error
    except ValueError as error:
        raise (
            error if isinstance(error, BrokenError) else BrokenError(f"its parsed_body is not JSON: {error}")
        ) from error
    return "".join(pieces).encode("utf-8", "surrogatepass")


def _iso(value: Any) -> str:
    if isinstance(value, date):  # YAML reads an unquoted date as one
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} stands in it")


def is_coded(body: bytes, codings: str) -> bool:
    """Whether the bytes really are in the coding that was applied last (RFC 9110 section 8.4)."""
    coding = codings.rsplit(",", 1)[-1].strip().lower()
    if coding == "identity":
        return True
    if coding in ("gzip", "x-gzip"):
        return body.startswith(b"\x1f\x8b")  # RFC 1952 section 2.3.1
    if coding == "zstd":
        return body.startswith(b"\x28\xb5\x2f\xfd")  # RFC 8878 section 3.1.1
    if coding == "deflate":
        return _inflates(body, zlib.MAX_WBITS) or _inflates(body, -zlib.MAX_WBITS)
    if coding == "br" and (brotli := _brotli()) is not None:
        try:
            brotli.decompress(body)
        except brotli.error:
            return False
        return True
    return bool(body) and not _looks_like_text(body)


def _inflates(body: bytes, window: int) -> bool:
    inflating = zlib.decompressobj(window)
    try:
        inflating.decompress(body)
    except zlib.error:
        return False
    return inflating.eof


def _brotli() -> Any | None:
    for name in ("brotli", "brotlicffi"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _looks_like_text(body: bytes) -> bool:
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False
