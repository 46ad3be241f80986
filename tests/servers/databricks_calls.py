"""What the fake of Databricks (`databricks.py`) holds, and what each call does with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from tests.servers.answering import Asked, RefusalError
from tests.servers.databricks_api import FILE
from tests.servers.faults import Fault, Rules

VOLUME: Final = "/Volumes/main/etl/jobs"
CLUSTER: Final = "1234-567890-abcde123"
TOKEN: Final = "dapi" + "0tests0tests"
_RECORDED: Final = json.loads(FILE.read_text())
_LONGEST: Final = 64  # characters of an idempotency token
_FULL: Final = 25  # a page has fewer runs


def _no(status: int, code: str, message: str = "no") -> RefusalError:
    """An answer that says no, with Databricks' word for it."""
    return RefusalError(status, _error(code, message))


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error_code": code, "message": message}).encode()


@dataclass
class Run:
    """A run: what was submitted, and how it stands."""

    id: int
    sent: Mapping[str, Any]
    state: str = "RUNNING"
    code: str = ""
    message: str = ""
    looks: int = 0
    began: float = field(default_factory=time.time)

    @property
    def task(self) -> Any:
        """Its only task."""
        [task] = self.sent["tasks"]
        return task

    def told(self, address: str) -> dict[str, Any]:
        """As the API tells of it."""
        ended = {"code": self.code, "type": "SUCCESS", "message": self.message} if self.code else None
        status = {"state": self.state} | ({"termination_details": ended} if ended else {})
        page = f"{address}/?o=1#job/1/run/{self.id}"
        told = {"run_id": self.id, "run_name": self.sent["run_name"], "status": status, "run_page_url": page}
        return told | {"start_time": int(self.began * 1000)}


