"""A way to a server that loses one answer: what was asked is done, and who asked doesn't hear of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

_PIECE: Final = 1 << 16


@dataclass(frozen=True)
class Forgetful:
    """A running one.

    Args:
        port: of the server, on 127.0.0.1.
        method: of the request whose answer gets lost.
        path: a part of its path.
        listener: what it listens with.
        lost: whether the answer is lost.
    """

    port: int
    method: str
    path: str
    listener: socket.socket
    lost: Event = field(default_factory=Event)

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                asker, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                meant = Event()
                for target in (self._ask, self._answer):
                    Thread(target=target, args=(asker, server, meant), daemon=True).start()

    def _ask(self, asker: socket.socket, server: socket.socket, meant: Event) -> None:
        with suppress(OSError):
            while piece := asker.recv(_PIECE):
                line = piece.partition(b"\r\n")[0].decode("latin-1")
                if line.startswith(f"{self.method} ") and self.path in line and not self.lost.is_set():
                    meant.set()
                server.sendall(piece)
        _end(server)

    def _answer(self, asker: socket.socket, server: socket.socket, meant: Event) -> None:
        with suppress(OSError):
            while piece := server.recv(_PIECE):
                if meant.is_set() and not piece.startswith(b"HTTP/1.1 100"):
                    self.lost.set()
                    break
                asker.sendall(piece)
        _end(asker)
        _end(server)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def forgetful(port: int, method: str, path: str) -> Iterator[Forgetful]:
    """One, until the end of the block; arguments as above."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Forgetful(port, method, path, listener)
        Thread(target=made.serve, daemon=True).start()
        yield made
