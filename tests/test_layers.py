"""The house: what may lean on what, what is loaded at start, and how long a file may be."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_agentfault

ROOT = Path(pytest_agentfault.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

CORE = "_credentials _errors _reply _script _rule _baseline _exchange _plan"
# Each floor names what it may lean on: only floors above it in this table. A new file of the core goes in here.
FLOORS = {
    "_errors": "",
    "_discover": "",
    "_seams": "",
    "_hooks": "",
    "_sensitivity": "",
    "_summary": "_sensitivity",
    "_reply": "_errors",
    "_plain": "_reply",
    "_script": "_errors _reply _plain",
    "_memory": "",
    "_credentials": "_reply",
    "_rule": "_credentials _errors _reply",
    "_payload": "_reply _script",
    "_prompt": "_reply",
    "_waits": "_payload _reply",
    "_baseline": "_reply _script _seams",
    "_exchange": "_reply _rule _script",
    "_plan": "_credentials _errors _exchange _memory _reply _script _rule _waits",
    "_moved": "",
    "_where": "",
    "_dates": "_moved",
    "_calendar": "_errors _seams _moved _dates",
    "_threads": "_seams _moved _where",
    "_lull": "",
    "clock": "_seams _moved _where _calendar _threads _lull",
    "_test_clock": "_errors clock",
    "_watchdog": "_errors _seams _moved _where _plan",
    "checks": "_credentials _reply _prompt _waits _exchange _plan",
    "_verdict": "_credentials _errors _reply _rule _exchange _plan",
    "faults": "_credentials _errors _discover _memory _reply _script _payload _prompt",
    "doors": f"{CORE} _seams",
    "upstreams": f"{CORE} _seams",
    "scenario": f"{CORE} _discover faults",
    "_placing": "_errors _discover _rule doors scenario",
    "_listing": "_errors scenario",
    "testing": f"{CORE} _discover _payload faults checks clock scenario",
    "_variants": "_errors _placing scenario",
    "_explore": "_errors _placing _exchange _plan _rule",
    "_shrink": "",
    "_unittest": "_variants",
    "_run": f"{CORE} _discover _explore _seams _test_clock _verdict _watchdog _placing checks clock doors scenario "
    "upstreams",
    "serving": "_errors _exchange _plan _run doors",
    "_judging": "_errors _plan _run _summary",
    "_stash": "_placing _run",
    "_reruns": "_errors _explore _placing _exchange _plan _run _shrink _stash _summary _unittest _variants",
    "plugin": "_errors _hooks _summary _judging _explore _listing _placing _reruns _run _stash _unittest _variants "
    "doors scenario serving upstreams",
    "__init__": CORE,
    "_serve": f"{CORE} _placing doors scenario serving upstreams",
    "__main__": "_errors _listing _serve scenario",
}
OPEN = ("faults", "checks", "upstreams", "doors")
PURE = (
    "_errors",
    "_discover",
    "_reply",
    "_plain",
    "_script",
    "_memory",
    "_credentials",
    "_rule",
    "_payload",
    "_waits",
    "_plan",
    "_verdict",
    "_sensitivity",
    "faults",
    "checks",
)
DOES_IO = {"aiohttp", "anyio", "asyncio", "http.client", "httpcore", "httpx", "requests", "selectors", "socket", "ssl"}


def name_of(file: Path) -> str:
    """The dotted name of a module, below the package; packages are their `__init__`."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, also inside functions, with its line; ours are given as `.name`."""
    here = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.replace("pytest_agentfault.", "."), node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = "." + ".".join((*here[: len(here) + 1 - node.level], *([base] if base else [])))
            elif base.partition(".")[0] == "pytest_agentfault":
                base = "." + base.removeprefix("pytest_agentfault").lstrip(".")
            for alias in node.names:
                inside = (ROOT / Path(*base.split("."))) if base.startswith(".") else None
                is_module = inside is not None and any(
                    (inside / f"{alias.name}{end}").exists() for end in (".py", "/__init__.py")
                )
                yield f"{base.rstrip('.')}.{alias.name}" if is_module else base, node.lineno


def floor_of(name: str) -> str:
    """The file or folder directly below the package that a module belongs to."""
    return name.lstrip(".").split(".")[0]


def test_the_table_of_floors_goes_downwards() -> None:
    """No floor leans on one that comes later: there are no circles."""
    above: list[str] = []
    for floor, leans_on in FLOORS.items():
        assert set(leans_on.split()) <= set(above), floor
        above.append(floor)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_run_downwards_only(file: Path) -> None:
    """A file imports only floors that its own may lean on, or files of its own folder."""
    own = floor_of(name_of(file))
    assert own in FLOORS, f"{name_of(file)} stands on no floor: give it one in FLOORS"
    allowed = {own, *FLOORS[own].split()}
    wrong = [
        f"{file.name}:{line} imports {name}"
        for name, line in imports_of(file)
        if name.startswith(".") and name.strip(".") and floor_of(name) not in allowed
    ]
    assert wrong == []


