"""The fault `close_idle`: a connection that was to be kept, closed behind the reply."""

from __future__ import annotations

import pytest
from _said import GET, HEAD, NO_CONTENT, document, read, stream

from pytest_agentfault._reply import How, Lost, Reply, Request
from pytest_agentfault._rule import verbs_of
from pytest_agentfault._script import Fin, Next, encode
from pytest_agentfault.faults.close_idle import CloseIdle


@pytest.mark.parametrize("reply", [document({}), stream(1), NO_CONTENT])
@pytest.mark.parametrize("request_", [GET, HEAD])
def test_the_reply_is_whole_and_then_the_connection_is_closed(reply: Reply, request_: Request) -> None:
    """Not a byte changes: nothing in the reply says that the connection will not be kept."""
    before = encode(reply, request_)
    after = CloseIdle().garble(before)
    assert (before.steps[-1], after.steps[-1]) == (Next(), Fin())
    assert after.sent == before.sent
    assert b"connection: close" not in after.sent.lower()
    assert read(after, request_) == read(before, request_)


@pytest.mark.parametrize(
    "reply", [document({}).with_header("Connection", "close"), Reply((*stream(1).events[:-1], Lost(How.RESET)))]
)
def test_a_connection_that_ends_with_its_reply_is_not_struck(reply: Reply) -> None:
    """The same script comes back."""
    script = encode(reply, GET)
    assert CloseIdle().garble(script) == script
    assert verbs_of(CloseIdle()) == ("garble",)
