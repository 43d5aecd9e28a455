"""
Writes the pages of the reference from what they describe: `python docs/generate.py`.

Rule 1: nothing is said here that code can say; a page is made of docstrings,
fields and files, so that it cannot go stale. `--check` writes nothing and names
the pages that differ; a test runs it.
Rule 2: no network, no clock, no order of discovery: the same tree gives the same
bytes.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest_agentfault
from pytest_agentfault import _discover, _errors, plugin
from pytest_agentfault._placing import KEYWORDS, Placement
from pytest_agentfault._rule import HANDED_OVER, Rule, verbs_of
from pytest_agentfault._run import Faults
from pytest_agentfault.scenario import Library
from pytest_agentfault.serving import FaultServer

HERE = Path(__file__).resolve().parent
PACKAGE = Path(pytest_agentfault.__file__).parent
MADE = "<!-- Made by docs/generate.py from the code; do not edit. -->"
NEAREST = "the nearest valid one is named"
ENTRY = re.compile(r"^ {4}(\*{0,2}\w+): (.*(?:\n {8,}.*|\n(?=\n? {8}))*)", re.MULTILINE)


def faults() -> str:
    """Every fault: what the client meets, its verbs and its settings."""
    return page(
        "Faults",
        "One file each in `pytest_agentfault/faults/`. In a scenario a fault is named as here; in Python it is the "
        "class: `from pytest_agentfault.faults import Status`. What the verbs mean: "
        "[writing faults](writing-faults.md).",
        *(_fault(name, kind) for name, kind in sorted(_discover.discover("pytest_agentfault.faults").items())),
    )


def _fault(name: str, kind: type) -> str:
    said = sections(kind)
    told = {key: text for key, text in entries(said.get("Args", "")).items() if key not in HANDED_OVER}
    rows = [
        (f"`{f.name}`", f"`{f.type}`", default_of(f), told.get(f.name, ""))
        for f in fields(kind)
        if f.name not in HANDED_OVER
    ]
    parts = [
        f"## `{name}`",
        said[""],
        f"Class `{kind.__name__}`; verbs: {', '.join(f'`{v}`' for v in _verbs(kind))}{_damages(kind)}.",
        table(("setting", "type", "default", "what it is"), rows),
    ]
    return "\n\n".join(parts + ([f"Source: {said['Source']}"] if "Source" in said else []))


def _damages(kind: Any) -> str:
    """What the fault says a passing test was misled by, where it says something."""
    said = getattr(kind, "damages", "nothing")
    if isinstance(said, property):
        return f"; damages the payload or nothing: {flat(said.__doc__ or '').rstrip('.').lower()}"
    return "" if said == "nothing" else f"; damages the {said}"


def _verbs(kind: Any) -> tuple[str, ...]:
    return verbs_of(object.__new__(kind))


def scenarios() -> str:
    """Every shipped scenario, a row each."""
    library = Library()
    rows = []
    for scenario in (library.get(name) for name in library.names()):
        sources = [part.strip() for part in scenario.source.split(" ; ")]
        links = " ".join(f"[{n}]({url})" for n, url in enumerate(sources, 1))
        rows.append((f"`{scenario.name}`", scenario.title, scenario.damages, scenario.confidence, links))
    return page(
        "Scenarios",
        "The shipped ones; `pytest --fault-list` shows these and your own. **Damages** `payload`: a test that passes "
        "on such a reply alone was misled (*unnoticed*); `nothing`: it was not (*held*). **Confidence** `recorded`: "
        "the bytes were seen; `documented`: the vendor says so; `reported`: somebody met it. What happens, and for "
        "how long, is in the title; a marker may change that (`times=`, `until=` ...).",
        table(("name", "what happens", "damages", "confidence", "source"), rows),
    )


def checks() -> str:
    """Every check: what it holds a run to."""
    parts = []
    for name, check in sorted(_discover.discover("pytest_agentfault.checks").items()):
        why = (check.__globals__["__doc__"] or "").strip().split("\n\n")[0]
        parts.append(f"## `{name}`\n\n{flat(why)}\n\n{flat(sections(check)[''])}")
    return page(
        "Checks",
        "A check reads the log of a test and finds what is wrong with it; a finding fails the test. Named in a "
        "marker (`checks=`), in a scenario (`checks = [...]`), and taken back by `waive=`.",
        *parts,
    )


class _Told:
    """Stands in for pytest's parser, and keeps what it is told."""

    def __init__(self) -> None:
        self.options: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[tuple[str, str, Any, Any]] = []

    def getgroup(self, *_: str) -> _Told:
        return self

    def addoption(self, name: str, **how: Any) -> None:
        self.options.append((name, how))

    def addini(self, name: str, help: str, type: Any = None, default: Any = None) -> None:  # noqa: A002
        self.keys.append((name, help, type, default))


