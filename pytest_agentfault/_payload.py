"""
What a reply says, behind its coding and framing: JSON, events, and places in the bytes.

Faults look at replies through this file only. Rule 1: believe the bytes before
the headers; recordings lie about both content type and content coding. Rule 2:
everything is pure, and reads a cut-off body as far as it goes.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from importlib import import_module
from itertools import pairwise
from json import dumps, loads
from typing import Any, Final

from ._reply import Data, Event, Head, Reply, Request
from ._script import is_bodyless

EOL: Final = rb"(?:\r\n|\r(?!\n)|\n)"  # WHATWG HTML 9.2.5: the three line ends of an event stream
EVENT: Final = re.compile(rb"%b*(?:[^\r\n]++%b?)*+%b*" % (EOL, EOL, EOL))
LINE: Final = re.compile(rb"(.*?)(%b|\Z)" % EOL, re.DOTALL)
FIRST: Final = re.compile(rb"\S")
LOOKS_LIKE_EVENTS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:(?:data|event|id|retry)?:)")
EVENT_STREAM: Final = "text/event-stream"
FRAMES: Final = "application/vnd.amazon.eventstream"  # https://smithy.io/2.0/aws/amazon-eventstream.html
NDJSON_TYPES: Final = ("ndjson", "jsonl", "json-lines", "stream+json", "jsonlines", "json-seq")


class Missing(Enum):
    """The type of MISSING: no JSON there, as opposed to the JSON value null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


def has_body(request: Request, reply: Reply) -> bool:
    """True when the client will read at least one body byte of this reply."""
    status = reply.status
    if status is None or is_bodyless(request, status):
        return False
    return any(event.data for event in reply.events if isinstance(event, Data))


def decoded(reply: Reply) -> bytes | None:
    """The body with its content coding undone; None where that cannot be done here."""
    body = reply.body
    for coding in reversed(reply.header("content-encoding").lower().replace(" ", "").split(",")):
        undo = CODINGS.get(coding)
        if undo is None:
            return body if coding in ("", "identity") or _is_text(body) else None
        undone = undo(body)
        if undone is None:
            return None
        body = undone
    return body


def is_encoded(reply: Reply) -> bool:
    """True when the body bytes are not the text itself: a content coding is really applied."""
    return decoded(reply) != reply.body


def with_payload(reply: Reply, body: bytes) -> Reply:
    """The same reply with this body, in one piece and without content coding.

    What a cut-off reply lacks of its promised length it still lacks.
    """
    return with_pieces(reply, [body])


def with_pieces(reply: Reply, pieces: Sequence[bytes]) -> Reply:
    """The same, in these pieces."""
    promised = reply.header("content-length")
    missing = int(promised) - len(reply.body) if promised.isdigit() and not reply.whole else 0
    said = reply.with_data(pieces).with_header("content-encoding", None)
    return said.with_header("content-length", str(sum(map(len, pieces)) + max(0, missing))) if promised else said


def plain(reply: Reply) -> Reply | None:
    """The same reply without content coding, the same one where there is none; None where it cannot be undone."""
    body = decoded(reply)
    if body is None:
        return None
    return reply if body == reply.body else with_payload(reply, body)


def json_of(reply: Reply) -> Any:
    """The JSON value of the whole body, or MISSING. A bare scalar counts only under a JSON content type."""
    body = decoded(reply)
    value = parsed(body) if body else MISSING
    if isinstance(value, dict | list) or "json" in reply.header("content-type").lower():
        return value
    return MISSING


def is_json(reply: Reply) -> bool:
    """True when the whole body is one JSON value."""
    return json_of(reply) is not MISSING


def is_event_stream(reply: Reply) -> bool:
    """True when the body is server-sent events, whatever the content type says."""
    body = decoded(reply) or b""
    if reply.header("content-type").lower().startswith(EVENT_STREAM):
        first = FIRST.search(body)
        return first is not None and first[0] not in (b"{", b"[", b"<")
    return LOOKS_LIKE_EVENTS.match(body) is not None and b"data:" in body and len(events_of(body)) > 1


def is_ndjson(reply: Reply) -> bool:
    """True when the body is one JSON value per line."""
    lines = [line for line in (decoded(reply) or b"").split(b"\n") if line.strip()]
    declared = any(kind in reply.header("content-type").lower() for kind in NDJSON_TYPES)
    if not lines or not lines[0].lstrip().startswith(b"{") or (len(lines) < 2 and not declared):
        return False
    return isinstance(parsed(lines[0]), dict) and (declared or all(parsed(x) is not MISSING for x in lines[1:-1]))


def is_stream(reply: Reply) -> bool:
    """True when the body is a stream of events: server-sent, or a JSON value per line."""
    return is_event_stream(reply) or is_ndjson(reply)


def stream_of(request: Request, reply: Reply) -> Reply | None:
    """The reply as its reader has it, coding undone, where it is a stream of events or lines; None: it is not."""
    said = plain(reply)
    return said if said is not None and is_stream(said) and has_body(request, said) else None


def is_frames(reply: Reply) -> bool:
    """True when the body is a stream of AWS's binary events, which are no text (Bedrock's answers, piece by piece)."""
    return bool(reply.body) and reply.header("content-type").lower().startswith(FRAMES)


