"""
The request as nearly every client sends it, read in one go.

h11 takes three times as long for it, and this is on the path of every exchange.
Rule 1: what is read here, h11 would read the same; the grammar is a part of its
own (RFC 9112 sections 3 and 5), and tests/test_plain.py holds the two together.
Rule 2: nothing is refused here. Whatever is not plain (a head that comes in
pieces, chunks, an upgrade, `Expect`, a doubtful byte) is left to h11.
"""

from __future__ import annotations

import re
from typing import Final

from ._reply import Headers, Request

HEAD: Final = re.compile(
    rb"([A-Z]+) (/[!-~]*) HTTP/1\.1\r\n((?:[-!#$%&'*+.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)+)\r\n", re.DOTALL
)
BY_H11: Final = frozenset({"transfer-encoding", "expect", "upgrade"})


class Plain:
    """One plain request: its head is here, its body may still be coming."""

    __slots__ = ("_body", "_method", "_target", "headers", "missing", "size")

    def __init__(self, method: str, target: str, headers: Headers, length: int, size: int) -> None:
        self._method, self._target, self.headers = method, target, headers
        self._body: list[bytes] = []
        self.missing = length
        self.size = size

    @classmethod
    def begun_by(cls, data: bytes) -> Plain | None:
        """The plain request whose whole head these bytes begin with, `size` bytes of it; None: there is none."""
        found = HEAD.match(data)
        if found is None:
            return None
        hosts, lengths = 0, ["0"]
        headers = []
        for line in found[3].decode("ascii").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            value = value.strip(" \t")
            headers.append((name, value))
            lowered = name.lower()
            if lowered == "host":
                hosts += 1
            elif lowered == "content-length":
                lengths.append(value)
            elif lowered in BY_H11:
                return None
        length = lengths[-1]
        if hosts != 1 or len(lengths) > 2 or len(length) > 18 or not length.isdecimal():
            return None
        return cls(found[1].decode("ascii"), found[2].decode("ascii"), tuple(headers), int(length), found.end())

    def take(self, data: bytes) -> bytes:
        """Take in what is missing of the body; the rest of `data` is given back."""
        if not self.missing:
            return data
        piece = data[: self.missing]
        self._body.append(piece)
        self.missing -= len(piece)
        return data[len(piece) :]

    def request(self, authority: str) -> Request:
        """The request, once nothing is missing."""
        return Request(self._method, authority + self._target, self.headers, b"".join(self._body))
