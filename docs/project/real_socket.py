"""A real socket on loopback that performs a script after each request: what a door is compared with."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_agentfault import Script, Send, Wait


@contextmanager
def performing(script: Script) -> Iterator[str]:
    """The base URL of a server that performs this, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                for step in script.steps:
                    if isinstance(step, Send):
                        client.sendall(step.data)
                        time.sleep(0.01)  # so that each segment is read alone
                    elif isinstance(step, Wait):
                        time.sleep(step.seconds)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
