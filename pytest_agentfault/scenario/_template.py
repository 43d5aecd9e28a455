"""
Values that are only known when a request is struck: `{epoch+60}`, `{request.header.x}`, `{faker.uuid4}`.

Rule 1: whatever is not plainly meant as a template is literal text, because most
texts here are JSON and full of braces.
Rule 2: a template that cannot be filled is an error when the scenario is loaded,
never when a request is struck.
Rule 3: a fault without templates costs one dictionary look-up per request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from email.utils import formatdate
from functools import cache
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from .._errors import ScenarioError, nearest
from .._reply import Request

MARK: Final = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]*)([^{}\"':,\n]*)\}")
OFFSET: Final = re.compile(r"([+-]\d+(?:\.\d+)?)?")  # seconds, for every kind of time
HEADER: Final = re.compile(r"\.header\.([A-Za-z0-9!#$%&*+.^_|~-]+)")
TIMES: Final[Mapping[str, Callable[[float], str]]] = {
    "epoch": lambda at: str(int(at)),
    "epoch_ms": lambda at: str(int(at * 1000)),
    "http_date": lambda at: formatdate(at, usegmt=True),  # RFC 9110 section 5.6.7
    "rfc3339": lambda at: datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z"),
}
REQUEST_PARTS: Final[Mapping[str, Callable[[Request], str]]] = {
    ".method": lambda request: request.method,
    ".path": lambda request: urlsplit(request.url).path,
    ".url": lambda request: request.url,
}
HEADS: Final = (*TIMES, "request", "faker")


@dataclass(frozen=True, slots=True)
class Moment:
    """What templates are filled from: the request that is struck, the time, and Faker (made when first asked for)."""

    request: Request
    epoch: float
    faker: Callable[[], Any]


Filler: TypeAlias = Callable[[Moment], Any]


def filler_of(value: object) -> Filler | None:
    """How to fill the templates of a setting (text, list or table); None where there are none.

    Raises:
        ScenarioError: something is nearly a template.
    """
    if isinstance(value, str):
        return _filler_of_text(value)
    if isinstance(value, Mapping):
        filled = {key: filler_of(inner) for key, inner in value.items()}
        if not any(filled.values()):
            return None
        return lambda moment: {key: _filled(filled[key], inner, moment) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        fillers = [filler_of(inner) for inner in value]
        if not any(fillers):
            return None
        kind = type(value)
        return lambda moment: kind(_filled(f, v, moment) for f, v in zip(fillers, value, strict=True))
    return None


class Templates:
    """Fills the templates of faults, deciding once per fault whether it has any: the `bind` of a plan.

    Args:
        seed: what Faker's values follow from.
        now_epoch: the time as the code under test reads it, in seconds since 1970.
    """

    def __init__(self, seed: str, now_epoch: Callable[[], float]) -> None:
        self._now_epoch = now_epoch
        # By id, as most faults hold tables and have no hash; the fault is kept, so that its id stays its own.
        self._known: dict[int, tuple[Any, dict[str, Filler]]] = {}
        self._faker = cache(lambda: _seeded_faker(seed))

    def __call__(self, fault: Any, request: Request) -> Any:
        """The fault, its templates filled for this request."""
        known = self._known.get(id(fault))
        if known is None:
            known = self._known[id(fault)] = (fault, fillers_of(fault))
        if not known[1]:
            return fault
        moment = Moment(request, self._now_epoch(), self._faker)
        return replace(fault, **{name: fill(moment) for name, fill in known[1].items()})


def fillers_of(fault: Any) -> dict[str, Filler]:
    """The fillers of those settings of a fault that hold templates."""
    if not is_dataclass(fault):
        return {}
    found = {f.name: filler_of(getattr(fault, f.name)) for f in fields(fault) if f.init}
    return {name: fill for name, fill in found.items() if fill is not None}


def _filled(filler: Filler | None, value: object, moment: Moment) -> Any:
    return value if filler is None else filler(moment)


def _filler_of_text(text: str) -> Filler | None:
    if "{" not in text:
        return None
    parts: list[str | Filler] = []
    end = 0
    for found in MARK.finditer(text):
        filler = _placeholder(found[0], found[1], found[2])
        if filler is not None:
            parts += [text[end : found.start()], filler]
            end = found.end()
    if not parts:
        return None
    parts.append(text[end:])
    # A quote in a request's header must not end the JSON string it is put into.
    quoted = text.lstrip().startswith(("{", "[")) and '"' in text
    return lambda moment: "".join(p if isinstance(p, str) else _shown(p(moment), quoted) for p in parts)


def _shown(value: object, quoted: bool) -> str:
    shown = str(value)
    return json.dumps(shown, ensure_ascii=False)[1:-1] if quoted else shown


def _placeholder(mark: str, head: str, rest: str) -> Filler | None:
    """The filler of one `{...}`; None where it is literal text."""
    if head in TIMES and OFFSET.fullmatch(rest):
        write, offset = TIMES[head], float(rest or 0)
        return lambda moment: write(moment.epoch + offset)
    if head == "request" and rest in REQUEST_PARTS:
        part = REQUEST_PARTS[rest]
        return lambda moment: part(moment.request)
    if head == "request" and (named := HEADER.fullmatch(rest)):
        header = named[1]
        return lambda moment: moment.request.header(header)
    if head == "faker" and rest.startswith("."):
        return _faker_filler(mark, rest[1:])
    if _was_meant(head, rest):
        raise ScenarioError("unknown template", mark, _nearest_template(head, rest))
    return None


def _was_meant(head: str, rest: str) -> bool:
    """Whether a `{...}` that is no template was written to be one."""
    close = "epoch" if head.startswith(tuple(TIMES)) else "".join(get_close_matches(head, HEADS, 1, 0.75))
    if close in TIMES:
        return not rest.strip() or rest.lstrip()[0] in "+-."
    return bool(close) and rest.startswith(".")


def _nearest_template(head: str, rest: str) -> str:
    meant = (get_close_matches(head, HEADS, 1, 0.6) or ["epoch"])[0]
    named = re.fullmatch(r"\.\w+\.(.+)", rest.strip())
    header = f"{{request.header.{named[1] if named else 'NAME'}}}"
    known = ["{request.method}", "{request.path}", "{request.url}", header]
    if meant not in ("request", "faker"):
        offset = "".join(rest.split())
        known = [f"{{{name}{offset if OFFSET.fullmatch(offset) else '+60'}}}" for name in TIMES]
    if meant == "faker":
        known = ["{faker.PROVIDER}"]
    return nearest(f"{{{head}{rest}}}", known)


def _faker_filler(mark: str, provider: str) -> Filler:
    faker = _seeded_faker("")
    known = {name for name in dir(faker) if not name.startswith("_")}
    if provider not in known:
        close = get_close_matches(provider, sorted(known), 1)
        hint = f"did you mean {{faker.{close[0]}}}? " if close else ""
        raise ScenarioError("unknown template", mark, f"{hint}known: the providers of Faker, without arguments")
    return lambda moment: getattr(moment.faker(), provider)()


def _seeded_faker(seed: str) -> Any:
    from faker import Faker  # takes 100 ms: only where a template asks for it

    faker = Faker()
    faker.seed_instance(seed)
    return faker
