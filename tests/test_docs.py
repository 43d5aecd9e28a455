"""
Every block of every page is run, and every link leads somewhere.

Rule: no block is skipped. A block in a language that has no reader here is a
failure, and so is a command that nobody vouches for. What a page says pytest
prints is compared with what it prints; `...` stands for any text, as in doctest.
"""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_agentfault import _discover

# Loaded here, so that the runs inside this one need not load them each time.
_HEAVY = "httpx openai jira respx vcr trio trustme pytest_recording.plugin pytest_agentfault._run"
for _heavy in _HEAVY.split():
    importlib.import_module(_heavy)
for _package in ("faults", "checks"):
    _discover.discover(f"pytest_agentfault.{_package}")

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
PROJECTS = {"README.md": ROOT / "examples" / "triage_agent"}  # all others: docs/project
PLUGINS = ("pytest_agentfault.plugin", "pytest_recording.plugin", "no:cacheprovider")
BLOCK = re.compile(r"^```(?P<language>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (?P<path>[\w./-]+\.\w+)\n")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
PATH = re.compile(r"\b(?:[\w.-]+/)+(?:[\w.-]+\w)?|\b\w+\.(?:py|md|toml)\b")
CHECKED = """from pytest_agentfault.testing import check_scenario


def test_scenario():
    check_scenario({path!r})
"""
ENTRY_POINTS = {"pytest11", "pytest_agentfault.scenarios", "pytest_agentfault.faults"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GATE = {"ruff", "mypy", "nox", "coverage", ".ci/run"}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    @property
    def path(self) -> str:
        """The file it says it is, in its first line; empty: it says nothing."""
        named = NAMED.match(self.text)
        return named["path"] if named else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(BLOCK.findall(text)), f"{page}: an odd fence"
    for found in BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found["language"], found["text"])


class Reader:
    """Reads one page from top to bottom, in a project of its own."""

    def __init__(self, project: pytest.Pytester, page: str) -> None:
        self.project, self.page = project, page
        self.told: list[Block] = []  # tests that no command of the page has run yet
        self.names: dict[str, Any] = {}
        shutil.copytree(PROJECTS.get(page, DOCS / "project"), project.path, dirs_exist_ok=True)

    def read(self, text: str) -> None:
        """Run all blocks of the page."""
        for block in blocks(self.page, text):
            self._read(block)
        self._end()

    def _read(self, block: Block) -> None:
        how = getattr(self, f"read_{block.language}", None)
        assert how is not None, f"{block}: nobody can run a block in {block.language or 'no language'!r}"
        how(block)

    def read_python(self, block: Block) -> None:
        """A test waits for its run, a module for its import; anything else runs here."""
        if "def test_" in block.text:
            self._write(block, block.path or f"test_line_{block.line}.py")
            self.told.append(block)
        elif block.path:
            self._write(block, block.path)
        else:
            exec(compile(block.text, str(block), "exec"), self.names)

    def read_toml(self, block: Block) -> None:
        """A scenario is checked as a test of its author would; of a pyproject, what is ours."""
        if "[[rule]]" in block.text:
            path = self._write(block, block.path or f"scenarios/docs/line-{block.line}.toml")
            test = f"# test_line_{block.line}.py\n{CHECKED.format(path=str(path))}"
            self.read_python(replace(block, language="python", text=test))
            return
        project = tomllib.loads(block.text)["project"]
        assert project.keys() == {"entry-points"}, f"{block}: nobody reads {project.keys()}"
        assert project["entry-points"].keys() <= ENTRY_POINTS, f"{block}: no such entry points"

    def read_ini(self, block: Block) -> None:
        """From here on the page's project has these settings, and pytest knows each of them."""
        assert configparser.ConfigParser().read_string(block.text) is None
        self._write(block, "pytest.ini")
        result = self._pytest("--strict-config", "--fault-list")
        assert result.ret == 0, f"{block}:\n{result.stdout}\n{result.stderr}"

    def read_json(self, block: Block) -> None:
        """It is JSON."""
        json.loads(block.text)

    def read_yaml(self, block: Block) -> None:
        """The commands of a workflow are commands."""
        jobs = yaml.safe_load(block.text)["jobs"]
        for step in (step for job in jobs.values() for step in job["steps"]):
            for command in step.get("run", "").splitlines():
                vouch(block, command)

    def read_text(self, block: Block) -> None:
        """A picture: the files it names are there."""
        for path in PATH.findall(block.text):
            assert any((home / path).exists() for home in (ROOT, ROOT / "pytest_agentfault")), f"{block}: no {path}"

    def read_console(self, block: Block) -> None:
        """Commands behind `$ `; what pytest prints is what stands below."""
        parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
        assert not parts[0].strip(), f"{block}: begins without a command"
        for command, expected in zip(parts[1::2], parts[2::2], strict=True):
            vouch(block, command)
            if command.startswith("pytest") and expected.strip():
                arguments = shlex.split(command)[1:]
                assert same(expected, printed := self._printed(arguments)), f"{block}: {command} prints\n{printed}"
                files = {Path(a.partition("::")[0]).name for a in arguments if ".py" in a}
                self.told = [told for told in self.told if files and Path(told.path).name not in files]

    def _end(self) -> None:
        """The tests that no command has run all pass."""
        if self.told:
            files = [str(self._home(block) / (block.path or f"test_line_{block.line}.py")) for block in self.told]
            result = self._pytest("-q", "--tb=short", *files)
            assert result.ret == 0, f"{', '.join(map(str, self.told))}:\n{result.stdout}"

    def _home(self, block: Block) -> Path:
        tests = self.project.path / "tests"
        return tests if tests.is_dir() and "/" not in block.path else self.project.path

    def _write(self, block: Block, name: str) -> Path:
        path = (self._home(block) if name.startswith("test_") else self.project.path) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return path

    def _printed(self, arguments: list[str]) -> str:
        result = self._pytest(*arguments)
        return "\n".join((*result.outlines, *result.errlines)) + "\n"

    def _pytest(self, *arguments: str) -> pytest.RunResult:
        plugins = [*PLUGINS, *(["xdist"] if "-n" in arguments else [])]
        # A block may be named like a test module of ours, which pytest would take for it.
        ours = {path.stem for path in self.project.path.rglob("test_*.py")} & sys.modules.keys()
        held = {name: sys.modules.pop(name) for name in ours}
        try:
            return self.project.runpytest_inprocess(*(word for name in plugins for word in ("-p", name)), *arguments)
        finally:
            sys.modules.update(held)


