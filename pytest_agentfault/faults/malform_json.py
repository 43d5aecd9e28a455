"""
JSON that is almost JSON: the whole body, or a text of JSON inside it (a tool call's arguments).

How a text is broken is in `_json_text.py`; this file only finds the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from json import detect_encoding
from typing import Any

from .._errors import FaultError
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
from ._json_text import ALL_THERE, BREAKAGES, OF_BYTES, malformed
from ._paths import Place, check_path, found, places, put
from ._pieces import dealt, identity
from ._settings import check_choice, check_count


@dataclass(frozen=True, slots=True)
class MalformJson:
    """The client gets JSON that does not parse, or that parses to something else than was meant.

    Args:
        how: the text ends early: `"truncated"` (in its middle), `"truncated_at_token"`, `"empty"`. Syntax:
            `"trailing_comma"`, `"single_quotes"`, `"unquoted_key"`, `"comment"`, `"leading_zero"`,
            `"control_character"`, `"two_documents"`, `"deep_nesting"` (100,000 levels). Values that
            parsers disagree on: `"nan"`, `"infinity"`, `"unsafe_integer"` (2^53 + 1), `"duplicate_key"`,
            `"lone_surrogate"`. Coding: `"bom"`, `"utf16"`, `"invalid_utf8"`. Around it:
            `"double_encoded"`, `"markdown_fence"`, `"xssi_prefix"` (`)]}'`). Something else:
            `"null"`, `"string"`, `"html"`.
        at: JSONPath of a string that is itself JSON text; it is broken inside a body that stays
            valid. In a stream the pieces at this path, over all events, are one text. None: the
            whole body, in a stream the data of its last JSON event.
        after_chars: with `truncated`: how many characters of the text stay, 0 or more; None: half.

    Raises:
        FaultError: `how` is unknown, `at` is not a JSONPath, or the settings do not go together.

    Source: RFC 8259.
    """

    how: str = "truncated"
    at: str | None = None
    after_chars: int | None = None

    def __post_init__(self) -> None:
        check_choice("malform_json", "how", self.how, tuple(BREAKAGES))
        check_path("malform_json", "at", self.at)
        check_count("malform_json", "after_chars", self.after_chars, 0, optional=True)
        if self.after_chars is not None and self.how != "truncated":
            raise FaultError(
                "malform_json: `after_chars` says where a text is cut",
                f"how = {self.how!r}",
                'set how = "truncated", or drop `after_chars`',
            )
        if self.at is not None and self.how in OF_BYTES:
            raise FaultError(
                f"malform_json: how = {self.how!r} breaks bytes",
                f"`at` names a text inside them: {self.at!r}",
                'drop `at`, or break the text with how = "lone_surrogate"',
            )

    @property
    def damages(self) -> str:
        """Where the text still holds the whole value, whoever can read it is not misled."""
        return "nothing" if self.how in ALL_THERE else "payload"

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

    def _broken(self, text: str) -> str:
        return malformed(text, self.how, self.after_chars)

    def _document(self, body: bytes) -> bytes:
        text = body.decode(detect_encoding(body), "replace")
        if self.at is None:
            broken = self._broken(text)
            return body if broken == text else broken.encode("utf-8", "surrogateescape")
        value, changed = parsed(text), False
        for place in places(self.at, value):
            old = found(value, place)
            new = self._broken(old) if isinstance(old, str) else old
            changed = changed or new != old
            value = put(value, place, new)
        return written(value).encode() if changed else body

    def _stream(self, body: bytes) -> bytes:
        events = events_of(body)
        values = [parsed(data_of(event) or b"") for event in events]
        documents = {n: v for n, v in enumerate(values) if isinstance(v, dict | list)}
        if self.at is None:
            for number in list(documents)[-1:] if self.how != "utf16" else ():  # the lines of a stream are UTF-8
                text = (data_of(events[number]) or b"").decode("utf-8", "replace")
                broken = self._broken(text).encode("utf-8", "surrogateescape")
                events[number] = with_data_of(events[number], broken)
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
            broken = self._broken(whole)
            for (number, place, piece), new in zip(pieces, dealt(broken, [len(p) for _, _, p in pieces]), strict=True):
                if new != piece:
                    put(documents[number], place, new)
                    touched.add(number)
        return touched
