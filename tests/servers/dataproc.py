"""A fake of Google's Dataproc, Cloud Storage and Secret Manager on loopback, and of a machine's metadata server.

No Spark runs there, and nobody but Google can say that it is alike. What holds it to the real ones: requests, their
queries and answers must fit the schemas made from Google's public discovery documents (`dataproc_api.py`); what
doesn't is refused, and stands in `wrong`. A test moves the states of its jobs. Refusals say what Google's do where that
is documented, and are guessed elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from tests.servers.answering import Asked, RefusalError, answering
from tests.servers.dataproc_api import FILE
from tests.servers.dataproc_stores import BUCKET, PROJECT, REGION, Stores, error_text, refusal, stored_text
from tests.servers.faults import Fault, Rules
from tests.servers.guarded import free_port

CLUSTER: Final = "farm"
OTHER: Final = "barn"
TOKEN: Final = "ya29.0tests0tests"
DRIVERS: Final = "ya29.0drivers0tests"
_RECORDED: Final = json.loads(FILE.read_text())
_BATCH: Final = re.compile(r"[a-z0-9\-]{4,63}")
_JOB: Final = re.compile(r"[\w\-]{1,100}")
_REQUEST: Final = re.compile(r"[\w\-]{1,40}")
_RFC1035: Final = re.compile(r"[a-z]([a-z0-9\-]{0,61}[a-z0-9])?")
_ALL: Final = f"projects/{PROJECT}/locations/{REGION}/batches"
_TIME: Final = r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"'
_FILTERS: Final = {  # as their documentation writes them: of batches, of jobs
    False: (rf"create_time > {_TIME}", r'labels\.etl = "([a-z0-9\-]+)"'),
    True: (rf"labels\.etl = \* AND insertTime >= {_TIME}", r"labels\.etl = ([a-z0-9\-]+)"),
}
_ENDED: Final = ("SUCCEEDED", "FAILED", "CANCELLED", "DONE", "ERROR")


@dataclass
class Run:
    """A batch, or a job of a cluster: what was submitted, and how it stands."""

    name: str
    sent: Mapping[str, Any]
    request: str
    number: int
    is_job: bool = False
    state: str = "RUNNING"
    message: str = ""
    looks: int = 0
    is_old: bool = False  # of last week

    @property
    def pyspark(self) -> Any:
        """What Spark got."""
        return self.sent["pysparkJob" if self.is_job else "pysparkBatch"]

    @property
    def conf(self) -> Any:
        """Spark's settings."""
        return self.pyspark["properties"] if self.is_job else self.sent["runtimeConfig"]["properties"]

    @property
    def operation(self) -> str:
        """What a batch is, too."""
        return f"projects/{PROJECT}/regions/{REGION}/operations/op-{self.number}"

    def told(self) -> dict[str, Any]:
        """As the API tells of it."""
        began = f"2026-01-01T00:00:{self.number:02}Z"
        if not self.is_job:
            more = {"stateMessage": self.message} if self.message else {}
            place = {"name": f"{_ALL}/{self.name}", "operation": self.operation, "createTime": began}
            return {**self.sent, **place, "state": self.state, **more}
        status = {"state": self.state, "stateStartTime": began} | ({"details": self.message} if self.message else {})
        return {**self.sent, "status": status, "statusHistory": [{"state": "PENDING", "stateStartTime": began}]}