@dataclass
class Server:
    """The service and what it has seen."""

    port: int
    rules: Rules = field(default_factory=Rules)
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, float] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {VOLUME})
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    page: int = 2

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: Fault, word: str, times: int = 1) -> None:
        """Let the next requests fail whose method and path have a word."""
        self.rules.fail(fault, word, times)

    def workspaces(self, *, once: bool = False) -> Any:
        """The product's client, as its hook makes it."""
        from airflow_provider_etl.engines.workspace import Workspace

        return Workspace(self.address, lambda: {"Authorization": f"Bearer {TOKEN}"}, tries=1 if once else 6)

    def connection(self) -> str:
        """As an Airflow connection in a variable has it."""
        place = {"schema": "http", "host": "127.0.0.1", "port": self.port}
        return json.dumps({"conn_type": "databricks", "password": TOKEN} | place)

    def reset(self) -> None:
        """Forget all that was done."""
        self.__init__(self.port)  # type: ignore[misc]

    def admit(self, who: str) -> None:
        """Let in whoever has the token."""
        if who != f"Bearer {TOKEN}":
            raise _no(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type")

    def later(self, status: int, _: str) -> bytes:
        """What Databricks says where it is asked too early or too often."""
        return _error("TEMPORARILY_UNAVAILABLE" if status == 503 else "REQUEST_LIMIT_EXCEEDED", "later")

    def did(self, asked: Asked) -> tuple[int, bytes]:
        """Do what a request asks for; the answer."""
        self.admit(asked.headers.get("Authorization", ""))
        return self._did(asked.method, asked.url.path.removeprefix("/api/"), asked.query, asked.body)

    def _did(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        call = f"{method} {path}"
        for kind in ("files", "directories"):
            if path.startswith(f"2.0/fs/{kind}/"):
                place = unquote(path.removeprefix(f"2.0/fs/{kind}"))
                return 200, _FILES[f"{method} {kind}"](self, place, body)
        if call not in _CALLS:
            raise self._strange(f"{call} is no call that was recorded")
        given = json.loads(body) if method == "POST" else {key: _typed(value) for key, value in query.items()}
        self.fits(_RECORDED["requests"][call], given, call)
        return 200, json.dumps(_CALLS[call](self, given)).encode()

    def fits(self, schema: Mapping[str, Any], given: Any, call: str) -> Any:
        """What fits a schema; all else is remembered as wrong, and refused."""
        import jsonschema

        whole = {**schema, "$defs": _RECORDED["$defs"]}
        for error in jsonschema.Draft202012Validator(whole).iter_errors(given):
            raise self._strange(f"{call}: {error.json_path}: {error.message}")
        return given

    def answer(self, kind: str, given: Any) -> Any:
        """An answer, which must fit too."""
        return self.fits({"$ref": f"#/$defs/{kind}"}, given, kind)

    def _strange(self, why: str) -> RefusalError:
        self.wrong.append(why)
        return _no(400, "INVALID_PARAMETER_VALUE", why)

    def submit(self, given: dict[str, Any]) -> Any:
        """`runs/submit`."""
        token = given.get("idempotency_token", "")
        known = next((run for run in self.runs if token and run.sent.get("idempotency_token") == token), None)
        [task] = given["tasks"]
        if len(token) > _LONGEST or ("new_cluster" in task) == ("existing_cluster_id" in task):
            raise self._strange(f"runs/submit: {given}")
        if task.get("existing_cluster_id", CLUSTER) != CLUSTER:
            raise _no(400, "INVALID_PARAMETER_VALUE", f"Cluster {task['existing_cluster_id']} does not exist")
        if task["spark_python_task"]["python_file"] not in self.files:
            raise _no(400, "INVALID_PARAMETER_VALUE", "no such file")
        if known is None:
            known = Run(700 + len(self.runs), given)
            self.runs.append(known)
        return self.answer("SubmitRunResponse", {"run_id": known.id})

    def listed(self, given: dict[str, Any]) -> Any:
        """`runs/list`: newest first, in pages."""
        if not 0 < given.get("limit", 20) < _FULL:
            raise self._strange(f"runs/list: limit {given['limit']}")
        first = int(given.get("page_token", "after 0").removeprefix("after "))
        newest = [run for run in self.runs[::-1] if run.began * 1000 >= given.get("start_time_from", 0)]
        told: dict[str, Any] = {"runs": [run.told(self.address) for run in newest[first : first + self.page]]}
        if first + self.page < len(newest):
            told["next_page_token"] = f"after {first + self.page}"
        return self.answer("ListRunsResponse", told if newest else {})

    def run(self, given: dict[str, Any]) -> Any:
        """`runs/get`; a run that is cancelled has ended at the second look."""
        found = self._found(given["run_id"])
        if found.state == "TERMINATING":
            found.looks += 1
            found.state = "TERMINATED" if found.looks > 1 else found.state
        return self.answer("Run", found.told(self.address))

    def cancel(self, given: dict[str, Any]) -> Any:
        """`runs/cancel`."""
        found = self._found(given["run_id"])
        if found.state != "TERMINATED":
            found.state, found.code = "TERMINATING", "USER_CANCELED"
        return {}

    def _found(self, number: int) -> Run:
        for run in self.runs:
            if run.id == number:
                return run
        raise _no(400, "INVALID_PARAMETER_VALUE", f"Run {number} does not exist.")

    def put_secret(self, given: dict[str, Any]) -> Any:
        """`secrets/put`."""
        if given["scope"] not in self.secrets:
            raise _no(404, "RESOURCE_DOES_NOT_EXIST", f"Scope {given['scope']} does not exist!")
        self.secrets[given["scope"]][given["key"]] = given["string_value"]
        return {}

    def delete_secret(self, given: dict[str, Any]) -> Any:
        """`secrets/delete`."""
        if self.secrets.get(given["scope"], {}).pop(given["key"], None) is None:
            raise _no(404, "RESOURCE_DOES_NOT_EXIST")
        return {}

    def create_scope(self, given: dict[str, Any]) -> Any:
        """`secrets/scopes/create`."""
        if given["scope"] in self.secrets:
            raise _no(400, "RESOURCE_ALREADY_EXISTS", f"Scope {given['scope']} already exists!")
        self.secrets[given["scope"]] = {}
        return {}

    def file(self, place: str, _: bytes) -> bytes:
        """A file."""
        if place not in self.files:
            raise _no(404, "NOT_FOUND", "The file being accessed is not found.")
        return self.files[place]

    def put_file(self, place: str, content: bytes) -> bytes:
        """Write a file into a folder that is there."""
        if place.rpartition("/")[0] not in self.folders:
            raise _no(404, "NOT_FOUND", "The parent directory does not exist.")
        self.files[place], self.written[place] = content, time.time()
        return b""

    def delete_file(self, place: str, content: bytes) -> bytes:
        """Remove a file."""
        self.file(place, content)
        del self.files[place]
        return b""

    def make(self, place: str, _: bytes) -> bytes:
        """Make a folder, and those above it, in the volume that there is."""
        if not f"{place}/".startswith(f"{VOLUME}/"):
            raise _no(404, "NOT_FOUND", "The volume does not exist.")
        while place != VOLUME:
            self.folders.add(place)
            place = place.rpartition("/")[0]
        return b""

    def names(self, place: str, _: bytes) -> bytes:
        """What is in a folder."""
        if place not in self.folders:
            raise _no(404, "NOT_FOUND", "The directory being accessed is not found.")
        inside = dict.fromkeys(self.files, False) | dict.fromkeys(self.folders, True)
        changed = {name: {"last_modified": int(when * 1000)} for name, when in self.written.items()}
        listed = [
            {"path": name, "name": name.rpartition("/")[2], "is_directory": folder} | changed.get(name, {})
            for name, folder in sorted(inside.items())
            if name.rpartition("/")[0] == place
        ]
        return json.dumps(self.answer("ListDirectoryResponse", {"contents": listed})).encode()


_CALLS: Final[Mapping[str, Callable[[Server, dict[str, Any]], Any]]] = {
    "POST 2.2/jobs/runs/submit": Server.submit,
    "GET 2.2/jobs/runs/list": Server.listed,
    "GET 2.2/jobs/runs/get": Server.run,
    "POST 2.2/jobs/runs/cancel": Server.cancel,
    "POST 2.0/secrets/put": Server.put_secret,
    "POST 2.0/secrets/delete": Server.delete_secret,
    "POST 2.0/secrets/scopes/create": Server.create_scope,
}
_FILES: Final[Mapping[str, Callable[[Server, str, bytes], bytes]]] = {
    "GET files": Server.file,
    "HEAD files": Server.file,
    "PUT files": Server.put_file,
    "DELETE files": Server.delete_file,
    "PUT directories": Server.make,
    "GET directories": Server.names,
}


def _typed(value: str) -> Any:
    return int(value) if value.isdecimal() else {"true": True, "false": False}.get(value, value)
