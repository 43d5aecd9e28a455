"""
A connection that was to be kept, and is closed behind the reply without a word.

A change of script, because a reply says nothing of what comes behind it. The
client's pool still holds the connection, and finds it dead at the next request.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._script import Fin, Next, Script


@dataclass(frozen=True, slots=True)
class CloseIdle:
    """The reply is whole and promises to keep the connection, which the server then closes.

    Source: RFC 9112 section 9.3 and 9.5 (a server may close an idle connection at any time).
    """

    def garble(self, script: Script) -> Script:
        """The script with a close behind the reply; the same one where the connection ends with it anyway."""
        return Script((*script.steps[:-1], Fin())) if isinstance(script.steps[-1], Next) else script
