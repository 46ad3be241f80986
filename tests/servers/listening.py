"""A real HTTP server on loopback that notes what it is sent; it refuses what goes to /no."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass(frozen=True)
class Listening:
    """A running server.

    Args:
        port: on 127.0.0.1.
        heard: (path, headers, JSON) of each request so far.
    """

    port: int
    heard: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listening]:
    """Listen until the end of the block."""

    class Noting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.heard.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(403 if self.path == "/no" else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Noting) as server:
        made = Listening(server.server_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