def options() -> str:
    """Markers, their words, the fixture, options and ini keys, as the plugin declares them."""
    told: Any = _Told()
    plugin.pytest_addoption(told)
    words = {**entries(sections(Rule)["Args"]), **entries(sections(Placement)["Args"])}
    words["cassette"] = "the recording beneath it, as a path relative to the test's file."
    words["checks"] = "a name of a [check](checks.md), or several, besides those of the scenario."
    words["waive"] = "a name of a check, or several, that this test need not pass."
    kept = entries(sections(Faults)["Attributes"])
    return page(
        "Markers, fixture, options and ini keys",
        "As the plugin declares them; how they are used: [the guide](guide.md).",
        "## Markers\n\n" + "\n".join(f"- `{m.partition(': ')[0]}`: {m.partition(': ')[2]}" for m in plugin.MARKERS),
        "## Words of a marker and of `faults.add`\n\nThose that a test leaves out stay as the scenario has them. "
        "Any other word is a setting of one of the scenario's faults, or the name of one that explores: "
        'then it is the setting by which it does so (`drift="every-field"`).\n\n'
        + table(("word", "what it is"), [(f"`{word}`", words[word]) for word in KEYWORDS]),
        "## Fixture `faults`\n\n"
        + table(
            ("member", "what it is"),
            [("`add(*what, **words)`", sections(Faults.add)[""]), *((f"`{n}`", t) for n, t in kept.items())],
        ),
        "## Fixture `fault_server`\n\n[A real server](server.md) on loopback, for clients in other processes.\n\n"
        + table(
            ("member", "what it is"),
            [
                ("`through(base)`", sections(FaultServer.through)[""]),
                *((f"`{n}`", t) for n, t in entries(sections(FaultServer)["Attributes"]).items()),
            ],
        ),
        "## Options\n\n"
        + table(
            ("option", "what it does"),
            [(f"`{name}{_value(how)}`", how["help"]) for name, how in told.options],
        ),
        "## Ini keys\n\n"
        + table(
            ("key", "type", "default", "what it is"),
            [
                (f"`{n}`", kind or "string", f"`{default}`" if default else "none", h)
                for n, h, kind, default in told.keys
            ],
        ),
    )


def _value(how: dict[str, Any]) -> str:
    if how.get("action") == "store_true":
        return ""
    if "choices" in how:
        return f"[={'|'.join(how['choices'])}]"
    return f" {how['metavar']}"


def errors() -> str:
    """Every error a user can meet, as the code says it."""
    kinds = {
        name: kind
        for name, kind in vars(_errors).items()
        if isinstance(kind, type) and issubclass(kind, _errors.AgentFaultError)
    }
    rows: dict[str, set[tuple[str, str]]] = {name: set() for name in kinds}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = _constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                said = [_text(argument, named) for argument in node.args]
                if len(said) == 3 and said[0].replace("<...>", "").strip(" :`"):
                    rows[node.func.id].add((said[0], said[2]))
    parts = [
        f"## `{name}`\n\n{sections(kind)['']}\n\n"
        + table(("what", "to do"), [(code(what), do if do == NEAREST else code(do)) for what, do in sorted(rows[name])])
        for name, kind in kinds.items()
        if rows[name]
    ]
    return page(
        "Errors",
        "Every error has three parts: what is wrong, what is there, what to do. Here the first and the last of each; "
        "`<...>` stands for what is filled in.",
        *parts,
    )


def _constants(tree: ast.Module) -> dict[str, str]:
    """The texts that a module keeps under a name."""
    pairs = [(n.target, n.value) for n in tree.body if isinstance(n, ast.AnnAssign)]
    return {
        name.id: value.value
        for name, value in pairs
        if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def _text(node: ast.expr, named: dict[str, str]) -> str:
    """A text of the code, with `<...>` where it is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, named) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left, named) + _text(node.right, named)
    if isinstance(node, ast.Name) and node.id in named:
        return named[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "nearest":
        return NEAREST
    return "<...>"


def page(title: str, opening: str, *parts: str) -> str:
    """A whole page."""
    return "\n\n".join((f"# {title}", MADE, opening, *parts)) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(flat(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """A text of the program, shown as code also where it holds a backtick."""
    fence = "``" if "`" in text else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{flat(text)}{pad}{fence}"


def flat(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def sections(thing: Any) -> dict[str, str]:
    """The parts of a docstring by their heading; the first, without one, is its opening."""
    found, name = {"": ""}, ""
    for line in (inspect.getdoc(thing) or "").splitlines():
        head = re.fullmatch(r"(Args|Attributes|Raises|Source):(?: (.*))?", line)
        if head:
            name = head[1]
            found[name] = head[2] or ""
        else:
            found[name] += f"\n{line}"
    return {key: text.strip() if key != "Args" else text for key, text in found.items()}


def entries(text: str) -> dict[str, str]:
    """The entries of an `Args:` by name."""
    return {found[1]: flat(found[2]) for found in ENTRY.finditer(f"    {text.strip()}")}


def default_of(field: Any) -> str:
    """The default of a setting, as one would write it."""
    if field.default is not MISSING:
        return f"`{field.default!r}`".replace("'", '"')
    return "required" if field.default_factory is MISSING else f"`{field.default_factory()!r}`"


PAGES: dict[str, Callable[[], str]] = {
    "faults.md": faults,
    "scenarios.md": scenarios,
    "checks.md": checks,
    "options.md": options,
    "errors.md": errors,
}


def stale() -> list[str]:
    """The names of the pages that are not what the code says."""
    return [n for n, make in PAGES.items() if not (p := HERE / n).is_file() or p.read_text(encoding="utf-8") != make()]


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` only look at them."""
    if "--check" in arguments:
        for name in (wrong := stale()):
            sys.stdout.write(f"docs/{name} is not what the code says: run `python docs/generate.py`\n")
        return 1 if wrong else 0
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
