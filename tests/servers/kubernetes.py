"""A fake of Kubernetes' API on loopback, of what an engine asks of it, that fails as networks and API servers do.

It starts nothing: a test moves the state of applications as the Spark operator would. It takes those alone that the
operator's resource definition takes (spark_application.py), deletes as Kubernetes does (an application with
foreground propagation stays until its pods are gone; what it owns goes with it), and answers by pages.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, Literal
from urllib.parse import parse_qs, urlsplit

from tests.servers.guarded import PASSWORD, free_port
from tests.servers.spark_application import refused

NAMESPACE: Final = "etl"
_BEGAN: Final = datetime(2026, 11, 23, tzinfo=UTC)
_REASONS: Final = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}
_REASONS_TOO: Final = {422: "Invalid", 429: "TooManyRequests", 503: "ServiceUnavailable"}

Fault = Literal["401", "403", "409", "422", "429", "503", "quota", "lost", "cut", "half"]


@dataclass
class Rule:
    """What goes wrong with the next requests whose method and path have a word."""

    word: str
    fault: Fault
    times: int


@dataclass
class Server:
    """What it holds and has seen: (kind, name) -> resource."""

    port: int
    held: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    deletions: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    page: int = 2
    lock: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, fault: Fault, word: str, times: int = 1) -> None:
        """Let the next requests fail whose method and path have a word."""
        self.rules.append(Rule(word, fault, times))

    def clear(self) -> None:
        """As on the first day."""
        for kept in (self.held, self.rules, self.asked, self.deletions):
            kept.clear()  # type: ignore[attr-defined]

    @property
    def config(self) -> dict[str, Any]:
        """A kube config."""
        user = {"name": "etl", "user": {"token": PASSWORD}}
        cluster = {"name": "etl", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}
        context = {"name": "etl", "context": {"cluster": "etl", "user": "etl"}}
        told = {"apiVersion": "v1", "kind": "Config", "current-context": "etl"}
        return told | {"users": [user], "clusters": [cluster], "contexts": [context]}

    def connection(self) -> str:
        """As an Airflow connection in a variable has it."""
        return json.dumps({"conn_type": "kubernetes", "extra": {"kube_config": json.dumps(self.config)}})

    def api(self) -> Any:
        """A client, as the product's hook makes it."""
        from kubernetes.config import new_client_from_config_dict

        return new_client_from_config_dict(self.config)

    # -- what the operator does -----------------------------------------------------------------------------------

    def applications(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        return [item for (kind, _), item in self.held.items() if kind == "sparkapplications"]

    def secrets(self) -> list[dict[str, Any]]:
        """All of them."""
        return [item for (kind, _), item in self.held.items() if kind == "secrets"]

    def move(self, name: str, state: str, why: str = "") -> None:
        """Let an application come to a state; while it runs it has a driver's pod."""
        with self.lock:
            found, pod = self.held["sparkapplications", name], f"{name}-driver"
            info = {"podName": pod, "webUIServiceName": f"{name}-ui-svc", "webUIPort": 4040}
            told = {"state": state} | ({"errorMessage": why} if why else {})
            found["status"] = {"applicationState": told, "driverInfo": info}
            labels = {"sparkoperator.k8s.io/app-name": name, "spark-role": "driver"}
            phase = {"RUNNING": "Running", "COMPLETED": "Succeeded"}.get(state, "Failed")
            meta = {"name": pod, "labels": labels}
            self.held["pods", pod] = {"metadata": meta, "status": {"phase": phase}}

    def revive(self, name: str, *, ended: bool = False) -> None:
        """Let an application's driver run although the operator says otherwise; `ended`: a container beside it does."""
        state = {"terminated": {"exitCode": 1}} if ended else {"running": {}}
        told = {"name": "spark-kubernetes-driver", "state": state, "image": "", "imageID": ""}
        status = {"phase": "Running", "containerStatuses": [told | {"ready": not ended, "restartCount": 0}]}
        self.held["pods", f"{name}-driver"]["status"] = status

    def settle(self) -> None:
        """Let all pods end whose application is being deleted; then it goes too, with what it owns."""
        with self.lock:
            for (kind, name), item in list(self.held.items()):
                if kind == "sparkapplications" and "deletionTimestamp" in item["metadata"]:
                    self.held.pop(("pods", f"{name}-driver"), None)
                    self.collect()

    def collect(self) -> None:
        """What Kubernetes' garbage collector does."""
        for (kind, name), item in list(self.held.items()):
            going = kind == "sparkapplications" and "deletionTimestamp" in item["metadata"]
            if going and ("pods", f"{name}-driver") not in self.held:
                self.held.pop((kind, name))
        alive = {item["metadata"].get("uid") for item in self.held.values()}
        for key, item in list(self.held.items()):
            owners = item["metadata"].get("ownerReferences") or ()
            if owners and not any(owner["uid"] in alive for owner in owners):
                self.held.pop(key)


@contextmanager
def kubernetes_server() -> Iterator[Server]:
    """A fresh server until the end of the block."""
    server = Server(free_port())
    handler = type("Handler", (_Handler,), {"known": server})
    listening = ThreadingHTTPServer(("127.0.0.1", server.port), handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


class _RefusedError(Exception):
    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        told = reason or {**_REASONS, **_REASONS_TOO}[status]
        self.status = status
        self.body = {"kind": "Status", "status": "Failure", "message": message, "reason": told, "code": status}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    known: ClassVar[Server]

    def _serve(self) -> None:
        server = self.known
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.asked.append(f"{self.command} {self.path}")
        fault = self._fault()
        try:
            self._let_in(fault)
            with server.lock:
                status, answer = 200, self._done(json.loads(body) if body else {})
        except _RefusedError as refusal:
            status, answer = refusal.status, refusal.body
        if fault == "lost":
            self.close_connection = True
            return
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        length = len(content) // 2 if fault == "half" else len(content)  # a proxy that thinks this is all
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault in ("cut", "half") else content)
        self.close_connection = self.close_connection or fault == "cut"

    def _let_in(self, fault: Fault | None) -> None:
        if fault == "quota":
            raise _RefusedError(403, "sparkapplications is forbidden: exceeded quota: team, requested: 1")
        if fault is not None and fault.isdecimal():
            raise _RefusedError(int(fault), f"{fault}, says the test")
        if self.headers.get("Authorization") != f"Bearer {PASSWORD}":
            raise _RefusedError(401, "Unauthorized")

    def _fault(self) -> Fault | None:
        for rule in self.known.rules:
            if rule.times and rule.word in f"{self.command} {self.path}":
                rule.times -= 1
                return rule.fault
        return None

    def _done(self, body: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(self.path)
        _, _, rest = parts.path.partition(f"/namespaces/{NAMESPACE}/")
        kind, _, name = rest.partition("/")
        core = parts.path.startswith("/api/v1/")
        if not rest or (kind != "sparkapplications") != core:
            raise _RefusedError(404, "the server could not find the requested resource")
        if not name:
            query = parse_qs(parts.query)
            return self._created(kind, body) if self.command == "POST" else self._listed(kind, query)
        return self._done_to(kind, name, body, {key: value[0] for key, value in parse_qs(parts.query).items()})

    def _done_to(self, kind: str, name: str, body: dict[str, Any], how: dict[str, str]) -> dict[str, Any]:
        found = self.known.held.get((kind, name))
        if found is None:
            raise _RefusedError(404, f'{kind} "{name}" not found')
        if self.command == "DELETE":
            return self._deleted(kind, name, found, how)
        if self.command == "PUT":
            found.update({key: value for key, value in body.items() if key != "metadata"})
        if self.command == "PATCH":
            if "merge-patch" not in self.headers["Content-Type"]:
                raise _RefusedError(400, "no merge patch")
            found["metadata"] |= body["metadata"]
        return found

    def _created(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        name, number = body["metadata"]["name"], next(self.known.numbers)
        if (kind, name) in self.known.held:
            raise _RefusedError(409, f'{kind} "{name}" already exists', "AlreadyExists")
        if kind == "sparkapplications" and (why := refused(body)):
            raise _RefusedError(422, why)
        if kind == "secrets" and sum(map(len, body["data"].values())) > (1 << 20) * 4 / 3 + 4:
            raise _RefusedError(422, "data: Too long: may not be more than 1048576 bytes")
        made = {"uid": f"uid-{number}", "creationTimestamp": (_BEGAN + timedelta(seconds=number)).isoformat()}
        self.known.held[kind, name] = {**body, "metadata": {**body["metadata"], **made}}
        return self.known.held[kind, name]

    def _listed(self, kind: str, query: dict[str, list[str]]) -> dict[str, Any]:
        wanted = {tuple(text.split("=")) for text in query["labelSelector"][0].split(",")}
        all_of = [item for (held, _), item in self.known.held.items() if held == kind]
        found = [item for item in all_of if wanted <= set(item["metadata"].get("labels", {}).items())]
        first = int(query.get("continue", ["0"])[0])
        end = first + min(self.known.page, int(query["limit"][0])) if "limit" in query else len(found)
        return {"metadata": {"continue": str(end) if end < len(found) else ""}, "items": found[first:end]}

    def _deleted(self, kind: str, name: str, found: dict[str, Any], how: dict[str, str]) -> dict[str, Any]:
        self.known.deletions.append((f"{kind}/{name}", how))
        if how.get("propagationPolicy") == "Foreground":
            found["metadata"]["deletionTimestamp"] = "2026-11-23T00:00:00Z"
        else:
            self.known.held.pop((kind, name))
        self.known.collect()
        return found

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
