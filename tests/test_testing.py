"""What those who write a fault or a scenario of their own are told, and that ours pass the same checks."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pytest_agentfault import Refused, Reply, Request, Script
from pytest_agentfault._discover import names
from pytest_agentfault._errors import ScenarioError
from pytest_agentfault.scenario._read import fault_by_name
from pytest_agentfault.testing import check_fault, check_scenario

SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*/*.toml"))
SETTINGS: dict[str, dict[str, Any]] = {
    "bad_framing": {"how": "garbage"},
    "drift": {"operation": "remove"},
    "error_event": {"json": {"error": "overloaded"}},
    "insufficient_scope": {"scope": "write"},
    "lose": {"how": "reset", "where": "in_body"},
    "malform_json": {"how": "truncated"},
    "mislabel": {"how": "without_charset"},
    "rate_limit": {"requests": 1, "left": 0},
    "reject_graphql": {"how": "break", "breakage": "unbalanced_brace"},
    "slow": {"seconds": 2.0},
    "status": {"code": 429},
}


def fault(**verbs: Callable[..., Any]) -> Any:
    """A frozen fault with these verbs."""
    kind: Any = type("Own", (), verbs)
    return dataclass(frozen=True)(kind)()


@pytest.mark.parametrize("name", names("pytest_agentfault.faults"))
def test_shipped_faults_pass(name: str) -> None:
    """Each of our own faults is frozen, strikes something, legally, and the same again by the same seed."""
    check_fault(fault_by_name(name)(**SETTINGS.get(name, {})))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_scenarios_pass(path: Path) -> None:
    """Each rule of each of our scenarios strikes a request it is made for."""
    assert check_scenario(path).name == f"{path.parent.name}/{path.stem}"


def _counting() -> Callable[..., Reply]:
    codes = iter(range(500, 600))
    return lambda self, request: Reply.of(next(codes))


def _illegal(self: object, request: Request) -> Reply:
    return Reply(())


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (
            fault(),
            "Own is no fault\n  there is: {fault!r} has none of the verbs\n"
            "  to do: give it one of connect, mutate, answer, alter, garble",
        ),
        (
            fault(answer=lambda self, request: 429),
            "Own.answer gives something else than a Reply or None\n  there is: 429\n  to do: return a Reply or None",
        ),
        (
            fault(alter=lambda self, request, reply: None),
            "Own.alter gives something else than a Reply\n  there is: None\n  to do: return a Reply",
        ),
        (
            fault(answer=lambda self, request: Reply((Refused(),))),
            "Own.answer gives Refused()\n  there is: the request is already on its way\n"
            "  to do: give it the verb `connect`",
        ),
        (
            fault(answer=_illegal),
            "Own.answer fails: illegal reply: it never ends\n"
            "  there is: the reply is before its head after its last event\n"
            "  to do: finish it with End(), Lost(...) or Refused()",
        ),
        (
            fault(alter=lambda self, request, reply: reply),
            "Own struck nothing\n  there is: none of the samples was changed by it\n"
            "  to do: hand over a reply= and request= that it is made for, or let it change them",
        ),
        (
            fault(answer=_counting()),
            "Own does not repeat itself\n"
            r"  there is: b'HTTP/1.1 501 Not Implemented\r\nX-Agen' at first, "
            r"then b'HTTP/1.1 502 Bad Gateway\r\nX-Agentfau', by the same seed"
            "\n  to do: take chance from its field `random` only, and time from nowhere",
        ),
    ],
    ids=["no-verb", "no-reply", "alter-none", "refused", "illegal", "strikes-nothing", "not-repeatable"],
)
def test_a_fault_that_is_none_is_told_why(wrong: Any, text: str) -> None:
    """What is wrong, what is there, and what to do."""
    with pytest.raises(AssertionError) as caught:
        check_fault(wrong)
    assert str(caught.value) == text.format(fault=wrong)


@pytest.mark.parametrize("kind", [dataclass, lambda kind: kind], ids=["dataclass", "plain"])
def test_a_fault_that_can_be_changed_is_refused(kind: Callable[[type], type]) -> None:
    """One fault serves many tests."""
    own = kind(type("Own", (), {"answer": lambda self, request: Reply.of(500)}))()
    with pytest.raises(AssertionError) as caught:
        check_fault(own)
    assert str(caught.value) == (
        "Own can be changed after it was made\n"
        "  there is: one fault serves many tests, and a change in one would be seen in the next\n"
        "  to do: make it @dataclass(frozen=True, slots=True)"
    )


@dataclass(frozen=True, slots=True)
class Dice:
    """One of many statuses, by chance."""

    random: Random = field(default_factory=Random, repr=False, compare=False)

    def answer(self, request: Request) -> Reply:
        """Chance comes from the rule."""
        return Reply.of(self.random.randrange(500, 600))


def test_chance_from_the_rule_repeats() -> None:
    """A fault that takes its chance from its field `random` passes."""
    check_fault(Dice())


@pytest.mark.parametrize(
    "own",
    [
        fault(connect=lambda self, request: Refused()),
        fault(mutate=lambda self, request: Request(request.method, request.url, request.headers, b"{}")),
        fault(garble=lambda self, script: Script(script.steps[-1:])),
    ],
    ids=["connect", "mutate", "garble"],
)
def test_every_verb_can_strike(own: Any) -> None:
    """A fault needs no more than one verb, whichever it is."""
    check_fault(own)


def test_a_reply_of_ones_own_must_be_struck() -> None:
    """With reply= and request= the samples are out of the game."""
    picky = fault(alter=lambda self, request, reply: Reply.of(500) if reply.status == 201 else reply)
    check_fault(picky, reply=Reply.of(201), request=Request("GET", "https://api.example.com/x"))
    with pytest.raises(AssertionError, match="what came out equals what went in"):
        check_fault(picky, reply=Reply.of(200))


def _file(folder: Path, rules: str) -> Path:
    path = folder / "billing" / "own.toml"
    path.parent.mkdir()
    path.write_text(f'title = "t"\nsource = "s"\nconfidence = "documented"\n{textwrap.dedent(rules)}', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (
            """
            [[rule]]
            to = "* https://billing.example/*"
            faults = [{ drift = { operation = "remove", field = "$.no.such.field" } }]
            """,
            "{path}: rule 1 (* https://billing.example/*) struck nothing\n"
            "  there is: Drift left every sample as it was\n"
            "  to do: check the settings of its faults, above all their JSONPath, or hand over a reply= made for them",
        ),
        (
            """
            [[rule]]
            to = "* https://billing.example/*"
            faults = [{ status = { code = 500 } }]
            [[rule]]
            to = "* https://billing.example/v1/*"
            faults = [{ status = { code = 503 } }]
            """,
            "{path}: rule 2 (* https://billing.example/v1/*) is never asked\n"
            "  there is: each request it could match belongs to an earlier rule: * https://billing.example/*\n"
            "  to do: put the special rules before the general ones",
        ),
    ],
    ids=["strikes-nothing", "shadowed"],
)
def test_a_rule_that_never_strikes_is_told_why(rules: str, text: str, tmp_path: Path) -> None:
    """The file, the rule, and what to do."""
    path = _file(tmp_path, rules)
    with pytest.raises(AssertionError) as caught:
        check_scenario(path)
    assert str(caught.value) == text.format(path=path)


def test_a_vendors_own_reply_can_be_handed_over(tmp_path: Path) -> None:
    """A JSONPath that fits no sample is checked on the vendor's reply."""
    path = _file(
        tmp_path,
        """
        [[rule]]
        to = "GET *://billing.example/v1/*"
        after = 3
        faults = [{ drift = { operation = "remove", field = "$.no.such.field" } }]
        """,
    )
    reply = Reply.of(200, b'{"no": {"such": {"field": 1}}}', {"Content-Type": "application/json"})
    assert check_scenario(str(path), reply=reply).name == "billing/own"


def test_a_file_that_cannot_be_read_is_the_scenarios_own_error(tmp_path: Path) -> None:
    """The error names file, line and key, as in a run."""
    with pytest.raises(ScenarioError, match=r"own.toml:6: unknown fault"):
        check_scenario(_file(tmp_path, '[[rule]]\nto = "* *"\nfaults = [{ lightning = {} }]\n'))
