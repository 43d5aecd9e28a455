"""Whether something has come in for an event loop: asked of what it waits by, which is itself a file one can watch."""

from __future__ import annotations

import select


def has_news(watcher: int, seconds: float) -> bool:
    """Whether a socket of the loop is ready, or becomes so.

    Args:
        watcher: the descriptor of its epoll or kqueue.
        seconds: how long that may take, real ones.
    """
    if hasattr(select, "poll"):
        asked = select.poll()
        asked.register(watcher, select.POLLIN)
        return bool(asked.poll(seconds * 1000))
    return bool(select.select([watcher], [], [], seconds)[0])
