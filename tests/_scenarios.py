"""What the tests of scenarios share: the shipped library, and scenarios of their own in a folder."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_agentfault import Reply, Request
from pytest_agentfault._discover import names
from pytest_agentfault.scenario import Library

ROOT = Path(__file__).parent.parent
SHIPPED = Library()
FAULTS = ", ".join(names("pytest_agentfault.faults"))
FOLDER = ROOT / "scenarios"
WANTED = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.toml"))
GOOD = """\
title = "t"
source = "s"
confidence = "reported"
[[rule]]
to = "* https://a.test/*"
faults = [{ status = { code = 429 } }]
"""


@dataclass(frozen=True, slots=True)
class Teapot:
    """A fault of a test's own, named by its import path."""

    brew: str
    leaves: tuple[str, ...] = ()

    def answer(self, request: Request) -> Reply:
        """Short and stout."""
        return Reply.of(418, self.brew.encode())


def put(folder: Path, text: str, name: str = "a/b") -> Path:
    """A scenario file in a folder."""
    path = folder / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def library(folder: Path, text: str, **more: Any) -> Library:
    """A library with the scenario `a/b` of this text beside the shipped ones."""
    put(folder, text)
    return Library([folder], **more)
