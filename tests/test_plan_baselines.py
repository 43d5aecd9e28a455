"""What the baseline said is remembered, for a retry that must hear it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from _planned import GET, POST, WELL, Answer, Append, Ask, ask, rule

from pytest_agentfault import Head, How, Lost, Reply, Request
from pytest_agentfault._plan import Plan

HEAD = Head(200, (("Content-Length", "4"),))
OTHER_BODY = Request(GET.method, GET.url, body=b"other")


@dataclass(frozen=True, slots=True)
class Cuts:
    """Loses what the vendor said."""

    def alter(self, request: Request, reply: Reply) -> Reply:
        """On the way back."""
        return Reply((HEAD, Lost(How.CUT)))


# what struck the last reply -> whether the retry hears the baseline again, as it was lost, and as it was struck
AGAIN: dict[str, tuple[tuple[Any, ...], Request, bool, bool]] = {
    "lost on its way": ((rule(Cuts()),), GET, True, True),
    "its payload damaged": ((rule(Append(), damages="payload"),), GET, True, True),
    "one of two rules damaged it": ((rule(Append(b"?")), rule(Append(), damages="payload")), GET, True, True),
    "struck, and still good": ((rule(Append()),), GET, False, True),
    "lost, and asked with another body": ((rule(Cuts()),), OTHER_BODY, False, True),
    "lost, and asked with another method": ((rule(Cuts()),), POST, False, False),
    "answered in the vendor's place": ((rule(Answer()),), GET, False, False),
    "nothing struck": ((), GET, False, False),
}


@pytest.mark.parametrize("case", AGAIN)
def test_a_retry_hears_again_what_was_lost(case: str) -> None:
    """The same request gets what it never got whole; where nothing is left, any struck one is given again."""
    rules, retry, lost, struck = AGAIN[case]
    plan = Plan(rules)
    ask(plan)
    assert plan.lost_baseline(retry) == (WELL if lost else None)
    assert plan.struck_baseline(retry) == (WELL if struck else None)


def test_what_the_vendor_itself_loses_is_not_given_again() -> None:
    """Only what a rule struck is ours to give back."""
    plan = Plan()
    ask(plan, send=lambda request: Reply((HEAD, Lost(How.CUT))))
    assert plan.lost_baseline(GET) is plan.struck_baseline(GET) is None


def test_before_the_first_request_there_is_nothing_to_hear_again() -> None:
    """Also for a plan with rules."""
    plan = Plan([rule(Cuts())])
    assert plan.lost_baseline(GET) is plan.struck_baseline(GET) is None


def test_only_the_last_reply_counts() -> None:
    """A retry that came through whole has moved the conversation on."""
    plan = Plan([rule(Cuts(), times=1)])
    ask(plan)
    ask(plan)
    assert plan.lost_baseline(GET) is plan.struck_baseline(GET) is None


def test_what_a_fault_asked_instead_is_owed_what_was_said_to_it() -> None:
    """A recording says its first page once; the second one, asked for as the first, hears it again."""
    plan = Plan([rule(Ask(GET.url), to="GET https://x/second", damages="payload")])
    second = Request("GET", "https://x/second")
    ask(plan)
    assert plan.struck_baseline(GET) is None  # nobody has asked for it in another's place yet
    done = ask(plan, second, send=lambda request: plan.struck_baseline(request) or Reply.of(500))
    assert (done.reply, done.asked, done.request) == (WELL, GET, second)


def test_a_reply_to_another_request_is_not_given_again() -> None:
    """What was asked for in vain is asked for again, and not the other."""
    plan = Plan([rule(Ask(), to="GET https://x/second", damages="payload")])
    second = Request("GET", "https://x/second")
    done = ask(plan, second)
    assert done.struck
    assert plan.lost_baseline(second) is plan.struck_baseline(second) is None
    assert ask(Plan()).asked is None