def test_faults_and_doors_never_meet() -> None:
    """Neither imports the other, nor does an upstream import a fault."""
    for one, other in (("faults", "doors"), ("doors", "faults"), ("upstreams", "faults"), ("faults", "_plan")):
        assert other not in FLOORS[one].split()


@pytest.mark.parametrize("folder", OPEN)
def test_things_of_an_open_folder_do_not_know_each_other(folder: str) -> None:
    """A file there leans on the folder's private files only: each can be deleted alone."""
    public = {f".{folder}.{f.stem}" for f in (ROOT / folder).glob("[!_]*.py")}
    wrong = [
        f"{file.name} imports {name}"
        for file in (ROOT / folder).glob("[!_]*.py")
        for name, _ in imports_of(file)
        if name in public
    ]
    assert wrong == []


@pytest.mark.parametrize("file", [f for f in FILES if floor_of(name_of(f)) in PURE], ids=name_of)
def test_the_middle_does_no_io(file: Path) -> None:
    """Core, faults and checks open no connection and know no client; only respx's patterns need httpx's request."""
    allowed = {"httpx"} if file.name == "_rule.py" else set()
    assert {name for name, _ in imports_of(file)} & DOES_IO <= allowed


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_file_is_long(file: Path) -> None:
    """400 lines at most, and each opens with why it exists."""
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text))


def told_by(code: str, *args: str) -> list[str]:
    """What a fresh interpreter says in JSON on its last line, without other plugins."""
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in ("PYTEST_ADDOPTS", "COVERAGE_PROCESS_START", "COV_CORE_SOURCE"):
        env.pop(name, None)
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    said: list[str] = json.loads(done.stdout.splitlines()[-1])
    return said


def ours_or_foreign(modules: list[str]) -> set[str]:
    """Without pytest and the standard library."""
    known = {*sys.stdlib_module_names, "pytest", "_pytest", "coverage"}
    return {m for m in modules if m.partition(".")[0] not in known}


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    """pytest, the standard library, and four light files of ours."""
    code = "import json, sys, pytest; was = set(sys.modules); import pytest_agentfault.plugin; "
    loaded = told_by(code + "print(json.dumps(sorted(set(sys.modules) - was)))")
    assert ours_or_foreign(loaded) == {
        "pytest_agentfault",
        "pytest_agentfault.plugin",
        "pytest_agentfault._stash",
        "pytest_agentfault._summary",
        "pytest_agentfault._unittest",
    }


def test_a_run_without_faults_loads_nothing_heavy(tmp_path: Path) -> None:
    """A whole test run adds the file of hooks, and no library."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    code = (
        "import json, sys, pytest; was = set(sys.modules); "
        "code = pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'pytest_agentfault.plugin', sys.argv[1]]); "
        "assert code == 0; print(json.dumps(sorted(set(sys.modules) - was)))"
    )
    loaded = ours_or_foreign(told_by(code, str(tmp_path))) - {"test_it"}
    assert {m for m in loaded if m.startswith("pytest_agentfault")} == {
        "pytest_agentfault",
        "pytest_agentfault._hooks",
        "pytest_agentfault._stash",
        "pytest_agentfault._summary",
        "pytest_agentfault._unittest",
        "pytest_agentfault.plugin",
    }
    assert {m.partition(".")[0] for m in loaded} <= {"pytest_agentfault", "pygments", "colorama"}


def test_public_names_are_loaded_when_asked_for() -> None:
    """`import pytest_agentfault` loads nothing; each public name is there; an unknown one is answered with all."""
    code = "import json, sys; was = set(sys.modules); import pytest_agentfault as p; "
    assert ours_or_foreign(told_by(code + "print(json.dumps(sorted(set(sys.modules) - was)))")) == {"pytest_agentfault"}
    assert dir(pytest_agentfault) == pytest_agentfault.__all__ != []
    assert all(getattr(pytest_agentfault, name).__name__ == name for name in pytest_agentfault.__all__)
    with pytest.raises(AttributeError) as caught:
        pytest_agentfault.Statuss  # noqa: B018
    assert str(caught.value) == (
        f"module 'pytest_agentfault' has no attribute 'Statuss'; it has: {', '.join(pytest_agentfault.__all__)}"
    )
