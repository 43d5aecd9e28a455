"""
A script read back as HTTP: where in the sent bytes the head and the body stand.

For the faults that garble. What does not read as HTTP/1.1 (another fault was
there first) gives None, and is then left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise, takewhile
from typing import Final

from .._reply import Headers, Reply, first_of
from .._script import Script, Send, Step, Wait

STATUS_LINE: Final = re.compile(r"HTTP/1\.[01] ([2-5]\d\d)(?: (.*))?")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a script says.

    Args:
        waits: the silence before the head.
        head: the head block, without its blank line.
        headers: the header section, in order.
        status: the status code.
        runs: where in the sent bytes the body stands: (offset, length) of each piece.
        body: the body, without its framing.
        end: the last step.
    """

    waits: tuple[Step, ...]
    head: bytes
    headers: Headers
    status: int
    runs: tuple[tuple[int, int], ...]
    body: bytes
    end: Step

    @property
    def reply(self) -> Reply:
        """The same as a whole reply."""
        return Reply.of(self.status, self.body, self.headers)


class Sent:
    """All bytes that a script sends, as they stand in its segments: a large body is not copied to be looked at."""

    def __init__(self, script: Script) -> None:
        self.pieces = [step.data for step in script.steps if isinstance(step, Send)]
        self.ends = list(accumulate(map(len, self.pieces)))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def part(self, at: int, end: int) -> bytes:
        """The bytes between two offsets."""
        found: list[bytes] = []
        for number in range(bisect_right(self.ends, at), len(self.pieces)):
            start = self.ends[number] - len(self.pieces[number])
            if start >= end:
                break
            found.append(self.pieces[number][max(at - start, 0) : end - start])
        return b"".join(found)

    def until(self, mark: bytes, at: int) -> int:
        """The offset of this mark behind another offset; -1: there is none."""
        size = 512
        while True:
            place = self.part(at, at + size).find(mark)
            if place >= 0 or at + size >= len(self):
                return at + place if place >= 0 else -1
            size *= 4


def spoken(script: Script) -> Spoken | None:
    """What this script says, or None where it is not HTTP/1.1 with a final status."""
    sent = Sent(script)
    start = sent.until(b"\r\n\r\n", 0)
    head = sent.part(0, max(start, 0))
    lines = head.decode("latin-1").split("\r\n")
    status = STATUS_LINE.fullmatch(lines[0])
    if start < 0 or status is None:
        return None
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    start += 4
    if "chunked" in first_of(headers, "transfer-encoding").lower():
        runs = tuple(_chunks(sent, start))
    else:
        runs = ((start, len(sent) - start),) if len(sent) > start else ()
    body = b"".join([sent.part(at, at + size) for at, size in runs])
    waits = tuple(takewhile(lambda step: isinstance(step, Wait), script.steps))
    return Spoken(waits, head, headers, int(status[1]), runs, body, script.steps[-1])


def cut_segments(script: Script, runs: Iterable[tuple[int, int]], places: Iterable[int]) -> Script:
    """The same bytes in more segments: one cut at each of these offsets in the body."""
    return cut_sent(script, sent_offsets(runs, places).values())


def sent_offsets(runs: Iterable[tuple[int, int]], places: Iterable[int]) -> dict[int, int]:
    """Where in the sent bytes these offsets in the body stand."""
    wanted, shift = sorted(set(places), reverse=True), 0
    found: dict[int, int] = {}
    for at, size in runs:
        while wanted and wanted[-1] < shift + size:
            place = wanted.pop()
            found[place] = at + place - shift
        shift += size
    return found


def framing_offsets(sent: Spoken, size: int) -> list[int]:
    """The offsets in the sent bytes, this many, that are inside the head's end and inside the framing of chunks."""
    start = len(sent.head)
    ends = [(start + 1, start + 4)]  # the blank line behind the head
    at = start + 4
    for begins, length in sent.runs:
        ends.append((at, begins))
        at = begins + length
    ends.append((at, size))
    return sorted({n for low, high in ends for n in range(low, high + 1) if n < size})


def cut_sent(script: Script, places: Iterable[int]) -> Script:
    """The same bytes in more segments: one cut at each of these offsets in all that is sent."""
    offsets = sorted(set(places), reverse=True)
    steps: list[Step] = []
    sent = 0
    for step in script.steps:
        if isinstance(step, Send):
            bounds = [0]
            while offsets and offsets[-1] < sent + len(step.data):
                bounds.append(max(offsets.pop() - sent, 0))
            bounds.append(len(step.data))
            steps += [Send(step.data[a:b]) for a, b in pairwise(bounds) if a < b]
            sent += len(step.data)
        else:
            steps.append(step)
    return Script(tuple(steps))


def borders(script: Script) -> set[int]:
    """The offsets in the sent bytes at which segments end."""
    return set(accumulate(len(step.data) for step in script.steps if isinstance(step, Send)))


def glued_segments(script: Script) -> Script:
    """The same bytes in as few segments as the silences between them allow."""
    steps: list[Step] = []
    for step in script.steps:
        if isinstance(step, Send) and steps and isinstance(steps[-1], Send):
            steps[-1] = Send(steps[-1].data + step.data)
        else:
            steps.append(step)
    return Script(tuple(steps))


def _chunks(sent: Sent, at: int) -> Iterable[tuple[int, int]]:
    while (line_end := sent.until(b"\r\n", at)) >= 0:
        try:
            size = int(sent.part(at, line_end).partition(b";")[0], 16)
        except ValueError:
            return
        start = line_end + 2
        if size <= 0 or start >= len(sent):
            return
        yield start, min(size, len(sent) - start)
        at = start + size + 2
