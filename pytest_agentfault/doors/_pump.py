"""
A live reply on its way to a connection of the door `server`, while it comes.

It runs in a thread of its own, reads no faster than the client does, and ends
with whichever of the two ends first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Final

from .._baseline import Relay
from .._exchange import Exchange
from .._script import Fin, Send, Step
from ._asking import Following
from ._peer import Peer

PATIENCE_SECONDS: Final = 3600.0  # a stream may be silent for long; the client decides for how long
LOOK_SECONDS: Final = 0.5  # whether the client is still there, should nobody say so


def pump(peer: Peer, relay: Relay, following: Following, tell: Callable[[Exchange], None]) -> None:
    """Hand on what comes, until either side has ended.

    Args:
        peer: the client.
        relay: what comes.
        following: keeps it in the log.
        tell: told of the exchange when the head of the reply is there.
    """
    done = Event()
    reactor = peer.owner.reactor

    def begin() -> None:
        peer.told_done = partial(_went_on, peer, relay, done)
        peer.told_done()

    reactor.soon(begin)
    steps: list[Step] = []
    try:
        while not peer.is_closed and (not steps or isinstance(steps[-1], Send)):
            steps = [_read(relay)]
            if (exchange := following.heard(relay)) is not None:
                tell(exchange)
            if relay.over is not None and isinstance(steps[0], Send):
                steps.append(relay.over)
            done.clear()
            reactor.soon(partial(_perform, peer, steps))
            while not (done.wait(LOOK_SECONDS) or peer.is_closed):
                pass
    finally:
        following.ended(relay)
        relay.close()


def _read(relay: Relay) -> Step:
    try:
        return relay.read(PATIENCE_SECONDS)
    except OSError:  # it was closed meanwhile
        return Fin()


def _perform(peer: Peer, steps: list[Step]) -> None:
    told = peer.told_done
    if not isinstance(steps[-1], Send):
        peer.told_done = None  # the next reply is another one
    peer.perform(*steps)
    if peer.told_done is None and told is not None:
        told()


def _went_on(peer: Peer, relay: Relay, done: Event) -> None:
    if peer.is_closed:
        relay.close()  # nobody listens any more: who waits for the server need not
    done.set()
