"""
Where in a TOML file a key stands, for error messages.

`tomllib` keeps no positions, so keys are searched for in the text. Comments are
blanked first; a search never goes back before the table it is in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lines:
    """A part of a file: `file:line` of what is searched for in it.

    Args:
        path: the file.
        text: all of it.
        start: where this part begins, in characters.
        end: where it ends; None: with the text.
    """

    path: Path
    text: str
    start: int = 0
    end: int | None = None

    @property
    def here(self) -> str:
        """`file:line` of the beginning of this part."""
        return self._at(self.start)

    def of(self, wanted: str) -> str:
        """`file:line` of a key, or else of this text; of the beginning where it is not found."""
        found = self._find(wanted)
        return self._at(self.start if found is None else found)

    def behind(self, fault: str) -> Lines:
        """The part that begins with the next entry of this name."""
        found = self._find(fault, self.start + 1)
        return self if found is None else Lines(self.path, self.text, found, self.end)

    def in_rule(self, number: int) -> Lines:
        """The part that holds this `[[rule]]`, counted from 0."""
        heads = [m.start() for m in re.finditer(r"^[ \t]*\[\[\s*rule\s*\]\]", _blanked(self.text), re.MULTILINE)]
        if number >= len(heads):
            return self
        return Lines(self.path, self.text, heads[number], heads[number + 1] if number + 1 < len(heads) else None)

    def at_toml_error(self, message: str) -> str:
        """`file:line` that a message of `tomllib` names, or else the last line."""
        named = re.search(r"at line (\d+)", message)
        return f"{self.path}:{named[1]}" if named else self._at(len(self.text.rstrip()))

    def _find(self, wanted: str, start: int | None = None) -> int | None:
        text, key = _blanked(self.text), re.escape(wanted)
        end = len(text) if self.end is None else self.end
        for pattern in (rf"(?<![\w\"'-])[\"']?(?P<key>{key})[\"']?\s*[=.\]]", rf"(?P<key>{key})"):
            found = re.compile(pattern).search(text, self.start if start is None else start, end)
            if found:
                return found.start("key")
        return None

    def _at(self, place: int) -> str:
        return f"{self.path}:{self.text.count(chr(10), 0, place) + 1}"


def _blanked(text: str) -> str:
    """The text, its whole-line comments blanked out."""
    return re.sub(r"^[ \t]*#.*$", lambda m: " " * len(m[0]), text, flags=re.MULTILINE)
