"""The private names that the door `transport` leans on: one that has moved fails here first, by name."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType

import pytest
from _memory import Leaves
from _transports import LIBRARIES, opened, rule

from pytest_agentfault._errors import UnreachableError

SEAMS = {
    "the classes that transports stand on": ("_transports.base", "BaseTransport AsyncBaseTransport"),
    "the way back to the client's own errors": (
        "_transports.default",
        "map_httpcore_exceptions ResponseStream AsyncResponseStream HTTPTransport AsyncHTTPTransport",
    ),
}
SEAMS_OF_THE_CORE = {
    "blocking streams over a socket": ("_backends.sync", "SyncStream"),
    "async streams over anyio": ("_backends.anyio", "AnyIOStream"),
    "async streams over trio": ("_backends.trio", "TrioStream"),
    "errors of a connection that never comes to be": ("_exceptions", "map_exceptions"),
}


@pytest.mark.parametrize("seam", [*SEAMS, *SEAMS_OF_THE_CORE])
@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_private_names_are_where_they_were(library: str, seam: str) -> None:
    """One that has moved is named here."""
    module, names = {**SEAMS, **SEAMS_OF_THE_CORE}[seam]
    owner = library if seam in SEAMS else library.replace("httpx", "httpcore")
    found = import_module(f"{owner}.{module}")
    assert [name for name in names.split() if not hasattr(found, name)] == []


@LIBRARIES
def test_a_transport_is_asked_by_these_two_names(library: ModuleType) -> None:
    """A client asks its transport through an ordinary look-up of `handle_request` or `handle_async_request`."""
    for client, name in (("Client", "handle_request"), ("AsyncClient", "handle_async_request")):
        assert f"transport.{name}(request)" in inspect.getsource(getattr(library, client)._send_single_request)


def test_a_seam_that_has_moved_is_an_error_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is named, and what to do."""
    monkeypatch.delattr("httpx._transports.base.AsyncBaseTransport")
    with pytest.raises(UnreachableError) as caught, opened(rule(Leaves())):
        pass
    assert str(caught.value).splitlines() == [
        "the way into httpx has moved",
        "  there is: AttributeError: module 'httpx._transports.base' has no attribute 'AsyncBaseTransport' "
        "(in httpx._transports.base)",
        "  to do: use a version of httpx that this plugin was tested with, and report this one",
    ]
