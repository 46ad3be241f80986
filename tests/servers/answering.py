"""A fake of a service's REST API on loopback: faults as networks have them, and answers that a holder makes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol
from urllib.parse import SplitResult, parse_qsl, urlsplit

from tests.servers.faults import Rules


class RefusalError(Exception):
    """An answer that says no.

    Args:
        status: of HTTP.
        content: the answer.
    """

    def __init__(self, status: int, content: bytes) -> None:
        self.status, self.content = status, content
        super().__init__(f"{status}")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request."""

    method: str
    url: SplitResult
    headers: Message  # in whatever letters
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the path."""
        return dict(parse_qsl(self.url.query, keep_blank_values=True))


class Holder(Protocol):
    """What a fake holds."""

    port: int
    rules: Rules
    asked: list[str]

    def did(self, asked: Asked) -> tuple[int, bytes]:
        """Do what a request asks for; the answer. Raises RefusalError."""

    def later(self, status: int, path: str) -> bytes:
        """What the service says where it is asked too early (503) or too often (429)."""


@contextmanager
def answering(holder: Holder) -> Iterator[None]:
    """The service, until the end of the block."""
    http = ThreadingHTTPServer(("127.0.0.1", holder.port), type("Handler", (_Handler,), {"holder": holder}))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: else the second waits for the first one's receipt
    holder: ClassVar[Holder]

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.holder.asked.append(f"{self.command} {self.path}")
        fault = self.holder.rules.fault(self.command, self.path)
        if fault in ("503", "throttled"):
            status = 503 if fault == "503" else 429
            self._answer(status, self.holder.later(status, self.path))
            return
        asked = Asked(method=self.command, url=urlsplit(self.path), headers=self.headers, body=body)
        try:
            status, content = self.holder.did(asked)
        except RefusalError as no:
            status, content = no.status, no.content
        if fault == "lost":
            self.close_connection = True
        else:
            self._answer(status, content, cut=fault == "cut")

    def _answer(self, status: int, content: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
