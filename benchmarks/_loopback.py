"""
The bare server that the doors are held against: sockets, a thread per connection, nothing else.

As lean as a server in the same process can be and still be one: it reads a whole
request and writes bytes that were made before.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager


@contextmanager
def serving(answers: Mapping[bytes, bytes | Sequence[bytes]]) -> Iterator[int]:
    """A server on 127.0.0.1 that answers each path with its bytes, until the block ends; gives its port.

    Args:
        answers: complete replies by path, each whole or in segments; one that says `Connection: close` is followed
            by a close.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    segments = {path: (said,) if isinstance(said, bytes) else tuple(said) for path, said in answers.items()}
    threading.Thread(target=_accept, args=(listener, segments), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, answers: Mapping[bytes, Sequence[bytes]]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, answers), daemon=True).start()


def _serve(connection: socket.socket, answers: Mapping[bytes, Sequence[bytes]]) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (asked := _request(connection)) is not None:
            answer = answers[asked]
            for segment in answer:
                connection.sendall(segment)
            if b"\r\nConnection: close\r\n" in answer[0]:
                return


def _request(connection: socket.socket) -> bytes | None:
    """The path of the next request, once its body is read; None: the client has closed."""
    got = b""
    while b"\r\n\r\n" not in got:
        try:
            piece = connection.recv(65536)
        except OSError:
            return None
        if not piece:
            return None
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    length = int(lowered[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b" ", 2)[1]
