"""The requests and answers of Google's APIs that we use, as JSON Schemas: made from its public discovery documents.

`python -m tests.servers.dataproc_api FOLDER` writes dataproc_api.json anew; the folder has dataproc.v1.json,
secretmanager.v1.json and storage.v1.json, as google-api-python-client (Apache-2.0) brings them. Classes that we use
nothing of may be anything; what is output only is in no request.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_suffix(".json")
_METHODS: Final = {
    "dataproc": {
        "batches.create": "projects.locations.batches.create",
        "batches.list": "projects.locations.batches.list",
        "batches.get": "projects.locations.batches.get",
        "operations.cancel": "projects.regions.operations.cancel",
        "jobs.submit": "projects.regions.jobs.submit",
        "jobs.list": "projects.regions.jobs.list",
        "jobs.get": "projects.regions.jobs.get",
        "jobs.cancel": "projects.regions.jobs.cancel",
    },
    "secretmanager": {
        "secrets.create": "projects.secrets.create",
        "secrets.addVersion": "projects.secrets.addVersion",
        "secrets.delete": "projects.secrets.delete",
        "versions.access": "projects.secrets.versions.access",
    },
    "storage": {f"objects.{call}": f"objects.{call}" for call in ("get", "insert", "delete", "list")},
}
_USED: Final = (
    *("Batch", "PySparkBatch", "RuntimeConfig", "EnvironmentConfig", "ExecutionConfig", "AuthenticationConfig"),
    *("Operation", "Status", "ListBatchesResponse", "SubmitJobRequest", "Job", "JobReference", "JobPlacement"),
    *("PySparkJob", "JobStatus", "JobScheduling", "ListJobsResponse", "CancelJobRequest", "Empty"),
    *("Secret", "Replication", "UserManaged", "Replica", "AddSecretVersionRequest", "SecretPayload", "SecretVersion"),
    *("AccessSecretVersionResponse", "Object", "Objects"),
)
_PLAIN: Final = ("string", "boolean", "integer", "number")


class _Document:
    """A discovery document."""

    def __init__(self, folder: Path, service: str) -> None:
        self.service, self._told = service, json.loads((folder / f"{service}.v1.json").read_text())
        self.known: dict[str, Any] = {}

    @property
    def revision(self) -> str:
        return str(self._told["revision"])

    def method(self, path: str) -> dict[str, Any]:
        """What a method takes and answers."""
        *above, name = path.split(".")
        found = self._told
        for resource in above:
            found = found["resources"][resource]
        method = found["methods"][name]
        said = {**self._told["parameters"], **method.get("parameters", {})}
        query = {key: {"type": value["type"]} for key, value in said.items() if value["location"] == "query"}
        if method.get("supportsMediaUpload"):
            query["uploadType"] = {"type": "string"}
        return {
            "query": {"type": "object", "properties": query, "additionalProperties": False},
            "request": self._named(method.get("request"), asked=True),
            "response": self._named(method.get("response"), asked=False),
        }

    def _named(self, found: Any, *, asked: bool) -> Any:
        return self._class(found["$ref"], asked=asked) if found else None

    def _class(self, name: str, *, asked: bool) -> Any:
        if name not in _USED:
            return {"type": "object"}
        key = f"{self.service}.{name}{'.asked' if asked else ''}"
        if key not in self.known:
            self.known[key] = {}
            told = self._told["schemas"][name].get("properties", {})
            kept = {word: said for word, said in told.items() if not (asked and said.get("readOnly"))}
            properties = {word: self._of(said, asked=asked) for word, said in kept.items()}
            self.known[key].update({"type": "object", "properties": properties, "additionalProperties": False})
        return {"$ref": f"#/$defs/{key}"}

    def _of(self, said: Any, *, asked: bool) -> Any:
        if "$ref" in said:
            return self._class(said["$ref"], asked=asked)
        if said.get("type") == "array":
            return {"type": "array", "items": self._of(said["items"], asked=asked)}
        if said.get("type") in _PLAIN:
            return {"type": said["type"]} | ({"enum": said["enum"]} if "enum" in said else {})
        if said.get("type") == "any":
            return {}
        more = said.get("additionalProperties")
        return {"type": "object"} | ({"additionalProperties": self._of(more, asked=asked)} if more else {})


def main(folder: Path) -> None:
    """Write the file."""
    documents = [_Document(folder, service) for service in _METHODS]
    methods = {
        call: document.method(path) for document in documents for call, path in _METHODS[document.service].items()
    }
    told = {
        "made of": {document.service: f"v1, revision {document.revision}" for document in documents},
        "methods": methods,
        "$defs": {key: schema for document in documents for key, schema in document.known.items()},
    }
    FILE.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
