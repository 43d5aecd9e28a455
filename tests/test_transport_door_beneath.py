"""What stands beneath the door `transport`: tools that patch transports, and sockets that are reached after all."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

import pytest
from _loopback import loopback as local_server
from _memory import Leaves
from _transports import LIBRARIES, fetch, opened, rule, well

from pytest_agentfault import Rule
from pytest_agentfault.faults.split_chunks import SplitChunks
from pytest_agentfault.faults.status import Status


@LIBRARIES
@pytest.mark.parametrize("early", [True, False], ids=["before the door", "after it"])
def test_what_others_patch_stays_beneath(library: ModuleType, early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that replaces `handle_request`, before us or after, is asked for the healthy reply only."""

    def replaced(transport: Any, request: Any) -> Any:
        return library.Response(200, text="theirs")

    if early:
        monkeypatch.setattr(library.MockTransport, "handle_request", replaced)
    with opened(rule(Status(code=429), times=1)) as door:
        if not early:
            monkeypatch.setattr(library.MockTransport, "handle_request", replaced)
        found = [fetch(library, library.MockTransport(partial(well, library))).text for _ in range(2)]
    assert (found[0] != "theirs", found[1]) == (True, "theirs")
    assert [len(x.struck) for x in door.plan.log] == [1, 0]


def over_sockets(library: Any) -> dict[str, Any]:
    """Transports that reach a socket, each in its own way."""

    class Around(library.BaseTransport):  # type: ignore[misc]
        def __init__(self) -> None:
            self.inner = library.HTTPTransport()

        def handle_request(self, request: Any) -> Any:
            return self.inner.handle_request(request)

    class Late(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            with library.Client() as client:  # nothing shows beforehand that it will
                found = client.request(request.method, request.url)
                return library.Response(found.status_code, content=found.content)

    return {"real": library.HTTPTransport(), "around a real one": Around(), "late": Late()}


@LIBRARIES
@pytest.mark.parametrize("kind", ["real", "around a real one", "late"])
def test_a_request_is_never_struck_twice(library: ModuleType, kind: str) -> None:
    """With the door `memory` open as well, what reaches a socket is counted and struck once."""
    with local_server() as server:
        aimed = Rule(f"* {server.url}/*", (SplitChunks(every_bytes=3), Leaves()))
        with opened(aimed, memory=True) as door:
            found = fetch(library, over_sockets(library)[kind], url=f"{server.url}/items")
    assert found.status_code == 200
    assert [len(x.struck) for x in door.plan.log] == [1]
    assert door.plan.tallies[0].seen == 1
