"""
A model's reply that ended for another reason than being done.

The words for the reasons, and what each format keeps of what was said, are data of the formats in `_llm.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from .._errors import FaultError
from .._reply import Reply, Request
from ._llm import Shape, Told, in_each_choice, retold
from ._llm_calls import truncated
from ._settings import check_choice, check_line

HOWS: Final = ("length", "content_filter", "refusal", "empty")


@dataclass(frozen=True, slots=True)
class Finish:
    """The client gets a model's reply that is cut, filtered, refused or empty, and says so only in its reason.

    Replies of OpenAI (chat, responses), Anthropic, Gemini and Ollama, and of whoever speaks their formats;
    whole or streamed. Of several choices, each is struck.

    Args:
        how: `"length"` (the limit of tokens: half the text, or the last tool call's arguments cut),
            `"content_filter"` (half the text or none, as the vendor does, and no tool call), `"refusal"`
            (the model's own; a text where the format has a place for one), `"empty"` (no choices, output,
            content or candidates; the reason stays). Ollama knows only the first and the last.
        reason: the vendor's word for the reason, where it is not the usual one; None: the usual one.
        text: what a refusal says.

    Raises:
        FaultError: a setting has a wrong type or value, or they do not go together.

    Source: https://platform.openai.com/docs/api-reference/chat/object ;
        https://docs.anthropic.com/en/api/handling-stop-reasons ;
        https://ai.google.dev/api/generate-content#FinishReason ; https://docs.ollama.com/api/chat
    """

    damages: ClassVar[str] = "payload"

    how: str = "length"
    reason: str | None = None
    text: str = "I'm sorry, but I can't help with that."

    def __post_init__(self) -> None:
        check_choice("finish", "how", self.how, HOWS)
        check_line("finish", "reason", self.reason, optional=True)
        check_line("finish", "text", self.text)
        if self.reason is not None and self.how == "empty":
            raise FaultError(
                "finish: an empty reply has no place for a reason",
                f"reason = {self.reason!r}",
                "drop `reason`, or set another `how`",
            )

    def alter(self, request: Request, reply: Reply) -> Reply:
        """The reply with this end; the same one where it is no model's, or its format has no word for it."""
        if self.how == "empty":
            return retold(request, reply, lambda shape, told: shape.empty(told))
        return retold(request, reply, in_each_choice(self._told))

    def _told(self, shape: Shape, told: list[Told]) -> list[Told]:
        ending = shape.endings.get(self.how)
        if ending is None:
            return told
        calls, text = shape.calls(told), shape.text(told)
        if ending.keeps == "refusal":
            told = shape.tell(told, [], self.text, True)
        elif self.how == "length" and calls:
            *others, last = calls
            told = shape.tell(told, [*others, replace(last, arguments=truncated(last.arguments))], None, False)
        else:
            told = shape.tell(told, [], text[: len(text) // 2] if ending.keeps == "half" else "", False)
        shape.end(told, self.reason or ending.word)
        return told
