"""Scenarios: found by path, held against the right requests and hosts, described by a schema."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from _scenarios import FAULTS, GOOD, ROOT, SHIPPED, WANTED, library, put

from pytest_agentfault import Reply, Request
from pytest_agentfault._errors import FaultError, ScenarioError
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault.scenario import Library, fault_by_name, json_schema

VENDORS = sorted({name.partition("/")[0] for name in WANTED})


def test_all_promised_scenarios_ship() -> None:
    """The scenarios that are promised are there, and no other."""
    assert sorted(WANTED) == list(SHIPPED.names())


@pytest.mark.parametrize("name", WANTED)
def test_shipped_scenario_can_be_read(name: str) -> None:
    """Each shipped scenario is whole: a title, a public source, and rules that carry its name."""
    scenario = SHIPPED.get(name)
    assert scenario is SHIPPED.get(name)
    assert all(part.startswith("https://") for part in scenario.source.split(" ; "))
    assert {rule.name for rule in scenario.rules} == {name}
    assert scenario.damages in {rule.damages for rule in scenario.rules}


def test_names_come_from_paths_and_no_file_is_opened(tmp_path: Path) -> None:
    """Listing works with a broken file among them, which is an error only when it is asked for."""
    mine = library(tmp_path, "this is not TOML")
    assert "a/b" in mine.names()
    with pytest.raises(ScenarioError, match="not TOML"):
        mine.get("a/b")


def test_select_takes_patterns_and_names() -> None:
    """A pattern gives all names it matches, sorted; a name gives itself."""
    assert SHIPPED.select("linear/rate-limit*") == ("linear/rate-limit-window", "linear/rate-limited")
    assert SHIPPED.select("any/slow") == ("any/slow",)


def test_scenarios_can_be_handed_over(tmp_path: Path) -> None:
    """A file from elsewhere, or a ready scenario, is found under the name it was handed over with."""
    path = put(tmp_path, GOOD, "somewhere/else")
    mine = Library(extra={"my/file": path, "my/ready": SHIPPED.get("any/slow")})
    assert mine.get("my/file").rules[0].name == "my/file"
    assert mine.get("my/ready") is SHIPPED.get("any/slow")


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (
            lambda: SHIPPED.get("openai/rate-limits"),
            "unknown scenario\n  there is: 'openai/rate-limits'\n"
            f"  to do: did you mean 'openai/rate-limit'? known: {', '.join(sorted(WANTED))}",
        ),
        (
            lambda: SHIPPED.select("lineer/*"),
            f"no scenario matches\n  there is: 'lineer/*'\n  to do: known: {', '.join(sorted(WANTED))}",
        ),
        (
            lambda: Library([Path("/nowhere/at/all")]).names(),
            "a folder of scenarios holds none\n  there is: /nowhere/at/all (no such folder)\n"
            "  to do: correct `fault_scenarios`, or put a file such as billing/rate-limit.toml there",
        ),
        (
            lambda: Library([Path(__file__).parent]).names(),
            f"a folder of scenarios holds none\n  there is: {Path(__file__).parent} "
            "(no file in it is <vendor>/<what>.toml)\n"
            "  to do: correct `fault_scenarios`, or put a file such as billing/rate-limit.toml there",
        ),
        (
            lambda: Library(hosts={"jria": ["x.test"]}).names(),
            "`fault_hosts` names an unknown vendor\n  there is: 'jria'\n"
            "  to do: did you mean 'jira'? known: "
            f"{', '.join(dict.fromkeys(name.partition('/')[0] for name in WANTED))}",
        ),
        (
            lambda: Library(hosts={"github": ["not a host"]}).get("github/secondary-limit"),
            "`fault_hosts` of 'github' holds no host\n  there is: 'not a host'\n"
            "  to do: write it like jira.example.com or https://git.example.com:8443",
        ),
        (
            lambda: Library(hosts={"any": ["x.test"]}).get("any/slow"),
            "`fault_hosts` cannot move 'any/slow'\n"
            "  there is: its rule is for '* *', which has no host part: it matches every host already\n"
            "  to do: drop that vendor from `fault_hosts`, or use `to=` in the marker",
        ),
        (
            lambda: fault_by_name("statsu"),
            "unknown fault\n  there is: 'statsu'\n  to do: did you mean 'status'? known: " + FAULTS,
        ),
        (
            lambda: fault_by_name("json:loads"),
            f"this is not a fault\n  there is: json:loads is {json.loads!r}\n"
            "  to do: make it a dataclass with one of the methods connect, mutate, answer, alter, garble",
        ),
        (
            lambda: fault_by_name("_scenarios:Kettle"),
            "this fault cannot be imported\n"
            "  there is: _scenarios:Kettle: module '_scenarios' has no attribute 'Kettle'\n"
            "  to do: write it as package.module:Class",
        ),
    ],
)
def test_what_cannot_be_found_is_told_with_the_nearest(ask: Any, text: str) -> None:
    """Names, folders and hosts that are wrong are errors in three parts."""
    with pytest.raises((ScenarioError, FaultError)) as caught:
        ask()
    assert str(caught.value) == text


def test_same_name_twice_names_both_files(tmp_path: Path) -> None:
    """A scenario of the user's own never shadows a shipped one in silence."""
    path = put(tmp_path, GOOD, "any/slow")
    with pytest.raises(ScenarioError) as caught:
        Library([tmp_path]).names()
    assert str(caught.value) == (
        f"two scenarios are named 'any/slow'\n  there is: {ROOT}/scenarios/any/slow.toml and {path}\n"
        "  to do: rename one of the files"
    )


