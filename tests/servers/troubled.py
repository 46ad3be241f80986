"""A way to an HTTP server on which requests meet trouble: refused for a while, done and not answered, told askew."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


@dataclass(kw_only=True)
class Trouble:
    """What some requests meet.

    Args:
        method: of the requests.
        path: a part of their path, query and all.
        what: `refused` before the server hears of it (503 SlowDown), `failed` although the server has done it (500),
            `cut` the same, with no answer at all, `told` to `act`, which may change the answer's body.
        times: to how many of them it happens.
        act: takes the answer's body, gives another one.
        met: to how many it has happened.
    """

    method: str
    path: str
    what: Literal["refused", "failed", "cut", "told"]
    times: int = 1
    act: Callable[[bytes], bytes] = field(default=lambda body: body)
    met: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether it happens to this one."""
        if method != self.method or self.path not in path or self.met >= self.times:
            return False
        self.met += 1
        return True


@dataclass(frozen=True)
class Troubled:
    """A running one.

    Args:
        port: where it listens, on 127.0.0.1.
        troubles: those that are still to come; whoever tests adds to them.
        passed: method and path of all requests.
    """

    port: int
    troubles: list[Trouble] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def trouble(self, method: str, path: str) -> Trouble | None:
        """What a request meets."""
        with self.lock:
            self.passed.append((method, path))
            return next((item for item in self.troubles if item.meets(method, path)), None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    made: Troubled
    behind: int

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        trouble = self.made.trouble(self.command, self.path)
        what = trouble.what if trouble else ""
        if what == "refused":
            self._refuse(503, "SlowDown")
            return
        status, headers, answer = self._ask(body)
        if what == "cut":
            self.close_connection = True
            return
        if what == "failed":
            self._refuse(500, "InternalError")
            return
        self._answer(status, headers, trouble.act(answer) if trouble else answer)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Exactly what was asked: signatures go over headers, the host's among them."""
        server = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"expect", "connection"}:
                server.putheader(name, value)
        server.endheaders(body or None)
        answer = server.getresponse()
        found = answer.status, answer.getheaders(), answer.read()
        server.close()
        return found

    def _refuse(self, status: int, code: str) -> None:
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>trouble</Message></Error>"
        self._answer(status, [("Content-Type", "application/xml")], text.encode())

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        length = {name.lower(): value for name, value in headers}.get("content-length", "0")
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are none of our business."""


@contextmanager
def troubled(port: int) -> Iterator[Troubled]:
    """One before a server on 127.0.0.1, until the end of the block."""
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"behind": port})) as server:
        made = Troubled(server.server_port)
        server.RequestHandlerClass.made = made  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