@dataclass
class Server(Stores):
    """The services and what they have seen."""

    rules: Rules = field(default_factory=Rules)
    asked: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    late: int = 0  # of the newest runs, those that no list has yet
    tokens: int = 0

    def fail(self, fault: Fault, word: str, times: int = 1) -> None:
        """Let the next requests fail whose method and path have a word."""
        self.rules.fail(fault, word, times)

    def address(self, service: str) -> str:
        """Where a service is."""
        return f"http://127.0.0.1:{self.port}/{service}"

    def apis(self, token: str = TOKEN) -> Any:
        """The product's client, as its hook makes it."""
        return _Apis(self, token)

    def reset(self) -> None:
        """Forget all that was done."""
        self.__init__(self.port)  # type: ignore[misc]

    def later(self, status: int, path: str) -> bytes:
        """What Google says where it is asked too early or too often."""
        if path.startswith("/storage/"):
            return stored_text(status, "backendError" if status == 503 else "rateLimitExceeded", "later")
        return error_text(status, "UNAVAILABLE" if status == 503 else "RESOURCE_EXHAUSTED", "later")

    def did(self, asked: Asked) -> tuple[int, bytes]:
        """Do what a request asks for; the answer."""
        path = asked.url.path
        if path == "/computeMetadata/v1/instance/service-accounts/default/token":
            if asked.headers.get("Metadata-Flavor") != "Google":
                raise RefusalError(403, b"Missing Metadata-Flavor:Google header.")
            return 200, json.dumps({"access_token": DRIVERS, "expires_in": 3599, "token_type": "Bearer"}).encode()
        if path == "/token":  # where a key's holder gets one
            self.tokens += 1
            return 200, json.dumps({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}).encode()
        self._admit(asked.headers.get("Authorization", ""))
        for call, (method, pattern, done) in _CALLS.items():
            if method == asked.method and (found := re.fullmatch(pattern, path)):
                return self._served(call, done, asked, [unquote(part) for part in found.groups()])
        raise self.strange(f"{asked.method} {path} is no call that was recorded")

    def _admit(self, who: str) -> None:
        if who not in (f"Bearer {TOKEN}", f"Bearer {DRIVERS}"):
            raise refusal(401, "Request had invalid authentication credentials.")

    def _served(self, call: str, done: Any, asked: Asked, names: list[str]) -> tuple[int, bytes]:
        recorded, is_media = _RECORDED["methods"][call], asked.query.get("uploadType") == "media"
        typed = {key: _typed(value, recorded["query"], key) for key, value in asked.query.items()}
        self._fits(recorded["query"], typed, call)
        body: Any = asked.body
        if not is_media:
            body = json.loads(asked.body) if asked.body else {}
            self._fits(recorded["request"] or {"maxProperties": 0}, body, call)
        answer = done(self, names, typed, body)
        if isinstance(answer, bytes):
            return 200, answer
        self._fits(recorded["response"], answer, f"answer of {call}")
        return 200, json.dumps(answer).encode()

    def _fits(self, schema: Any, given: Any, call: str) -> None:
        """Refuse and remember what doesn't fit a schema."""
        import jsonschema

        for error in jsonschema.Draft202012Validator({**schema, "$defs": _RECORDED["$defs"]}).iter_errors(given):
            raise self.strange(f"{call}: {error.json_path}: {error.message}")

    # -- Dataproc -------------------------------------------------------------------------------------------------

    def create(self, names: list[str], query: Any, body: Any) -> Any:
        """`batches.create`."""
        project, region = names
        if (project, region) != (PROJECT, REGION):
            raise refusal(403, f"Permission denied on resource project {project}.")
        run = self._run(query["batchId"], body, query["requestId"])
        if not _BATCH.fullmatch(run.name):
            raise self.strange(f"batch {run.name}")
        return {"name": run.operation, "metadata": {"batch": f"{_ALL}/{run.name}"}, "done": False}

    def submit(self, names: list[str], _: Any, body: Any) -> Any:
        """`jobs.submit`."""
        job = body["job"]
        if names != [PROJECT, REGION] or job["reference"]["projectId"] != PROJECT:
            raise refusal(403, f"Permission denied on resource project {names[0]}.")
        if job["placement"]["clusterName"] not in (CLUSTER, OTHER):
            raise refusal(404, f"Not found: Cluster projects/{PROJECT}/regions/{REGION}/clusters/…")
        run = self._run(job["reference"]["jobId"], job, body["requestId"], is_job=True)
        if not _JOB.fullmatch(run.name):
            raise self.strange(f"job {run.name}")
        return run.told()

    def _run(self, name: str, sent: Any, request: str, *, is_job: bool = False) -> Run:
        known = next((run for run in self.runs if run.request == request), None)
        if known:
            return known
        if any(run.name == name for run in self.runs):
            raise RefusalError(
                409, error_text(409, "ALREADY_EXISTS", f"Already exists: Failed to create batch: {name}")
            )
        made = Run(name, sent, request, len(self.runs), is_job)
        if not _REQUEST.fullmatch(request) or not _RFC1035.fullmatch(sent["labels"]["etl"]):
            raise self.strange(f"{request}, {sent['labels']}")
        for uri in (made.pyspark["mainPythonFileUri"], *made.pyspark["pythonFileUris"]):
            if uri.removeprefix(f"gs://{BUCKET}/") not in self.objects:
                raise refusal(400, f"File not found: {uri}")
        self.runs.append(made)
        return made

    def batches(self, _: list[str], query: Any, __: Any) -> Any:
        """`batches.list`: newest first where that is asked, in pages."""
        found = [run for run in self.runs if not run.is_job and self._matches(run, query["filter"])]
        if query.get("orderBy") == "create_time desc":
            found.reverse()
        told, more = self._page(found, query)
        return {"batches": [{"name": run["name"]} for run in told], **more}

    def jobs(self, _: list[str], query: Any, __: Any) -> Any:
        """`jobs.list`: in no order, in pages."""
        found = [run for run in self.runs if run.is_job and self._matches(run, query["filter"])]
        if "clusterName" in query:
            found = [run for run in found if run.sent["placement"]["clusterName"] == query["clusterName"]]
        told, more = self._page(found, query)
        return {"jobs": told, **more}

    def _matches(self, run: Run, said: str) -> bool:
        everybody, one = _FILTERS[run.is_job]
        if re.fullmatch(everybody, said):
            return not run.is_old
        found = re.fullmatch(one, said)
        if not found:
            raise self.strange(f"filter {said}")
        return bool(found[1] == run.sent["labels"]["etl"])

    def _page(self, known: list[Run], query: Any) -> tuple[list[Any], dict[str, str]]:
        late = self.runs[len(self.runs) - self.late :]
        found = [run for run in known if run not in late]
        first = int(query.get("pageToken", "after 0").removeprefix("after "))
        last = first + min(self.page, query["pageSize"])
        return [run.told() for run in found[first:last]], (
            {"nextPageToken": f"after {last}"} if last < len(found) else {}
        )

    def state(self, names: list[str], _: Any, __: Any) -> Any:
        """`batches.get`, `jobs.get`; what is cancelled has ended at the second look."""
        run = self.found(names[-1])
        if run.state in ("CANCELLING", "CANCEL_STARTED"):
            run.looks += 1
            run.state = "CANCELLED" if run.looks > 1 else run.state
        return run.told()

    def found(self, name: str) -> Run:
        """A run by its name, or by its operation's."""
        for run in self.runs:
            if name in (run.name, f"op-{run.number}"):
                return run
        raise refusal(404, f"Not found: Batch {_ALL}/{name}")

    def cancel(self, names: list[str], _: Any, __: Any) -> Any:
        """`operations.cancel`, `jobs.cancel`."""
        run = self.found(names[-1])
        if run.state in _ENDED:
            raise RefusalError(400, error_text(400, "FAILED_PRECONDITION", f"{run.name} is {run.state}"))
        run.state = "CANCEL_STARTED" if run.is_job else "CANCELLING"
        return run.told() if run.is_job else {}