def events_of(body: bytes) -> list[bytes]:
    """The events of a stream, each with the blank line (or line end) that closes it; joined they are the body."""
    if body.lstrip()[:1] in (b"{", b"["):
        return [piece for piece in re.split(rb"(?<=\n)", body) if piece]
    return [event for event in EVENT.findall(body) if event]


def data_of(event: bytes) -> bytes | None:
    """What an event carries: its joined `data` lines, or the JSON line; None for a comment or a mere field."""
    if event.lstrip()[:1] in (b"{", b"["):
        return event.strip()
    found = [value for field, value in _fields(event) if field == b"data"]
    return b"\n".join(found) if found else None


def with_data_of(event: bytes, data: bytes) -> bytes:
    """The same event carrying this instead; its other fields and its line ends stay."""
    if event.lstrip()[:1] in (b"{", b"["):
        return data + event[len(event.rstrip()) :]
    made, placed = [], False
    for text, end in _lines(event):
        if not text.removeprefix(b"\xef\xbb\xbf").startswith((b"data:", b"data\r", b"data\n")) and text != b"data":
            made.append(text + end)
        elif not placed:
            placed = True
            made += [b"data: " + piece + (end or b"\n") for piece in data.split(b"\n")]
    return b"".join(made)


def line_end_of(body: bytes) -> bytes:
    """The line end a stream uses."""
    first = next(_lines(body), (b"", b""))[1]
    return first or b"\n"


def parsed(text: bytes | str) -> Any:
    """The JSON value of a text, or MISSING."""
    try:
        return loads(text)
    except (ValueError, RecursionError):  # a UnicodeDecodeError is a ValueError too
        return MISSING


def written(value: Any) -> str:
    """The JSON text of a value, the way servers write it: compact, and escaped only where UTF-8 has no form for it."""
    text = dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return dumps(value, separators=(",", ":"))
    return text


def cut_at(reply: Reply, places: Iterable[int]) -> Reply:
    """The same reply with more `Data` boundaries: one at each of these offsets in the body."""
    wanted = sorted(set(places))
    events: list[Event] = []
    end = 0
    for event in reply.events:
        if not isinstance(event, Data):
            events.append(event)
            continue
        start, end = end, end + len(event.data)
        inside = wanted[bisect_right(wanted, start) : bisect_left(wanted, end)]
        bounds = [0, *(place - start for place in inside), len(event.data)]
        events += [Data(event.data[a:b]) for a, b in pairwise(bounds)]
    return Reply(tuple(events))


def up_to(reply: Reply, place: int) -> tuple[Event, ...]:
    """The events of a reply before this offset in its body, without its end."""
    kept: list[Event] = []
    at, in_body = 0, False
    for event in cut_at(reply, [place]).events[:-1]:
        size = len(event.data) if isinstance(event, Data) else 0
        if at + size > place or (in_body and at >= place):
            break
        at += size
        in_body = in_body or isinstance(event, Head)
        kept.append(event)
    return tuple(kept)


def behind(reply: Reply, place: int) -> tuple[Event, ...]:
    """The events of a reply from this offset in its body on, with its end."""
    return cut_at(reply, [place]).events[len(up_to(reply, place)) :]


def _fields(event: bytes) -> Iterator[tuple[bytes, bytes]]:
    for text, _ in _lines(event.removeprefix(b"\xef\xbb\xbf")):
        field, _, value = text.partition(b":")
        yield field, value.removeprefix(b" ")


def _lines(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((found[1], found[2]) for found in LINE.finditer(text) if found[0])


def _is_text(body: bytes) -> bool:
    """True when these bytes can be the plain text that a lying content-encoding stands over."""
    try:
        return not re.search(r"[\x00-\x08\x0e-\x1f]", body.decode())
    except UnicodeDecodeError:
        return False


def _gunzipped(body: bytes) -> bytes | None:
    return _inflated(body, 31) if body[:2] == b"\x1f\x8b" else body


def _undeflated(body: bytes) -> bytes | None:
    if _is_text(body):
        return body
    undone = _inflated(body, 15)
    return _inflated(body, -15) if undone is None else undone  # RFC 9110 section 8.4.1.2: some send the raw form


def _inflated(body: bytes, bits: int) -> bytes | None:
    undone = []
    while body:
        machine = zlib.decompressobj(bits)
        try:
            undone.append(machine.decompress(body))
        except zlib.error:
            return b"".join(undone) or None
        body = machine.unused_data
    return b"".join(undone)


def _unbrotlied(body: bytes) -> bytes | None:
    return body if _is_text(body) else _by_module(("brotli", "brotlicffi"), body)


def _unzstd(body: bytes) -> bytes | None:
    if body[:4] != b"\x28\xb5\x2f\xfd":
        return body
    return _by_module(("compression.zstd", "backports.zstd", "zstandard"), body)


def _by_module(names: tuple[str, ...], body: bytes) -> bytes | None:
    """Undo a coding with the first of these modules that is installed: none of them is a dependency."""
    for name in names:
        try:
            undone = import_module(name).decompress(body)
        except Exception:  # noqa: S112  # each has an error class of its own, and none may be there
            continue
        return bytes(undone)
    return None


CODINGS: Final[dict[str, Callable[[bytes], bytes | None]]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _undeflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
