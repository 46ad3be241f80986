"""AWS as moto has it, on loopback, and a proxy in front of it that fails as networks and services do.

moto starts no Spark: a test moves the states of its jobs. It knows no client token and no time filter of EMR
Serverless, and no cancel of EMR's steps: the proxy answers for it there.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from tests.servers.faults import Fault, Rules
from tests.servers.guarded import PASSWORD, free_port

REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/etl"
_KEY: Final = "AKIA" + "0TESTS0TESTS0TES"


@dataclass
class Server:
    """The proxy and what it has seen."""

    port: int
    moto: int
    rules: Rules = field(default_factory=Rules)
    asked: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """The proxy's address."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: Fault, word: str, times: int = 1) -> None:
        """Let the next requests fail whose method, path or action has a word."""
        self.rules.fail(fault, word, times)

    def clients(self, service: str, *, once: bool = False) -> Any:
        """A boto3 client, as the product's hook makes it."""
        import boto3
        from botocore.config import Config

        retries = {"mode": "standard", "total_max_attempts": 1 if once else 6}
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=_KEY,
            aws_secret_access_key=PASSWORD,
            config=Config(retries=retries, connect_timeout=5, read_timeout=5, s3={"addressing_style": "path"}),
        )

    def connection(self) -> str:
        """As an Airflow connection in a variable has it."""
        extra = {"endpoint_url": self.endpoint, "region_name": REGION}
        return json.dumps({"conn_type": "aws", "login": _KEY, "password": PASSWORD, "extra": extra})

    @property
    def variables(self) -> dict[str, str]:
        """What a process finds it by."""
        known = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": REGION}
        return known | {"AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": PASSWORD}

    def application(self) -> str:
        """A new application of EMR Serverless; its id."""
        client = self.clients("emr-serverless")
        answer = client.create_application(name="etl", releaseLabel="emr-7.1.0", type="SPARK", clientToken="t")
        return str(answer["applicationId"])

    def runs(self, application: str) -> list[Any]:
        """The job runs of an application, as moto holds them: a test moves their `state`."""
        from moto.emrserverless.models import emrserverless_backends

        return list(emrserverless_backends[ACCOUNT][REGION].job_runs.get(application, []))

    def steps(self, cluster: str) -> list[Any]:
        """The steps of a cluster, as moto holds them."""
        from moto.emr.models import emr_backends

        # It takes the region from the host's name, and ours has none.
        [found] = [known.clusters[cluster] for known in emr_backends[ACCOUNT].values() if cluster in known.clusters]
        return list(found.steps)


@contextmanager
def aws_server() -> Iterator[Server]:
    """A fresh server until the end of the block, with a bucket `company-etl`."""
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    moto.start()
    server = Server(free_port(), moto._port)
    proxy = ThreadingHTTPServer(("127.0.0.1", server.port), type("Proxy", (_Proxy,), {"known": server}))
    proxy.daemon_threads = True
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        _asked(server, "POST", "/moto-api/reset", {}, b"")
        server.clients("s3").create_bucket(
            Bucket="company-etl", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield server
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
        moto.stop()


def _asked(server: Server, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
    moto = http.client.HTTPConnection("127.0.0.1", server.moto, timeout=30)
    try:
        moto.request(method, path, body, headers)
        answer = moto.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        moto.close()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    known: ClassVar[Server]

    def _serve(self) -> None:
        server = self.known
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.headers.get("X-Amz-Target", "")
        server.asked.append(f"{self.command} {self.path} {action}".strip())
        fault = server.rules.fault(self.command, self.path, action)
        if fault in ("503", "throttled"):
            self._refuse(fault)
            return
        if action.endswith("CancelSteps"):
            self._answer(200, [], _cancel_steps(server, json.loads(body)))
            return
        path, _, after = self.path.partition("?createdAtAfter=")  # moto compares it with a time of another type
        known = _known(server, path, body) if self.command == "POST" and path.endswith("/jobruns") else b""
        status, headers, content = (200, [], known) if known else self._asked(path, body)
        content = _since(content, unquote(after)) if after and status == 200 else content
        if fault == "lost":
            self.close_connection = True
        elif fault == "cut":
            self._answer(status, headers, content, cut=True)
        else:
            self._answer(status, headers, content)

    def _asked(self, path: str, body: bytes) -> tuple[int, Any, bytes]:
        return _asked(self.known, self.command, path, dict(self.headers), body)

    def _refuse(self, fault: Fault) -> None:
        name = "ThrottlingException" if fault == "throttled" else "ServiceUnavailable"
        content = json.dumps({"__type": name, "message": "slow down"}).encode()
        status = 400 if fault == "throttled" else 503
        self._answer(status, [("x-amzn-ErrorType", name), ("Content-Type", "application/json")], content)

    def _answer(self, status: int, headers: Any, content: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        told = [value for name, value in headers if name.lower() == "content-length"]
        length = told[0] if self.command == "HEAD" and told else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _known(server: Server, path: str, body: bytes) -> bytes:
    """The answer to a second submission of one client token: the first job run."""
    application, token = path.split("/")[2], json.loads(body)["clientToken"]
    for run in server.runs(application):
        if run.client_token == token:
            return json.dumps({"applicationId": application, "arn": run.arn, "jobRunId": run.id}).encode()
    return b""


def _since(content: bytes, after: str) -> bytes:
    told = json.loads(content)
    began = datetime.fromisoformat(after).timestamp()
    return json.dumps(told | {"jobRuns": [run for run in told["jobRuns"] if run["createdAt"] >= began]}).encode()


def _cancel_steps(server: Server, asked: dict[str, Any]) -> bytes:
    for step in server.steps(asked["ClusterId"]):
        if step.id in asked["StepIds"]:
            step.state = "CANCELLED"
    listed = [{"StepId": step, "Status": "SUBMITTED"} for step in asked["StepIds"]]
    return json.dumps({"CancelStepsInfoList": listed}).encode()
