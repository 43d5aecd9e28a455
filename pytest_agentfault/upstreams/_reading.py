"""
The bytes of a cassette file as plain data, and nothing but data.

Parsing is vcrpy's own safe deserialiser: no tag is ever executed. A file that is
no cassette of a shape we know is refused with what it is instead.

Rule: this file only reads. A new foreign format is one more row in `FOREIGN`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .._errors import CassetteError, nearest

DEEPEST: Final = 5000  # a fourth of what libyaml survives on a stack of 8 MiB
OPENING: Final = re.compile(r"[\[{]|[-?][ \t]+(?=[-?])")
RECORD_AGAIN: Final = "record it again with vcrpy or pytest-recording, and name that file"
FOREIGN: Final[tuple[tuple[str, Callable[[Any], bool]], ...]] = (
    ("a HAR archive (HTTP Archive, as browsers and Polly.JS write it)", lambda d: "log" in d or "_recordingName" in d),
    ("a Saloon fixture: one response without its request", lambda d: "statusCode" in d and "data" in d),
    ("a WireMock mapping", lambda d: "mappings" in d or ("request" in d and "uuid" in d)),
    ("one exchange alone, without `interactions`", lambda d: "request" in d and "response" in d),
)


def refusal(path: Path, number: int | None, cause: str, do: str = RECORD_AGAIN) -> CassetteError:
    """The error for a cassette that is not loaded: which file, which interaction, and why."""
    where = "the file as a whole" if number is None else f"interaction {number}"
    return CassetteError(f"the cassette {path} cannot be played", f"{where}: {cause}", do)


def interactions_in(path: Path) -> list[Any]:
    """The interactions of a cassette file as plain data, in the order of the file.

    Raises:
        CassetteError: the file is missing, empty, unsafe, broken, or no cassette.
    """
    text = _text_of(path)
    data = _parsed(path, text)
    if isinstance(data, list):
        raise refusal(path, None, "it is a bare list: a cassette of vcrpy before 1.0, of ExVCR or of nock")
    if not isinstance(data, Mapping):
        raise refusal(path, None, f"it holds a {type(data).__name__}, not a table with `interactions`")
    # `http_interactions` is the same shape under the name that Ruby's VCR and betamax give it.
    found = data.get("interactions", data.get("http_interactions"))
    if isinstance(found, list) and found:
        return found
    if found is not None and not isinstance(found, list):
        raise refusal(path, None, f"its `interactions` are a {type(found).__name__}, not a list")
    if "interactions" in data or "http_interactions" in data:
        raise refusal(path, None, "it is empty: it holds no interaction")
    kind = next((name for name, fits in FOREIGN if fits(data)), "")
    raise refusal(path, None, f"it is {kind}" if kind else f"it has no `interactions` ({_keys(data)})")


def _keys(data: Mapping[Any, Any]) -> str:
    names = [str(key) for key in data]
    return f"its keys: {', '.join(names[:8]) or 'none'}{' ...' if len(names) > 8 else ''}"


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        beside = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        raise refusal(
            path,
            None,
            "there is no such file" if path.parent.is_dir() else f"there is no folder {path.parent}",
            nearest(path.name, beside[:50]) if beside else "name a file that is there, or record one with vcrpy",
        ) from None
    except OSError as error:
        raise refusal(path, None, f"it cannot be read: {error.strerror}", "name a readable file") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        packed = " (it is compressed)" if data[:2] in (b"\x1f\x8b", b"PK") or data[:4] == b"\x28\xb5\x2f\xfd" else ""
        raise refusal(path, None, f"it is not UTF-8 at byte {error.start}{packed}", "save it as UTF-8 text") from None
    if not text.strip():
        raise refusal(path, None, "it is empty")
    if text.startswith("version https://git-lfs.github.com/"):
        raise refusal(path, None, "it is a Git LFS pointer, not the file itself", "fetch it with `git lfs pull`")
    return text


def _parsed(path: Path, text: str) -> Any:
    from vcr.serializers import jsonserializer

    json_error: ValueError | None = None
    try:
        if text.lstrip()[:1] in ("{", "["):
            try:
                return jsonserializer.deserialize(text)
            except ValueError as error:  # braces may also open YAML
                json_error = error
                if path.suffix in (".json", ".har"):
                    raise refusal(path, None, f"it is not JSON: {error}") from error
        return _parsed_yaml(path, text, json_error)
    except RecursionError:
        raise refusal(path, None, "it is nested too deeply to be a recording") from None


def _parsed_yaml(path: Path, text: str, json_error: ValueError | None) -> Any:
    import yaml
    from vcr.serializers import yamlserializer

    if _nests_too_deeply(text):
        raise RecursionError
    try:
        return yamlserializer.deserialize(text)
    except yaml.constructor.ConstructorError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        number = _interaction_at(text, line)
        if "could not determine a constructor" not in (error.problem or ""):
            raise refusal(path, number, f"line {line + 1}: {error.problem}") from error
        tag = str(error.problem).rpartition(" tag ")[2].strip("'")
        cause = f"line {line + 1} has the unsafe tag {tag.replace('tag:yaml.org,2002:', '!!')}; it was not executed"
        raise refusal(path, number, cause, "take the tag out, or record the cassette again") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = int(mark.line) if mark else 0
        said = getattr(error, "problem", None) or str(error)
        told = json_error or f"line {line + 1}: {said}"
        raise refusal(path, _interaction_at(text, line), f"it is neither YAML nor JSON: {told}") from error
    except ValueError as error:  # a value that is none of its kind, such as the date 2026-99-99
        raise refusal(path, None, f"a value cannot be read: {error}") from error


def _interaction_at(text: str, line: int) -> int | None:
    """The number of the interaction this line (from 0) lies in."""
    number = 0
    for at, within, opens in _walk(text):
        if at > line:
            break
        number += opens and within in (["table", "list"], ["list"])
    return number or None


def _nests_too_deeply(text: str) -> bool:
    """Whether libyaml would run out of stack, and take the whole process with it."""
    if len(OPENING.findall(text)) < DEEPEST:
        return False
    return any(len(within) > DEEPEST for _, within, _ in _walk(text))


def _walk(text: str) -> Iterator[tuple[int, list[str], bool]]:
    """Line, place and whether a node opens there, event by event: nothing is constructed, no tag looked at."""
    import yaml

    within: list[str] = []
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            line = event.start_mark.line if event.start_mark else 0
            match event:
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    within.pop()
                    yield line, within, False
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent() | yaml.ScalarEvent():
                    yield line, within, True
                    if not isinstance(event, yaml.ScalarEvent):
                        within.append("list" if isinstance(event, yaml.SequenceStartEvent) else "table")
    except yaml.YAMLError:
        return  # that the file is broken is told by whoever parses it; the walk up to there holds