def test_installed_packages_bring_scenarios_and_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points add folders of scenarios (a path or a package) and faults by a short name."""
    put(
        tmp_path / "brought",
        "# nothing\n" + GOOD.replace("{ status = { code = 429 } }", '{ kettle = { brew = "tea" } }'),
        "tea/cold",
    )
    put(tmp_path / "by_path", GOOD, "tea/none")
    (tmp_path / "brought" / "__init__.py").write_text(f"FOLDER = {str(tmp_path / 'by_path')!r}")
    info = tmp_path / "brought-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[pytest_agentfault.scenarios]\nbrought = brought\nfolder = brought:FOLDER\n"
        "[pytest_agentfault.faults]\nkettle = _scenarios:Teapot\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = Library()
    assert mine.select("tea/*") == ("tea/cold", "tea/none")
    assert type(mine.get("tea/cold").rules[0].faults[0]).__name__ == "Teapot"
    (info / "entry_points.txt").write_text("[pytest_agentfault.scenarios]\nodd = json:loads\n")
    with pytest.raises(ScenarioError, match="entry point 'odd'"):
        Library().names()


def test_only_named_faults_are_imported() -> None:
    """Reading a scenario imports the faults it names and no other."""
    code = (
        "import sys; from pytest_agentfault.scenario import Library; Library().get('any/rate-limit');"
        "print(sorted(m for m in sys.modules if m.startswith('pytest_agentfault.faults.') and '._' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['pytest_agentfault.faults.status']"


def test_request_belongs_to_the_first_rule_that_matches(tmp_path: Path) -> None:
    """The special rule before the general one takes its requests alone, and a difference says so."""
    text = GOOD + '[[rule]]\nto = "* https://a.test*"\nfaults = [{ status = { code = 500 } }]\n'
    special, general = library(tmp_path, text).get("a/b").rules
    asked = Request("GET", "https://a.test/x")
    assert (special.matches(asked), general.matches(asked)) == (True, False)
    assert general.difference(asked) == "GET https://a.test/x belongs to the rule for * https://a.test/*"
    assert general.matches(Request("GET", "https://a.test.example/"))


def test_rules_for_the_very_same_requests_tell_a_sequence(tmp_path: Path) -> None:
    """First a 429, then a 500, then well: two rules with one `to` count the same requests."""
    text = GOOD.replace("faults", "times = 1\nfaults") + GOOD[GOOD.index("[[rule]]") :].replace("429", "500").replace(
        "faults", "after = 1\ntimes = 1\nfaults"
    )
    plan = Plan(library(tmp_path, text).get("a/b").rules)
    asked = Request("GET", "https://a.test/x")
    seen = [drive(plan.exchange(asked), lambda _: Reply.of(200)).reply.status for _ in range(3)]
    assert seen == [429, 500, 200]


@pytest.mark.parametrize(
    ("hosts", "name", "expected"),
    [
        (
            {"github": ["https://git.example.com:8443", "ghe.test/api"]},
            "github/secondary-limit",
            [
                "* https://git.example.com:8443/graphql",
                "* https://git.example.com:8443/*",
                "* *://ghe.test/api/graphql",
                "* *://ghe.test/api/*",
            ],
        ),
        (
            {"jira": ["https://jira.example.com/jira"]},
            "jira/login-page-instead",
            [
                "* https://*.atlassian.net/rest/*",
                "* https://*.atlassian.net/gateway/api/graphql",
                "* https://jira.example.com/jira/rest/*",
            ],
        ),
        ({"jira": ["jira.example.com"]}, "linear/rate-limited", ["* https://api.linear.app/graphql"]),
    ],
)
def test_hosts_of_self_hosted_vendors(hosts: dict[str, list[str]], name: str, expected: list[str]) -> None:
    """The rules of a vendor move to the given bases and keep their paths; a rule for any host moves alone."""
    assert [rule.to for rule in Library(hosts=hosts).get(name).rules] == expected


def test_moved_rules_still_take_a_request_once() -> None:
    """On another base, too, the special rule is before the general one."""
    rules = Library(hosts={"github": ["git.example.com"]}).get("github/secondary-limit").rules
    asked = [Request("POST", "https://git.example.com/graphql"), Request("GET", "https://git.example.com/user")]
    assert [[rule.matches(a) for rule in rules] for a in asked] == [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("name", "to", "url", "expected"),
    [
        ("any/slow", "GET https://a.test/*", "https://a.test/x", [True]),
        ("any/slow", "GET https://a.test/*", "https://b.test/x", [False]),
        ("github/secondary-limit", "* https://git.test/*", "https://git.test/graphql", [True, False]),
        ("github/secondary-limit", "* https://git.test/*", "https://git.test/user", [False, True]),
        ("github/secondary-limit", "* https://git.test/u*", "https://git.test/graphql", [False, False]),
        ("github/secondary-limit", "GET *", "https://api.github.com/user", [False, True]),
        ("github/secondary-limit", "PUT *", "https://api.github.com/user", [False, False]),
        ("jira/login-page-instead", "* https://j.test/*", "https://j.test/rest/api/2/x", [False, False, True]),
        (
            "jira/login-page-instead",
            "* https://j.test/*",
            "https://acme.atlassian.net/rest/api/2/x",
            [False, False, False],
        ),
    ],
)
def test_scenario_aimed_elsewhere(name: str, to: str, url: str, expected: list[bool]) -> None:
    """With `to=` a scenario strikes other requests, still each of them by one rule."""
    assert [rule.matches(Request("GET", url)) for rule in SHIPPED.get(name).aimed(to)] == expected


def test_scenario_aimed_by_a_respx_pattern() -> None:
    """`to=` may be a respx pattern, which then says which of the scenario's requests are struck."""
    from respx.patterns import M

    rules = SHIPPED.get("github/secondary-limit").aimed(M(path__regex="^/us"))
    urls = ("https://api.github.com/user", "https://api.github.com/repos")
    assert [[rule.matches(Request("GET", url)) for rule in rules] for url in urls] == [[False, True], [False, False]]


def test_published_schema_is_the_one_the_code_makes() -> None:
    """docs/scenario.schema.json is never edited by hand; `python -m pytest_agentfault.scenario._schema` writes it."""
    assert json.loads((ROOT / "docs" / "scenario.schema.json").read_text(encoding="utf-8")) == json_schema()


def test_schema_is_a_schema_and_every_shipped_scenario_fits_it() -> None:
    """What the loader takes, the schema takes."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for name in WANTED:
        jsonschema.validate(tomllib.loads(SHIPPED.get(name).path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize(
    "change",
    [
        ("title", "titel"),
        ("reported", "memory"),
        ("to =", "two ="),
        ("* https", "https"),
        ("code = 429", 'code = "429"'),
        ("code", "cod"),
        ("{ code = 429 }", "{ }"),
        ("code = 429", "code = 429, headers = { a = 1 }"),
        ("[{ status = { code = 429 } }]", "[]"),
        ("faults", "times = 0\nfaults"),
        ("faults", 'until = "tomorrow"\nfaults'),
    ],
)
def test_schema_refuses_what_the_loader_refuses(change: tuple[str, str]) -> None:
    """An editor that knows the schema marks the mistakes before pytest does."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(GOOD.replace(*change, 1)), json_schema())