class _Apis:
    def __init__(self, server: Server, token: str) -> None:
        self._server, self._token = server, token

    def __call__(self, service: str, *, once: bool = False) -> Any:
        from airflow_provider_etl.engines.calls import Calls

        headers = {"Authorization": f"Bearer {self._token}"}
        return Calls(self._server.address(service), lambda: headers, tries=1 if once else 6)

    def project(self) -> str:
        return PROJECT


def _typed(value: str, schema: Any, key: str) -> Any:
    kind = schema["properties"].get(key, {}).get("type")
    return int(value) if kind == "integer" and value.isdecimal() else value


_P, _L, _R = "/dataproc/v1/projects/([^/]+)", "/locations/([^/]+)", "/regions/([^/]+)"
_S, _B = "/secretmanager/v1/projects/([^/]+)/secrets", "/storage/storage/v1/b/([^/]+)/o"
_CALLS: Final[Mapping[str, tuple[str, str, Callable[..., Any]]]] = {
    "batches.create": ("POST", f"{_P}{_L}/batches", Server.create),
    "batches.list": ("GET", f"{_P}{_L}/batches", Server.batches),
    "batches.get": ("GET", f"{_P}{_L}/batches/([^/]+)", Server.state),
    "operations.cancel": ("POST", f"{_P}{_R}/operations/([^/:]+):cancel", Server.cancel),
    "jobs.submit": ("POST", f"{_P}{_R}/jobs:submit", Server.submit),
    "jobs.list": ("GET", f"{_P}{_R}/jobs", Server.jobs),
    "jobs.get": ("GET", f"{_P}{_R}/jobs/([^/:]+)", Server.state),
    "jobs.cancel": ("POST", f"{_P}{_R}/jobs/([^/:]+):cancel", Server.cancel),
    "secrets.create": ("POST", _S, Server.secret),
    "secrets.addVersion": ("POST", f"{_S}/([^/:]+):addVersion", Server.version),
    "secrets.delete": ("DELETE", f"{_S}/([^/:]+)", Server.forget),
    "versions.access": ("GET", f"{_S}/([^/:]+)/versions/latest:access", Server.access),
    "objects.get": ("GET", f"{_B}/([^/]+)", Server.object),
    "objects.insert": ("POST", "/storage/upload/storage/v1/b/([^/]+)/o", Server.insert),
    "objects.delete": ("DELETE", f"{_B}/([^/]+)", Server.delete),
    "objects.list": ("GET", _B, Server.names),
}


@contextmanager
def dataproc_server() -> Iterator[Server]:
    """Fresh services until the end of the block, with a bucket and a cluster that runs."""
    server = Server(free_port())
    with answering(server):
        yield server
