"""
AWS's binary events: where each message of such a stream ends, what it says, and how one is written.

A message is a prelude of 12 bytes (its length, that of its headers, a checksum of
both), headers, a payload, and a checksum of all before it. What does not add up is
no message: the walk stops there, and whatever is behind it stays one piece.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final
from zlib import crc32

from .._payload import data_of, events_of, has_body, stream_of
from .._reply import Reply, Request

# https://smithy.io/2.0/aws/amazon-eventstream.html: lengths and checksums are big-endian, and 32 bits wide.
PRELUDE: Final = struct.Struct(">III")
CHECKSUM: Final = struct.Struct(">I")
TEXT: Final = 7  # the type of a header whose value is a text
KINDS: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: None, TEXT: None, 8: 8, 9: 16}  # size of a value; None: it says


def streamed(request: Request, reply: Reply) -> Reply | None:
    """The reply as its reader has it where it is a stream of events, lines or messages; None: it is not."""
    said = stream_of(request, reply)
    return reply if said is None and frames_of(reply.body) and has_body(request, reply) else said


def pieces_of(body: bytes) -> list[bytes]:
    """The events of a stream of any kind: server-sent, a JSON value per line, or AWS's binary ones."""
    return list(frames_of(body)) or events_of(body)


def carries(event: bytes) -> bool:
    """True when an event of any kind carries data, as opposed to a comment, a mere field or an error."""
    return is_event(event) or data_of(event) is not None


def frames_of(body: bytes) -> tuple[bytes, ...]:
    """The messages of a stream, joined they are the body; empty where it does not begin with one."""
    found, at = [], 0
    while (size := _size(body, at)) is not None:
        found.append(body[at : at + size])
        at += size
    if found and at < len(body):
        found.append(body[at:])
    return tuple(found)


def headers_of(frame: bytes) -> dict[str, str]:
    """The headers of a message that are texts."""
    return {name: value.decode("utf-8", "replace") for name, kind, value in _headers(frame) if kind == TEXT}


def payload_of(frame: bytes) -> bytes:
    """What a message carries."""
    headers_size = PRELUDE.unpack_from(frame)[1]
    return frame[PRELUDE.size + headers_size : -CHECKSUM.size]


def is_event(frame: bytes) -> bool:
    """True for a whole message that carries an event, as opposed to an error, and to what no message is."""
    return _size(frame, 0) == len(frame) and headers_of(frame).get(":message-type", "event") == "event"


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message, its lengths and checksums right."""
    packed = b"".join(
        struct.pack(">B", len(name.encode()))
        + name.encode()
        + struct.pack(">BH", TEXT, len(text.encode()))
        + text.encode()
        for name, text in headers.items()
    )
    lengths = struct.pack(">II", PRELUDE.size + len(packed) + len(payload) + CHECKSUM.size, len(packed))
    said = lengths + CHECKSUM.pack(crc32(lengths)) + packed + payload
    return said + CHECKSUM.pack(crc32(said))


def _size(body: bytes, at: int) -> int | None:
    """The size of the message that begins here; None: none does, or it is cut off."""
    if len(body) - at < PRELUDE.size + CHECKSUM.size:
        return None
    size, headers_size, checksum = PRELUDE.unpack_from(body, at)
    whole = PRELUDE.size + headers_size + CHECKSUM.size <= size <= len(body) - at
    return int(size) if whole and crc32(body[at : at + 8]) == checksum else None


def _headers(frame: bytes) -> Iterator[tuple[str, int, bytes]]:
    at = PRELUDE.size
    end = at + PRELUDE.unpack_from(frame)[1]
    while at < end:
        name = frame[at + 1 : at + 1 + frame[at]]
        at += 1 + len(name)
        kind = frame[at]
        at += 1
        size = KINDS.get(kind, 0)
        if size is None:
            size = int.from_bytes(frame[at : at + 2], "big")
            at += 2
        yield name.decode("utf-8", "replace"), kind, frame[at : at + size]
        at += size
