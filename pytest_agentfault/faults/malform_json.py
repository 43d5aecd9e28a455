"""
JSON that is almost JSON: the whole body, or a text of JSON inside it (a tool call's arguments).

How a text is broken is in `_json_text.py`; this file only finds the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .._payload import (
    data_of,
    decoded,
    events_of,
    has_body,
    is_json,
    is_stream,
    parsed,
    with_data_of,
    with_payload,
    written,
)
from .._reply import Reply, Request
from ._json_text import BREAKAGES, malformed
from ._paths import Place, check_path, found, places, put
from ._pieces import dealt, identity
from ._settings import check_choice


@dataclass(frozen=True, slots=True)
class MalformJson:
    """The client gets JSON that does not parse, or that parses to something else than was meant.

    Args:
        how: `"truncated"`, `"trailing_comma"`, `"single_quotes"`, `"nan"`, `"duplicate_key"`,
            `"unquoted_key"`, `"double_encoded"`, `"markdown_fence"` or `"empty"`.
        at: JSONPath of a string that is itself JSON text; it is broken inside a body that stays
            valid. In a stream the pieces at this path, over all events, are one text. None: the
            whole body, in a stream the data of its last JSON event.

    Raises:
        FaultError: `how` is unknown, or `at` is not a JSONPath.

    Source: RFC 8259.
    """

    damages: ClassVar[str] = "payload"

    how: str = "truncated"
    at: str | None = None

    def __post_init__(self) -> None:
        check_choice("malform_json", "how", self.how, tuple(BREAKAGES))
        check_path("malform_json", "at", self.at)

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with broken JSON; the same one where there is no JSON to break."""
        body = decoded(reply)
        if not body or not has_body(request, reply):
            return reply
        if is_stream(reply):
            broken = self._stream(body)
        elif is_json(reply):
            broken = self._document(body)
        else:
            return reply
        return reply if broken == body else with_payload(reply, broken)

    def _document(self, body: bytes) -> bytes:
        text = body.decode("utf-8-sig", "replace")
        if self.at is None:
            return malformed(text, self.how).encode()
        value, changed = parsed(text), False
        for place in places(self.at, value):
            old = found(value, place)
            new = malformed(old, self.how) if isinstance(old, str) else old
            changed = changed or new != old
            value = put(value, place, new)
        return written(value).encode() if changed else body

    def _stream(self, body: bytes) -> bytes:
        events = events_of(body)
        values = [parsed(data_of(event) or b"") for event in events]
        documents = {n: v for n, v in enumerate(values) if isinstance(v, dict | list)}
        if self.at is None:
            for number in list(documents)[-1:]:
                text = (data_of(events[number]) or b"").decode("utf-8", "replace")
                events[number] = with_data_of(events[number], malformed(text, self.how).encode())
            return b"".join(events)
        for number in self._break_pieces(self.at, documents):
            events[number] = with_data_of(events[number], written(documents[number]).encode())
        return b"".join(events)

    def _break_pieces(self, path: str, documents: dict[int, Any]) -> set[int]:
        """Break each text that is spread over these values, in place; give the numbers of the changed ones."""
        texts: dict[tuple[Any, ...], list[tuple[int, Place, str]]] = {}
        for number, value in documents.items():
            for place in places(path, value):
                piece = found(value, place)
                if isinstance(piece, str) and place:
                    texts.setdefault(identity(value, place), []).append((number, place, piece))
        touched = set()
        for pieces in texts.values():
            whole = "".join(piece for _, _, piece in pieces)
            broken = malformed(whole, self.how)
            for (number, place, piece), new in zip(pieces, dealt(broken, [len(p) for _, _, p in pieces]), strict=True):
                if new != piece:
                    put(documents[number], place, new)
                    touched.add(number)
        return touched
