"""
A call as a request, and a reply as what the call comes to.

Rule: an argument or a result that no fault has changed is handed on as the very
object it was; JSON is only what faults and rules look at.
"""

from __future__ import annotations

import errno
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Final

from .._errors import ToolError
from .._reply import Data, Delay, How, Lost, Reply, Request

JSON: Final = (("Content-Type", "application/json"),)
TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"),)
PATIENCE_SECONDS: Final = 60.0  # after this, silence is a TimeoutError


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call.

    Args:
        name: `package.module:name`.
        args: positional, without the object a method belongs to.
        kwargs: by name.
        signature: of the function, where it has one that these arguments fit; None: it has none.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    signature: inspect.Signature | None

    @classmethod
    def of(cls, name: str, function: Callable[..., Any], leading: tuple[Any, ...], args: Any, kwargs: Any) -> Arguments:
        """A call, told by the names of the function's parameters where they fit."""
        signature: inspect.Signature | None
        try:
            signature = inspect.signature(function)
            if leading:
                signature = signature.replace(parameters=list(signature.parameters.values())[len(leading) :])
            signature.bind(*args, **kwargs)
        except (TypeError, ValueError):
            signature = None  # the function will say itself what is wrong with them
        return cls(name, args, kwargs, signature)

    def words(self) -> dict[str, Any]:
        """The arguments, by parameter name; where they fit no signature as `args` and `kwargs`."""
        if self.signature is None:
            return {"args": list(self.args), "kwargs": dict(self.kwargs)}
        return dict(self.signature.bind(*self.args, **self.kwargs).arguments)

    def request(self) -> Request:
        """What rules and faults see of it."""
        return Request("CALL", self.name, JSON, json.dumps(self.words(), default=_plain).encode())

    def changed(self, body: bytes) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """The arguments after a fault has changed the body: what it left alone is the same object.

        Raises:
            json.JSONDecodeError: the body is no JSON any more, as a tool that parses its arguments finds out.
        """
        said, before = json.loads(body), json.loads(self.request().body)
        words = self.words()
        now = {name: words[name] if name in words and before[name] == value else value for name, value in said.items()}
        if self.signature is None:
            return tuple(now.get("args", ())), now.get("kwargs", {})
        bound = self.signature.bind_partial()
        bound.arguments.update(
            {name: tuple(v) if self._is_variadic(name) else v for name, v in now.items() if self._takes(name)}
        )
        extra = {name: value for name, value in now.items() if not self._takes(name)}
        return bound.args, {**bound.kwargs, **extra}

    def _takes(self, name: str) -> bool:
        return self.signature is not None and name in self.signature.parameters

    def _is_variadic(self, name: str) -> bool:
        assert self.signature is not None
        return self.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL


class Result:
    """What the function returned, as a reply, and back."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.reply, self._back = _said(value)

    def of(self, reply: Reply) -> Any:
        """What the caller is given.

        Raises:
            json.JSONDecodeError: a result that is not text has become JSON that cannot be read.
        """
        return self.value if reply.body == self.reply.body else self._back(reply.body)


def _said(value: Any) -> tuple[Reply, Callable[[bytes], Any]]:
    """The reply that says a value, and how a changed body becomes one again."""
    if isinstance(value, bytes):
        return Reply.of(200, value, (("Content-Type", "application/octet-stream"),)), bytes
    if isinstance(value, str):  # a tool's text is handed on as text, also where it is broken JSON
        return Reply.of(200, value.encode(), JSON if _is_json(value) else TEXT), _as_text
    plain = _plain_of(value)
    try:
        body = json.dumps(plain).encode()
    except (TypeError, ValueError):
        return Reply.of(200, repr(value).encode(), TEXT), _as_text
    validate = getattr(type(value), "model_validate", None)
    return Reply.of(200, body, JSON), lambda changed: (validate or _same)(json.loads(changed))


def _plain_of(value: Any) -> Any:
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def _plain(value: Any) -> Any:
    """What stands in JSON for an argument that JSON has no words for."""
    plain = _plain_of(value)
    return repr(value) if plain is value else plain


def _is_json(text: str) -> bool:
    if text.strip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _as_text(body: bytes) -> str:
    return body.decode(errors="replace")


def _same(value: Any) -> Any:
    return value


def silence(reply: Reply) -> float:
    """How many seconds pass before the call is over."""
    waited = sum(e.seconds for e in reply.events if isinstance(e, Delay))
    return waited + (PATIENCE_SECONDS if reply.last == Lost(How.STALLED) else 0)


def error_of(reply: Reply) -> Exception | None:
    """The error that a reply means for a caller; None: it means a result."""
    if isinstance(reply.last, Lost):
        match reply.last.how:
            case How.RESET:
                return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
            case How.CUT:
                return ConnectionAbortedError(errno.ECONNABORTED, "Connection closed before the result was complete")
            case How.STALLED:
                return TimeoutError(errno.ETIMEDOUT, f"no result within {PATIENCE_SECONDS:.0f} seconds")
    if reply.status is not None and reply.status >= 400:
        return ToolError(reply.status, reply.body)
    return None


def result_of(reply: Reply) -> Any:
    """What a reply in the function's place means as a result: its JSON, or its text."""
    if "json" in reply.header("content-type").lower():
        return json.loads(reply.body)
    return "".join(e.data.decode(errors="replace") for e in reply.events if isinstance(e, Data))
