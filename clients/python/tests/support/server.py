"""A service on a socket, which answers as it is told: by bytes, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Callable

Talk = Callable[[socket.socket], None]

STATUS = b'{"enabled":true,"factorCount":1}'


def http(status: str = "200 OK", body: bytes = STATUS, *headers: str) -> bytes:
    """An answer, whole."""
    told = ["content-type: application/json", f"content-length: {len(body)}", *headers]
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *told, ""))
    return head.encode() + body


def request(connection: socket.socket) -> bytes:
    """A request, read to its end."""
    found = b""
    while b"\r\n\r\n" not in found:
        part = connection.recv(65_536)
        if not part:
            return found
        found += part
    head, _, body = found.partition(b"\r\n\r\n")
    lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lines[0].split(b":")[1]) if lines else 0
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


class Server:
    """Listens on a port of its own, and talks in a thread for each connection."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        #: How many connections the other side has closed.
        self.closed = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._talk(connection)
        except OSError:
            pass
        finally:
            connection.close()
            self.closed.release()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        for each in self._open:
            # Wakes the thread that waits for it.
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def answering(*answers: bytes) -> Talk:
    """Gives these answers in turn on each connection, the last one again and again."""

    def talk(connection: socket.socket) -> None:
        at = 0
        while request(connection):
            connection.sendall(answers[min(at, len(answers) - 1)])
            at += 1

    return talk


def silent(connection: socket.socket) -> None:
    """Reads, says nothing, and notices when the other side goes away."""
    while connection.recv(65_536):
        pass


@contextmanager
def refusing() -> Iterator[str]:
    """An address where nobody listens, and nobody will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
