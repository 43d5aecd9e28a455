"""A file is its own registration."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_agentfault import faults
from pytest_agentfault._discover import discover, names, the_thing_in
from pytest_agentfault.faults import reject_graphql

PACKAGE = "agentfault_discovered"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with a class, a function, a private module, a broken one and one that holds neither."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    for name, text in {
        "__init__": "",
        "rate_limit": "class RateLimit: pass\ndef rate_limit(): pass",
        "backs_off": "def backs_off(): pass",
        "empty": "class Other: pass",
        "broken": "raise RuntimeError('imported')",
        "_private": "raise RuntimeError('imported')",
    }.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield PACKAGE
    for module in [m for m in sys.modules if m.partition(".")[0] == PACKAGE]:
        del sys.modules[module]
    names.cache_clear()
    the_thing_in.cache_clear()


def test_names_imports_nothing(package: str) -> None:
    """All public modules are named, sorted, and a broken one is no hindrance."""
    assert names(package) == ("backs_off", "broken", "empty", "rate_limit")
    assert not [m for m in sys.modules if m.startswith(f"{PACKAGE}.")]


def test_a_module_holds_a_class_or_a_function(package: str) -> None:
    """The class named after the file comes before the function."""
    assert the_thing_in(package, "rate_limit").__name__ == "RateLimit"
    assert the_thing_in(package, "backs_off").__name__ == "backs_off"


def test_a_module_that_holds_neither_is_refused(package: str, tmp_path: Path) -> None:
    """The error names the file and both names it could hold."""
    with pytest.raises(TypeError) as caught:
        the_thing_in(package, "empty")
    assert str(caught.value) == (
        f"{tmp_path / PACKAGE / 'empty.py'} must define a class Empty or a function empty, "
        "because a file is named after the one thing it holds"
    )


def test_faults_are_imported_by_the_names_of_their_classes() -> None:
    """The package lists them, gives each, and names them all where there is none."""
    assert faults.RejectGraphql is reject_graphql.RejectGraphql
    assert {"RejectGraphql", "Status", "Slow"} <= set(dir(faults))
    assert not any("_" in name for name in dir(faults))
    for name in ("Statos", "_Answer"):
        with pytest.raises(AttributeError) as caught:
            getattr(faults, name)
        assert str(caught.value) == (
            f"module 'pytest_agentfault.faults' has no attribute {name!r}; it has: {', '.join(dir(faults))}"
        )


@pytest.mark.parametrize("open_package", ["faults", "checks"])
def test_everything_of_ours_is_found(open_package: str) -> None:
    """Each file of an open package gives its one thing, documented."""
    package = f"pytest_agentfault.{open_package}"
    things = discover(package)
    assert things.keys() == set(names(package)) != set()
    assert all(thing.__doc__ for thing in things.values())
