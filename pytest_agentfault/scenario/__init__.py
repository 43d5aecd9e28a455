"""
All scenarios there are: where they are found, and by which name.

Rule 1: scenarios are data. Nothing here knows a vendor, and only what a scenario
names is imported.
Rule 2: names come from paths, so that listing them opens no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from .._discover import names as names_in
from .._errors import ScenarioError, nearest
from .._plan import Bind
from ._hosts import Scenario as Scenario
from ._hosts import rehosted
from ._read import CHECKS, CONFIDENCE, DAMAGES, FAULTS, read
from ._read import fault_by_name as fault_by_name
from ._template import Templates

SHIPPED: Final = Path(__file__).parents[1] / "scenarios"  # in a wheel
CHECKOUT: Final = Path(__file__).parents[2] / "scenarios"  # in an editable checkout


class Library:
    """All scenarios there are: the shipped ones, the user's own, and those of installed packages.

    Args:
        directories: the user's own folders of `<vendor>/<what-happens>.toml` (ini `fault_scenarios`).
        hosts: bases of self-hosted vendors by vendor (ini `fault_hosts`): `{"github": ["https://git.example.com"]}`.
        extra: further scenarios by name, as files or ready made.

    Raises:
        ScenarioError: a folder, name, file or base cannot be used; raised when first asked for.
    """

    def __init__(
        self,
        directories: Sequence[Path] = (),
        hosts: Mapping[str, Sequence[str]] | None = None,
        extra: Mapping[str, Path | Scenario] | None = None,
    ) -> None:
        self._directories = tuple(directories)
        self._hosts = dict(hosts or {})
        self._extra = dict(extra or {})
        self._found: dict[str, Path | Scenario] | None = None
        self._read: dict[str, Scenario] = {}

    def names(self) -> tuple[str, ...]:
        """The names of all scenarios, sorted; no file is opened for it."""
        return tuple(sorted(self._all()))

    def get(self, name: str) -> Scenario:
        """The scenario of this name; its file is read once.

        Raises:
            ScenarioError: there is none, or its file cannot be used.
        """
        if name not in self._read:
            found = self._all().get(name)
            if found is None:
                raise ScenarioError("unknown scenario", repr(name), nearest(name, self._all()))
            scenario = found if isinstance(found, Scenario) else read(found, name)
            self._read[name] = rehosted(scenario, self._hosts.get(name.partition("/")[0], ()))
        return self._read[name]

    def select(self, pattern: str) -> tuple[str, ...]:
        """The names that a pattern such as `openai/*` matches.

        Raises:
            ScenarioError: it matches none.
        """
        chosen = tuple(name for name in self.names() if fnmatchcase(name, pattern))
        if not chosen:
            raise ScenarioError("no scenario matches", repr(pattern), nearest(pattern, self.names()))
        return chosen

    def _all(self) -> dict[str, Path | Scenario]:
        if self._found is None:
            found: dict[str, Path | Scenario] = {}
            shipped = SHIPPED if SHIPPED.is_dir() else CHECKOUT
            for folder in (shipped, *self._directories, *_installed_folders()):
                for name, path in _files_in(folder).items():
                    _add(found, name, path)
            for name, given in self._extra.items():
                _add(found, name, given)
            vendors = {name.partition("/")[0] for name in found}
            for vendor in self._hosts.keys() - vendors:
                raise ScenarioError("`fault_hosts` names an unknown vendor", repr(vendor), nearest(vendor, vendors))
            self._found = found
        return self._found


def bind(seed: str, now_epoch: Callable[[], float]) -> Bind:
    """What fills the templates of scenarios, request by request: for `Plan(bind=...)`.

    Args:
        seed: what `{faker...}` values follow from.
        now_epoch: the time as the code under test reads it, in seconds since 1970.
    """
    return Templates(seed, now_epoch)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files, from the rule's keys and the settings of every fault."""
    from ._schema import schema

    return schema({name: fault_by_name(name) for name in names_in(FAULTS)}, names_in(CHECKS), CONFIDENCE, DAMAGES)


def _add(found: dict[str, Path | Scenario], name: str, given: Path | Scenario) -> None:
    if name in found:
        both = " and ".join(str(x.path if isinstance(x, Scenario) else x) for x in (found[name], given))
        raise ScenarioError(f"two scenarios are named {name!r}", both, "rename one of the files")
    found[name] = given


def _files_in(folder: Path) -> dict[str, Path]:
    """The scenario files of a folder by name: `jira/rate-limit` is `<folder>/jira/rate-limit.toml`."""
    found = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.glob("*/*.toml"))}
    if not found:
        raise ScenarioError(
            "a folder of scenarios holds none",
            f"{folder} (no such folder)"
            if not folder.is_dir()
            else f"{folder} (no file in it is <vendor>/<what>.toml)",
            "correct `fault_scenarios`, or put a file such as billing/rate-limit.toml there",
        )
    return found


def _installed_folders() -> list[Path]:
    return [_folder_of(point) for point in entry_points(group="pytest_agentfault.scenarios")]


def _folder_of(point: EntryPoint) -> Path:
    """The folder an entry point stands for: a path, or the folder of a package."""
    loaded = point.load()
    if isinstance(loaded, str | Path):
        return Path(loaded)
    where = [*getattr(loaded, "__path__", ())]
    if not where:
        raise ScenarioError(
            f"entry point {point.name!r} of pytest_agentfault.scenarios is no folder",
            repr(loaded),
            f"let {point.value} be a path or a package",
        )
    return Path(where[0])
