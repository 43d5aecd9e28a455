"""A script is steps: which are legal, where its head ends, and which first bytes are HTTP at all."""

from __future__ import annotations

import pytest

from pytest_agentfault import Fin, Next, Reset, Script, Send, Stall, Wait
from pytest_agentfault._errors import FaultError
from pytest_agentfault._script import Step, speaks_http


@pytest.mark.parametrize(
    ("steps", "there"),
    [
        ((), "no step at all"),
        ((Send(b"a"),), "Send"),
        ((Wait(1),), "Wait"),
        ((Fin(), Send(b"a")), "Fin Send"),
        ((Send(b"a"), Next(), Fin()), "Send Next Fin"),
        ((Stall(), Reset()), "Stall Reset"),
    ],
)
def test_an_illegal_script_is_refused(steps: tuple[Step, ...], there: str) -> None:
    """A script has exactly one end, and it is its last step."""
    with pytest.raises(FaultError) as caught:
        Script(steps)
    assert str(caught.value) == (
        "illegal script: exactly its last step must be an end\n"
        f"  there is: {there}\n"
        "  to do: finish it with one of Stall, Fin, Reset, Next"
    )


@pytest.mark.parametrize(
    ("steps", "block", "rest"),
    [
        ((Send(b"H\r\n\r\nbody"), Fin()), b"H\r\n\r\n", [Send(b"body"), Fin()]),
        ((Send(b"H\r\n\r\n"), Send(b"b"), Fin()), b"H\r\n\r\n", [Send(b"b"), Fin()]),
        ((Send(b"H\r"), Send(b"\n\r"), Send(b"\nb"), Fin()), b"H\r\n\r\n", [Send(b"b"), Fin()]),
        ((Send(b"H"), Wait(1), Send(b"\r\n\r\n"), Fin()), b"H", [Wait(1), Send(b"\r\n\r\n"), Fin()]),
        ((Reset(),), b"", [Reset()]),
    ],
)
def test_parts(steps: tuple[Step, ...], block: bytes, rest: list[Step]) -> None:
    """The head block is found over any segments."""
    assert Script(steps).parts() == (block, rest)


@pytest.mark.parametrize(
    ("first", "speaks"),
    [
        (b"GET / HTTP/1.1\r\n", True),
        (b"G", True),
        (b"GET ", True),
        (b"PRI * HTTP/2.0\r\n", True),
        (b"M-SEARCH * HTTP/1.1\r\n", True),
        (b"", False),
        (b" ", False),
        (b"\r\n", False),
        (b"\x16\x03\x01\x02", False),  # a TLS handshake
        (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", False),  # postgres: SSLRequest
        (b"*1\r\n$4\r\nPING\r\n", False),  # redis
        (b"AMQP\x00\x00\x09\x01", False),
        (b"GET  ", False),
        (b"INFO \r\n", False),
    ],
)
def test_the_first_bytes_tell_http_from_the_rest(first: bytes, speaks: bool) -> None:
    """A database on a host that a wide rule reaches is recognised by its first bytes."""
    assert speaks_http(first) is speaks