def same(expected: str, printed: str) -> bool:
    """Whether a command prints what a page says, `...` being any text; empty lines do not count."""
    expected, printed = ("\n".join(line for line in text.splitlines() if line.strip()) for text in (expected, printed))
    return re.fullmatch(".*?".join(map(re.escape, expected.split("..."))), printed, re.DOTALL) is not None


def vouch(block: Block, command: str) -> None:
    """A command of a page can be given: what it names is there."""
    words = [word for word in shlex.split(command) if "=" not in word or word.startswith("-")]
    match words:
        case ["make", *targets]:
            there = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert set(targets) <= set(there), f"{block}: no target for {command}"
        case ["pip", "install", *what]:
            for name in (w for w in what if not w.startswith(("-", "."))):
                extra = re.fullmatch(r"pytest-agentfault(?:\[(\w+)\])?", name)
                assert extra, f"{block}: {name} is not this project"
                assert extra[1] is None or extra[1] in PYPROJECT["project"]["optional-dependencies"], f"{block}: {name}"
        case ["python", "-m", "pytest_agentfault", *words]:
            from pytest_agentfault.__main__ import _parser

            assert _parser().parse_args(words[: words.index("&")] if "&" in words else words), f"{block}: {command}"
        case ["python", script, *_]:
            assert (ROOT / script).is_file(), f"{block}: no {script}"
        case ["echo", *_]:
            for inner in re.findall(r"\$\((.*?)[|)]", command):
                vouch(block, inner)
        case ["pytest", *words]:
            ours = [word.partition("=")[0] for word in words if word.startswith("--fault")]
            options = (DOCS / "options.md").read_text()
            assert all(re.search(rf"`{option}\b", options) for option in ours), f"{block}: no option of {command}"
        case [tool, *_]:
            assert tool in GATE, f"{block}: nobody vouches for {command!r}"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project, and a terminal of 80 columns without colour."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("PYTEST_ADDOPTS", "FORCE_COLOR", "PY_COLORS", "CI"):
        monkeypatch.delenv(name, raising=False)
    return pytester


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_runs(project: pytest.Pytester, page: Path) -> None:
    """What a page shows is what happens."""
    Reader(project, page.name).read(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project finds it, and its heading."""
    for name, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {name} is not there"
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(head) for head in heads}, f"{page.name}: no heading #{anchor} in {target.name}"


def slug(head: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")


def test_generated_pages_are_up_to_date() -> None:
    """The reference says what the code says; `python docs/generate.py` writes it anew."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.stale() == []


def test_generate_check_names_what_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` writes nothing, names each page that differs, and fails."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    generate.HERE = tmp_path
    generate.main([])
    assert generate.main(["--check"]) == 0
    (tmp_path / "checks.md").write_text("old")
    assert generate.main(["--check"]) == 1
    assert "docs/checks.md is not what the code says" in capsys.readouterr().out
    assert (tmp_path / "checks.md").read_text() == "old"


REFUSED = {
    "an unknown language": ("```cobol\nMOVE A TO B.\n```", "nobody can run a block in 'cobol'"),
    "no language": ("```\nx\n```", "nobody can run a block in 'no language'"),
    "an unknown command": ("```console\n$ curl https://example.com\n```", "nobody vouches for 'curl"),
    "a target that is not there": ("```console\n$ make coffee\n```", "no target for make coffee"),
    "an option that is not there": ("```console\n$ pytest --fault-free\n```", "no option of pytest --fault-free"),
    "another output": ("```console\n$ pytest --fault-list\nnothing\n```", "pytest --fault-list prints"),
    "a failing test": ("```python\ndef test_it():\n    assert 1 == 2\n```", "assert 1 == 2"),
    "an odd fence": ("```python\nx = 1\n", "an odd fence"),
    "a file that is not there": ("```text\npytest_agentfault/coffee.py\n```", "no pytest_agentfault/coffee.py"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_block_is_a_failure(project: pytest.Pytester, case: str) -> None:
    """Nothing that a page gets wrong passes."""
    text, why = REFUSED[case]
    with pytest.raises(AssertionError, match=re.escape(why)):
        Reader(project, "page.md").read(text + "\n")
